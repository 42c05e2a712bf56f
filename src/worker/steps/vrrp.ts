/**
 * Who of a pair has the VIPs: keepalived in both amphorae is told of the other, and one that is to
 * go gives the VIPs away first. An amphora that cannot be reached is passed over, because it may be
 * why the other is replaced.
 */
import type { VipOnSubnet } from '../../driver/amphora.ts'
import { DriverError } from '../../driver/error.ts'
import { type Amphora, amphora } from '../../model/amphora.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'
import { updateRow } from '../../store/repository.ts'
import type { Tx } from '../../store/store.ts'
import { ensureVrrpGroup, findVrrpGroup, type VrrpGroupRow } from '../../store/vrrp-groups.ts'
import { present } from '../../system/assert.ts'
import { newId } from '../../system/ids.ts'
import type { Context, WorkerStep } from '../world.ts'
import { forEach, loadTree, serving, vipOf } from './amphorae.ts'
import { agentRetry, vipRetry } from './retries.ts'
import { getSubnet } from './vip.ts'

interface Input {
  readonly load_balancer_id: string
}

/** VRRP's passwords are no longer than this. */
const PASSWORD_LENGTH = 7

/** For a pair that has none yet. */
export function createGroup({ load_balancer_id }: Input): WorkerStep {
  return {
    name: 'create-vrrp-group',
    rows: async (tx, { world }) => {
      const advert_int = world.options.vrrp_advert_int
      const auth_pass = newId().slice(0, PASSWORD_LENGTH)
      await ensureVrrpGroup(tx, { load_balancer_id, advert_int, auth_pass })
    },
  }
}

/** Both begin at the same time, the MASTER a little earlier: so it becomes what it is called. */
export function startVrrp({ load_balancer_id }: Input): WorkerStep {
  return {
    name: 'start-vrrp',
    retry: agentRetry,
    act: async (context) => {
      const tree = await loadTree(context, load_balancer_id)
      return updateVrrp(context, tree, serving(tree))
    },
    rows: async (tx, { result }) => writeInterfaces(tx, result<Told[]>('start-vrrp')),
  }
}

type Told = { readonly id: string; readonly vrrp_interface: string }

export async function writeInterfaces(tx: Tx, told: readonly Told[]): Promise<void> {
  for (const { id, vrrp_interface } of told) await updateRow(tx, amphora, id, { vrrp_interface })
}

/** How VRRP is to be, where that is not what the rows say. */
export interface VrrpChange {
  /** Which amphorae there are; absent: all that serve. */
  readonly members?: readonly Amphora[]
  /** The one that takes the VIPs from whoever has them. */
  readonly takes?: string
}

/**
 * Tells these amphorae, one after the other, the MASTER first. Those of the same load balancer are
 * their peers.
 */
export async function updateVrrp(
  context: Context,
  tree: LoadBalancerTree,
  rows: readonly Amphora[],
  { members = serving(tree), takes }: VrrpChange = {},
): Promise<Told[]> {
  const { amphora: agents } = context.world
  const group = await getGroup(context, tree.id)
  const vips = await vipsOnSubnets(context, tree)
  const told: Told[] = []
  for (const row of byPriority(rows)) {
    const vrrp_interface = await interfaceOf(context, row)
    await agents.updateVrrp(row, {
      load_balancer_id: tree.id,
      group,
      interface: vrrp_interface,
      peers: members.filter(({ id }) => id !== row.id),
      vips,
      takeover: row.id === takes,
    })
    told.push({ id: row.id, vrrp_interface })
  }
  return told
}

async function getGroup({ db }: Context, load_balancer_id: string): Promise<VrrpGroupRow> {
  const group = await findVrrpGroup(db, load_balancer_id)
  return present(group, `the VRRP group of load balancer ${load_balancer_id}`)
}

