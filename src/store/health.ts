/**
 * What the health manager reads and writes, for hundreds of amphorae at a time: four queries load
 * everything that their heartbeats can change, however many they are.
 */
import type { AmphoraStatus, OperatingStatus, ProvisioningStatus } from '../model/status.ts'
import { listed, runBatch, unpacked } from './batch.ts'
import type { Db, Tx } from './store.ts'

export interface KnownAmphora {
  readonly id: string
  readonly status: AmphoraStatus
  readonly compute_id: string | null
  readonly loadbalancer_id: string | null
}

export interface KnownListener {
  readonly id: string
  readonly operating_status: OperatingStatus
  readonly provisioning_status: ProvisioningStatus
  readonly admin_state_up: boolean
  readonly protocol: string
  readonly default_pool_id: string | null
}

export interface KnownMember {
  readonly id: string
  readonly operating_status: OperatingStatus
  readonly admin_state_up: boolean
}

export interface KnownPool {
  readonly id: string
  readonly operating_status: OperatingStatus
  readonly members: KnownMember[]
}

/** A load balancer as far as heartbeats matter to it. */
export interface KnownLoadBalancer {
  readonly id: string
  readonly operating_status: OperatingStatus
  readonly provisioning_status: ProvisioningStatus
  readonly admin_state_up: boolean
  readonly listeners: KnownListener[]
  readonly pools: KnownPool[]
}

/** By id. */
export interface Known {
  readonly amphorae: ReadonlyMap<string, KnownAmphora>
  readonly load_balancers: ReadonlyMap<string, KnownLoadBalancer>
}

export const HEALTH_KINDS = ['load_balancer', 'listener', 'pool', 'member'] as const
/** The tables whose operating status heartbeats decide. */
export type HealthKind = (typeof HEALTH_KINDS)[number]

export interface Renewal {
  readonly amphora_id: string
  /** null: the message counts for replays only. */
  readonly last_update_ms: number | null
  readonly seq: number
}

type AmphoraRow = {
  id: string
  status: AmphoraStatus
  compute_id: string | null
  loadbalancer_id: string | null
  operating_status: OperatingStatus | null
  provisioning_status: ProvisioningStatus | null
  admin_state_up: number | null
}
type ListenerRow = Omit<KnownListener, 'admin_state_up'> & {
  admin_state_up: number
  loadbalancer_id: string
}
type PoolRow = Omit<KnownPool, 'members'> & { loadbalancer_id: string }
type MemberRow = Omit<KnownMember, 'admin_state_up'> & { admin_state_up: number; pool_id: string }

/** What heartbeats of these amphorae can change. */
export async function loadKnown(db: Db, amphora_ids: readonly string[]): Promise<Known> {
  const known = collectAmphorae(await loadAmphorae(db, amphora_ids))
  const values = [...known.load_balancers.keys()]
  const listeners = await runBatch<ListenerRow>(db, {
    key: 'health listeners',
    values,
    build: (on) =>
      on
        .selectFrom('listener')
        .select(['id', 'loadbalancer_id', 'operating_status', 'admin_state_up'])
        .select(['provisioning_status', 'protocol', 'default_pool_id'])
        .where('loadbalancer_id', 'in', listed()),
  })
  const pools = await runBatch<PoolRow>(db, {
    key: 'health pools',
    values,
    build: (on) =>
      on
        .selectFrom('pool')
        .select(['id', 'loadbalancer_id', 'operating_status'])
        .where('loadbalancer_id', 'in', listed()),
  })
  const members = await runBatch<MemberRow>(db, {
    key: 'health members',
    values,
    build: (on) =>
      on
        .selectFrom('member as m')
        .innerJoin('pool as p', 'p.id', 'm.pool_id')
        .select(['m.id', 'm.pool_id', 'm.operating_status', 'm.admin_state_up'])
        .where('p.loadbalancer_id', 'in', listed()),
  })
  addChildren(known.load_balancers, { listeners, pools, members })
  return known
}

