/** Changing and deleting a load balancer as a whole. */
import { seenBy } from '../driver/network.ts'
import { fault } from '../model/fault.ts'
import type { Update } from '../model/field.ts'
import { listener } from '../model/listener.ts'
import { loadBalancer } from '../model/load-balancer.ts'
import { pool } from '../model/pool.ts'
import type { LoadBalancerAction } from '../model/status.ts'
import { handOver } from '../provider/providers.ts'
import { lockLoadBalancer } from '../store/lock.ts'
import { countRows, getRow, updateRow } from '../store/repository.ts'
import type { Tx } from '../store/store.ts'
import { change, getLoadBalancer, type OperationDependencies, type Origin } from './change.ts'
import { checkSecurityGroups } from './rules.ts'
import { checkQosPolicy, checkSecurityGroupsExist } from './vip.ts'

export async function updateLoadBalancer(
  deps: OperationDependencies,
  id: string,
  changes: Update<typeof loadBalancer.fields>,
  origin: Origin,
): Promise<void> {
  const network = seenBy(deps.network, origin.token)
  await checkQosPolicy(network, changes.vip_qos_policy_id ?? null)
  await checkSecurityGroupsExist(network, changes.vip_sg_ids ?? [])
  checkSecurityGroups(await getRow(deps.store.read, loadBalancer, id), changes.vip_sg_ids)
  await change(deps, async (tx, now) => {
    await lockWhole(tx, id, 'change')
    await updateRow(tx, loadBalancer, id, { ...changes, updated_at: now.text })
    await handOver(
      tx,
      {
        flow: 'load-balancer-update',
        input: { load_balancer_id: id },
        request_id: origin.request_id,
      },
      now.ms,
    )
  })
}

/** With `cascade` all children go too; without it there must be none. */
export async function deleteLoadBalancer(
  deps: OperationDependencies,
  id: string,
  cascade: boolean,
  origin: Origin,
): Promise<void> {
  await change(deps, async (tx, now) => {
    if (!cascade && (await hasChildren(tx, id))) throw fault.hasChildren(id)
    await lockWhole(tx, id, 'delete')
    await handOver(
      tx,
      {
        flow: 'load-balancer-delete',
        input: { load_balancer_id: id, cascade },
        request_id: origin.request_id,
      },
      now.ms,
    )
  })
}

/** Unlike changes of children, these answer with the status that is in the way. */
async function lockWhole(tx: Tx, id: string, action: LoadBalancerAction): Promise<void> {
  if (await lockLoadBalancer(tx, id, action)) return
  const { provisioning_status } = await getLoadBalancer(tx, id)
  throw fault.invalidState(provisioning_status, id)
}

async function hasChildren(tx: Tx, loadbalancer_id: string): Promise<boolean> {
  const listeners = await countRows(tx, listener, { loadbalancer_id })
  return listeners > 0 || (await countRows(tx, pool, { loadbalancer_id })) > 0
}
