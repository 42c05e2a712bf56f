/**
 * The seam to what runs inside an amphora: the agent's REST API (rest/), or nothing at all (noop/).
 * Every method can be repeated. A DriverError is retryable when the agent did not answer, and not
 * when it refused.
 */
import type { VrrpGroup } from '../dataplane/keepalived/vrrp.ts'
import type { Amphora } from '../model/amphora.ts'
import type { TlsMaterial } from '../model/tls.ts'
import type { LoadBalancerTree } from '../model/tree.ts'
import type { Network, Port, Subnet, VipRule } from './network.ts'

export interface AmphoraInfo {
  readonly hostname: string
  readonly haproxy_version: string
  readonly api_version: string
  /** Empty where it is not installed. */
  readonly keepalived_version: string
}

export interface VipOnSubnet {
  readonly ip_address: string
  readonly subnet: Subnet
}

export interface VipPlug {
  readonly port: Port
  readonly network: Network
  /** Those of the port's addresses. */
  readonly subnets: readonly Subnet[]
  readonly vip: VipOnSubnet
  readonly additional_vips: readonly VipOnSubnet[]
  /** Without the VIPs themselves: another amphora has them until the next call. */
  readonly hold_vip?: boolean
}

export interface MemberPlug {
  readonly port: Port
  readonly network: Network
  readonly subnets: readonly Subnet[]
  /** Where the port is that of the VIP, which gets further addresses. */
  readonly vip?: VipPlug
}

/** What an amphora of a pair is told about VRRP; roles and addresses are in its row. */
export interface VrrpPlan {
  readonly load_balancer_id: string
  readonly group: VrrpGroup
  readonly interface: string
  /** The other amphorae. */
  readonly peers: readonly Amphora[]
  readonly vips: readonly VipOnSubnet[]
  /** Takes the VIPs from whoever has them. */
  readonly takeover: boolean
}

/** A listener that an amphora does not serve as the tree says. */
export interface Refusal {
  /** A sentence for its owner. No secret. */
  readonly why: string
  /** It goes on as it was before; otherwise it is not served at all. */
  readonly served: boolean
}

export interface AmphoraDriver {
  /** There are no amphorae: no call reaches anything, or takes time. */
  readonly imaginary?: true
  /** Asks once whether the agent answers; the flow repeats. */
  getInfo(amphora: Amphora): Promise<AmphoraInfo>
  plugVip(amphora: Amphora, plug: VipPlug): Promise<void>
  plugMember(amphora: Amphora, plug: MemberPlug): Promise<void>
  /**
   * Makes the amphora serve exactly this tree: configuration checked, swapped, haproxy started or
   * reloaded; nothing is reloaded when nothing changed; haproxy is removed when no listener is
   * left. Objects in PENDING_DELETE count as gone. `tls` is all that the tree refers to; absent,
   * where it refers to nothing. Resolves to what haproxy or keepalived refuses, by the id of the
   * listener; all others are served.
   */
  updateListeners(
    amphora: Amphora,
    tree: LoadBalancerTree,
    tls?: TlsMaterial,
  ): Promise<ReadonlyMap<string, Refusal>>
  /** The interface that has the address now; undefined where none has it. */
  findInterface(amphora: Amphora, ip_address: string): Promise<string | undefined>
  /** Makes keepalived run with this; nothing is reloaded when nothing changed. */
  updateVrrp(amphora: Amphora, plan: VrrpPlan): Promise<void>
  /**
   * Lets exactly this traffic reach the VIP, all of it where there is no rule. An agent that cannot
   * is no failure as long as the rules let everybody in.
   */
  setVipRules(amphora: Amphora, rules: readonly VipRule[]): Promise<void>
  /** Replaces the agent's configuration file. Secret: the heartbeat key is in it. */
  updateAgentConfig(amphora: Amphora, config: string): Promise<void>
  /** Replaces the certificate by which the agent is known, from the next connection on. Secret. */
  updateCertificate(amphora: Amphora, pem: string): Promise<void>
  /** Stops and removes what serves the load balancer. */
  deleteLoadBalancer(amphora: Amphora, load_balancer_id: string): Promise<void>
}
