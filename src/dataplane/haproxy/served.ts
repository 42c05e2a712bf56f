/** What of a load balancer haproxy is to serve, and how it speaks in front. Pure. */
import type { Listener, ListenerProtocol } from '../../model/listener.ts'
import {
  findPool,
  type L7PolicyTree,
  type LoadBalancerTree,
  type PoolTree,
  policiesOf,
} from '../../model/tree.ts'
import { present } from '../../system/assert.ts'

/** Datagrams are not haproxy's own. */
export const LISTENER_MODE: Readonly<Partial<Record<ListenerProtocol, 'http' | 'tcp'>>> = {
  TCP: 'tcp',
  HTTP: 'http',
  HTTPS: 'tcp',
  TERMINATED_HTTPS: 'http',
  PROMETHEUS: 'http',
}

export function modeOf(listener: Listener): 'http' | 'tcp' {
  return present(LISTENER_MODE[listener.protocol], 'the mode of a listener of haproxy')
}

/** Listeners which haproxy has to know; none: it need not run at all. */
export function presentListeners(tree: LoadBalancerTree): readonly Listener[] {
  return tree.listeners.filter((listener) => listener.provisioning_status !== 'PENDING_DELETE')
}

/** What acts, in its order: enabled and with rules, none of it on its way out. */
export function actingPolicies(
  tree: LoadBalancerTree,
  listener: Listener,
): readonly L7PolicyTree[] {
  return policiesOf(tree, listener.id)
    .filter((policy) => policy.admin_state_up && policy.provisioning_status !== 'PENDING_DELETE')
    .map((policy) => ({
      ...policy,
      rules: policy.rules.filter(
        (rule) => rule.admin_state_up && rule.provisioning_status !== 'PENDING_DELETE',
      ),
    }))
    .filter((policy) => policy.rules.length > 0)
}

/** The pool if haproxy is to serve it. */
export function servedPool(tree: LoadBalancerTree, id: string | null): PoolTree | undefined {
  const pool = findPool(tree, id)
  if (pool === undefined || !pool.admin_state_up) return undefined
  return pool.provisioning_status === 'PENDING_DELETE' ? undefined : pool
}
