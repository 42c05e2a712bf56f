/** What a failover does with the amphorae that are replaced, and with the VIP. */
import type { AmphoraOnNetwork } from '../../driver/network.ts'
import { parseIp } from '../../model/address.ts'
import { type Amphora, amphora } from '../../model/amphora.ts'
import { loadBalancer } from '../../model/load-balancer.ts'
import { SERVING } from '../../model/status.ts'
import { deleteAmphoraHealth, markAmphoraeBusy, releaseAmphorae } from '../../store/removal.ts'
import { findRows, updateRow, updateRows } from '../../store/repository.ts'
import type { Tx } from '../../store/store.ts'
import { findTree } from '../../store/tree.ts'
import { timestamp } from '../../system/clock.ts'
import type { Context, WorkerStep } from '../world.ts'
import { among, forEach, loadTree, vipOf } from './amphorae.ts'
import { onlyNetworksOf, planMemberSubnets, unplug } from './member-networks.ts'
import { computeDeleteRetry, networkRetry } from './retries.ts'
import { failLoadBalancer } from './statuses.ts'
import { setVipInAgents } from './vip.ts'

interface Replacing {
  readonly load_balancer_id: string
  /** Ids of amphorae that go. */
  readonly replaces: readonly string[]
}

/** Nobody else must fail them over meanwhile. */
export async function beginReplacing(tx: Tx, { replaces }: Replacing): Promise<void> {
  await markAmphoraeBusy(tx, replaces)
}

/**
 * A VIP port that somebody deleted is made again, with the address that it had. Undone, when the
 * new amphora is gone again, the old ones tell the neighbours that the VIP is theirs.
 */
export function ensureVip({ load_balancer_id, replaces }: Replacing): WorkerStep {
  return {
    name: 'ensure-vip',
    retry: networkRetry,
    act: async (context) => {
      const { network } = context.world
      const tree = await loadTree(context, load_balancer_id)
      const vip = vipOf(tree)
      if ((await network.findPort(vip.port_id)) !== undefined) return null
      const request = { ...vip, load_balancer_id, project_id: tree.project_id ?? '', port_id: null }
      return (await network.allocateVip(request)).port_id
    },
    rows: async (tx, { result }) => {
      const vip_port_id = result<string | null>('ensure-vip')
      if (vip_port_id !== null) await updateRow(tx, loadBalancer, load_balancer_id, { vip_port_id })
    },
    undo: async (context) => {
      const tree = await loadTree(context, load_balancer_id)
      const rows = (await findAmphorae(context, replaces)).filter(isOnNetwork)
      try {
        await setVipInAgents(context, tree, rows)
      } catch (error) {
        // One that does not answer may be why it was to be replaced.
        context.log.warning('the replaced amphora did not announce the VIP', { error })
      }
    },
  }
}

/** Takes the old amphorae off the VIP network; undone, they are back as they were. */
export function unplugReplaced({ load_balancer_id, replaces }: Replacing): WorkerStep {
  return {
    name: 'unplug-replaced',
    retry: networkRetry,
    act: (context) => unplugVips(context, replaces),
    undo: async (context) => {
      const { network } = context.world
      const tree = await loadTree(context, load_balancer_id)
      // The agent sets the interface up again when its card comes back.
      await forEach((await findAmphorae(context, replaces)).filter(isOnNetwork), (row) =>
        network.plugVip(row, vipOf(tree), tree.vip_vnic_type),
      )
    },
  }
}

function isOnNetwork(row: Amphora): row is Amphora & AmphoraOnNetwork {
  return SERVING.includes(row.status) && row.compute_id !== null && row.vrrp_port_id !== null
}

/** The same, earlier, where the VIP is or has an IPv6 address. */
export function releaseIpv6Vip(replacing: Replacing): WorkerStep {
  const step = unplugReplaced(replacing)
  const has6 = async (context: Context): Promise<boolean> => {
    const { ip_address, additional_vips } = vipOf(
      await loadTree(context, replacing.load_balancer_id),
    )
    const all = [ip_address, ...additional_vips.map((vip) => vip.ip_address)]
    return all.some((ip) => parseIp(ip)?.family === 6)
  }
  return {
    ...step,
    name: 'release-ipv6-vip',
    act: async (context) => ((await has6(context)) ? step.act?.(context) : undefined),
    undo: async (context) => ((await has6(context)) ? step.undo?.(context) : undefined),
  }
}

/**
 * The new amphora serves by now, so one that cannot be deleted does not fail the flow: it stays in
 * ERROR, for an operator to delete it.
 */
export function deleteReplaced({ load_balancer_id, replaces }: Replacing): WorkerStep {
  return {
    name: 'delete-replaced',
    retry: computeDeleteRetry,
    act: (context) => deleteAmphorae(context, load_balancer_id, replaces),
    forgive: (reason) => reason,
    rows: async (tx, { world }, reason) => {
      const updated_at = timestamp(world.clock.now())
      const status = typeof reason === 'string' ? 'ERROR' : 'DELETED'
      await updateRows(tx, amphora, { id: replaces }, { status, updated_at })
      if (status === 'DELETED') await deleteAmphoraHealth(tx, replaces)
    },
  }
}

/** Their instances, and what is left of their ports on networks of members. */
export async function deleteAmphorae(
  { world, db }: Context,
  load_balancer_id: string | null,
  ids: readonly string[],
): Promise<undefined> {
  await forEach(ids, (id) => world.compute.delete(id))
  const tree = load_balancer_id === null ? undefined : await findTree(db, load_balancer_id)
  if (tree === undefined) return undefined
  const { arriving, leaving, staying } = planMemberSubnets(tree)
  const subnets = [...arriving, ...leaving, ...staying]
  const amphorae = among(
    tree.amphorae,
    ids.map((id) => ({ id })),
  )
  const networks = await onlyNetworksOf(world.network, tree, subnets, [])
  await unplug(world.network, { amphorae }, networks)
  return undefined
}

export async function unplugVips(context: Context, ids: readonly string[]): Promise<undefined> {
  const rows = await findAmphorae(context, ids)
  await forEach(rows, (row) => context.world.network.unplugVip(row))
  return undefined
}

async function findAmphorae({ db }: Context, id: readonly string[]): Promise<Amphora[]> {
  return id.length === 0 ? [] : findRows(db, amphora, { id })
}

/** The old ones go on serving; the load balancer is in ERROR, from which it can be failed over. */
export async function failReplacing(
  tx: Tx,
  failed: Replacing & { readonly id: string; readonly clean: boolean; readonly now: number },
): Promise<void> {
  const { load_balancer_id, replaces, id, clean, now } = failed
  const status = clean ? 'DELETED' : 'ERROR'
  await updateRow(tx, amphora, id, { status, updated_at: timestamp(now) })
  if (clean) await deleteAmphoraHealth(tx, [id])
  await releaseAmphorae(tx, replaces, now)
  await failLoadBalancer(tx, load_balancer_id, now)
}
