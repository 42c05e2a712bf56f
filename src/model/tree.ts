/**
 * A load balancer with all its children: what the data plane renders and a status tree prints.
 * Pure.
 */
import type { Amphora } from './amphora.ts'
import type { HealthMonitor } from './health-monitor.ts'
import type { L7Policy } from './l7policy.ts'
import type { L7Rule } from './l7rule.ts'
import type { Listener } from './listener.ts'
import type { LoadBalancer } from './load-balancer.ts'
import type { Member } from './member.ts'
import type { Pool } from './pool.ts'

export interface PoolTree extends Pool {
  readonly members: readonly Member[]
  readonly healthmonitor: HealthMonitor | null
}

export interface L7PolicyTree extends L7Policy {
  readonly rules: readonly L7Rule[]
}

export interface LoadBalancerTree extends LoadBalancer {
  /** In order of creation; a listener finds its pool by `default_pool_id` in `pools`. */
  readonly listeners: readonly Listener[]
  readonly pools: readonly PoolTree[]
  /** By position; `listener_id` says whose. */
  readonly l7policies: readonly L7PolicyTree[]
  /** Without the DELETED ones. */
  readonly amphorae: readonly Amphora[]
}

export function findPool(tree: LoadBalancerTree, id: string | null): PoolTree | undefined {
  return id === null ? undefined : tree.pools.find((pool) => pool.id === id)
}

export function policiesOf(tree: LoadBalancerTree, listener_id: string): readonly L7PolicyTree[] {
  return tree.l7policies.filter((policy) => policy.listener_id === listener_id)
}

/** The pools of a listener: its default pool, and where its enabled policies with rules lead. */
export function poolsOf(tree: LoadBalancerTree, listener: Listener): readonly PoolTree[] {
  const acting = policiesOf(tree, listener.id).filter((p) => p.admin_state_up && p.rules.length > 0)
  const ids = new Set([listener.default_pool_id, ...acting.map((p) => p.redirect_pool_id)])
  return [...ids].flatMap((id) => findPool(tree, id) ?? [])
}
