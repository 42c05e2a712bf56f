/**
 * What always holds in the database, once the engine has nothing to do. Each broken rule is a
 * sentence. Tables that are not there are not looked at.
 */
import { sql } from 'kysely'
import type { QuotaLimits } from '../../src/model/quota.ts'
import {
  AMPHORA_STATUSES,
  OPERATING_STATUSES,
  PROVISIONING_STATUSES,
} from '../../src/model/status.ts'
import { JOB_STATUSES, STEP_STATUSES } from '../../src/store/jobs.ts'
import { QUOTA_RESOURCES } from '../../src/store/quota.ts'
import type { Store } from '../../src/store/store.ts'
import { RESOURCES } from '../../src/store/tables.ts'

export type Row = Readonly<Record<string, unknown>>
/** Table to its rows. */
export type Rows = Readonly<Record<string, readonly Row[]>>

/** Where each kind of child says who its parent is. */
const PARENTS = [
  ['listener', 'loadbalancer_id', 'load_balancer'],
  ['pool', 'loadbalancer_id', 'load_balancer'],
  ['member', 'pool_id', 'pool'],
  ['health_monitor', 'pool_id', 'pool'],
  ['l7policy', 'listener_id', 'listener'],
  ['l7rule', 'l7policy_id', 'l7policy'],
] as const

/** Ports of these are of another family than those of TCP. */
const FAMILIES: Readonly<Record<string, string>> = { UDP: 'udp', SCTP: 'sctp' }

/** Every row of every table of resources. */
export async function loadRows(store: Store): Promise<Rows> {
  const out: Record<string, readonly Row[]> = {}
  for (const { table } of RESOURCES)
    out[table] = (await store.read.selectFrom(table).selectAll().execute()) as Row[]
  return out
}

export async function brokenInvariants(store: Store): Promise<readonly string[]> {
  const rows = await loadRows(store)
  const jobs = (await store.read.selectFrom('job').selectAll().execute()) as Row[]
  const steps = (await store.read.selectFrom('job_step').selectAll().execute()) as Row[]
  const dangling = await sql<{ table: string; parent: string }>`PRAGMA foreign_key_check`.execute(
    store.read,
  )
  return [
    ...dangling.rows.map(({ table, parent }) => `a row of ${table} refers to no ${parent}`),
    ...brokenParents(rows),
    ...brokenStatuses(rows),
    ...pendingRows(rows),
    ...sharedPorts(rows),
    ...brokenPositions(rows),
    ...crossedReferences(rows),
    ...brokenJobs(jobs, steps),
  ]
}

function brokenParents(rows: Rows): string[] {
  return PARENTS.flatMap(([table, column, parent]) => {
    const parents = new Map((rows[parent] ?? []).map((row) => [row.id, row]))
    return (rows[table] ?? []).flatMap((row) => {
      const above = parents.get(row[column])
      if (above === undefined) return [`${table} ${row.id} has no ${parent}`]
      return above.project_id === row.project_id
        ? []
        : [`${table} ${row.id} is of another project than its ${parent}`]
    })
  })
}

function brokenStatuses(rows: Rows): string[] {
  const vocabulary = {
    provisioning_status: PROVISIONING_STATUSES as readonly string[],
    operating_status: OPERATING_STATUSES as readonly string[],
    status: AMPHORA_STATUSES as readonly string[],
  }
  return Object.entries(rows).flatMap(([table, list]) =>
    list.flatMap((row) =>
      Object.entries(vocabulary)
        .filter(([column, words]) => column in row && !words.includes(String(row[column])))
        .map(([column]) => `${table} ${row.id} has ${column} ${row[column]}`),
    ),
  )
}

/** Those of the no-op provider stay PENDING until somebody reports their status. */
function pendingRows(rows: Rows): string[] {
  const waiting = new Set(
    (rows.load_balancer ?? [])
      .filter((row) => String(row.provider).startsWith('noop'))
      .map((row) => row.id),
  )
  for (const [table, column] of PARENTS)
    for (const row of rows[table] ?? []) if (waiting.has(row[column])) waiting.add(row.id)
  return Object.entries(rows).flatMap(([table, list]) =>
    list
      .filter((row) => !waiting.has(row.id))
      .filter((row) => /^PENDING_/.test(String(row.provisioning_status ?? row.status)))
      .map((row) => `${table} ${row.id} is ${row.provisioning_status ?? row.status} without a job`),
  )
}

