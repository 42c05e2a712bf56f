/**
 * What a heartbeat says about a load balancer and its parts, rule by rule as upstream has them.
 * Pure.
 * Source: octavia/amphorae/drivers/health/heartbeat_udp.py, UpdateHealthDb.
 */
import { isPending, type OperatingStatus } from '../model/status.ts'
import type { HealthKind, KnownListener, KnownLoadBalancer, KnownPool } from '../store/health.ts'
import type { Heartbeat, Pool } from './message.ts'

/** `keep`: the report does not say; `puzzling`: nor is it a word that we know. */
export type Verdict = OperatingStatus | 'keep' | 'puzzling'

export function judgeListener(
  listener: Pick<KnownListener, 'admin_state_up'>,
  load_balancer: Pick<KnownLoadBalancer, 'provisioning_status'>,
  report: { readonly status: string } | undefined,
): Verdict {
  if (report === undefined)
    return listener.admin_state_up && load_balancer.provisioning_status === 'ACTIVE'
      ? 'ERROR'
      : 'OFFLINE'
  if (report.status === 'OPEN') return 'ONLINE'
  // haproxy's word for having as many connections as it may.
  if (report.status === 'FULL') return 'DEGRADED'
  return 'puzzling'
}

/** haproxy appends progress to a member which is about to change: `UP 1/3`, `DOWN 2/3`. */
export function judgeMember(stored: OperatingStatus, report: string | undefined): Verdict {
  if (report === undefined) return stored === 'NO_MONITOR' ? 'keep' : 'OFFLINE'
  if (report.startsWith('UP')) return 'ONLINE'
  if (report.startsWith('DOWN')) return 'ERROR'
  switch (report) {
    case 'DRAIN':
      return 'DRAINING'
    case 'MAINT':
      return 'OFFLINE'
    case 'no check':
      return 'NO_MONITOR'
    // keepalived restarts and has not checked yet.
    case 'RESTARTING':
      return 'keep'
    default:
      return 'puzzling'
  }
}

export function judgePool(report: { readonly status: string } | undefined): Verdict {
  if (report === undefined) return 'OFFLINE'
  if (report.status === 'UP') return 'ONLINE'
  if (report.status === 'DOWN') return 'ERROR'
  return 'puzzling'
}

/**
 * How many listeners must report, or undefined where any number will do. One in ERROR may be left
 * out of the configuration, for want of its certificate: that is no reason to replace an amphora.
 */
export function expectedListeners(
  load_balancer: KnownLoadBalancer,
  unversioned: boolean,
): { readonly least: number; readonly most: number } | undefined {
  if (!load_balancer.admin_state_up || isPending(load_balancer.provisioning_status))
    return undefined
  const pools = new Map(load_balancer.pools.map((pool) => [pool.id, pool]))
  const reports = (listener: KnownListener): boolean => {
    if (!listener.admin_state_up) return false
    if (!unversioned || listener.protocol !== 'UDP') return true
    const members = pools.get(listener.default_pool_id ?? '')?.members ?? []
    return members.some((member) => member.admin_state_up)
  }
  const reporting = load_balancer.listeners.filter(reports)
  const served = reporting.filter((listener) => listener.provisioning_status !== 'ERROR')
  return { least: served.length, most: reporting.length }
}

/**
 * Statuses as they are while a batch is worked through: stored ones, and on top what it changed.
 */
export interface Statuses {
  now(kind: HealthKind, row: { id: string; operating_status: OperatingStatus }): OperatingStatus
  set(kind: HealthKind, row: { id: string; operating_status: OperatingStatus }, to: Verdict): void
}

/** Goes through all parts of a load balancer; its own status is the worst of what they say. */
export function judgeLoadBalancer(
  load_balancer: KnownLoadBalancer,
  heartbeat: Heartbeat,
  statuses: Statuses,
): void {
  let own: OperatingStatus = load_balancer.admin_state_up ? 'ONLINE' : 'OFFLINE'
  for (const listener of load_balancer.listeners) {
    const verdict = judgeListener(listener, load_balancer, heartbeat.listeners.get(listener.id))
    if (verdict === 'DEGRADED') own = degraded(own)
    statuses.set('listener', listener, verdict)
  }
  for (const pool of load_balancer.pools) {
    const report = heartbeat.pools.get(pool.id)
    const verdict = judgePool(report)
    if (verdict === 'ERROR') own = 'ERROR'
    // Members of a pool which no listener uses keep what they have.
    const down = report !== undefined && judgeMembers(pool, report, statuses)
    const partly = down && verdict === 'ONLINE'
    if (partly) own = degraded(own)
    statuses.set('pool', pool, partly ? 'DEGRADED' : verdict)
  }
  statuses.set('load_balancer', load_balancer, own)
}

/** Whether one of them is down. */
function judgeMembers(pool: KnownPool, report: Pool, statuses: Statuses): boolean {
  let down = false
  for (const member of pool.members) {
    const verdict = judgeMember(statuses.now('member', member), report.members.get(member.id))
    if (verdict === 'ERROR') down = true
    statuses.set('member', member, verdict)
  }
  return down
}

function degraded(status: OperatingStatus): OperatingStatus {
  return status === 'ONLINE' ? 'DEGRADED' : status
}
