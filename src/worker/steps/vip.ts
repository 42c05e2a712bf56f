/** The VIP: ports of amphorae on its network, its interfaces inside them, and who may reach it. */

import { PEER_PORT } from '../../dataplane/haproxy/configuration.ts'
import type { VipPlug } from '../../driver/amphora.ts'
import { DriverError } from '../../driver/error.ts'
import type { NetworkDriver, Port, Subnet, VipRule, VipTarget } from '../../driver/network.ts'
import { type Amphora, amphora } from '../../model/amphora.ts'
import { L4_PROTOCOL_OF } from '../../model/listener.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'
import { expectHeartbeats, wereHeard } from '../../store/health.ts'
import { updateRow } from '../../store/repository.ts'
import { present } from '../../system/assert.ts'
import { timestamp } from '../../system/clock.ts'
import type { Context, WorkerStep } from '../world.ts'
import { among, forEach, listAmphorae, loadTree, serving, vipOf } from './amphorae.ts'
import { inAmphorae, onNetwork } from './imaginary.ts'
import { agentRetry, networkRetry } from './retries.ts'

interface Input {
  readonly load_balancer_id: string
}

/** Which amphorae are meant. */
interface Some extends Input {
  readonly amphorae: readonly { readonly id: string }[]
}

type Plugged = { readonly id: string; readonly port_id: string; readonly ip_address: string }

export function plugVip({ load_balancer_id, amphorae }: Some): WorkerStep {
  return {
    name: 'plug-vip',
    retry: networkRetry,
    imaginary: onNetwork,
    act: async (context) => {
      const tree = await loadTree(context, load_balancer_id)
      const vip = vipOf(tree)
      return forEach(
        among(tree.amphorae, amphorae),
        async ({ id, compute_id }): Promise<Plugged> => {
          const on = { id, compute_id: present(compute_id, `compute_id of amphora ${id}`) }
          const port = await context.world.network.plugVip(on, vip, tree.vip_vnic_type)
          return { id, port_id: port.id, ip_address: addressOn(port, vip.subnet_id) }
        },
      )
    },
    rows: async (tx, context) => {
      const { port_id, ip_address } = vipOf(await loadTree(context, load_balancer_id))
      const ha = { ha_ip: ip_address, ha_port_id: port_id }
      for (const one of context.result<Plugged[]>('plug-vip')) {
        const vrrp = { vrrp_ip: one.ip_address, vrrp_port_id: one.port_id }
        await updateRow(tx, amphora, one.id, { ...vrrp, ...ha })
      }
    },
    undo: async ({ world, db }) => {
      const rows = among(await listAmphorae(db, load_balancer_id), amphorae)
      await forEach(rows, (row) => world.network.unplugVip(row))
    },
  }
}

function addressOn(port: Port, subnet_id: string): string {
  const ip = port.fixed_ips.find((fixed) => fixed.subnet_id === subnet_id) ?? port.fixed_ips[0]
  return present(ip, `an address of port ${port.id}`).ip_address
}

/**
 * They serve from now on, and one that is silent from its first moment is replaced, too. But not
 * the replacement of one that was never heard: then it is no amphora that is broken, but the way
 * of heartbeats, and replacing would never end.
 */
export function plugVipInAmphorae(
  { load_balancer_id, amphorae }: Some,
  replaces?: readonly string[],
): WorkerStep {
  return {
    name: 'plug-vip-in-amphorae',
    retry: agentRetry,
    imaginary: inAmphorae,
    act: async (context) => {
      const tree = await loadTree(context, load_balancer_id)
      await setVipInAgents(context, tree, among(tree.amphorae, amphorae))
      return undefined
    },
    rows: async (tx, { world }) => {
      const now = world.clock.now()
      const updated_at = timestamp(now)
      for (const { id } of amphorae)
        await updateRow(tx, amphora, id, { status: 'ALLOCATED', updated_at })
      if (replaces === undefined ? !world.amphora.imaginary : await wereHeard(tx, replaces))
        await expectHeartbeats(
          tx,
          amphorae.map(({ id }) => id),
          now,
        )
    },
  }
}

