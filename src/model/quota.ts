/**
 * Quotas: how many of each resource a project may have. Two limits have an older name, which
 * answers carry too and requests may use. Source: octavia/api/v2/types/quotas.py. Pure.
 */
import { field, integer, type Row, resource, text, type Update } from './field.ts'

export const QUOTA_NAMES = [
  'load_balancer',
  'listener',
  'pool',
  'member',
  'health_monitor',
  'l7policy',
  'l7rule',
] as const
/** Older name to present one. */
export const OLDER_LIMIT_NAMES = {
  loadbalancer: 'load_balancer',
  healthmonitor: 'health_monitor',
} as const
/** -1 is unlimited. */
export type QuotaLimits = Readonly<Record<(typeof QUOTA_NAMES)[number], number>>

const limit = (of: string) =>
  field(integer(-1, 2_000_000_000), {
    help: `How many ${of}; -1 is unlimited; unset, the default.`,
    nullable: true,
  })

/** The row of a project; null is the operator's default. */
export const quota = resource({
  title: 'Quotas',
  singular: 'quota',
  plural: 'quotas',
  argument: 'quotas',
  table: 'quota',
  key: 'project_id',
  fields: {
    project_id: field(text({ max: 36 }), { help: 'The project.', writable: 'never' }),
    load_balancer: limit('load balancers'),
    listener: limit('listeners'),
    pool: limit('pools'),
    member: limit('members'),
    health_monitor: limit('health monitors'),
    l7policy: limit('L7 policies'),
    l7rule: limit('L7 rules'),
  },
})
export type Quota = Row<typeof quota.fields>

/** What requests and answers call them: the present names, and the older ones. */
export const quotaFields = {
  ...quota.fields,
  loadbalancer: limit('load balancers'),
  healthmonitor: limit('health monitors'),
} as const

/** The limits as rows have them; of two names for one limit the present one counts. */
export function quotaChanges(sent: Update<typeof quotaFields>): Partial<Quota> {
  const { loadbalancer, healthmonitor, ...rest } = sent
  return {
    ...rest,
    ...(loadbalancer === undefined ? {} : { load_balancer: loadbalancer }),
    ...(healthmonitor === undefined ? {} : { health_monitor: healthmonitor }),
  }
}

/** The row with the defaults where it has no limit of its own. */
export function effectiveQuota(row: Partial<Quota>, defaults: QuotaLimits): QuotaLimits {
  const limits = QUOTA_NAMES.map((name) => [name, row[name] ?? defaults[name]])
  return Object.fromEntries(limits) as QuotaLimits
}
