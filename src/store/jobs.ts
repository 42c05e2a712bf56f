/**
 * Jobs and their steps as rows. A job is written in the transaction of the change that it carries
 * out; each step's result in the transaction of the rows that belong to it.
 */

import type { Json } from '../model/field.ts'
import { newId } from '../system/ids.ts'
import { executeCompiled, runCompiled } from './compiled.ts'
import type { Db, Tx } from './store.ts'
import type { JobRow, JobStepRow } from './tables.ts'

/**
 * HELD: waits for its request to release or drop it, and becomes QUEUED when that request died with
 * the process. DONE: all steps; REVERTED: a step failed and everything was undone; FAILED: undoing
 * failed too.
 */
export const JOB_STATUSES = [
  'HELD',
  'QUEUED',
  'RUNNING',
  'REVERTING',
  'DONE',
  'REVERTED',
  'FAILED',
] as const
export type JobStatus = (typeof JOB_STATUSES)[number]
/** `attempts` of a step counts the tries of what its status says: of acting, or of undoing. */
export const STEP_STATUSES = [
  'RUNNING',
  'DONE',
  'FAILED',
  'UNDOING',
  'UNDONE',
  'UNDO_FAILED',
] as const
export type StepStatus = (typeof STEP_STATUSES)[number]

export interface NewJob {
  readonly flow: string
  /** Jobs of one load balancer run one after the other. null: runs beside everything. */
  readonly load_balancer_id: string | null
  readonly input: Json
  readonly request_id: string | null
  readonly status?: 'QUEUED' | 'HELD'
}

export async function insertJob(tx: Tx, job: NewJob, now: number): Promise<string> {
  const id = newId()
  const values = {
    id,
    flow: job.flow,
    load_balancer_id: job.load_balancer_id,
    input: JSON.stringify(job.input),
    status: job.status ?? 'QUEUED',
    request_id: job.request_id,
    created_ms: now,
  }
  await executeCompiled(tx, 'insert job', Object.values(values), (on) =>
    on.insertInto('job').values(values),
  )
  return id
}

/** The request which held the job ends: dropped without a trace, or let go. */
export async function dropHeldJob(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('job').where('id', '=', id).where('status', '=', 'HELD').execute()
}
export async function releaseHeldJob(tx: Tx, id: string): Promise<void> {
  await tx
    .updateTable('job')
    .set({ status: 'QUEUED' })
    .where('id', '=', id)
    .where('status', '=', 'HELD')
    .execute()
}
/** At start: no request of the process before is alive any more. */
export async function releaseAllHeldJobs(tx: Tx): Promise<void> {
  await tx.updateTable('job').set({ status: 'QUEUED' }).where('status', '=', 'HELD').execute()
}

/**
 * The oldest open job of every load balancer, and every open job of none: what may run now, the
 * oldest first, at most `limit`.
 */
export async function listRunnableJobs(db: Db, limit: number): Promise<JobRow[]> {
  // Both conditions begin with that of the partial indexes.
  return runCompiled<JobRow>(db, 'runnable jobs', ['HELD', 'HELD', limit], (on) =>
    on
      .selectFrom('job')
      .selectAll()
      .where('finished_ms', 'is', null)
      .where('status', '!=', 'HELD')
      .where(({ not, exists, selectFrom }) => {
        const earlier = selectFrom('job as earlier')
          .select('earlier.id')
          .where('earlier.finished_ms', 'is', null)
          .where('earlier.status', '!=', 'HELD')
          .whereRef('earlier.load_balancer_id', '=', 'job.load_balancer_id')
          .whereRef('earlier.sequence', '<', 'job.sequence')
        return not(exists(earlier))
      })
      .orderBy('sequence')
      .limit(limit),
  )
}

/** How many jobs of this flow are not over. */
export async function countOpenJobs(db: Db, flow: string): Promise<number> {
  const row = (await db
    .selectFrom('job')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('finished_ms', 'is', null)
    .where('flow', '=', flow)
    .executeTakeFirst()) as { count: number } | undefined
  return Number(row?.count ?? 0)
}

export async function findJob(db: Db, id: string): Promise<JobRow | undefined> {
  const row: unknown = await db
    .selectFrom('job')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  return row as JobRow | undefined
}

export interface JobFilter {
  readonly load_balancer_id?: string
  readonly status?: JobStatus
  /** At most so many. */
  readonly limit: number
  /** Only jobs before this sequence number. */
  readonly before?: number
}

/** Newest first. */
export async function listJobs(db: Db, filter: JobFilter): Promise<JobRow[]> {
  let query = db.selectFrom('job').selectAll()
  if (filter.load_balancer_id !== undefined)
    query = query.where('load_balancer_id', '=', filter.load_balancer_id)
  if (filter.status !== undefined) query = query.where('status', '=', filter.status)
  if (filter.before !== undefined) query = query.where('sequence', '<', filter.before)
  return (await query.orderBy('sequence', 'desc').limit(filter.limit).execute()) as JobRow[]
}

export async function updateJob(
  tx: Tx,
  id: string,
  changes: Partial<Pick<JobRow, 'status' | 'error' | 'started_ms' | 'finished_ms'>>,
): Promise<void> {
  const names = Object.keys(changes).join()
  await executeCompiled(tx, `update job ${names}`, [...Object.values(changes), id], (on) =>
    on.updateTable('job').set(changes).where('id', '=', id),
  )
}

export async function listSteps(db: Db, job_id: string): Promise<JobStepRow[]> {
  return runCompiled<JobStepRow>(db, 'steps', [job_id], (on) =>
    on.selectFrom('job_step').selectAll().where('job_id', '=', '').orderBy('position'),
  )
}

/** Writes a step's row as a whole. */
export async function putStep(tx: Tx, step: JobStepRow): Promise<void> {
  const names = Object.keys(step).join()
  await executeCompiled(tx, `put step ${names}`, Object.values(step), (on) =>
    on.replaceInto('job_step').values(step),
  )
}

/** Finished jobs older than that, with their steps; how many there were. */
export async function deleteJobsBefore(
  tx: Tx,
  finished_ms: number,
  limit: number,
): Promise<number> {
  const old = tx
    .selectFrom('job')
    .select('id')
    .where('finished_ms', '<', finished_ms)
    .where('status', 'in', ['DONE', 'REVERTED', 'FAILED'])
    .limit(limit)
  const { numDeletedRows } = await tx.deleteFrom('job').where('id', 'in', old).executeTakeFirst()
  return Number(numDeletedRows)
}
