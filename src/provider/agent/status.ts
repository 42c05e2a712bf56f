/**
 * Statuses as a provider driver tells them. One transaction for a report: it is kept as a whole or
 * refused as a whole. What DELETED is told of is taken away, and quotas count rows, so they follow.
 * Source: octavia/api/drivers/driver_agent/driver_updater.py, update_loadbalancer_status.
 */
import { type Fields, isObject, type Json, type Resource, type Row } from '../../model/field.ts'
import { healthMonitor } from '../../model/health-monitor.ts'
import { l7policy } from '../../model/l7policy.ts'
import { l7rule } from '../../model/l7rule.ts'
import { listener } from '../../model/listener.ts'
import { loadBalancer } from '../../model/load-balancer.ts'
import { member } from '../../model/member.ts'
import { pool } from '../../model/pool.ts'
import {
  OPERATING_STATUSES,
  type OperatingStatus,
  PROVISIONING_STATUSES,
  type ProvisioningStatus,
} from '../../model/status.ts'
import { deleteRow, findRow, updateRow } from '../../store/repository.ts'
import type { Store, Tx } from '../../store/store.ts'
import { type Clock, timestamp } from '../../system/clock.ts'
import {
  deleteHealthMonitor,
  deleteL7Policy,
  deleteListener,
  deletePool,
  deleteTree,
} from '../../worker/steps/statuses.ts'
import { providerOf } from '../providers.ts'
import { answerReport, type ReportAnswer, ReportRefused } from './answer.ts'
import { recordsOf } from './records.ts'

interface Kind {
  readonly resource: Resource<Fields>
  remove(tx: Tx, id: string, now: number): Promise<unknown>
}

/** In upstream's order: children before parents. */
export const KINDS: Readonly<Record<string, Kind>> = {
  members: { resource: member, remove: (tx, id) => deleteRow(tx, member, id) },
  healthmonitors: { resource: healthMonitor, remove: deleteHealthMonitor },
  pools: { resource: pool, remove: deletePool },
  l7rules: { resource: l7rule, remove: (tx, id) => deleteRow(tx, l7rule, id) },
  l7policies: { resource: l7policy, remove: deleteL7Policy },
  listeners: { resource: listener, remove: deleteListener },
  // Its row is remembered for a while.
  loadbalancers: { resource: loadBalancer, remove: deleteTree },
}

interface Change {
  readonly kind: string
  readonly id: string
  readonly provisioning_status: ProvisioningStatus | null
  readonly operating_status: OperatingStatus | null
}

export function keepStatuses(
  { store, clock }: { readonly store: Store; readonly clock: Pick<Clock, 'now'> },
  report: Json,
): Promise<ReportAnswer> {
  return answerReport(async () => {
    const changes = parseStatuses(report)
    if (changes.length === 0) return
    const now = clock.now()
    await store.transaction(async (tx) => {
      for (const change of changes) await keep(tx, change, now)
    })
  })
}

/** Throws ReportRefused. */
export function parseStatuses(report: Json): Change[] {
  if (!isObject(report)) throw new ReportRefused('the report is not an object')
  return Object.keys(KINDS).flatMap((kind) =>
    recordsOf(report, kind, { status_object: kind, status_object_id: null }).map((record) => {
      const details = { status_object: kind, status_object_id: idOf(record.id) }
      // As upstream prints a missing key.
      if (record.id === undefined) throw new ReportRefused("'id'", details)
      if (details.status_object_id === null) throw new ReportRefused('id is not a string', details)
      const status = <T extends string>(name: string, known: readonly T[]): T | null => {
        const value = record[name]
        // As upstream, which asks for truth only.
        if (value === undefined || value === null || value === '') return null
        if (!(known as readonly unknown[]).includes(value))
          throw new ReportRefused(`${name} is none of ${known.join(', ')}`, details)
        return value as T
      }
      return {
        kind,
        id: details.status_object_id,
        provisioning_status: status('provisioning_status', PROVISIONING_STATUSES),
        operating_status: status('operating_status', OPERATING_STATUSES),
      }
    }),
  )
}

function idOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** What is not there (any more) is passed over, as upstream's update of no row. */
async function keep(tx: Tx, change: Change, now: number): Promise<void> {
  const { id, provisioning_status, operating_status } = change
  const kind = KINDS[change.kind]
  if (kind === undefined) return
  const row = await findRow(tx, kind.resource, id)
  if (row === undefined || row.provisioning_status === 'DELETED') return
  const owner = await loadBalancerIdOf(tx, kind.resource, row)
  if (!(await providerOf(tx, owner)).reports)
    throw new ReportRefused('the provider of this object keeps its statuses itself', {
      status_object: change.kind,
      status_object_id: id,
    })
  if (provisioning_status === 'DELETED') {
    await kind.remove(tx, id, now)
    return
  }
  const statuses = {
    ...(provisioning_status === null ? {} : { provisioning_status }),
    ...(operating_status === null ? {} : { operating_status }),
  }
  if (Object.keys(statuses).length > 0)
    await updateRow(tx, kind.resource, id, { ...statuses, updated_at: timestamp(now) })
}

const PARENTS = [
  ['loadbalancer_id', loadBalancer],
  ['pool_id', pool],
  ['listener_id', listener],
  ['l7policy_id', l7policy],
] as const

/** Up from any child; foreign keys hold every parent. */
async function loadBalancerIdOf(
  tx: Tx,
  resource: Resource<Fields>,
  row: Row<Fields>,
): Promise<string> {
  if (resource.table === loadBalancer.table) return String(row.id)
  for (const [column, parent] of PARENTS) {
    const id: unknown = row[column]
    if (typeof id !== 'string') continue
    const up: Row<Fields> | undefined = await findRow<Fields>(tx, parent, id)
    if (up !== undefined) return await loadBalancerIdOf(tx, parent, up)
  }
  throw new Error(`${resource.table} ${String(row.id)} has no load balancer`)
}
