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

/** Datagrams and SCTP are keepalived's. */
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

const TLS_PROTOCOLS: readonly ListenerProtocol[] = ['TERMINATED_HTTPS', 'PROMETHEUS']

/** Whether it has certificates to show. */
export function terminatesTls(listener: Listener): boolean {
  if (!TLS_PROTOCOLS.includes(listener.protocol)) return false
  return listener.default_tls_container_ref !== null || listener.sni_container_refs.length > 0
}

/** Listeners which haproxy has to know; none: it need not run at all. */
export function presentListeners(tree: LoadBalancerTree): readonly Listener[] {
  return tree.listeners.filter(
    ({ protocol, provisioning_status }) =>
      LISTENER_MODE[protocol] !== undefined && provisioning_status !== 'PENDING_DELETE',
  )
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

/** What haproxy is to listen for. */
export function servedListeners(tree: LoadBalancerTree): readonly Listener[] {
  return tree.admin_state_up ? presentListeners(tree).filter((l) => l.admin_state_up) : []
}

/** The default pool, and where the policies of an HTTP listener lead, each once. */
export function usedPools(tree: LoadBalancerTree, listener: Listener): readonly PoolTree[] {
  const policies = modeOf(listener) === 'http' ? actingPolicies(tree, listener) : []
  const ids = [listener.default_pool_id, ...policies.map((policy) => policy.redirect_pool_id)]
  const pools = ids.map((id) => servedPool(tree, id))
  return [...new Set(pools)].filter((used) => used !== undefined)
}
