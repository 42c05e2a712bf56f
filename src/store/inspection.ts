/**
 * A database looked at from outside: read only, as it is, beside a serve or without one. Nothing is
 * made, migrated or cleaned.
 */
import { Database } from 'bun:sqlite'
import { type Amphora, amphora } from '../model/amphora.ts'
import { type LoadBalancer, loadBalancer } from '../model/load-balancer.ts'
import { SERVING } from '../model/status.ts'
import { readerOver } from './dialect.ts'
import { listSteps } from './jobs.ts'
import { decodeRow } from './repository.ts'
import type { Db, Tables } from './store.ts'
import { type JobRow, SCHEMA_VERSION } from './tables.ts'

export interface Inspection {
  readonly db: Db
  readonly schema: 'ours' | 'older' | 'newer' | 'of another program'
  /** What SQLite finds wrong with the file; empty when all is well. */
  readonly damage: readonly string[]
  close(): void
}

const DAMAGE_MAX = 5
const ROWS_MAX = 100_000

/** Throws what SQLite throws where the file cannot be read at all. */
export function inspectStore(path: string): Inspection {
  const database = new Database(path, { readonly: true, strict: true })
  try {
    database.run('PRAGMA busy_timeout = 5000')
    const check = database.query(`PRAGMA quick_check(${DAMAGE_MAX})`).all() as {
      quick_check: string
    }[]
    const damage = check.map((row) => row.quick_check).filter((line) => line !== 'ok')
    const { user_version: version } = database.query('PRAGMA user_version').get() as {
      user_version: number
    }
    const schema =
      version === 0
        ? 'of another program'
        : version === SCHEMA_VERSION
          ? 'ours'
          : version > SCHEMA_VERSION
            ? 'newer'
            : 'older'
    return { db: readerOver<Tables>(database), schema, damage, close: () => database.close() }
  } catch (error) {
    database.close()
    throw error
  }
}

/** Load balancers of these providers that are in the middle of a change, without a job for it. */
export async function listStuck(db: Db, providers: readonly string[]): Promise<LoadBalancer[]> {
  const rows = await db
    .selectFrom('load_balancer as l')
    .selectAll('l')
    .where('l.provisioning_status', 'like', 'PENDING_%')
    .where('l.provider', 'in', [...providers])
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('job')
            .select('job.id')
            .where('job.finished_ms', 'is', null)
            .whereRef('job.load_balancer_id', '=', 'l.id'),
        ),
      ),
    )
    .orderBy('l.created_at')
    .limit(ROWS_MAX)
    .execute()
  return rows.map((row) => decodeRow(loadBalancer, row))
}

/** Amphorae that should serve, the first certificate to end first. */
export async function listServing(db: Db): Promise<Amphora[]> {
  const rows = await db
    .selectFrom('amphora')
    .selectAll()
    .where('status', 'in', [...SERVING])
    .orderBy('cert_expiration')
    .limit(ROWS_MAX)
    .execute()
  return rows.map((row) => decodeRow(amphora, row))
}

/** The newest first. */
export async function listFailedSince(db: Db, since_ms: number): Promise<JobRow[]> {
  return (await db
    .selectFrom('job')
    .selectAll()
    .where('finished_ms', '>=', since_ms)
    .where('status', 'in', ['FAILED', 'REVERTED'])
    .orderBy('finished_ms', 'desc')
    .limit(ROWS_MAX)
    .execute()) as JobRow[]
}

/** The oldest first. */
export async function listOpenJobs(db: Db): Promise<JobRow[]> {
  return (await db
    .selectFrom('job')
    .selectAll()
    .where('finished_ms', 'is', null)
    .orderBy('sequence')
    .limit(ROWS_MAX)
    .execute()) as JobRow[]
}

const UUIDS = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

/** Every id that open jobs speak of: theirs, in what they were given, and in what they found. */
export async function listBusyIds(db: Db): Promise<ReadonlySet<string>> {
  const jobs = await listOpenJobs(db)
  const ids = new Set(jobs.flatMap(({ load_balancer_id: id }) => id ?? []))
  const texts = jobs.map(({ input }) => input)
  for (const { id } of jobs)
    for (const { result } of await listSteps(db, id)) if (result !== null) texts.push(result)
  for (const text of texts) for (const [id] of text.matchAll(UUIDS)) ids.add(id)
  return ids
}
