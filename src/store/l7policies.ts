/** L7 policies in their order, and the listeners which they tie to pools. */
import { type RawBuilder, sql } from 'kysely'
import { type L7Policy, l7policy } from '../model/l7policy.ts'
import type { ProvisioningStatus } from '../model/status.ts'
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

/** Ids of listeners whose default pool it is, or whose enabled policies with rules lead to it. */
export async function listListenersUsing(db: Db, pool_id: string): Promise<readonly string[]> {
  const rows = await runCompiled<{ id: string }>(db, 'listeners using', [pool_id, pool_id], (on) =>
    on
      .selectFrom('listener')
      .select('id')
      .where('id', 'in', listenersUsing(sql`${''}`)),
  )
  return rows.map(({ id }) => id)
}

/** The same as a query, for a pool that is an expression. */
export function listenersUsing(pool_id: RawBuilder<unknown>): RawBuilder<string> {
  return sql`(
    select id from listener where default_pool_id = ${pool_id}
    union
    select listener_id from l7policy where redirect_pool_id = ${pool_id} and admin_state_up = 1
      and exists (select 1 from l7rule where l7policy_id = l7policy.id))`
}
