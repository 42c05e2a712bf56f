/**
 * What ended flows leave in rows. A load balancer is locked while a change of it runs, so
 * everything that is PENDING in it belongs to that change. Every function here writes in a
 * transaction of its caller.
 */
import { amphora } from '../../model/amphora.ts'
import type { Fields, Json, Resource } from '../../model/field.ts'
import { healthMonitor } from '../../model/health-monitor.ts'
import { l7policy } from '../../model/l7policy.ts'
import { l7rule } from '../../model/l7rule.ts'
import { listener } from '../../model/listener.ts'
import { loadBalancer } from '../../model/load-balancer.ts'
import { member } from '../../model/member.ts'
import { pool } from '../../model/pool.ts'
import type { AmphoraStatus, ProvisioningStatus } from '../../model/status.ts'
import { findPolicies, hasPolicyIn, setPositions } from '../../store/l7policies.ts'
import {
  deleteAmphoraHealth,
  deleteListenerStatistics,
  markAmphoraeBusy,
} from '../../store/removal.ts'
import { deleteRows, findIds, findRow, updateRow, updateRows } from '../../store/repository.ts'
import type { Tx } from '../../store/store.ts'
import { deleteVrrpGroup } from '../../store/vrrp-groups.ts'
import { timestamp } from '../../system/clock.ts'
import { listAmphorae } from './amphorae.ts'

const PENDING = ['PENDING_CREATE', 'PENDING_UPDATE', 'PENDING_DELETE'] as const
const AMPHORA_PENDING = ['PENDING_CREATE', 'BOOTING', 'PENDING_DELETE'] as const

/** After a change of a child or of the load balancer itself: what it had locked is ACTIVE again. */
export async function releaseLoadBalancer(tx: Tx, id: string, now: number): Promise<void> {
  const locked = { loadbalancer_id: id, provisioning_status: 'PENDING_UPDATE' }
  const active = { provisioning_status: 'ACTIVE', updated_at: timestamp(now) } as const
  await updateRows(tx, listener, locked, active)
  await updateRows(tx, pool, locked, active)
  if (await hasPolicyIn(tx, id, 'PENDING_UPDATE')) {
    const listener_id = await listenerIds(tx, id)
    await updateAsTold(tx, l7policy, { listener_id, provisioning_status: 'PENDING_UPDATE' }, active)
  }
  await updateRow(tx, loadBalancer, id, active)
}

/**
 * A load balancer which was made: it and all its children, but for listeners that are in ERROR by
 * now.
 */
export async function activateTree(tx: Tx, id: string, now: number): Promise<void> {
  const active = { provisioning_status: 'ACTIVE', updated_at: timestamp(now) } as const
  const pool_id = await poolIds(tx, id)
  await updateRows(tx, listener, { loadbalancer_id: id, provisioning_status: PENDING }, active)
  await updateRows(tx, pool, { loadbalancer_id: id }, active)
  await updateRows(tx, member, { pool_id }, active)
  await updateAsTold(tx, healthMonitor, { pool_id }, active)
  const listener_id = await listenerIds(tx, id)
  await updateAsTold(tx, l7policy, { listener_id }, active)
  const l7policy_id = await policyIds(tx, listener_id)
  await updateAsTold(tx, l7rule, { l7policy_id }, active)
  await updateRow(tx, loadBalancer, id, active)
}

/** Nothing reports the health of these, so they are what they are told to be. */
async function updateAsTold(
  tx: Tx,
  resource: Resource<Fields>,
  where: Readonly<Record<string, unknown>>,
  changes: Readonly<Record<string, Json>>,
): Promise<void> {
  for (const [admin_state_up, operating_status] of [
    [1, 'ONLINE'],
    [0, 'OFFLINE'],
  ] as const)
    await updateRows(tx, resource, { ...where, admin_state_up }, { ...changes, operating_status })
}

/** Rules of a policy that were made with it. */
export async function endRules(
  tx: Tx,
  l7policy_id: string,
  provisioning_status: 'ACTIVE' | 'ERROR',
  now: number,
): Promise<void> {
  const pending = { l7policy_id, provisioning_status: 'PENDING_CREATE' }
  const ended = { provisioning_status, updated_at: timestamp(now) }
  if (provisioning_status === 'ACTIVE') await updateAsTold(tx, l7rule, pending, ended)
  else await updateRows(tx, l7rule, pending, ended)
}

