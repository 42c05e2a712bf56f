/** New rows from checked requests: ids, owner, first statuses. Pure. */
import { fault } from '../model/fault.ts'
import type { Create } from '../model/field.ts'
import type { HealthMonitorCreate, ListenerGraph, MemberCreate, PoolGraph } from '../model/graph.ts'
import {
  type HealthMonitor,
  HTTP_FALLBACKS,
  HTTP_FIELDS,
  HTTP_TYPES,
} from '../model/health-monitor.ts'
import type { L7Policy, l7policy } from '../model/l7policy.ts'
import type { L7Rule, l7rule } from '../model/l7rule.ts'
import type { Listener } from '../model/listener.ts'
import type { Member } from '../model/member.ts'
import type { Pool } from '../model/pool.ts'

export interface NewRow {
  readonly id: string
  readonly project_id: string | null
  /** As rows keep it. */
  readonly now: string
}

/** What every child row begins with. */
function born(base: NewRow) {
  return {
    id: base.id,
    project_id: base.project_id,
    provisioning_status: 'PENDING_CREATE',
    operating_status: 'OFFLINE',
    created_at: base.now,
    updated_at: null,
  } as const
}

export function newListener(
  base: NewRow,
  loadbalancer_id: string,
  values: ListenerGraph['listener'],
): Listener {
  return { ...values, ...born(base), loadbalancer_id, allowed_cidrs: cidrsOf(values.allowed_cidrs) }
}

/** No prefix at all means no restriction, which rows keep as null. */
export function cidrsOf(cidrs: readonly string[] | null): readonly string[] | null {
  return cidrs === null || cidrs.length === 0 ? null : cidrs
}

export function newPool(base: NewRow, loadbalancer_id: string, values: PoolGraph['pool']): Pool {
  return { ...values, ...born(base), loadbalancer_id }
}

export function newMember(
  base: NewRow,
  pool_id: string,
  /** Whether the pool has a monitor, and the load balancer's flavor lets members have SR-IOV. */
  { monitored, sriov }: { readonly monitored: boolean; readonly sriov: boolean },
  values: MemberCreate,
): Member {
  const { request_sriov, ...fields } = values
  if (request_sriov && !sriov) throw fault.memberSriov()
  return {
    ...fields,
    ...born(base),
    operating_status: monitored ? 'OFFLINE' : 'NO_MONITOR',
    pool_id,
    vnic_type: request_sriov ? 'direct' : 'normal',
  }
}

export function newHealthMonitor(
  base: NewRow,
  pool_id: string,
  values: HealthMonitorCreate,
): HealthMonitor {
  return { ...withHttpFields(values), ...born(base), pool_id }
}

export function newL7Policy(
  base: NewRow,
  listener_id: string,
  values: Omit<Create<typeof l7policy.fields>, 'project_id' | 'listener_id'>,
): L7Policy {
  return { ...values, ...born(base), listener_id }
}

export function newL7Rule(
  base: NewRow,
  l7policy_id: string,
  values: Omit<Create<typeof l7rule.fields>, 'project_id'>,
): L7Rule {
  return { ...values, ...born(base), l7policy_id }
}

/** HTTP fields belong to HTTP checks only, which have defaults for the ones that matter. */
function withHttpFields<T extends HealthMonitorCreate>(values: T): T {
  const checked = checkDomain(values)
  if (isHttp(values.type)) {
    return {
      ...checked,
      http_method: values.http_method ?? HTTP_FALLBACKS.http_method,
      url_path: values.url_path ?? HTTP_FALLBACKS.url_path,
      expected_codes: values.expected_codes ?? HTTP_FALLBACKS.expected_codes,
    }
  }
  const foreign = REFUSED_HTTP_FIELDS.find((name) => values[name] !== null)
  if (foreign !== undefined)
    throw fault.invalidOption(foreign, `health monitors of type ${values.type}`)
  return checked
}

/** Upstream checks three of the HTTP fields. */
export const REFUSED_HTTP_FIELDS = HTTP_FIELDS.filter(
  (name) => name !== 'http_version' && name !== 'domain_name',
)

export function isHttp(type: HealthMonitor['type']): boolean {
  return (HTTP_TYPES as readonly string[]).includes(type)
}

/** A Host header needs HTTP 1.1. */
export function checkDomain<T extends Pick<HealthMonitor, 'domain_name' | 'http_version'>>(
  values: T,
): T {
  if (values.domain_name === null) return values
  if (values.http_version === null)
    throw fault.validation("'http_version' must be specified when 'domain_name' is provided.")
  if (values.http_version < 1.1)
    throw fault.invalidOption(
      `http_version ${values.http_version.toFixed(1)}`,
      'health monitors HTTP 1.1 domain name health check',
    )
  return values
}
