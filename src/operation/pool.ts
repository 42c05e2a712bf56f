/** Creating, changing and deleting a pool. */
import { fault } from '../model/fault.ts'
import type { Create, Update } from '../model/field.ts'
import { l7policy } from '../model/l7policy.ts'
import { type Listener, listener } from '../model/listener.ts'
import { pool, type poolRequest } from '../model/pool.ts'
import { listListenersUsing } from '../store/l7policies.ts'
import { findRow, findRows, getRow, insertRow, updateRow } from '../store/repository.ts'
import type { Tx } from '../store/store.ts'
import { findCertificateFault } from './certificates.ts'
import {
  change,
  chargeQuota,
  enqueueChild,
  getLoadBalancer,
  loadBalancerOf,
  lockForChange,
  type OperationDependencies,
  type Origin,
} from './change.ts'
import {
  checkAlgorithm,
  checkNewPool,
  checkPoolChanges,
  checkPoolPersistence,
  poolCertificateRefs,
  resetPoolDefaults,
  withPoolDefaults,
} from './pool-rules.ts'
import { newPool } from './rows.ts'
import { checkProtocols } from './rules.ts'

export type PoolCreate = Create<typeof pool.fields & typeof poolRequest>

/** The load balancer of a new pool: named, or that of the listener. */
export async function findOwner(
  db: Parameters<typeof findRow>[0],
  values: Pick<PoolCreate, 'loadbalancer_id' | 'listener_id'>,
): Promise<string> {
  if (values.loadbalancer_id !== null) return values.loadbalancer_id
  if (values.listener_id === null)
    throw fault.validation('Must provide at least one of: loadbalancer_id, listener_id')
  return (await getRow(db, listener, values.listener_id)).loadbalancer_id
}

/** The id of the new pool, which is PENDING_CREATE and already the default pool of its listener. */
export async function createPool(
  deps: OperationDependencies,
  values: PoolCreate,
  origin: Origin,
): Promise<string> {
  const id = deps.newId()
  const { listener_id, ...fields } = values
  const refs = poolCertificateRefs(fields)
  const refused = await findCertificateFault(deps, refs, origin)
  await change(deps, async (tx, now) => {
    const load_balancer_id = await findOwner(tx, values)
    const owner = await getLoadBalancer(tx, load_balancer_id)
    const front =
      listener_id === null ? undefined : await getListener(tx, listener_id, load_balancer_id)
    if (front !== undefined) checkProtocols(front.protocol, values.protocol)
    checkPoolPersistence(fields.session_persistence, fields.protocol, { is_new: true })
    await chargeQuota(tx, deps.settings, owner.project_id ?? '', 'pool')
    if (front !== undefined && front.default_pool_id !== null) throw fault.duplicateDefaultPool()
    await lockForChange(tx, load_balancer_id, front === undefined ? [] : [front.id])
    checkNewPool(fields, deps.settings, refused)
    checkAlgorithm(owner, fields.lb_algorithm)
    const base = { id, project_id: owner.project_id, now: now.text }
    await insertRow(
      tx,
      pool,
      newPool(base, load_balancer_id, withPoolDefaults(fields, deps.settings)),
    )
    if (front !== undefined) await updateRow(tx, listener, front.id, { default_pool_id: id })
    await enqueueChild(tx, 'pool-create', { load_balancer_id, id }, origin, now)
  })
  return id
}

async function getListener(tx: Tx, id: string, load_balancer_id: string): Promise<Listener> {
  const row = await findRow(tx, listener, id)
  if (row === undefined || row.loadbalancer_id !== load_balancer_id)
    throw fault.notFound(listener.title, id)
  return row
}

export async function updatePool(
  deps: OperationDependencies,
  id: string,
  changes: Update<typeof pool.fields>,
  origin: Origin,
): Promise<void> {
  const refs = poolCertificateRefs(changes, await getRow(deps.store.read, pool, id))
  const refused = await findCertificateFault(deps, refs, origin)
  await change(deps, async (tx, now) => {
    const row = await getRow(tx, pool, id)
    const load_balancer_id = loadBalancerOf(row)
    const stored = row.session_persistence
    const persistence = changes.session_persistence
    const merged =
      persistence === undefined
        ? changes
        : { ...changes, session_persistence: mergePersistence(stored, persistence) }
    checkPoolPersistence(merged.session_persistence ?? null, row.protocol, { is_new: false })
    checkPoolChanges(merged, row, deps.settings, refused)
    checkAlgorithm(await getLoadBalancer(tx, load_balancer_id), merged.lb_algorithm)
    await lockForChange(tx, load_balancer_id, await listListenersUsing(tx, id))
    await updateRow(tx, pool, id, {
      ...resetPoolDefaults(merged, deps.settings),
      provisioning_status: 'PENDING_UPDATE',
      updated_at: now.text,
    })
    await enqueueChild(tx, 'pool-update', { load_balancer_id, id }, origin, now)
  })
}

type Persistence = NonNullable<Update<typeof pool.fields>['session_persistence']>

/** null or {} removes it; without a type the stored one stays. */
function mergePersistence(
  stored: Persistence | null,
  sent: Persistence | null,
): Persistence | null {
  if (sent === null || Object.keys(sent).length === 0) return null
  return sent.type === undefined && stored?.type !== undefined
    ? { ...sent, type: stored.type }
    : sent
}

export async function deletePool(
  deps: OperationDependencies,
  id: string,
  origin: Origin,
): Promise<void> {
  await change(deps, async (tx, now) => {
    const load_balancer_id = loadBalancerOf(await getRow(tx, pool, id))
    const [user] = await findRows(tx, l7policy, { redirect_pool_id: id })
    if (user !== undefined) throw fault.poolInUse(id, user.id)
    await lockForChange(tx, load_balancer_id, await listListenersUsing(tx, id))
    await updateRow(tx, pool, id, { provisioning_status: 'PENDING_DELETE' })
    await enqueueChild(tx, 'pool-delete', { load_balancer_id, id }, origin, now)
  })
}
