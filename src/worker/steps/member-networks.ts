/** Networks which amphorae are plugged into for the sake of members outside the VIP's network. */
import type { NetworkDriver, Subnet } from '../../driver/network.ts'
import type { Amphora } from '../../model/amphora.ts'
import type { VnicType } from '../../model/load-balancer.ts'
import type { Member } from '../../model/member.ts'
import type { Pool } from '../../model/pool.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'
import { present } from '../../system/assert.ts'
import type { WorkerStep } from '../world.ts'
import { among, forEach, loadTree, serving } from './amphorae.ts'
import { inAmphorae, onNetwork } from './imaginary.ts'
import { agentRetry, networkRetry } from './retries.ts'
import { getNetwork, getPort, getSubnet, vipPlugOf, vipsOf } from './vip.ts'

interface Input {
  readonly load_balancer_id: string
}

/** Subnets of members by what this change does to those; a subnet of the VIP is in none of them. */
export interface MemberSubnets {
  /** Needed by members that are being created and, as far as is known, not plugged yet. */
  readonly arriving: readonly string[]
  /** Needed by nobody once the members that are being deleted are gone. */
  readonly leaving: readonly string[]
  /** In use, whatever becomes of this change. */
  readonly staying: readonly string[]
}

/**
 * A member in ERROR may have lost its network when it failed to be created, or have it when it
 * failed to be changed: so it keeps a network in place, and does not spare the next member from
 * plugging it.
 */
export function planMemberSubnets(tree: LoadBalancerTree): MemberSubnets {
  const ofVip = new Set([tree.vip_subnet_id, ...tree.additional_vips.map((vip) => vip.subnet_id)])
  const by = {
    arriving: new Set<string>(),
    leaving: new Set<string>(),
    working: new Set<string>(),
    broken: new Set<string>(),
  }
  for (const pool of tree.pools)
    for (const member of pool.members)
      if (member.subnet_id !== null && !ofVip.has(member.subnet_id))
        by[fateOf(member, pool)].add(member.subnet_id)
  const arriving = by.arriving.difference(by.working)
  const staying = by.working.union(by.broken)
  const leaving = by.leaving.difference(staying).difference(arriving)
  return { arriving: [...arriving], leaving: [...leaving], staying: [...staying] }
}

function fateOf(member: Member, pool: Pool): 'arriving' | 'leaving' | 'working' | 'broken' {
  if (pool.provisioning_status === 'PENDING_DELETE') return 'leaving'
  if (member.provisioning_status === 'PENDING_DELETE') return 'leaving'
  if (member.provisioning_status === 'PENDING_CREATE') return 'arriving'
  return member.provisioning_status === 'ERROR' ? 'broken' : 'working'
}

/** A card of the host's own where a member on that subnet asks for it. */
function vnicTypeOn(tree: LoadBalancerTree, subnet_id: string): VnicType {
  const members = tree.pools.flatMap((pool) => pool.members)
  const direct = members.some((row) => row.subnet_id === subnet_id && row.vnic_type === 'direct')
  return direct ? 'direct' : 'normal'
}

type Plugged = { readonly amphora_id: string; readonly port_ids: readonly string[] }

/** Which amphorae are plugged into which subnets, and what stays plugged when that is undone. */
export interface MemberPlugs {
  readonly amphorae: readonly Amphora[]
  readonly subnets: readonly string[]
  readonly staying: readonly string[]
}
type PlanPlugs = (tree: LoadBalancerTree) => MemberPlugs

/** What a change of members brings, in all amphorae that serve. */
const arrivals: PlanPlugs = (tree) => {
  const { arriving, staying } = planMemberSubnets(tree)
  return { amphorae: serving(tree), subnets: arriving, staying }
}

/** Everything that members need, in amphorae which are new. */
export function allMemberPlugs(amphorae: readonly { readonly id: string }[]): PlanPlugs {
  return (tree) => {
    const { arriving, staying } = planMemberSubnets(tree)
    return {
      amphorae: among(tree.amphorae, amphorae),
      subnets: [...arriving, ...staying],
      staying: [],
    }
  }
}