function sharedPorts(rows: Rows): string[] {
  const families = Map.groupBy(
    rows.listener ?? [],
    (row) =>
      `${row.loadbalancer_id} ${FAMILIES[String(row.protocol)] ?? 'tcp'} ${row.protocol_port}`,
  )
  return [...families]
    .filter(([, list]) => list.length > 1)
    .map(([port, list]) => `${list.length} listeners on ${port}`)
}

function brokenPositions(rows: Rows): string[] {
  return [...Map.groupBy(rows.l7policy ?? [], (row) => row.listener_id)].flatMap(([id, list]) => {
    const positions = list.map((row) => Number(row.position)).sort((a, b) => a - b)
    const right = positions.every((position, at) => position === at + 1)
    return right ? [] : [`the policies of listener ${id} have positions ${positions.join(', ')}`]
  })
}

/** A listener and the pools which it uses are of one load balancer. */
function crossedReferences(rows: Rows): string[] {
  const above = (table: string): ReadonlyMap<unknown, unknown> =>
    new Map((rows[table] ?? []).map((row) => [row.id, row.loadbalancer_id]))
  const pools = above('pool')
  const listeners = above('listener')
  return [
    ...(rows.listener ?? [])
      .filter((row) => row.default_pool_id !== null)
      .filter((row) => pools.get(row.default_pool_id) !== row.loadbalancer_id)
      .map((row) => `listener ${row.id} has a default pool of another load balancer`),
    ...(rows.l7policy ?? [])
      .filter((row) => row.redirect_pool_id !== null)
      .filter((row) => pools.get(row.redirect_pool_id) !== listeners.get(row.listener_id))
      .map((row) => `l7policy ${row.id} redirects to a pool of another load balancer`),
  ]
}

/** The drivers agree to everything, so no job has a reason to fail. */
function brokenJobs(jobs: readonly Row[], steps: readonly Row[]): string[] {
  const ids = new Set(jobs.map((job) => job.id))
  return [
    ...jobs
      .filter((job) => job.finished_ms === null)
      .map((job) => `job ${job.id} (${job.flow}) is ${job.status} and never ends`),
    ...jobs
      .filter((job) => job.finished_ms !== null && job.status !== 'DONE')
      .map((job) => `job ${job.id} (${job.flow}) is ${job.status}: ${job.error}`),
    ...jobs
      .filter((job) => !(JOB_STATUSES as readonly unknown[]).includes(job.status))
      .map((job) => `job ${job.id} has status ${job.status}`),
    ...steps
      .filter((step) => !(STEP_STATUSES as readonly unknown[]).includes(step.status))
      .map((step) => `a step of job ${step.job_id} has status ${step.status}`),
    ...steps
      .filter((step) => !ids.has(step.job_id))
      .map((step) => `a step is left of job ${step.job_id}`),
  ]
}

/** Project and kind to how many there are, `<project> <kind>`; a quota row for each project. */
export type Usage = ReadonlyMap<string, number>

/** A project's use has not risen above its limit since `before`. */
export async function quotaUse(
  store: Store,
  defaults: QuotaLimits,
  before: Usage,
): Promise<{ readonly usage: Usage; readonly broken: readonly string[] }> {
  const own = new Map(
    ((await store.read.selectFrom('quota').selectAll().execute()) as Row[]).map((row) => [
      row.project_id,
      row,
    ]),
  )
  const usage = new Map<string, number>()
  const broken: string[] = []
  for (const [name, { table }] of Object.entries(QUOTA_RESOURCES)) {
    const counts = (await store.read
      .selectFrom(table)
      .select(['project_id', (e) => e.fn.countAll().as('count')])
      .where('provisioning_status', '!=', 'DELETED')
      .groupBy('project_id')
      .execute()) as { project_id: string; count: number }[]
    for (const { project_id, count } of counts) {
      const key = `${project_id} ${name}`
      usage.set(key, count)
      const row = own.get(project_id)
      if (row === undefined) broken.push(`project ${project_id} has a ${name} and no quota row`)
      const limit = Number(row?.[name] ?? defaults[name as keyof QuotaLimits])
      if (limit >= 0 && count > limit && count > (before.get(key) ?? 0))
        broken.push(`project ${project_id} has ${count} of at most ${limit} ${name}`)
    }
  }
  return { usage, broken }
}
