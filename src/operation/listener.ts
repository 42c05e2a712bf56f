/** Creating, changing and deleting a listener. */
import { fault } from '../model/fault.ts'
import type { Create, Update } from '../model/field.ts'
import { type Listener, type ListenerProtocol, listener } from '../model/listener.ts'
import { pool } from '../model/pool.ts'
import { findColumns, findRow, getRow, insertRow, updateRow } from '../store/repository.ts'
import type { Tx } from '../store/store.ts'
import { findCertificateFault } from './certificates.ts'
import {
  change,
  chargeQuota,
  enqueueChild,
  getLoadBalancer,
  lockForChange,
  type OperationDependencies,
  type Origin,
} from './change.ts'
import {
  certificateRefs,
  checkListenerChanges,
  checkNewListener,
  checkNewTls,
  checkTlsChanges,
  resetToDefaults,
  withTlsDefaults,
} from './listener-rules.ts'
import { cidrsOf, newListener } from './rows.ts'
import { checkAllowedCidrs, checkPortFree, checkProtocols } from './rules.ts'

/** The id of the new listener, which is PENDING_CREATE. */
export async function createListener(
  deps: OperationDependencies,
  values: Create<typeof listener.fields>,
  origin: Origin,
): Promise<string> {
  const id = deps.newId()
  const load_balancer_id = values.loadbalancer_id
  const refused = await findCertificateFault(deps, certificateRefs(values), origin)
  await change(deps, async (tx, now) => {
    const owner = await getLoadBalancer(tx, load_balancer_id)
    await chargeQuota(tx, deps.settings, owner.project_id ?? '', 'listener')
    if (values.default_pool_id !== null)
      await checkPool(tx, load_balancer_id, values.default_pool_id, values.protocol)
    await lockForChange(tx, load_balancer_id, [])
    checkNewListener(values, deps.settings)
    if (refused !== undefined) throw refused
    checkPortFree(await findPorts(tx, load_balancer_id), values)
    checkAllowedCidrs(values.allowed_cidrs, owner)
    checkNewTls(values, deps.settings)
    const base = { id, project_id: owner.project_id, now: now.text }
    await insertRow(
      tx,
      listener,
      newListener(base, load_balancer_id, withTlsDefaults(values, deps.settings)),
    )
    await enqueueChild(tx, 'listener-create', { load_balancer_id, id }, origin, now)
  })
  return id
}

export async function updateListener(
  deps: OperationDependencies,
  id: string,
  changes: Update<typeof listener.fields>,
  origin: Origin,
): Promise<void> {
  const refs = certificateRefs(changes, await getRow(deps.store.read, listener, id))
  const refused = await findCertificateFault(deps, refs, origin)
  await change(deps, async (tx, now) => {
    const row = await getRow(tx, listener, id)
    const load_balancer_id = row.loadbalancer_id
    checkListenerChanges(changes, row)
    if (refused !== undefined) throw refused
    if (changes.allowed_cidrs !== undefined)
      checkAllowedCidrs(changes.allowed_cidrs, await getLoadBalancer(tx, load_balancer_id))
    checkTlsChanges(changes, row, deps.settings)
    if (changes.default_pool_id !== undefined && changes.default_pool_id !== null)
      await checkPool(tx, load_balancer_id, changes.default_pool_id, row.protocol)
    await lockForChange(tx, load_balancer_id, [id])
    await updateRow(tx, listener, id, {
      ...storedForm(resetToDefaults(changes, deps.settings)),
      updated_at: now.text,
    })
    await enqueueChild(tx, 'listener-update', { load_balancer_id, id }, origin, now)
  })
}

function storedForm(changes: Update<typeof listener.fields>): Partial<Listener> {
  if (changes.allowed_cidrs === undefined) return changes
  return { ...changes, allowed_cidrs: cidrsOf(changes.allowed_cidrs) }
}

export async function deleteListener(
  deps: OperationDependencies,
  id: string,
  origin: Origin,
): Promise<void> {
  await change(deps, async (tx, now) => {
    const { loadbalancer_id: load_balancer_id } = await getRow(tx, listener, id)
    await lockForChange(tx, load_balancer_id, [])
    await updateRow(tx, listener, id, { provisioning_status: 'PENDING_DELETE' })
    await enqueueChild(tx, 'listener-delete', { load_balancer_id, id }, origin, now)
  })
}

/** What its listeners listen on. */
function findPorts(tx: Tx, loadbalancer_id: string) {
  return findColumns(tx, listener, ['protocol', 'protocol_port'], { loadbalancer_id })
}

/** A default pool is of the same load balancer and speaks a protocol that fits. */
async function checkPool(
  tx: Tx,
  load_balancer_id: string,
  pool_id: string,
  protocol: ListenerProtocol,
): Promise<void> {
  const row = await findRow(tx, pool, pool_id)
  if (row === undefined || row.loadbalancer_id !== load_balancer_id)
    throw fault.notFound(pool.title, pool_id)
  checkProtocols(protocol, row.protocol)
}
