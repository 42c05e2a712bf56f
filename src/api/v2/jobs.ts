/** octavia-lite's own: what the engine did and does. Inputs and results are not shown. */
import { fault } from '../../model/fault.ts'
import { integer, uuid } from '../../model/field.ts'
import {
  findJob,
  JOB_STATUSES,
  type JobFilter,
  type JobStatus,
  listJobs,
  listSteps,
} from '../../store/jobs.ts'
import type { JobRow, JobStepRow } from '../../store/tables.ts'
import { allow, type Route } from '../route.ts'

const LIMIT_DEFAULT = 100
const limitType = integer(1, 1000)

export const JOB_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    area: 'octavia-lite',
    path: '/jobs',
    rule: 'job:get_all',
    summary: 'List jobs, newest first; by load_balancer_id and status, at most `limit`.',
    status: 200,
    answer: { wrapper: 'jobs' },
    handle: async (api, call) => {
      allow(call, call.caller.project_id)
      return { jobs: (await listJobs(api.store.read, filterOf(call.query))).map(jobView) }
    },
  },
  {
    method: 'GET',
    area: 'octavia-lite',
    path: '/jobs/:id',
    rule: 'job:get_one',
    summary: 'Show a job with its steps.',
    status: 200,
    answer: { wrapper: 'job' },
    handle: async (api, call) => {
      allow(call, call.caller.project_id)
      const id = call.params.id ?? ''
      const row = await findJob(api.store.read, id)
      if (row === undefined) throw fault.notFound('Job', id)
      const steps = await listSteps(api.store.read, id)
      return { job: { ...jobView(row), steps: steps.map(stepView) } }
    },
  },
]

function filterOf(query: URLSearchParams): JobFilter {
  const limit = limitType.parse(query.get('limit') ?? LIMIT_DEFAULT)
  if (!limit.ok) throw fault.invalidLimit(query.get('limit') ?? '')
  const status = query.get('status')
  if (status !== null && !(JOB_STATUSES as readonly string[]).includes(status))
    throw fault.invalidOption(status, 'status')
  const load_balancer_id = query.get('load_balancer_id')
  if (load_balancer_id !== null && !uuid.parse(load_balancer_id).ok)
    throw fault.invalidOption(load_balancer_id, 'load_balancer_id')
  return {
    limit: limit.value,
    ...(status === null ? {} : { status: status as JobStatus }),
    ...(load_balancer_id === null ? {} : { load_balancer_id }),
  }
}

function jobView(row: JobRow) {
  return {
    id: row.id,
    flow: row.flow,
    load_balancer_id: row.load_balancer_id,
    status: row.status,
    error: row.error,
    request_id: row.request_id,
    created_ms: row.created_ms,
    started_ms: row.started_ms,
    finished_ms: row.finished_ms,
  }
}

function stepView(row: JobStepRow) {
  return {
    name: row.name,
    status: row.status,
    attempts: row.attempts,
    error: row.error,
    started_ms: row.started_ms,
    finished_ms: row.finished_ms,
  }
}
