/**
 * Test-and-set of a load balancer's status: who may begin a change, and what is PENDING meanwhile.
 */
import { listener } from '../model/listener.ts'
import { loadBalancer } from '../model/load-balancer.ts'
import { type LoadBalancerAction, MAY_BEGIN, WHILE } from '../model/status.ts'
import { updateRows } from './repository.ts'
import type { Tx } from './store.ts'

/**
 * Whether the load balancer was free for `action`; if so it is now in the status of that action.
 */
export async function lockLoadBalancer(
  tx: Tx,
  id: string,
  action: LoadBalancerAction,
): Promise<boolean> {
  const changed = await updateRows(
    tx,
    loadBalancer,
    { id, provisioning_status: MAY_BEGIN[action] },
    { provisioning_status: WHILE[action] },
  )
  return changed === 1
}

/** The listeners which a change touches show it, as upstream's do. */
export async function markListeners(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length > 0)
    await updateRows(tx, listener, { id: ids }, { provisioning_status: 'PENDING_UPDATE' })
}
