/** What the rows tell: jobs that fail or wait, and load balancers and amphorae in trouble. Pure. */
import type { Amphora } from '../../model/amphora.ts'
import type { LoadBalancer } from '../../model/load-balancer.ts'
import type { Silence } from '../../store/health.ts'
import type { JobRow } from '../../store/tables.ts'
import { duration, type Finding, fail, ok, warn } from './finding.ts'

export interface Rows {
  readonly failed: readonly JobRow[]
  readonly open: readonly JobRow[]
  readonly stuck: readonly LoadBalancer[]
  readonly inError: number
  /** Overdue, and not being replaced. */
  readonly silent: readonly Silence[]
  readonly serving: readonly Amphora[]
}

/** Failures are looked at as far back. */
export const FAILED_MS = 86_400_000
/** A boot, or the outage of a service, takes less. */
const WAIT_MS = 30 * 60_000
const NAMED_MAX = 5

/** `serving` says whether a serve runs, without which all are silent. */
export function checkRows(rows: Rows, now: number, isServed: boolean): readonly Finding[] {
  return [
    failedJobs(rows.failed),
    waitingJobs(rows.open, now, isServed),
    rows.stuck.length === 0
      ? ok('changes without a job')
      : fail(
          'changes without a job',
          `${named(rows.stuck.map(({ id, provisioning_status: status }) => `${id} (${status})`))} ` +
            'will not get out of it: octavia-lite doctor stuck makes it ERROR, then fail it over or delete it',
        ),
    rows.inError === 0
      ? ok('load balancers in ERROR', 'none')
      : warn(
          'load balancers in ERROR',
          `${rows.inError}: octavia-lite lb list --provisioning-status ERROR, and lb failover ID`,
        ),
    silentAmphorae(rows, now, isServed),
  ]
}

function failedJobs(failed: readonly JobRow[]): Finding {
  const [last] = failed
  if (last === undefined) return ok('failed jobs', 'none within a day')
  const of = last.load_balancer_id === null ? '' : ` of load balancer ${last.load_balancer_id}`
  const left = failed.filter(({ status }) => status === 'FAILED').length
  const undone = left === 0 ? '' : `, ${left} of them could not be undone`
  return warn(
    'failed jobs',
    `${failed.length} within a day${undone}; the last: ${last.flow}${of}: ${last.error ?? 'no reason'}; ` +
      `octavia-lite jobs show ${last.id}`,
  )
}

function waitingJobs(open: readonly JobRow[], now: number, isServed: boolean): Finding {
  const [oldest] = open
  if (oldest === undefined) return ok('open jobs', 'none')
  const age_ms = now - oldest.created_ms
  if (age_ms < WAIT_MS) return ok('open jobs', `${open.length}`)
  return warn(
    'open jobs',
    `${open.length}, the oldest (${oldest.flow}) for ${duration(age_ms)}: ` +
      (isServed
        ? `octavia-lite jobs show ${oldest.id} tells what it waits for`
        : 'they go on when octavia-lite serve runs'),
  )
}

function silentAmphorae({ silent, serving }: Rows, now: number, isServed: boolean): Finding {
  const what = 'silent amphorae'
  if (!isServed) return ok(what, 'unknown while serve does not run')
  if (silent.length === 0) return ok(what, `none of ${serving.length}`)
  const told = silent.map(
    ({ amphora_id, last_update_ms }) => `${amphora_id} (${duration(now - last_update_ms)})`,
  )
  return fail(
    what,
    `${named(told)}: see octavia-lite jobs list for failovers that fail, whether UDP reaches ` +
      'this host from the management network, and octavia-lite amphora failover ID',
  )
}

function named(all: readonly string[]): string {
  const more = all.length - NAMED_MAX
  return `${all.slice(0, NAMED_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
