/**
 * Rows which were kept for a while after their end, and are taken away now. Each call takes a
 * bounded number.
 */
import { amphora } from '../model/amphora.ts'
import { loadBalancer } from '../model/load-balancer.ts'
import { timestamp } from '../system/clock.ts'
import { deleteAmphoraHealth } from './removal.ts'
import { deleteRows, updateRows } from './repository.ts'
import type { Tx } from './store.ts'

/**
 * DELETED amphorae whose last change and last heartbeat are both older than that. One which is
 * still heard runs although it should not, and its row is the only handle on it.
 */
export async function purgeAmphorae(tx: Tx, before_ms: number, limit: number): Promise<number> {
  const rows = (await tx
    .selectFrom('amphora as a')
    .leftJoin('amphora_health as h', 'h.amphora_id', 'a.id')
    .select('a.id')
    .where('a.status', '=', 'DELETED')
    .where((e) => e.fn.coalesce('a.updated_at', 'a.created_at'), '<', timestamp(before_ms))
    .where((e) => e.or([e('h.amphora_id', 'is', null), e('h.last_update_ms', '<', before_ms)]))
    .limit(limit)
    .execute()) as { id: string }[]
  const id = rows.map((row) => row.id)
  if (id.length === 0) return 0
  await deleteAmphoraHealth(tx, id)
  return await deleteRows(tx, amphora, { id })
}

/**
 * DELETED load balancers whose last change is older than that. What is left of their amphorae is
 * DELETED too and lives on without them; with any other child left there is something to look at,
 * so they stay.
 */
export async function purgeLoadBalancers(
  tx: Tx,
  before_ms: number,
  limit: number,
): Promise<number> {
  const children = (table: string) =>
    tx.selectFrom(table).select('loadbalancer_id').where('loadbalancer_id', 'is not', null)
  const rows = (await tx
    .selectFrom('load_balancer')
    .select('id')
    .where('provisioning_status', '=', 'DELETED')
    .where((e) => e.fn.coalesce('updated_at', 'created_at'), '<', timestamp(before_ms))
    .where('id', 'not in', children('listener'))
    .where('id', 'not in', children('pool'))
    .where('id', 'not in', children('amphora').where('status', '!=', 'DELETED'))
    .limit(limit)
    .execute()) as { id: string }[]
  const id = rows.map((row) => row.id)
  if (id.length === 0) return 0
  await updateRows(tx, amphora, { loadbalancer_id: id }, { loadbalancer_id: null })
  return await deleteRows(tx, loadBalancer, { id })
}