function loadAmphorae(db: Db, ids: readonly string[]): Promise<AmphoraRow[]> {
  return runBatch<AmphoraRow>(db, {
    key: 'health amphorae',
    values: ids,
    build: (on) =>
      on
        .selectFrom('amphora as a')
        .leftJoin('load_balancer as b', 'b.id', 'a.loadbalancer_id')
        .select(['a.id', 'a.status', 'a.compute_id', 'b.id as loadbalancer_id'])
        .select(['b.operating_status', 'b.provisioning_status', 'b.admin_state_up'])
        .where('a.id', 'in', listed()),
  })
}

export async function setOperatingStatus(
  tx: Tx,
  kind: HealthKind,
  ids: readonly string[],
  change: { readonly operating_status: OperatingStatus; readonly updated_at: string },
): Promise<void> {
  await runBatch(tx, {
    key: `health ${kind} status`,
    values: ids,
    first: [change.operating_status, change.updated_at],
    build: (on) =>
      on
        .updateTable(kind)
        .set({ operating_status: '', updated_at: '' })
        .where('id', 'in', listed()),
  })
}

/** Never touches `busy`, which belongs to whoever is replacing the amphora. */
export async function renewHealth(tx: Tx, renewals: readonly Renewal[]): Promise<void> {
  const alive = renewals.filter((renewal) => renewal.last_update_ms !== null)
  await runBatch(tx, {
    key: 'health renewal',
    values: alive.map(({ amphora_id, last_update_ms, seq }) => [amphora_id, last_update_ms, seq]),
    build: (on) =>
      on
        .insertInto('amphora_health')
        .columns(['amphora_id', 'last_update_ms', 'seq'])
        .expression(unpacked(3))
        .onConflict((conflict) =>
          conflict.column('amphora_id').doUpdateSet((e) => ({
            last_update_ms: e.ref('excluded.last_update_ms'),
            seq: e.ref('excluded.seq'),
          })),
        ),
  })
  for (const { amphora_id, seq } of renewals.filter((renewal) => renewal.last_update_ms === null))
    await tx
      .updateTable('amphora_health')
      .set({ seq })
      .where('amphora_id', '=', amphora_id)
      .execute()
}

/** From now on it counts when nothing is heard of these. */
export async function expectHeartbeats(
  tx: Tx,
  amphora_ids: readonly string[],
  now_ms: number,
): Promise<void> {
  const values = amphora_ids.map((amphora_id) => ({ amphora_id, last_update_ms: now_ms }))
  await tx
    .insertInto('amphora_health')
    .values(values)
    .onConflict((conflict) => conflict.column('amphora_id').doNothing())
    .execute()
}

/** Whether a heartbeat of one of these ever came. */
export async function wereHeard(db: Db, amphora_ids: readonly string[]): Promise<boolean> {
  const row = await db
    .selectFrom('amphora_health')
    .select('amphora_id')
    .where('amphora_id', 'in', amphora_ids)
    .where('seq', '>=', 0)
    .executeTakeFirst()
  return row !== undefined
}

function collectAmphorae(rows: readonly AmphoraRow[]): {
  amphorae: Map<string, KnownAmphora>
  load_balancers: Map<string, KnownLoadBalancer>
} {
  const amphorae = new Map<string, KnownAmphora>()
  const load_balancers = new Map<string, KnownLoadBalancer>()
  for (const row of rows) {
    const { id, status, compute_id, loadbalancer_id, operating_status, provisioning_status } = row
    amphorae.set(id, { id, status, compute_id, loadbalancer_id })
    if (loadbalancer_id === null || operating_status === null || provisioning_status === null)
      continue
    load_balancers.set(loadbalancer_id, {
      id: loadbalancer_id,
      operating_status,
      provisioning_status,
      admin_state_up: row.admin_state_up === 1,
      listeners: [],
      pools: [],
    })
  }
  return { amphorae, load_balancers }
}

