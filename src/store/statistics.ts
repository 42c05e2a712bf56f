/** Totals of what amphorae reported. Source: octavia/common/stats.py. */
import { sql } from 'kysely'
import { prepareBatch, times } from './batch.ts'
import type { Db, Tx } from './store.ts'
import type { ListenerStatisticsRow } from './tables.ts'

export interface Statistics {
  readonly active_connections: number
  readonly bytes_in: number
  readonly bytes_out: number
  readonly request_errors: number
  readonly total_connections: number
}

/** Of one listener, or of all listeners of one load balancer. */
export async function sumStatistics(
  db: Db,
  of: { readonly listener_id: string } | { readonly load_balancer_id: string },
): Promise<Statistics> {
  const listeners =
    'listener_id' in of
      ? [of.listener_id]
      : db.selectFrom('listener').select('id').where('loadbalancer_id', '=', of.load_balancer_id)
  const total = (column: string) => sql<number>`coalesce(sum(s.${sql.ref(column)}), 0)`.as(column)
  const row: unknown = await db
    .selectFrom('listener_statistics as s')
    .leftJoin('amphora as a', 'a.id', 's.amphora_id')
    .select([
      // Connections of an amphora that is gone or being replaced are not active any more.
      sql<number>`coalesce(sum(case when a.status = 'ALLOCATED' or s.amphora_id = s.listener_id
        then s.active_connections else 0 end), 0)`.as('active_connections'),
      total('bytes_in'),
      total('bytes_out'),
      total('request_errors'),
      total('total_connections'),
    ])
    .where('s.listener_id', 'in', listeners)
    .executeTakeFirstOrThrow()
  return row as Statistics
}

const COLUMNS = [
  'listener_id',
  'amphora_id',
  'bytes_in',
  'bytes_out',
  'active_connections',
  'total_connections',
  'request_errors',
] as const satisfies readonly (keyof ListenerStatisticsRow)[]
const COUNTERS = ['bytes_in', 'bytes_out', 'total_connections', 'request_errors'] as const

export interface StatisticsRows {
  /** Adds to what is stored, but `active_connections` takes its place. */
  add(tx: Tx, rows: readonly ListenerStatisticsRow[]): Promise<void>
  /** Takes the place of what is stored. */
  replace(tx: Tx, rows: readonly ListenerStatisticsRow[]): Promise<void>
}

/** `db` compiles the statements; they run on whatever is passed to each call. */
export function prepareStatisticsRows(db: Db): StatisticsRows {
  const upsert = (stored: (column: string) => ReturnType<typeof sql>) =>
    prepareBatch((n) =>
      db
        .insertInto('listener_statistics')
        .values(times(n, Object.fromEntries(COLUMNS.map((name) => [name, 0]))))
        .onConflict((conflict) =>
          conflict.columns(['listener_id', 'amphora_id']).doUpdateSet({
            active_connections: sql.ref('excluded.active_connections'),
            ...Object.fromEntries(COUNTERS.map((name) => [name, stored(name)])),
          }),
        )
        .compile(),
    )
  // A sum stays exact in JavaScript: an amphora which reports nonsense must not fail the batch it
  // is in.
  const add = upsert((name) => {
    const before = sql.ref(`listener_statistics.${name}`)
    return sql`min(${before} + ${sql.ref(`excluded.${name}`)}, ${sql.lit(Number.MAX_SAFE_INTEGER)})`
  })
  const replace = upsert((name) => sql.ref(`excluded.${name}`))
  const values = (row: ListenerStatisticsRow) => COLUMNS.map((name) => row[name])
  return {
    async add(tx, rows) {
      await add(tx, rows.map(values))
    },
    async replace(tx, rows) {
      await replace(tx, rows.map(values))
    },
  }
}
