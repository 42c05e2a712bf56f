/**
 * What the health manager has done about amphorae: one that is silent is replaced, one that should
 * not run any more is deleted, one that lacks listeners is given them again. Each is one
 * transaction, which does nothing where something else is going on.
 */
import { type Amphora, amphora } from '../model/amphora.ts'
import { type AmphoraStatus, SERVING } from '../model/status.ts'
import { isSilent } from '../store/health.ts'
import { lockLoadBalancer } from '../store/lock.ts'
import { markAmphoraeBusy } from '../store/removal.ts'
import { findRow, updateRows } from '../store/repository.ts'
import type { Tx } from '../store/store.ts'
import { timestamp } from '../system/clock.ts'
import { enqueue } from '../worker/catalogue.ts'

export interface SilentReplacement {
  readonly amphora_id: string
  readonly silent_before_ms: number
  readonly new_id: string
}

/**
 * Whether its replacement has begun: it is still silent, nobody else replaces it, and its load
 * balancer is ACTIVE or in ERROR. Otherwise a later look may find it so.
 */
export async function replaceSilent(
  tx: Tx,
  { amphora_id, silent_before_ms, new_id }: SilentReplacement,
  now: number,
): Promise<boolean> {
  const row = await findRow(tx, amphora, amphora_id)
  if (!isServing(row) || !(await isSilent(tx, amphora_id, silent_before_ms))) return false
  const { loadbalancer_id } = row
  if (!(await lockLoadBalancer(tx, loadbalancer_id, 'failover'))) return false
  await markAmphoraeBusy(tx, [amphora_id])
  const replacement = { id: new_id, role: row.role ?? 'STANDALONE', replaces: [amphora_id] }
  const input = { load_balancer_id: loadbalancer_id, replacements: [replacement] }
  await enqueue(tx, { flow: 'amphora-failover', input, request_id: null }, now)
  return true
}

function isServing(
  row: Amphora | undefined,
): row is Amphora & { readonly loadbalancer_id: string } {
  return row !== undefined && row.loadbalancer_id !== null && SERVING.includes(row.status)
}

/** Whether its load balancer was free, and is pushed to its amphorae again, with certificates. */
export async function restoreListeners(tx: Tx, amphora_id: string, now: number): Promise<boolean> {
  const row = await findRow(tx, amphora, amphora_id)
  if (!isServing(row)) return false
  const { loadbalancer_id: load_balancer_id } = row
  if (!(await lockLoadBalancer(tx, load_balancer_id, 'change'))) return false
  const input = { load_balancer_id }
  await enqueue(tx, { flow: 'load-balancer-restore', input, request_id: null }, now)
  return true
}

/** Others are being made or deleted already. */
const SETTLED: readonly AmphoraStatus[] = ['DELETED', 'ERROR', 'READY', ...SERVING]

/** Whether the instance of an amphora without a load balancer is going to be deleted. */
export async function deleteZombie(tx: Tx, amphora_id: string, now: number): Promise<boolean> {
  const row = await findRow(tx, amphora, amphora_id)
  if (row === undefined) return false
  const pending = { status: 'PENDING_DELETE', updated_at: timestamp(now) } as const
  if ((await updateRows(tx, amphora, { id: amphora_id, status: SETTLED }, pending)) === 0)
    return false
  const input = { load_balancer_id: row.loadbalancer_id, amphora_id }
  await enqueue(tx, { flow: 'amphora-delete', input, request_id: null }, now)
  return true
}