export function plugMemberNetworks(
  { load_balancer_id }: Input,
  plan: PlanPlugs = arrivals,
): WorkerStep {
  return {
    name: 'plug-member-networks',
    retry: networkRetry,
    imaginary: onNetwork,
    act: async (context) => {
      const { network } = context.world
      const tree = await loadTree(context, load_balancer_id)
      const planned = plan(tree)
      const subnets = await forEach(planned.subnets, (id) => getSubnet(network, id))
      return forEach(planned.amphorae, async ({ id, compute_id }): Promise<Plugged> => {
        const on = { id, compute_id: present(compute_id, `compute_id of amphora ${id}`) }
        const port_ids = new Set<string>()
        // One after the other: two subnets of one network share a port.
        for (const subnet of subnets) {
          const port = await network.plugMember(on, subnet, vnicTypeOn(tree, subnet.id))
          port_ids.add(port.id)
        }
        return { amphora_id: id, port_ids: [...port_ids] }
      })
    },
    undo: async (context) => {
      const { network } = context.world
      const tree = await loadTree(context, load_balancer_id)
      const { amphorae, subnets, staying } = plan(tree)
      const networks = await onlyNetworksOf(network, tree, subnets, staying)
      await unplug(network, { amphorae }, networks)
    },
  }
}

/** With `hold_vip` another amphora still has the VIP; see prepareVipInAmphorae. */
export function plugMemberNetworksInAmphorae(
  { load_balancer_id }: Input,
  plan: PlanPlugs = arrivals,
  hold_vip = false,
): WorkerStep {
  return {
    name: 'plug-member-networks-in-amphorae',
    retry: agentRetry,
    imaginary: inAmphorae,
    act: async (context) => {
      const { network, amphora } = context.world
      const plugged = context.result<Plugged[]>('plug-member-networks')
      if (plugged.every(({ port_ids }) => port_ids.length === 0)) return undefined
      const tree = await loadTree(context, load_balancer_id)
      await forEach(plan(tree).amphorae, async (row) => {
        const ports = plugged.find(({ amphora_id }) => amphora_id === row.id)?.port_ids ?? []
        for (const id of ports) {
          const port = await getPort(network, id)
          const subnets = await forEach(port.fixed_ips, (ip) => getSubnet(network, ip.subnet_id))
          const on = await getNetwork(network, port.network_id)
          const plug = { port, network: on, subnets }
          if (port.id !== row.vrrp_port_id) await amphora.plugMember(row, plug)
          else {
            const vip = await vipPlugOf(context, await vipsOf(context, tree), row)
            await amphora.plugMember(row, { ...plug, vip: { ...vip, hold_vip } })
          }
        }
      })
      return undefined
    },
  }
}

/** After the configuration was pushed, so that nothing uses the networks any more. */
export function unplugMemberNetworks({ load_balancer_id }: Input): WorkerStep {
  return {
    name: 'unplug-member-networks',
    retry: networkRetry,
    imaginary: onNetwork,
    act: async (context) => {
      const { network } = context.world
      const tree = await loadTree(context, load_balancer_id)
      const { leaving, staying } = planMemberSubnets(tree)
      await unplug(network, tree, await onlyNetworksOf(network, tree, leaving, staying))
      return undefined
    },
  }
}

/** For a load balancer that goes with all its members. */
export function unplugAllMemberNetworks({ load_balancer_id }: Input): WorkerStep {
  return {
    ...unplugMemberNetworks({ load_balancer_id }),
    act: async (context) => {
      const { network } = context.world
      const tree = await loadTree(context, load_balancer_id)
      const { arriving, leaving, staying } = planMemberSubnets(tree)
      const all = [...arriving, ...leaving, ...staying]
      await unplug(network, tree, await onlyNetworksOf(network, tree, all, []))
      return undefined
    },
  }
}

/**
 * Networks of these subnets that no other subnet needs; a subnet that is gone took its ports along.
 */
export async function onlyNetworksOf(
  network: NetworkDriver,
  tree: LoadBalancerTree,
  subnet_ids: readonly string[],
  others: readonly string[],
): Promise<readonly string[]> {
  if (subnet_ids.length === 0) return []
  const idsOf = async (ids: readonly string[]): Promise<Set<string>> => {
    const found = await forEach(ids, (id) => network.findSubnet(id))
    const known = found.filter((subnet): subnet is Subnet => subnet !== undefined)
    return new Set(known.map((subnet) => subnet.network_id))
  }
  const needed = (await idsOf(others)).add(tree.vip_network_id ?? '')
  return [...(await idsOf(subnet_ids)).difference(needed)]
}

export async function unplug(
  network: NetworkDriver,
  { amphorae }: Pick<LoadBalancerTree, 'amphorae'>,
  network_ids: readonly string[],
): Promise<void> {
  await forEach(amphorae, async ({ id }) => {
    for (const network_id of network_ids) await network.unplugMember({ id }, network_id)
  })
}
