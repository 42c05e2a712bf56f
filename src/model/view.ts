/**
 * Answers: rows as upstream shows them, with both names of the project and the ids of relatives.
 * Source: octavia/api/v2/types/*.py. Pure.
 */
import type { Fields, Resource } from './field.ts'
import { type HealthMonitor, healthMonitor } from './health-monitor.ts'
import { type L7Policy, l7policy } from './l7policy.ts'
import { type L7Rule, l7rule } from './l7rule.ts'
import { type Listener, listener } from './listener.ts'
import { type LoadBalancer, loadBalancer } from './load-balancer.ts'
import { type Member, member } from './member.ts'
import { type Pool, pool } from './pool.ts'
import type { Quota } from './quota.ts'
import { type LoadBalancerTree, type PoolTree, policiesOf, poolsOf } from './tree.ts'

export type View = Readonly<Record<string, unknown>>
export interface IdOnly {
  readonly id: string
}

const shownNames = new WeakMap<object, readonly string[]>()

function shownOf(resource: Resource<Fields>): readonly string[] {
  const known = shownNames.get(resource)
  if (known !== undefined) return known
  const names = Object.keys(resource.fields).filter(
    (name) => resource.fields[name]?.options.shown !== false,
  )
  shownNames.set(resource, names)
  return names
}

function fieldsOf(
  resource: Resource<Fields>,
  row: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const name of shownOf(resource)) out[name] = row[name]
  if (row.project_id !== undefined) out.tenant_id = row.project_id
  return out
}

export function loadBalancerView(
  row: LoadBalancer,
  listeners: readonly IdOnly[],
  pools: readonly IdOnly[],
): View {
  return {
    ...fieldsOf(loadBalancer, row),
    provider: row.provider ?? 'octavia',
    listeners,
    pools,
  }
}

export function listenerView(row: Listener, l7policies: readonly IdOnly[]): View {
  return {
    ...fieldsOf(listener, row),
    loadbalancers: [{ id: row.loadbalancer_id }],
    l7policies,
  }
}

export function l7policyView(row: L7Policy, rules: readonly IdOnly[]): View {
  return { ...fieldsOf(l7policy, row), rules }
}

export function l7ruleView(row: L7Rule): View {
  return fieldsOf(l7rule, row)
}

export interface PoolRelatives {
  readonly listeners: readonly IdOnly[]
  readonly members: readonly IdOnly[]
  readonly healthmonitor_id: string | undefined
}

/** A pool without a monitor has no `healthmonitor_id`, as upstream. */
export function poolView(row: Pool, relatives: PoolRelatives): View {
  const { healthmonitor_id, ...lists } = relatives
  return {
    ...poolFieldsOf(row),
    loadbalancers: row.loadbalancer_id === null ? [] : [{ id: row.loadbalancer_id }],
    ...lists,
    ...(healthmonitor_id === undefined ? {} : { healthmonitor_id }),
  }
}

/** Session persistence is shown with all its parts. */
function poolFieldsOf(row: Pool): Record<string, unknown> {
  const out = fieldsOf(pool, row)
  if (row.session_persistence !== null)
    out.session_persistence = {
      type: null,
      cookie_name: null,
      persistence_timeout: null,
      persistence_granularity: null,
      ...row.session_persistence,
    }
  return out
}

export function memberView(row: Member): View {
  return fieldsOf(member, row)
}

export function healthMonitorView(row: HealthMonitor): View {
  return { ...fieldsOf(healthMonitor, row), pools: [{ id: row.pool_id }] }
}

/** A row of what has no relatives. */
export function viewOf(resource: Resource<Fields>, row: Readonly<Record<string, unknown>>): View {
  return fieldsOf(resource, row)
}

/** The answer to a create request: the one place where children are shown in full. */
export function graphView(tree: LoadBalancerTree): View {
  const { listeners, pools, l7policies: _policies, amphorae: _amphorae, ...row } = tree
  return {
    ...loadBalancerView(row, [], []),
    listeners: listeners.map((item) => ({
      ...fieldsOf(listener, item),
      l7policies: policiesOf(tree, item.id).map(({ rules, ...policy }) => ({
        ...fieldsOf(l7policy, policy),
        rules: rules.map(l7ruleView),
      })),
    })),
    pools: pools.map(({ members, healthmonitor, ...item }) => ({
      ...poolFieldsOf(item),
      listeners: idsOf(listeners.filter((l) => poolsOf(tree, l).some((p) => p.id === item.id))),
      members: members.map(memberView),
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
  return {
    ...row,
    tenant_id: row.project_id,
    loadbalancer: row.load_balancer,
    healthmonitor: row.health_monitor,
  }
}
