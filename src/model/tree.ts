/**
 * A load balancer with all its children: what the data plane renders and a status tree prints.
 * Pure.
 */
import type { Amphora } from './amphora.ts'
import type { HealthMonitor } from './health-monitor.ts'
import type { Listener } from './listener.ts'
import type { LoadBalancer } from './load-balancer.ts'
import type { Member } from './member.ts'
import type { Pool } from './pool.ts'

export interface PoolTree extends Pool {
  readonly members: readonly Member[]
  readonly healthmonitor: HealthMonitor | null
}

export interface LoadBalancerTree extends LoadBalancer {
  /** In order of creation; a listener finds its pool by `default_pool_id` in `pools`. */
  readonly listeners: readonly Listener[]
  readonly pools: readonly PoolTree[]
  /** Without the DELETED ones. */
  readonly amphorae: readonly Amphora[]
}

export function findPool(tree: LoadBalancerTree, id: string | null): PoolTree | undefined {
  return id === null ? undefined : tree.pools.find((pool) => pool.id === id)
}