async function vipsOnSubnets(
  { world }: Context,
  tree: LoadBalancerTree,
): Promise<readonly VipOnSubnet[]> {
  const { ip_address, subnet_id, additional_vips } = vipOf(tree)
  return forEach([{ ip_address, subnet_id }, ...additional_vips], async (vip) => ({
    ip_address: vip.ip_address,
    subnet: await getSubnet(world.network, vip.subnet_id),
  }))
}

function byPriority(rows: readonly Amphora[]): readonly Amphora[] {
  return rows.toSorted((a, b) => (b.vrrp_priority ?? 0) - (a.vrrp_priority ?? 0))
}

async function interfaceOf({ world }: Context, row: Amphora): Promise<string> {
  const own = present(row.vrrp_ip, `vrrp_ip of amphora ${row.id}`)
  const found = await world.amphora.findInterface(row, own)
  if (found !== undefined) return found
  const reason = `no interface has its address ${own}`
  const subject = `amphora ${row.id}`
  throw new DriverError({ operation: 'update-vrrp', subject, reason, retryable: true })
}

/**
 * A load balancer that is ACTIVE answers. One without listeners is not waited for: agents of
 * upstream's let nobody have its VIP.
 */
export function waitForVip(
  { load_balancer_id }: Input,
  candidates: (tree: LoadBalancerTree, context: Context) => readonly Amphora[] = serving,
): WorkerStep {
  return {
    name: 'wait-for-vip',
    retry: vipRetry,
    act: async (context) => {
      const tree = await loadTree(context, load_balancer_id)
      if (tree.listeners.length === 0) return undefined
      if (await hasOwner(context, tree, candidates(tree, context))) return undefined
      const subject = `load balancer ${load_balancer_id}`
      const reason = 'none of its amphorae has taken the VIP'
      throw new DriverError({ operation: 'wait-for-vip', subject, reason, retryable: true })
    },
  }
}

async function hasOwner(
  { world }: Context,
  tree: LoadBalancerTree,
  rows: readonly Amphora[],
): Promise<boolean> {
  const { ip_address } = vipOf(tree)
  const found = await forEach(rows, (row) => world.amphora.findInterface(row, ip_address))
  return found.some((name) => name !== undefined)
}

/** What amphorae say when asked; `owner` has the VIP. */
export type Answers = { readonly unreachable: readonly string[]; readonly owner: string | null }

/**
 * Asks every one of these who has the VIP, again within limits those which do not answer; only once
 * those which go anyway.
 */
export async function askAmphorae(
  context: Context,
  tree: LoadBalancerTree,
  rows: readonly Amphora[],
  going: readonly string[],
): Promise<Answers> {
  const { ip_address } = vipOf(tree)
  const { clock, options, amphora: agents } = context.world
  const ask = async (row: Amphora): Promise<boolean | undefined> => {
    for (let tries = 1; ; tries++)
      try {
        return (await agents.findInterface(row, ip_address)) !== undefined
      } catch (error) {
        if (!(error instanceof DriverError)) throw error
        const last = going.includes(row.id) ? 1 : options.failover_connection_max_retries
        if (!error.retryable || tries >= last) {
          context.log.warning('an amphora does not answer', { amphora_id: row.id, error })
          return undefined
        }
        await clock.sleep(1000 * options.failover_connection_retry_interval, context.signal)
      }
  }
  const answers = await forEach(rows, async (row) => ({ id: row.id, has: await ask(row) }))
  return {
    unreachable: answers.flatMap(({ id, has }) => (has === undefined ? [id] : [])),
    owner: answers.find(({ has }) => has === true)?.id ?? null,
  }
}

/** Those of the list which answered, or were not asked. */
export function reachable(rows: readonly Amphora[], { unreachable }: Answers): readonly Amphora[] {
  return rows.filter(({ id }) => !unreachable.includes(id))
}

/** The rows without those of these ids. */
export function without(rows: readonly Amphora[], ids: readonly string[]): readonly Amphora[] {
  return rows.filter(({ id }) => !ids.includes(id))
}