/** Their interfaces on the VIP network with all but the VIP, so that they reach members already. */
export function prepareVipInAmphorae({ load_balancer_id, amphorae }: Some): WorkerStep {
  return {
    name: 'prepare-vip-in-amphorae',
    retry: agentRetry,
    act: async (context) => {
      const tree = await loadTree(context, load_balancer_id)
      await setVipInAgents(context, tree, among(tree.amphorae, amphorae), true)
      return undefined
    },
  }
}

/** Sets the VIP on the interfaces of these amphorae, and announces it; again if it is there. */
export async function setVipInAgents(
  context: Context,
  tree: LoadBalancerTree,
  rows: readonly Amphora[],
  hold_vip = false,
): Promise<void> {
  const { amphora: agents } = context.world
  const vips = await vipsOf(context, tree)
  await forEach(rows, async (row) =>
    agents.plugVip(row, { ...(await vipPlugOf(context, vips, row)), hold_vip }),
  )
}

type Vips = Pick<VipPlug, 'vip' | 'additional_vips'>

export async function vipsOf({ world }: Context, tree: LoadBalancerTree): Promise<Vips> {
  const { network } = world
  const { ip_address, subnet_id, additional_vips } = vipOf(tree)
  const vip = { ip_address, subnet: await getSubnet(network, subnet_id) }
  const additional = await forEach(additional_vips, async (one) => ({
    ip_address: one.ip_address,
    subnet: await getSubnet(network, one.subnet_id),
  }))
  return { vip, additional_vips: additional }
}

/** An amphora's port on the VIP network, with all that its agent has to know of it. */
export async function vipPlugOf({ world }: Context, vips: Vips, row: Amphora): Promise<VipPlug> {
  const { network } = world
  const port = await getPort(network, present(row.vrrp_port_id, 'vrrp_port_id'))
  const on = await getNetwork(network, port.network_id)
  const subnets = await forEach(port.fixed_ips, (ip) => getSubnet(network, ip.subnet_id))
  return { port, network: on, subnets, ...vips }
}

/** `which` are those whose ports get them; what is let in is the same for all that have them. */
export function setVipRules(
  { load_balancer_id }: Input,
  which: (tree: LoadBalancerTree) => readonly Amphora[] = ({ amphorae }) => amphorae,
): WorkerStep {
  return {
    name: 'set-vip-rules',
    retry: networkRetry,
    imaginary: onNetwork,
    act: async (context) => {
      const tree = await loadTree(context, load_balancer_id)
      const rules = [...planVipRules(tree), ...planPeerGroupRules(tree)]
      await context.world.network.setVipRules(targetOf(tree, which(tree)), rules)
      return undefined
    },
  }
}

/** The same in the amphorae, where the network has nothing that could. */
export function setVipRulesInAmphorae(
  { load_balancer_id }: Input,
  which: (tree: LoadBalancerTree) => readonly Amphora[] = serving,
): WorkerStep {
  return {
    name: 'set-vip-rules-in-amphorae',
    retry: agentRetry,
    imaginary: inAmphorae,
    act: async (context) => {
      const { network, amphora: agents } = context.world
      if (!(await network.rulesAreForAmphorae())) return undefined
      const tree = await loadTree(context, load_balancer_id)
      const rules = [...planVipRules(tree), ...planPeerRules(tree)]
      await forEach(which(tree), (row) => agents.setVipRules(row, rules))
      return undefined
    },
  }
}

/**
 * For a load balancer which begins: before it there were no rules, so none are left when it fails.
 */
export function setFirstVipRules(input: Input): WorkerStep {
  return {
    ...setVipRules(input),
    undo: async (context) => {
      const tree = await loadTree(context, input.load_balancer_id)
      await context.world.network.setVipRules(targetOf(tree, []), [])
    },
  }
}

