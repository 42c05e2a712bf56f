/**
 * The seam to a network service: Neutron, the bridges of this machine, or nothing at all. Every
 * method can be repeated: what is created carries our ids and is found again, deleting what is gone
 * succeeds. `find...` returns undefined for what does not exist or is invisible. Failures are
 * DriverErrors.
 */
import type { VnicType } from '../model/load-balancer.ts'

export interface Network {
  readonly id: string
  readonly name: string
  readonly mtu: number
  readonly subnet_ids: readonly string[]
  readonly port_security_enabled: boolean
  /** Every subnet is part of it: a network that is made up. */
  readonly boundless?: boolean
}

export interface HostRoute {
  /** CIDR. */
  readonly destination: string
  /** Next hop. */
  readonly nexthop: string
}

export interface Subnet {
  readonly id: string
  readonly name: string
  readonly network_id: string
  readonly cidr: string
  readonly gateway_ip: string | null
  readonly host_routes: readonly HostRoute[]
  /** It is part of every network, and every address is in it: a subnet that is made up. */
  readonly boundless?: boolean
}

export interface FixedIp {
  readonly subnet_id: string
  readonly ip_address: string
}

export interface Port {
  readonly id: string
  readonly name: string
  readonly network_id: string
  readonly mac_address: string
  /** Empty for a port which nothing uses. */
  readonly device_id: string
  readonly device_owner: string
  readonly fixed_ips: readonly FixedIp[]
  /** Every subnet and address is on it: it is made up. */
  readonly boundless?: boolean
}

/** What a VIP port is asked for. `port_id` adopts a port of the user's; else one is made. */
export interface VipRequest {
  readonly load_balancer_id: string
  readonly project_id: string
  readonly network_id: string
  readonly subnet_id: string | null
  readonly port_id: string | null
  /** null: any free address of the subnet. */
  readonly ip_address: string | null
  readonly additional_vips: readonly {
    readonly subnet_id: string
    readonly ip_address: string | null
  }[]
}

export interface AdditionalVip {
  readonly subnet_id: string
  readonly ip_address: string
}

export interface Vip {
  readonly port_id: string
  readonly network_id: string
  readonly subnet_id: string
  readonly ip_address: string
  readonly additional_vips: readonly AdditionalVip[]
}

/** An amphora as far as the network knows it. */
export interface AmphoraOnNetwork {
  readonly id: string
  readonly compute_id: string
  /** What it had on the VIP network before: it gets that again, if it is free. */
  readonly vrrp_ip?: string | null
}

/** A VIP address is taken; the API answers 409, every other failure of `allocateVip` is a 500. */
export class AddressInUse extends Error {
  override readonly name = 'AddressInUse'
  readonly ip_address: string
  readonly network_id: string
  constructor(ip_address: string, network_id: string) {
    super(`address ${ip_address} is in use on network ${network_id}`)
    this.ip_address = ip_address
    this.network_id = network_id
  }
}

/** How listeners let traffic in; a driver with security groups or nftables makes rules of it. */
export interface VipRule {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP' | 'VRRP'
  readonly port: number | null
  /** null is everybody. */
  readonly cidr: string | null
  /** Only from amphorae of the same load balancer, as VRRP is anyway. */
  readonly from_peers?: true
}

/** A VIP with everything that its traffic goes through. */
export interface VipTarget {
  readonly load_balancer_id: string
  readonly vip: Vip
  /** What `plugVip` made. */
  readonly amphora_port_ids: readonly string[]
  /** Of the user's own. */
  readonly security_group_ids: readonly string[]
  readonly qos_policy_id: string | null
}

/** Look-ups on behalf of somebody: what is invisible to him does not exist. */
export type NetworkView = Pick<
  NetworkDriver,
  | 'findNetwork'
  | 'findSubnet'
  | 'findPort'
  | 'hasQosPolicy'
  | 'hasSecurityGroup'
  | 'listFreeAddresses'
>

/** What the holder of a token sees; without a token, or where nothing is hidden, everything. */
export function seenBy(network: NetworkDriver, token: string | null): NetworkView {
  return token === null ? network : (network.seenBy?.(token) ?? network)
}

export interface NetworkDriver {
  /** Nothing of what it tells exists: no call reaches anything, or takes time. */
  readonly imaginary?: true
  /** Where users see what is theirs: the view of the holder of a token. */
  readonly seenBy?: (token: string) => NetworkView
  findNetwork(id: string): Promise<Network | undefined>
  findSubnet(id: string): Promise<Subnet | undefined>
  findPort(id: string): Promise<Port | undefined>
  /** undefined where ports have no QoS at all. */
  hasQosPolicy(id: string): Promise<boolean | undefined>
  hasSecurityGroup(id: string): Promise<boolean>
  /** Free addresses of each subnet of a network, in the network's order of subnets. */
  listFreeAddresses(network_id: string): Promise<readonly { subnet_id: string; free: number }[]>

  /**
   * The VIP port of a load balancer: named `octavia-lb-<id>`, device_owner `Octavia`, device_id
   * `lb-<id>`. An adopted port keeps its owner. Again for the same load balancer: the same port.
   * Throws AddressInUse.
   */
  allocateVip(request: VipRequest): Promise<Vip>
  /** Deletes the VIP port if it is ours, else takes back only what `allocateVip` set on it. */
  deallocateVip(load_balancer_id: string, port_id: string | null): Promise<void>

  /**
   * The amphora's own port on the VIP network (`octavia-lb-vrrp-<amphora>`), attached to its
   * compute instance and allowed to use the VIP addresses. Again for the same amphora: the same
   * port. Nothing reaches it before `setVipRules`.
   */
  plugVip(amphora: AmphoraOnNetwork, vip: Vip, vnic_type?: VnicType): Promise<Port>
  /** Detaches and deletes that port. */
  unplugVip(amphora: { readonly id: string; readonly compute_id: string | null }): Promise<void>

  /**
   * The amphora's port on a member subnet (`octavia-lb-member-<amphora>`); the same one again, and
   * for other subnets of its network, with an address in each. On the VIP network it is the port
   * that `plugVip` made.
   */
  plugMember(amphora: AmphoraOnNetwork, subnet: Subnet, vnic_type?: VnicType): Promise<Port>
  unplugMember(amphora: { readonly id: string }, network_id: string): Promise<void>

  /** Whether `setVipRules` can do nothing, so that the amphorae themselves are told the same. */
  rulesAreForAmphorae(): Promise<boolean>
  /**
   * Lets exactly this traffic reach the VIP and the amphorae's ports, through the user's security
   * groups too, as fast as the QoS policy allows.
   */
  setVipRules(target: VipTarget, rules: readonly VipRule[]): Promise<void>
}
