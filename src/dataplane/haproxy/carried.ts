/**
 * What Octavia has and the amphorae of this release do not carry yet. It is asked before anything
 * is rendered, so that nothing is left out silently. Pure.
 */
import type { ListenerProtocol } from '../../model/listener.ts'
import type { LoadBalancerTree, PoolTree } from '../../model/tree.ts'
import { actingPolicies, LISTENER_MODE, presentListeners, servedPool } from './served.ts'

/** The first such thing in words, `UDP listeners`; undefined when all of it is carried. */
export function findUncarried(tree: LoadBalancerTree): string | undefined {
  for (const listener of presentListeners(tree)) {
    if (!isCarried(listener.protocol)) return `${listener.protocol} listeners`
    const ids = actingPolicies(tree, listener).map((policy) => policy.redirect_pool_id)
    for (const id of new Set([listener.default_pool_id, ...ids])) {
      const pool = servedPool(tree, id)
      const found = pool === undefined ? undefined : findInPool(pool)
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** PROMETHEUS has a mode and still needs what is not there. */
function isCarried(protocol: ListenerProtocol): boolean {
  const missing: readonly ListenerProtocol[] = ['PROMETHEUS']
  return LISTENER_MODE[protocol] !== undefined && !missing.includes(protocol)
}

function findInPool(pool: PoolTree): string | undefined {
  const monitor = pool.healthmonitor
  const missing: readonly string[] = ['UDP-CONNECT', 'SCTP']
  return monitor?.admin_state_up === true && missing.includes(monitor.type)
    ? `${monitor.type} health monitors`
    : undefined
}
