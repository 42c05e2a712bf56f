/**
 * Bodies that carry children: a load balancer with listeners, L7 policies, pools, members and
 * monitors in one request. A default_pool or redirect_pool is a full pool or only the name of one
 * defined elsewhere in the request. Pure.
 * Source: octavia/api/v2/controllers/load_balancer.py, _graph_create.
 */
import { fault } from './fault.ts'
import type { Create, ModelDefaults } from './field.ts'
import { healthMonitor } from './health-monitor.ts'
import { l7policy } from './l7policy.ts'
import { l7rule } from './l7rule.ts'
import { listener } from './listener.ts'
import { loadBalancer } from './load-balancer.ts'
import { member, memberRequest } from './member.ts'
import { pool } from './pool.ts'
import { expectList, expectObject, parseCreate, without } from './request.ts'

export const memberFields = { ...without(member.fields, ['project_id']), ...memberRequest }
export const healthMonitorFields = without(healthMonitor.fields, ['project_id', 'pool_id'])
export const poolFields = without(pool.fields, ['project_id', 'loadbalancer_id'])
export const listenerFields = without(listener.fields, ['project_id', 'loadbalancer_id'])

export const l7ruleFields = without(l7rule.fields, ['project_id'])
/** Its pool is given in full or by name. */
export const l7policyFields = without(l7policy.fields, [
  'project_id',
  'listener_id',
  'redirect_pool_id',
])

export type MemberCreate = Create<typeof memberFields>
export type HealthMonitorCreate = Create<typeof healthMonitorFields>

export interface PoolGraph {
  readonly pool: Create<typeof poolFields>
  readonly members: readonly MemberCreate[]
  readonly healthmonitor: HealthMonitorCreate | null
}

export interface ListenerGraph {
  readonly listener: Create<typeof listenerFields>
  /** The name of a pool of the same request, which wins over `listener.default_pool_id`. */
  readonly default_pool: string | null
  readonly l7policies: readonly L7PolicyGraph[]
}

export interface L7PolicyGraph {
  readonly l7policy: Create<typeof l7policyFields>
  /** The name of a pool of the same request. */
  readonly redirect_pool: string | null
  readonly rules: readonly Create<typeof l7ruleFields>[]
}

export interface LoadBalancerGraph {
  readonly loadBalancer: Create<typeof loadBalancer.fields>
  readonly listeners: readonly ListenerGraph[]
  /** With unique names, those of the listeners included. */
  readonly pools: readonly PoolGraph[]
}

export function parseGraph(
  input: unknown,
  path: string,
  defaults: ModelDefaults,
): LoadBalancerGraph {
  const { listeners, pools, ...own } = expectObject(input, path)
  const parsed = parseCreate(loadBalancer.fields, own, path, defaults)
  const poolGraphs = listOf(pools, 'pools').map((item) =>
    parsePool(item, `${path}.pools`, defaults),
  )
  const referenced: string[] = []
  /** The name of a pool, which is noted if it is defined here, and looked for later if not. */
  const namePool = (value: unknown, at: string): string | null => {
    if (value === undefined || value === null) return null
    const name = poolNameOf(value)
    if (isReference(value)) referenced.push(name)
    else poolGraphs.push(parsePool(value, at, defaults))
    return name
  }
  const parsePolicy = (input: unknown, at: string): L7PolicyGraph => {
    const { redirect_pool, rules, ...rest } = expectObject(input, at)
    return {
      l7policy: parseCreate(l7policyFields, rest, at, defaults),
      redirect_pool: namePool(redirect_pool, `${at}.redirect_pool`),
      rules: parseRules(rules, at, defaults),
    }
  }
  const listenerGraphs = listOf(listeners, 'listeners').map((item): ListenerGraph => {
    const at = `${path}.listeners`
    const { default_pool, l7policies, ...rest } = expectObject(item, at)
    return {
      listener: parseCreate(listenerFields, rest, at, defaults),
      default_pool: namePool(default_pool, `${at}.default_pool`),
      l7policies: listOf(l7policies, 'l7policies').map((item) =>
        parsePolicy(item, `${at}.l7policies`),
      ),
    }
  })
  const names = poolGraphs.map((graph) => graph.pool.name)
  if (new Set(names).size !== names.length)
    throw fault.validation(
      'Pool names must be unique when creating a fully populated loadbalancer.',
    )
  for (const name of referenced)
    if (!names.includes(name))
      throw fault.validation(`Pool '${name}' was referenced but no full definition was found.`)
  return { loadBalancer: parsed, listeners: listenerGraphs, pools: poolGraphs }
}

/** A policy of a listener that is there, with its rules. */
export function parseL7Policy(
  input: unknown,
  path: string,
  defaults: ModelDefaults,
): {
  readonly values: Create<typeof l7policy.fields>
  readonly rules: L7PolicyGraph['rules']
} {
  const { rules, ...own } = expectObject(input, path)
  return {
    values: parseCreate(l7policy.fields, own, path, defaults),
    rules: parseRules(rules, path, defaults),
  }
}

function parseRules(input: unknown, path: string, defaults: ModelDefaults): L7PolicyGraph['rules'] {
  return listOf(input, 'rules').map((rule) =>
    parseCreate(l7ruleFields, rule, `${path}.rules`, defaults),
  )
}

/** A pool with its members and monitor. */
export function parsePool(input: unknown, path: string, defaults: ModelDefaults): PoolGraph {
  const { members, healthmonitor, ...own } = expectObject(input, path)
  for (const attribute of ['protocol', 'lb_algorithm'])
    if (own[attribute] === undefined) {
      const name = typeof own.name === 'string' ? own.name.slice(0, 255) : 'None'
      throw fault.validation(
        `Pool definition for '${name}' missing required attribute: ${attribute}`,
      )
    }
  return {
    pool: parseCreate(poolFields, own, path, defaults),
    members: listOf(members, 'members').map((item) =>
      parseCreate(memberFields, item, `${path}.members`, defaults),
    ),
    healthmonitor:
      healthmonitor === undefined || healthmonitor === null
        ? null
        : parseCreate(healthMonitorFields, healthmonitor, `${path}.healthmonitor`, defaults),
  }
}

function listOf(value: unknown, name: string): readonly unknown[] {
  return value === undefined || value === null ? [] : expectList(value, name)
}

function poolNameOf(value: unknown): string {
  const { name } = expectObject(value, 'default_pool')
  if (name === undefined || name === null || name === '')
    throw fault.validation('Pools must be named when creating a fully populated loadbalancer.')
  const parsed = pool.fields.name.type.parse(name)
  if (!parsed.ok) throw fault.invalidField('name', name, parsed.message)
  return parsed.value
}

/** Upstream does not count the two fields which have a default in its pool type. */
function isReference(value: unknown): boolean {
  const keys = Object.keys(expectObject(value, 'default_pool'))
  return keys.every((key) => ['name', 'admin_state_up', 'tls_enabled'].includes(key))
}
