/**
 * What an operator does with amphorae: replacing those of a load balancer or one of them, giving
 * one a new agent configuration, removing one that is broken.
 */
import { type Amphora, type AmphoraRole, amphora } from '../model/amphora.ts'
import { fault } from '../model/fault.ts'
import type { LoadBalancer, Topology } from '../model/load-balancer.ts'
import { handOver } from '../provider/providers.ts'
import { lockLoadBalancer } from '../store/lock.ts'
import { findRow, findRows, updateRows } from '../store/repository.ts'
import type { Db, Tx } from '../store/store.ts'
import { enqueue, type Replacement } from '../worker/catalogue.ts'
import {
  change,
  getLoadBalancer,
  lockForChange,
  type OperationDependencies,
  type Origin,
} from './change.ts'

/** In which order the amphorae of a load balancer are replaced: the one that serves is the last. */
const ORDER: Readonly<Record<Topology, readonly [AmphoraRole, ...AmphoraRole[]]>> = {
  SINGLE: ['STANDALONE'],
  ACTIVE_STANDBY: ['BACKUP', 'MASTER'],
}

/** An amphora that exists; the row of a deleted one is only kept for a while. */
export async function getAmphora(db: Db, id: string): Promise<Amphora> {
  const row = await findRow(db, amphora, id)
  if (row === undefined || row.status === 'DELETED') throw fault.notFound(amphora.title, id)
  return row
}

export async function failoverLoadBalancer(
  deps: OperationDependencies,
  id: string,
  origin: Origin,
): Promise<void> {
  await change(deps, async (tx, now) => {
    const row = await getLoadBalancer(tx, id)
    if (!(await lockLoadBalancer(tx, id, 'failover')))
      throw fault.invalidState(row.provisioning_status, id)
    const replacements = planReplacements(row, await listLiving(tx, id), deps.newId)
    const input = { load_balancer_id: id, replacements }
    const { request_id } = origin
    await handOver(tx, { flow: 'load-balancer-failover', input, request_id }, now.ms)
  })
}

/** One new amphora for each role; one that is too many goes with the first of them. */
export function planReplacements(
  { topology }: Pick<LoadBalancer, 'topology'>,
  amphorae: readonly Pick<Amphora, 'id' | 'role'>[],
  newId: () => string,
): Replacement[] {
  const left = [...amphorae]
  const chosen = ORDER[topology].map((role) => {
    const at = left.findIndex((row) => row.role === role)
    return { id: newId(), role, replaces: at < 0 ? [] : left.splice(at, 1).map((row) => row.id) }
  })
  const surplus = left.map((row) => row.id)
  return chosen.map((one, at) =>
    at === 0 ? { ...one, replaces: [...one.replaces, ...surplus] } : one,
  )
}

export async function failoverAmphora(
  deps: OperationDependencies,
  id: string,
  origin: Origin,
): Promise<void> {
  await change(deps, async (tx, now) => {
    const { loadbalancer_id, role } = await getAmphora(tx, id)
    // Upstream answers 500.
    if (loadbalancer_id === null) throw fault.immutable(amphora.title, id)
    const { topology } = await getLoadBalancer(tx, loadbalancer_id)
    await lockForChange(tx, loadbalancer_id, [])
    const replacement = { id: deps.newId(), role: role ?? ORDER[topology][0], replaces: [id] }
    const input = { load_balancer_id: loadbalancer_id, replacements: [replacement] }
    const { request_id } = origin
    await enqueue(tx, { flow: 'amphora-failover', input, request_id }, now.ms)
  })
}

/** Gives its agent the configuration which an amphora made now would get. */
export async function configureAmphora(
  deps: OperationDependencies,
  id: string,
  origin: Origin,
): Promise<void> {
  await change(deps, async (tx, now) => {
    const { loadbalancer_id } = await getAmphora(tx, id)
    const input = { load_balancer_id: loadbalancer_id, amphora_id: id }
    const { request_id } = origin
    await enqueue(tx, { flow: 'amphora-configure', input, request_id }, now.ms)
  })
}

export async function deleteAmphora(
  deps: OperationDependencies,
  id: string,
  origin: Origin,
): Promise<void> {
  await change(deps, async (tx, now) => {
    const { loadbalancer_id } = await getAmphora(tx, id)
    const pending = { status: 'PENDING_DELETE', updated_at: now.text } as const
    if ((await updateRows(tx, amphora, { id, status: 'ERROR' }, pending)) === 0)
      throw fault.immutable('amphora', id)
    const input = { load_balancer_id: loadbalancer_id, amphora_id: id }
    const { request_id } = origin
    await enqueue(tx, { flow: 'amphora-delete', input, request_id }, now.ms)
  })
}

async function listLiving(tx: Tx, loadbalancer_id: string): Promise<Amphora[]> {
  const rows = await findRows(tx, amphora, { loadbalancer_id })
  return rows.filter((row) => row.status !== 'DELETED')
}
