/**
 * What answers have beside the fields of their rows, above all the ids of relatives, as SQLite
 * writes it into the answer. Source: octavia/api/v2/types/*.py.
 */
import { type RawBuilder, sql } from 'kysely'
import type { Fields, Resource } from '../model/field.ts'
import { healthMonitor } from '../model/health-monitor.ts'
import { l7policy } from '../model/l7policy.ts'
import { l7rule } from '../model/l7rule.ts'
import { listener } from '../model/listener.ts'
import { loadBalancer } from '../model/load-balancer.ts'
import { member } from '../model/member.ts'
import { PERSISTENCE_PARTS, pool } from '../model/pool.ts'
import { OLDER_LIMIT_NAMES, quota } from '../model/quota.ts'
import { listenersUsing } from './l7policies.ts'

/** Name to the expression of its value; JSON where it is no text, number or null. */
type Values = Readonly<Record<string, RawBuilder<unknown>>>

export interface Relatives {
  /** Beside the fields of the row, or in place of those of the same name. */
  readonly values: Values
  /** Left out where it is null. */
  readonly optional?: { readonly name: string; readonly value: RawBuilder<unknown> }
}

export const loadBalancerRelatives: Relatives = {
  values: {
    listeners: childrenOf(loadBalancer, listener, 'loadbalancer_id'),
    pools: childrenOf(loadBalancer, pool, 'loadbalancer_id'),
  },
}

export const listenerRelatives: Relatives = {
  values: {
    loadbalancers: idIn(own(listener, 'loadbalancer_id')),
    l7policies: childrenOf(listener, l7policy, 'listener_id', 'position'),
  },
}

/** A pool without a monitor has no `healthmonitor_id`, as upstream. */
export const poolRelatives: Relatives = {
  values: {
    session_persistence: allParts(own(pool, 'session_persistence')),
    loadbalancers: idIn(own(pool, 'loadbalancer_id')),
    listeners: listenersOfPool(),
    members: childrenOf(pool, member, 'pool_id'),
  },
  optional: {
    name: 'healthmonitor_id',
    value: sql`(select id from health_monitor where pool_id = ${own(pool, 'id')})`,
  },
}

export const healthMonitorRelatives: Relatives = {
  values: { pools: idIn(own(healthMonitor, 'pool_id')) },
}

export const l7policyRelatives: Relatives = {
  values: { rules: childrenOf(l7policy, l7rule, 'l7policy_id') },
}

export const quotaRelatives: Relatives = {
  values: Object.fromEntries(
    Object.entries(OLDER_LIMIT_NAMES).map(([older, name]) => [older, own(quota, name)]),
  ),
}

function own<F extends Fields>(
  resource: Resource<F>,
  column: keyof F & string,
): RawBuilder<unknown> {
  return sql.ref(`${resource.table}.${column}`)
}

/** `[{"id": ...}]` in order of creation, or by that column. */
function childrenOf<F extends Fields, G extends Fields>(
  parent: Resource<F>,
  child: Resource<G>,
  column: keyof G & string,
  order: (keyof G & string) | 'created_at' = 'created_at',
): RawBuilder<unknown> {
  return sql`json((
    select json_group_array(json_object('id', id) order by ${sql.ref(order)}, id)
    from ${sql.table(child.table)} where ${sql.ref(column)} = ${own(parent, 'id')}))`
}

/** `[{"id": ...}]`, or `[]` for null. */
function idIn(id: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`case when ${id} is null then json_array()
    else json_array(json_object('id', ${id})) end`
}

/** Whose default it is, and then those whose policies lead to it. */
function listenersOfPool(): RawBuilder<unknown> {
  const id = own(pool, 'id')
  return sql`json((
    select json_group_array(
      json_object('id', id) order by default_pool_id is not ${id}, created_at, id)
    from listener where id in ${listenersUsing(id)}))`
}

/** Session persistence is shown with all its parts. */
function allParts(persistence: RawBuilder<unknown>): RawBuilder<unknown> {
  const parts = PERSISTENCE_PARTS.map(
    (name) => sql`${sql.lit(name)}, ${persistence} ->> ${sql.lit(name)}`,
  )
  return sql`case when ${persistence} is not null then json_object(${sql.join(parts)}) end`
}
