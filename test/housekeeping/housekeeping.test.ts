import { describe, expect, test } from 'vitest'
import { createHousekeeping } from '../../src/housekeeping/housekeeping.ts'
import { type Amphora, amphora } from '../../src/model/amphora.ts'
import { listener } from '../../src/model/listener.ts'
import { type LoadBalancer, loadBalancer } from '../../src/model/load-balancer.ts'
import { findJob, insertJob, type JobStatus, putStep, updateJob } from '../../src/store/jobs.ts'
import { findRow, insertRow } from '../../src/store/repository.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { timestamp } from '../../src/system/clock.ts'
import { newId } from '../../src/system/ids.ts'
import { silentLog } from '../../src/system/log.ts'
import { createFakeClock, FAKE_START_MS } from '../fake/clock.ts'
import { amphoraRow, listenerRow, loadBalancerRow } from '../fake/rows.ts'

const OPTIONS = {
  cleanup_interval: 30,
  amphora_expiry_age: 1000,
  load_balancer_expiry_age: 2000,
  job_expiry_age: 3000,
  cert_interval: 600,
  cert_expiry_buffer: 1000,
  cert_rotate_threads: 2,
}
const engine = { wake: () => {} }
/** When the first run looks. */
const RUN_MS = FAKE_START_MS + 30_000
const ago = (seconds: number): string => timestamp(RUN_MS - seconds * 1000)

async function afterOneRun(store: Store): Promise<void> {
  const clock = createFakeClock()
  const housekeeping = createHousekeeping({ clock, store, log: silentLog, engine }, OPTIONS)
  housekeeping.start()
  await clock.advance(30_000)
  await housekeeping.stop()
}

const gone: Partial<Amphora> = { status: 'DELETED', updated_at: ago(1001) }
test.each<[string, Partial<Amphora>, number | null, boolean]>([
  ['deleted long ago', gone, null, true],
  ['deleted long ago and silent since', gone, RUN_MS - 1_000_001, true],
  ['deleted long ago and still heard', gone, RUN_MS - 1_000_000, false],
  ['deleted lately', { status: 'DELETED', updated_at: ago(1000) }, null, false],
  ['made long ago and never changed', { status: 'DELETED', created_at: ago(1001) }, null, true],
  ['in error for long', { status: 'ERROR', updated_at: ago(1_000_000) }, null, false],
  ['working for long', { updated_at: ago(1_000_000) }, null, false],
])('an amphora %s', async (_name, over, heard_ms, taken) => {
  const store = openStore(':memory:')
  const row = amphoraRow(over)
  await store.transaction(async (tx) => {
    await insertRow(tx, amphora, row)
    if (heard_ms !== null)
      await tx
        .insertInto('amphora_health')
        .values({ amphora_id: row.id, last_update_ms: heard_ms })
        .execute()
  })
  await afterOneRun(store)
  expect(await findRow(store.read, amphora, row.id)).toEqual(taken ? undefined : row)
  const health = await store.read.selectFrom('amphora_health').selectAll().execute()
  expect(health).toHaveLength(heard_ms === null || taken ? 0 : 1)
})

const ended: Partial<LoadBalancer> = { provisioning_status: 'DELETED', updated_at: ago(2001) }
test.each<[string, Partial<LoadBalancer>, boolean]>([
  ['deleted long ago', ended, true],
  ['deleted lately', { ...ended, updated_at: ago(2000) }, false],
  ['in error for long', { ...ended, provisioning_status: 'ERROR' }, false],
  ['being deleted for long', { ...ended, provisioning_status: 'PENDING_DELETE' }, false],
])('a load balancer %s', async (_name, over, taken) => {
  const store = openStore(':memory:')
  const row = loadBalancerRow(over)
  await store.transaction((tx) => insertRow(tx, loadBalancer, row))
  await afterOneRun(store)
  expect(await findRow(store.read, loadBalancer, row.id)).toEqual(taken ? undefined : row)
})

test('a deleted amphora which is remembered for longer lives on without its load balancer', async () => {
  const store = openStore(':memory:')
  const lb = loadBalancerRow(ended)
  const a = amphoraRow({ loadbalancer_id: lb.id, status: 'DELETED', updated_at: ago(10) })
  await store.transaction(async (tx) => {
    await insertRow(tx, loadBalancer, lb)
    await insertRow(tx, amphora, a)
  })
  await afterOneRun(store)
  expect(await findRow(store.read, loadBalancer, lb.id)).toBeUndefined()
  expect(await findRow(store.read, amphora, a.id)).toEqual({ ...a, loadbalancer_id: null })
})

test('a deleted load balancer with something left of it stays, and holds up no other', async () => {
  const store = openStore(':memory:')
  const [clean, withAmphora, withListener] = [1, 2, 3].map(() => loadBalancerRow(ended))
  const a = amphoraRow({ loadbalancer_id: withAmphora?.id ?? '', status: 'ERROR' })
  const l = listenerRow({ loadbalancer_id: withListener?.id ?? '' })
  await store.transaction(async (tx) => {
    for (const lb of [clean, withAmphora, withListener])
      if (lb !== undefined) await insertRow(tx, loadBalancer, lb)
    await insertRow(tx, amphora, a)
    await insertRow(tx, listener, l)
  })
  await afterOneRun(store)
  const left = await store.read.selectFrom('load_balancer').select('id').execute()
  expect(left.map((row: { id: string }) => row.id).sort()).toEqual(
    [withAmphora?.id, withListener?.id].sort(),
  )
})