function targetOf(tree: LoadBalancerTree, amphorae: readonly Amphora[]): VipTarget {
  return {
    load_balancer_id: tree.id,
    vip: vipOf(tree),
    amphora_port_ids: amphorae.flatMap(({ status, vrrp_port_id }) =>
      status === 'DELETED' || status === 'ERROR' ? [] : (vrrp_port_id ?? []),
    ),
    security_group_ids: tree.vip_sg_ids,
    qos_policy_id: tree.vip_qos_policy_id,
  }
}

/**
 * What the listeners let in. Security groups of the user's own replace these rules, but the
 * amphorae of a pair still have to hear each other.
 * Source: octavia/network/drivers/neutron/allowed_address_pairs.py, _update_security_group_rules.
 */
export function planVipRules(tree: LoadBalancerTree): VipRule[] {
  const rules = new Map<string, VipRule>()
  const add = (rule: VipRule): unknown => rules.set(JSON.stringify(rule), rule)
  if (tree.vip_sg_ids.length === 0)
    for (const listener of tree.listeners) {
      if (listener.provisioning_status === 'PENDING_DELETE') continue
      const cidrs = listener.allowed_cidrs ?? []
      for (const cidr of cidrs.length === 0 ? [null] : cidrs)
        add({ protocol: L4_PROTOCOL_OF[listener.protocol], port: listener.protocol_port, cidr })
    }
  if (tree.topology === 'ACTIVE_STANDBY') add({ protocol: 'VRRP', port: null, cidr: null })
  return [...rules.values()]
}

/** The same where a network knows its ports by group: upstream lets anybody in there. */
export function planPeerGroupRules(tree: LoadBalancerTree): readonly VipRule[] {
  if (tree.topology !== 'ACTIVE_STANDBY') return []
  return [{ protocol: 'TCP', port: PEER_PORT, cidr: null, from_peers: true }]
}

/** By which the amphorae of a pair tell one another of their stick tables. */
export function planPeerRules(tree: LoadBalancerTree): readonly VipRule[] {
  if (tree.topology !== 'ACTIVE_STANDBY') return []
  return tree.amphorae.flatMap(({ vrrp_ip }) => {
    if (vrrp_ip === null) return []
    const cidr = `${vrrp_ip}/${vrrp_ip.includes(':') ? 128 : 32}`
    return [{ protocol: 'TCP', port: PEER_PORT, cidr } as const]
  })
}

/** Takes the amphorae off the VIP network, in whatever state they are. */
export function unplugVip({ load_balancer_id }: Input): WorkerStep {
  return {
    name: 'unplug-vip',
    retry: networkRetry,
    imaginary: onNetwork,
    act: async ({ world, db }) => {
      const rows: Amphora[] = await listAmphorae(db, load_balancer_id)
      await forEach(rows, (row) => world.network.unplugVip(row))
      return undefined
    },
  }
}

export function deallocateVip({ load_balancer_id }: Input): WorkerStep {
  return {
    name: 'deallocate-vip',
    retry: networkRetry,
    imaginary: onNetwork,
    act: async (context) => {
      const { vip_port_id } = await loadTree(context, load_balancer_id)
      await context.world.network.deallocateVip(load_balancer_id, vip_port_id)
      return undefined
    },
  }
}

export async function getSubnet(network: NetworkDriver, id: string): Promise<Subnet> {
  return (await network.findSubnet(id)) ?? gone(`subnet ${id}`)
}

export async function getNetwork(network: NetworkDriver, id: string) {
  return (await network.findNetwork(id)) ?? gone(`network ${id}`)
}

export async function getPort(network: NetworkDriver, id: string): Promise<Port> {
  return (await network.findPort(id)) ?? gone(`port ${id}`)
}

function gone(subject: string): never {
  const reason = 'it does not exist any more'
  throw new DriverError({ operation: 'look-up', subject, reason, retryable: false })
}
