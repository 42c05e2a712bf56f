/**
 * Operations: the rules of every change, one transaction per change. What must be asked of others
 * is asked before it, and the engine is woken after it. In it: quota, the test-and-set of the load
 * balancer, rows and statuses, and the job that carries the change out; so no PENDING row is
 * without a job, and no job without its rows. May import everything up to the store, the
 * worker's catalogue and the providers.
 */
import type { CertificateManager, SecretReader } from '../driver/certificate-manager.ts'
import type { ComputeDriver } from '../driver/compute.ts'
import type { NetworkDriver } from '../driver/network.ts'
import type { Lack } from '../model/capability.ts'
import { fault } from '../model/fault.ts'
import type { ModelDefaults } from '../model/field.ts'
import { type LoadBalancer, loadBalancer, type Topology } from '../model/load-balancer.ts'
import { type Pool, pool } from '../model/pool.ts'
import type { QuotaLimits } from '../model/quota.ts'
import { handOver } from '../provider/providers.ts'
import { listListenersUsing } from '../store/l7policies.ts'
import { lockLoadBalancer, markListeners } from '../store/lock.ts'
import { ensureQuotaRow, isQuotaMet, QUOTA_RESOURCES, type QuotaName } from '../store/quota.ts'
import { type findRow, getRow, updateRow } from '../store/repository.ts'
import type { Store, Tx } from '../store/store.ts'
import { type Clock, timestamp } from '../system/clock.ts'
import type { ChildAction, ChildKind } from '../worker/catalogue.ts'
import type { ListenerSettings } from './listener-rules.ts'
import type { MonitorSettings } from './monitor-rules.ts'

/** What the operator chose, as far as changes depend on it. */
export interface OperationSettings extends ListenerSettings, MonitorSettings {
  readonly defaults: ModelDefaults
  readonly topology: Topology
  readonly default_provider_driver: string
  /** Name to description. */
  readonly enabled_provider_drivers: Readonly<Record<string, string>>
  readonly allow_vip_network_id: boolean
  readonly allow_vip_subnet_id: boolean
  readonly allow_vip_port_id: boolean
  /** Empty: every network. */
  readonly valid_vip_networks: readonly string[]
  readonly denylist_vip_networks: readonly string[]
  readonly reserved_ips: readonly string[]
  /** null: not enforced, as upstream under `auth_strategy = "noauth"`. */
  readonly quotas: Pick<QuotaLimits, QuotaName> | null
  /** The limits of projects that have none of their own, as they are shown. */
  readonly default_quotas: QuotaLimits
  /** What flavors and availability zones may not ask of the drivers in use. */
  readonly lacking: readonly Lack[]
}

export interface OperationDependencies {
  readonly store: Store
  readonly network: NetworkDriver
  readonly compute: Pick<ComputeDriver, 'hasOffer'>
  readonly certificateManager: CertificateManager
  readonly clock: Pick<Clock, 'now'>
  readonly newId: () => string
  readonly engine: { wake(): void }
  readonly settings: OperationSettings
}

/** The request on whose behalf a change is made; its id goes into jobs and logs. */
export interface Origin extends SecretReader {
  readonly request_id: string | null
}

export interface Moment {
  readonly ms: number
  /** As rows keep it. */
  readonly text: string
}

/** Runs the one transaction of a change and wakes the engine once it is committed. */
export async function change<T>(
  deps: Pick<OperationDependencies, 'store' | 'clock' | 'engine'>,
  body: (tx: Tx, now: Moment) => Promise<T>,
): Promise<T> {
  const ms = deps.clock.now()
  const result = await deps.store.transaction((tx) => body(tx, { ms, text: timestamp(ms) }))
  deps.engine.wake()
  return result
}

/** A load balancer that exists; the row of a deleted one is only kept for a while. */
export async function getLoadBalancer(
  db: Parameters<typeof findRow>[0],
  id: string,
): Promise<LoadBalancer> {
  const row = await getRow(db, loadBalancer, id)
  if (row.provisioning_status === 'DELETED') throw fault.notFound(loadBalancer.title, id)
  return row
}

/**
 * Makes the load balancer PENDING_UPDATE with the listeners that the change touches, or throws 409.
 */
export async function lockForChange(
  tx: Tx,
  load_balancer_id: string,
  listener_ids: readonly string[],
): Promise<void> {
  if (!(await lockLoadBalancer(tx, load_balancer_id, 'change')))
    throw fault.immutable(loadBalancer.title, load_balancer_id)
  await markListeners(tx, listener_ids)
}

/** For changes of members and monitors: the pool must be ACTIVE and becomes PENDING_UPDATE too. */
export async function lockPool(tx: Tx, row: Pool): Promise<void> {
  if (row.provisioning_status !== 'ACTIVE') throw fault.immutable(pool.title, row.id)
  await lockForChange(tx, loadBalancerOf(row), await listListenersUsing(tx, row.id))
  await updateRow(tx, pool, row.id, { provisioning_status: 'PENDING_UPDATE' })
}

export function loadBalancerOf(row: Pool): string {
  // The column is nullable for the request's sake only.
  if (row.loadbalancer_id === null) throw new Error(`pool ${row.id} has no load balancer`)
  return row.loadbalancer_id
}

/** Throws 403 when the project may not have `count` more. */
export async function chargeQuota(
  tx: Tx,
  settings: OperationSettings,
  project_id: string,
  name: QuotaName,
  count = 1,
): Promise<void> {
  if (count <= 0) return
  await ensureQuotaRow(tx, project_id)
  if (settings.quotas === null) return
  if (await isQuotaMet(tx, name, project_id, count, settings.quotas))
    throw fault.quotaMet(QUOTA_RESOURCES[name].title)
}

/** Gives a change of a child to the provider. */
export async function enqueueChild(
  tx: Tx,
  flow: `${ChildKind}-${ChildAction}`,
  input: { readonly load_balancer_id: string; readonly id: string },
  origin: Origin,
  now: Moment,
): Promise<void> {
  await handOver(tx, { flow, input, request_id: origin.request_id }, now.ms)
}