function addChildren(
  load_balancers: ReadonlyMap<string, KnownLoadBalancer>,
  rows: { listeners: ListenerRow[]; pools: PoolRow[]; members: MemberRow[] },
): void {
  for (const { loadbalancer_id, admin_state_up, ...rest } of rows.listeners)
    load_balancers
      .get(loadbalancer_id)
      ?.listeners.push({ ...rest, admin_state_up: admin_state_up === 1 })
  const pools = new Map<string, KnownPool>()
  for (const { id, loadbalancer_id, operating_status } of rows.pools) {
    const pool = { id, operating_status, members: [] }
    pools.set(id, pool)
    load_balancers.get(loadbalancer_id)?.pools.push(pool)
  }
  for (const { id, pool_id, operating_status, admin_state_up } of rows.members)
    pools.get(pool_id)?.members.push({ id, operating_status, admin_state_up: admin_state_up === 1 })
}

/** Last seq of every amphora that was ever heard, at most `limit`, the newest first. */
export async function listSeqs(
  db: Db,
  limit: number,
): Promise<{ amphora_id: string; seq: number }[]> {
  return (await db
    .selectFrom('amphora_health')
    .select(['amphora_id', 'seq'])
    .orderBy('last_update_ms', 'desc')
    .limit(limit)
    .execute()) as { amphora_id: string; seq: number }[]
}

export interface Silence {
  readonly amphora_id: string
  readonly last_update_ms: number
  readonly busy: boolean
  readonly status: AmphoraStatus
  readonly loadbalancer_id: string | null
}

/** Amphorae whose health was last renewed before that time, the most silent first. */
export async function listSilent(db: Db, before_ms: number, limit: number): Promise<Silence[]> {
  const rows = (await db
    .selectFrom('amphora_health as h')
    .innerJoin('amphora as a', 'a.id', 'h.amphora_id')
    .select(['h.amphora_id', 'h.last_update_ms', 'h.busy', 'a.status', 'a.loadbalancer_id'])
    .where('h.last_update_ms', '<', before_ms)
    .orderBy('h.last_update_ms')
    .limit(limit)
    .execute()) as (Omit<Silence, 'busy'> & { busy: number })[]
  return rows.map((row) => ({ ...row, busy: row.busy === 1 }))
}

/** Whether its health was last renewed before that time, and nobody is replacing it. */
export async function isSilent(db: Db, amphora_id: string, before_ms: number): Promise<boolean> {
  const row = await db
    .selectFrom('amphora_health')
    .select('amphora_id')
    .where('amphora_id', '=', amphora_id)
    .where('last_update_ms', '<', before_ms)
    .where('busy', '=', 0)
    .executeTakeFirst()
  return row !== undefined
}

/** So many are silent that these are not replaced. */
export async function stopFailover(tx: Tx, ids: readonly string[], now: string): Promise<void> {
  await tx
    .updateTable('amphora')
    .set({ status: 'FAILOVER_STOPPED', updated_at: now })
    .where('id', 'in', ids)
    .where('status', '=', 'ALLOCATED')
    .execute()
}

/** Whether any amphora is kept from being replaced. */
export async function isAnyStopped(db: Db): Promise<boolean> {
  const row = await db
    .selectFrom('amphora')
    .select('id')
    .where('status', '=', 'FAILOVER_STOPPED')
    .executeTakeFirst()
  return row !== undefined
}

/** Those which were heard since that time are what they were; how many. */
export async function resumeStopped(tx: Tx, since_ms: number, now: string): Promise<number> {
  const heard = tx
    .selectFrom('amphora_health')
    .select('amphora_id')
    .where('busy', '=', 0)
    .where('last_update_ms', '>=', since_ms)
  const { numUpdatedRows } = await tx
    .updateTable('amphora')
    .set({ status: 'ALLOCATED', updated_at: now })
    .where('status', '=', 'FAILOVER_STOPPED')
    .where('id', 'in', heard)
    .executeTakeFirst()
  return Number(numUpdatedRows)
}
