/** Totals of what amphorae reported. Source: octavia/common/stats.py. */
import { type RawBuilder, sql } from 'kysely'
import { runBatch, unpacked } from './batch.ts'
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

export interface AmphoraStatistics extends Statistics {
  /** The amphora. */
  readonly id: string
  readonly listener_id: string
  readonly loadbalancer_id: string | null
}

/** What one amphora reported of each listener. */
export async function listAmphoraStatistics(
  db: Db,
  amphora_id: string,
): Promise<AmphoraStatistics[]> {
  const rows: unknown = await db
    .selectFrom('listener_statistics as s')
    .innerJoin('amphora as a', 'a.id', 's.amphora_id')
    .select(['a.id', 'a.loadbalancer_id', 's.listener_id', 's.active_connections', 's.bytes_in'])
    .select(['s.bytes_out', 's.request_errors', 's.total_connections'])
    .where('s.amphora_id', '=', amphora_id)
    .orderBy('s.listener_id')
    .execute()
  return rows as AmphoraStatistics[]
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

/** Adds to what is stored, but `active_connections` takes its place. */
export async function addStatistics(tx: Tx, rows: readonly ListenerStatisticsRow[]): Promise<void> {
  await upsert(tx, 'add statistics', rows, (column) => {
    const sum = sql`${sql.ref(`listener_statistics.${column}`)} + ${sql.ref(`excluded.${column}`)}`
    // Exact in JavaScript: an amphora which reports nonsense must not fail the batch it is in.
    return sql`min(${sum}, ${sql.lit(Number.MAX_SAFE_INTEGER)})`
  })
}

/** Takes the place of what is stored. */
export async function replaceStatistics(
  tx: Tx,
  rows: readonly ListenerStatisticsRow[],
): Promise<void> {
  await upsert(tx, 'replace statistics', rows, (column) => sql.ref(`excluded.${column}`))
}

async function upsert(
  tx: Tx,
  key: string,
  rows: readonly ListenerStatisticsRow[],
  stored: (column: string) => RawBuilder<unknown>,
): Promise<void> {
  await runBatch(tx, {
    key,
    values: rows.map((row) => COLUMNS.map((name) => row[name])),
    build: (on) =>
      on
        .insertInto('listener_statistics')
        .columns(COLUMNS)
        .expression(unpacked(COLUMNS.length))
        .onConflict((conflict) =>
          conflict.columns(['listener_id', 'amphora_id']).doUpdateSet({
            active_connections: sql.ref('excluded.active_connections'),
            ...Object.fromEntries(COUNTERS.map((name) => [name, stored(name)])),
          }),
        ),
  })
}