test.each<[JobStatus, number | null, boolean]>([
  ['DONE', 3001, true],
  ['REVERTED', 3001, true],
  ['FAILED', 3001, true],
  ['DONE', 3000, false],
  ['RUNNING', null, false],
  ['QUEUED', null, false],
])('a job which is %s since %s s', async (status, seconds, taken) => {
  const store = openStore(':memory:')
  const finished_ms = seconds === null ? null : RUN_MS - seconds * 1000
  const id = await store.transaction(async (tx) => {
    const job = { flow: 'f', load_balancer_id: null, input: null, request_id: null }
    const made = await insertJob(tx, job, 0)
    await updateJob(tx, made, { status, finished_ms })
    await putStep(tx, {
      job_id: made,
      position: 0,
      name: 's',
      status: 'DONE',
      attempts: 1,
      result: null,
      error: null,
      started_ms: 0,
      finished_ms: 0,
    })
    return made
  })
  await afterOneRun(store)
  expect(await findJob(store.read, id)).toEqual(taken ? undefined : expect.anything())
  const steps = await store.read.selectFrom('job_step').selectAll().execute()
  expect(steps).toHaveLength(taken ? 0 : 1)
})

test('many rows go in several transactions of one run', async () => {
  const store = openStore(':memory:')
  let transactions = 0
  const counting: Store = {
    ...store,
    transaction: (body) => {
      transactions++
      return store.transaction(body)
    },
  }
  await store.transaction(async (tx) => {
    for (let i = 0; i < 450; i++) await insertRow(tx, amphora, amphoraRow(gone))
  })
  await afterOneRun(counting)
  expect(await store.read.selectFrom('amphora').selectAll().execute()).toEqual([])
  // Three for the amphorae, one for each of the other two chores.
  expect(transactions).toBe(5)
})

test('one chore that fails does not keep the others from being done, nor from coming round', async () => {
  const store = openStore(':memory:')
  const row = amphoraRow(gone)
  const lb = loadBalancerRow(ended)
  await store.transaction(async (tx) => {
    await insertRow(tx, amphora, row)
    await insertRow(tx, loadBalancer, lb)
  })
  let failures = 1
  const failing: Store = {
    ...store,
    transaction: (body) =>
      failures-- > 0 ? Promise.reject(new Error('disk full')) : store.transaction(body),
  }
  const clock = createFakeClock()
  const housekeeping = createHousekeeping(
    { clock, store: failing, log: silentLog, engine },
    OPTIONS,
  )
  housekeeping.start()
  await clock.advance(30_000)
  expect(await findRow(store.read, amphora, row.id)).toBeDefined()
  expect(await findRow(store.read, loadBalancer, lb.id)).toBeUndefined()
  await clock.advance(30_000)
  expect(await findRow(store.read, amphora, row.id)).toBeUndefined()
  await housekeeping.stop()
})

describe('certificates of amphorae', () => {
  /** When the first look is. */
  const LOOK_MS = FAKE_START_MS + 600_000
  const ends = (seconds: number): string => timestamp(LOOK_MS + seconds * 1000)

  async function afterLooks(rows: readonly Amphora[], looks = 1) {
    const store = openStore(':memory:')
    await store.transaction(async (tx) => {
      for (const row of rows) await insertRow(tx, amphora, row)
    })
    const clock = createFakeClock()
    let wakes = 0
    const deps = { clock, store, log: silentLog, engine: { wake: () => void wakes++ } }
    const housekeeping = createHousekeeping(deps, OPTIONS)
    housekeeping.start()
    for (let look = 0; look < looks; look++) await clock.advance(600_000)
    await housekeeping.stop()
    const jobs = await store.read.selectFrom('job').selectAll().orderBy('sequence').execute()
    const taken = jobs.map((job) => JSON.parse(job.input).amphora_id)
    return { store, taken, flows: [...new Set(jobs.map((job) => job.flow))], wakes }
  }

  test.each<[string, Partial<Amphora>, boolean]>([
    ['that ends soon', { cert_expiration: ends(999) }, true],
    ['that has ended', { cert_expiration: ends(-5) }, true],
    ['that ends later', { cert_expiration: ends(1000) }, false],
    ['nobody knows of', { cert_expiration: null }, false],
    ['that is being renewed', { cert_expiration: ends(1), cert_busy: true }, false],
    ['of one that boots', { cert_expiration: ends(1), status: 'BOOTING' }, false],
    ['of one that is gone', { cert_expiration: ends(1), status: 'DELETED' }, false],
  ])('one %s', async (_, over, renewed) => {
    const row = amphoraRow({ status: 'ALLOCATED', ...over })
    const { store, taken, flows, wakes } = await afterLooks([row])
    expect([taken, flows, wakes]).toEqual(
      renewed ? [[row.id], ['amphora-certificate-rotate'], 1] : [[], [], 0],
    )
    const after = await findRow(store.read, amphora, row.id)
    expect(after).toEqual({ ...row, cert_busy: renewed || row.cert_busy })
  })

  test('the first to end come first, and no more at a time than are wanted', async () => {
    const rows = [30, 10, 20].map((seconds) =>
      amphoraRow({ id: newId(), status: 'ALLOCATED', cert_expiration: ends(seconds) }),
    )
    const { taken } = await afterLooks(rows, 3)
    expect(taken).toEqual([rows[1]?.id, rows[2]?.id])
  })
})