/** A load balancer whose change failed as a whole: ERROR, and nothing in it PENDING. */
export async function failLoadBalancer(tx: Tx, id: string, now: number): Promise<void> {
  const failed = { provisioning_status: 'ERROR', updated_at: timestamp(now) } as const
  const pool_id = await poolIds(tx, id)
  const ofLoadBalancer = { loadbalancer_id: id, provisioning_status: PENDING }
  const ofPools = { pool_id, provisioning_status: PENDING }
  await updateRows(tx, listener, ofLoadBalancer, failed)
  await updateRows(tx, pool, ofLoadBalancer, failed)
  await updateRows(tx, member, ofPools, failed)
  await updateRows(tx, healthMonitor, ofPools, failed)
  const listener_id = await listenerIds(tx, id)
  const l7policy_id = await policyIds(tx, listener_id)
  await updateRows(tx, l7policy, { listener_id, provisioning_status: PENDING }, failed)
  await updateRows(tx, l7rule, { l7policy_id, provisioning_status: PENDING }, failed)
  await updateRows(
    tx,
    amphora,
    { loadbalancer_id: id, status: AMPHORA_PENDING },
    { status: 'ERROR', updated_at: failed.updated_at },
  )
  await updateRow(tx, loadBalancer, id, failed)
}

/** Before amphorae go: nobody must fail them over. */
export async function beginDeleteAmphorae(tx: Tx, id: string, now: number): Promise<void> {
  const rows = await listAmphorae(tx, id)
  await markAmphoraeBusy(
    tx,
    rows.map((row) => row.id),
  )
  await setAmphorae(tx, id, 'PENDING_DELETE', now)
}

/** All amphorae of a load balancer which are not DELETED. */
export async function setAmphorae(
  tx: Tx,
  load_balancer_id: string,
  status: AmphoraStatus,
  now: number,
): Promise<void> {
  const rows = await listAmphorae(tx, load_balancer_id)
  const ids = rows.map((row) => row.id)
  await updateRows(tx, amphora, { id: ids }, { status, updated_at: timestamp(now) })
  if (status === 'DELETED') await deleteAmphoraHealth(tx, ids)
}

/** A load balancer is gone with all its children; its own row stays until housekeeping takes it. */
export async function deleteTree(tx: Tx, id: string, now: number): Promise<void> {
  const pool_id = await poolIds(tx, id)
  const listener_id = await listenerIds(tx, id)
  await deleteListenerStatistics(tx, listener_id)
  await deletePolicies(tx, listener_id)
  // Listeners refer to pools, so they go first.
  await deleteRows(tx, listener, { loadbalancer_id: id })
  await deletePoolChildren(tx, pool_id)
  await deleteRows(tx, pool, { loadbalancer_id: id })
  await setAmphorae(tx, id, 'DELETED', now)
  await deleteVrrpGroup(tx, id)
  const provisioning_status: ProvisioningStatus = 'DELETED'
  await updateRow(tx, loadBalancer, id, { provisioning_status, updated_at: timestamp(now) })
}

export async function deletePool(tx: Tx, id: string): Promise<void> {
  await updateRows(tx, listener, { default_pool_id: id }, { default_pool_id: null })
  await deletePoolChildren(tx, [id])
  await deleteRows(tx, pool, { id })
}

async function deletePoolChildren(tx: Tx, pool_id: readonly string[]): Promise<void> {
  await deleteRows(tx, member, { pool_id })
  await deleteRows(tx, healthMonitor, { pool_id })
}

export async function deleteListener(tx: Tx, id: string): Promise<void> {
  await deleteListenerStatistics(tx, [id])
  await deletePolicies(tx, [id])
  await deleteRows(tx, listener, { id })
}

/** Members of a pool without a monitor are not checked. */
export async function deleteHealthMonitor(tx: Tx, id: string): Promise<void> {
  const row = await findRow(tx, healthMonitor, id)
  if (row === undefined) return
  await deleteRows(tx, healthMonitor, { id })
  await updateRows(tx, member, { pool_id: row.pool_id }, { operating_status: 'NO_MONITOR' })
}

/** Those that are left close the gap. */
export async function deleteL7Policy(tx: Tx, id: string): Promise<void> {
  const row = await findRow(tx, l7policy, id)
  if (row === undefined) return
  await deleteRows(tx, l7rule, { l7policy_id: id })
  await deleteRows(tx, l7policy, { id })
  const left = await findPolicies(tx, [row.listener_id])
  await setPositions(
    tx,
    left,
    left.map((each) => each.id),
  )
}

async function deletePolicies(tx: Tx, listener_id: readonly string[]): Promise<void> {
  await deleteRows(tx, l7rule, { l7policy_id: await policyIds(tx, listener_id) })
  await deleteRows(tx, l7policy, { listener_id })
}

function listenerIds(tx: Tx, loadbalancer_id: string): Promise<string[]> {
  return findIds(tx, listener, { loadbalancer_id })
}

function policyIds(tx: Tx, listener_id: readonly string[]): Promise<string[]> {
  return findIds(tx, l7policy, { listener_id })
}

function poolIds(tx: Tx, loadbalancer_id: string): Promise<string[]> {
  return findIds(tx, pool, { loadbalancer_id })
}
