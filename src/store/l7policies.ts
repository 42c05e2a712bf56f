/** L7 policies in their order, and the listeners which they tie to pools. */
import { sql } from 'kysely'
import { type L7Policy, l7policy } from '../model/l7policy.ts'
import type { ProvisioningStatus } from '../model/status.ts'
import { runLookup } from './batch.ts'
import { runCompiled } from './compiled.ts'
import { findRows, updateRow } from './repository.ts'
import type { Db, Tx } from './store.ts'

/** By position; of several listeners one after the other in no particular order. */
export async function findPolicies(
  db: Db,
  listener_ids: readonly string[],
): Promise<readonly L7Policy[]> {
  if (listener_ids.length === 0) return []
  const rows = await findRows(db, l7policy, { listener_id: listener_ids })
  return rows.toSorted((a, b) => a.position - b.position)
}

/** Whether one of a load balancer's policies has this status. */
export async function hasPolicyIn(
  db: Db,
  loadbalancer_id: string,
  status: ProvisioningStatus,
): Promise<boolean> {
  const values = [loadbalancer_id, status]
  const rows = await runCompiled(db, 'policies in status', values, (on) =>
    on
      .selectFrom('listener')
      .innerJoin('l7policy', 'l7policy.listener_id', 'listener.id')
      .select('l7policy.id')
      .where('listener.loadbalancer_id', '=', '')
      .where('l7policy.provisioning_status', '=', '')
      .limit(sql.lit(1)),
  )
  return rows.length > 0
}

/** Gives the policies of one listener their places from 1 on, as `order` has their ids. */
export async function setPositions(
  tx: Tx,
  present: readonly Pick<L7Policy, 'id' | 'position'>[],
  order: readonly string[],
): Promise<void> {
  const known = new Map(present.map((row) => [row.id, row.position]))
  for (const [at, id] of order.entries())
    if (known.get(id) !== at + 1) await updateRow(tx, l7policy, id, { position: at + 1 })
}

/** Pool id to the ids of listeners whose enabled policies with rules lead to it. */
export async function loadRedirectingListeners(
  db: Db,
  pool_ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await runLookup<{ pool_id: string; listener_id: string }>(db, {
    key: 'redirecting listeners',
    build: (on, among) =>
      on
        .selectFrom('l7policy')
        .innerJoin('l7rule', 'l7rule.l7policy_id', 'l7policy.id')
        .select(['l7policy.redirect_pool_id as pool_id', 'l7policy.listener_id'])
        .distinct()
        .where('l7policy.admin_state_up', '=', 1)
        .where('l7policy.redirect_pool_id', 'in', among)
        .orderBy('l7policy.listener_id'),
    values: pool_ids,
    first: [1],
  })
  const groups = Map.groupBy(rows, (row) => row.pool_id)
  return new Map([...groups].map(([id, list]) => [id, list.map((row) => row.listener_id)]))
}
