/**
 * Answers: rows as upstream shows them, with both names of the project and the ids of relatives.
 * Source: octavia/api/v2/types/*.py. Pure.
 */
import type { Fields, Resource } from './field.ts'
import { healthMonitor } from './health-monitor.ts'
import { l7policy } from './l7policy.ts'
import { l7rule } from './l7rule.ts'
import { listener } from './listener.ts'
import { loadBalancer } from './load-balancer.ts'
import { member } from './member.ts'
import { PERSISTENCE_PARTS, type Pool, pool } from './pool.ts'
import { OLDER_LIMIT_NAMES, type Quota } from './quota.ts'
import { type LoadBalancerTree, type PoolTree, policiesOf, poolsOf } from './tree.ts'

export type View = Readonly<Record<string, unknown>>
export interface IdOnly {
  readonly id: string
}

const shownNames = new WeakMap<object, readonly string[]>()

/** The fields which answers have. */
export function shownOf(resource: Resource<Fields>): readonly string[] {
  const known = shownNames.get(resource)
  if (known !== undefined) return known
  const names = Object.keys(resource.fields).filter(
    (name) => resource.fields[name]?.options.shown !== false,
  )
  shownNames.set(resource, names)
  return names
}

/** The fields of a row as answers have them; the project under both its names. */
export function fieldsOf(
  resource: Resource<Fields>,
  row: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const name of shownOf(resource)) out[name] = row[name]
  if (row.project_id !== undefined) out.tenant_id = row.project_id
  return out
}

function persistenceView(value: Pool['session_persistence']): View | null {
  if (value === null) return null
  return Object.fromEntries(PERSISTENCE_PARTS.map((name) => [name, value[name] ?? null]))
}

function poolFieldsOf(row: Pool): View {
  return {
    ...fieldsOf(pool, row),
    session_persistence: persistenceView(row.session_persistence),
  }
}

/** The answer to a create request: the one place where children are shown in full. */
export function graphView(tree: LoadBalancerTree): View {
  const { listeners, pools, l7policies: _policies, amphorae: _amphorae, ...row } = tree
  return {
    ...fieldsOf(loadBalancer, row),
    listeners: listeners.map((item) => ({
      ...fieldsOf(listener, item),
      l7policies: policiesOf(tree, item.id).map(({ rules, ...policy }) => ({
        ...fieldsOf(l7policy, policy),
        rules: rules.map((rule) => fieldsOf(l7rule, rule)),
      })),
    })),
    pools: pools.map(({ members, healthmonitor, ...item }) => ({
      ...poolFieldsOf(item),
      listeners: idsOf(listeners.filter((l) => poolsOf(tree, l).some((p) => p.id === item.id))),
      members: members.map((item) => fieldsOf(member, item)),
      ...(healthmonitor === null ? {} : { healthmonitor: fieldsOf(healthMonitor, healthmonitor) }),
    })),
  }
}

export function idsOf(rows: readonly IdOnly[]): IdOnly[] {
  return rows.map(({ id }) => ({ id }))
}

/** The status tree. Pools which no listener uses are not in it, as upstream. */
export function statusView(tree: LoadBalancerTree): View {
  return {
    loadbalancer: {
      ...statusOf(tree),
      listeners: tree.listeners.map((item) => ({
        ...statusOf(item),
        pools: poolsOf(tree, item).map(poolStatusOf),
      })),
    },
  }
}

function poolStatusOf(item: PoolTree): View {
  const monitor = item.healthmonitor
  return {
    ...statusOf(item),
    health_monitor: monitor === null ? null : { ...statusOf(monitor), type: monitor.type },
    members: item.members.map((m) => ({
      ...statusOf(m),
      address: m.address,
      protocol_port: m.protocol_port,
    })),
  }
}

function statusOf(
  row: Pick<Pool, 'id' | 'name' | 'provisioning_status' | 'operating_status'>,
): View {
  return {
    id: row.id,
    name: row.name,
    provisioning_status: row.provisioning_status,
    operating_status: row.operating_status,
  }
}

/** The limits of a project; two of them under both their names. */
export interface QuotaView extends Quota {
  readonly tenant_id: string
  readonly loadbalancer: number | null
  readonly healthmonitor: number | null
  readonly [name: string]: unknown
}

export function quotaView(row: Quota): QuotaView {
  const { loadbalancer, healthmonitor } = OLDER_LIMIT_NAMES
  return {
    ...row,
    tenant_id: row.project_id,
    loadbalancer: row[loadbalancer],
    healthmonitor: row[healthmonitor],
  }
}
