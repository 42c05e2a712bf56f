import { createSocket } from 'node:dgram'
import { expect, test } from 'vitest'
import { type HeartbeatMessage, sealHeartbeat } from '../../src/contract/heartbeat.ts'
import { createHealthManager, type HealthManagerOptions } from '../../src/health/health-manager.ts'
import { amphora } from '../../src/model/amphora.ts'
import { listener } from '../../src/model/listener.ts'
import { loadBalancer } from '../../src/model/load-balancer.ts'
import { member } from '../../src/model/member.ts'
import { pool } from '../../src/model/pool.ts'
import type { AmphoraStatus, ProvisioningStatus } from '../../src/model/status.ts'
import { listJobs } from '../../src/store/jobs.ts'
import { getRow, insertRow, updateRow } from '../../src/store/repository.ts'
import { sumStatistics } from '../../src/store/statistics.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { present } from '../../src/system/assert.ts'
import { systemClock, timestamp } from '../../src/system/clock.ts'
import { systemDatagrams } from '../../src/system/datagram.ts'
import { newId } from '../../src/system/ids.ts'
import { type Log, type LogFields, silentLog } from '../../src/system/log.ts'
import { createFakeClock, FAKE_START_MS, settled } from '../fake/clock.ts'
import { createFakeDatagrams } from '../fake/datagrams.ts'
import { HEARTBEAT_KEY, heartbeatMessage, listenerReport } from '../fake/heartbeats.ts'
import { amphoraRow, listenerRow, loadBalancerRow, memberRow, poolRow } from '../fake/rows.ts'

const OPTIONS = {
  bind_ip: '127.0.0.1',
  bind_port: 0,
  receive_buffer_bytes: 1 << 20,
  heartbeat_key: () => HEARTBEAT_KEY,
  accept_replayed: () => false,
  heartbeat_interval_ms: () => 10_000,
  heartbeat_timeout_ms: 60_000,
  health_check_interval_ms: 3000,
  failover_threads: 10,
  failover_threshold: null,
  tick_ms: 250,
}

function recordingLog() {
  const lines: { message: string; fields: LogFields }[] = []
  const keep = (message: string, fields: LogFields = {}) => {
    lines.push({ message, fields })
  }
  const infos: { message: string; fields: LogFields }[] = []
  const info = (message: string, fields: LogFields = {}) => void infos.push({ message, fields })
  const log: Log = { ...silentLog, info, warning: keep, error: keep, with: () => log }
  return { log, lines, infos }
}

async function setup(
  store: Store = openStore(':memory:'),
  over: Partial<HealthManagerOptions> = {},
) {
  const clock = createFakeClock()
  const datagrams = createFakeDatagrams()
  const { log, lines, infos } = recordingLog()
  let wakes = 0
  const engine = { wake: () => void wakes++ }
  const deps = { clock, store, datagrams, log, engine, newId }
  const manager = createHealthManager(deps, { ...OPTIONS, ...over })
  await manager.start()
  const send = (message: HeartbeatMessage, key = HEARTBEAT_KEY) =>
    datagrams.send(sealHeartbeat(message, key))
  const jobs = async () =>
    (await listJobs(store.read, { limit: 100 })).map(({ flow, input }) => ({
      flow,
      ...(JSON.parse(input) as object),
    }))
  return { clock, datagrams, store, manager, send, lines, infos, jobs, wakes: () => wakes }
}

/** What its last heartbeat left, so long ago. */
async function insertHealth(store: Store, amphora_id: string, last_update_ms = 0): Promise<void> {
  await store.transaction((tx) =>
    tx.insertInto('amphora_health').values({ amphora_id, last_update_ms }).execute(),
  )
}

/** A load balancer with one amphora, one listener, one pool with two members; all of it OFFLINE. */
async function insertTree(store: Store) {
  const operating_status = 'OFFLINE'
  const lb = loadBalancerRow({ operating_status })
  const p = poolRow({ loadbalancer_id: lb.id, operating_status })
  const l = listenerRow({ loadbalancer_id: lb.id, default_pool_id: p.id, operating_status })
  const members = ['10.0.0.1', '10.0.0.2'].map((address) =>
    memberRow({ pool_id: p.id, address, operating_status }),
  )
  const a = amphoraRow({ loadbalancer_id: lb.id })
  await store.transaction(async (tx) => {
    await insertRow(tx, loadBalancer, lb)
    await insertRow(tx, pool, p)
    await insertRow(tx, listener, l)
    for (const m of members) await insertRow(tx, member, m)
    await insertRow(tx, amphora, a)
  })
  const statuses = async () => ({
    lb: (await getRow(store.read, loadBalancer, lb.id)).operating_status,
    l: (await getRow(store.read, listener, l.id)).operating_status,
    p: (await getRow(store.read, pool, p.id)).operating_status,
    m: await Promise.all(
      members.map(async (m) => (await getRow(store.read, member, m.id)).operating_status),
    ),
  })
  const message = (seq: number, m: string[] = ['UP', 'UP'], rx = 0): HeartbeatMessage =>
    heartbeatMessage({
      id: a.id,
      seq,
      listeners: { [l.id]: listenerReport({ stats: { rx, conns: 2 } }) },
      pools: {
        [`${p.id}:${l.id}`]: {
          status: 'UP',
          members: Object.fromEntries(members.map(({ id }, i) => [id, present(m[i], 'report')])),
        },
      },
    })
  return { lb, l, p, members, a, statuses, message }
}

const ONLINE = { lb: 'ONLINE', l: 'ONLINE', p: 'ONLINE', m: ['ONLINE', 'ONLINE'] }
const PARTLY = { lb: 'DEGRADED', l: 'ONLINE', p: 'DEGRADED', m: ['ONLINE', 'ERROR'] }
const health = async (store: Store, amphora_id: string): Promise<unknown> =>
  store.read
    .selectFrom('amphora_health')
    .selectAll()
    .where('amphora_id', '=', amphora_id)
    .executeTakeFirst()

test('heartbeats set statuses, renew the amphora and add to statistics', async () => {
  const { store, send, clock, manager } = await setup()
  const tree = await insertTree(store)
  send(tree.message(0, ['UP', 'UP'], 100))
  expect(await health(store, tree.a.id)).toBeUndefined()
  await clock.advance(250)
  expect(await tree.statuses()).toEqual(ONLINE)
  const last_update_ms = FAKE_START_MS
  expect(await health(store, tree.a.id)).toEqual({
    amphora_id: tree.a.id,
    last_update_ms,
    busy: 0,
    seq: 0,
  })
  expect((await getRow(store.read, listener, tree.l.id)).updated_at).toBe(timestamp(last_update_ms))

  send(tree.message(1, ['UP', 'DOWN'], 10))
  send(tree.message(2, ['UP', 'DOWN 2/3'], 5))
  await clock.advance(250)
  expect(await tree.statuses()).toEqual(PARTLY)
  expect(await sumStatistics(store.read, { load_balancer_id: tree.lb.id })).toEqual({
    bytes_in: 115,
    bytes_out: 0,
    active_connections: 2,
    total_connections: 0,
    request_errors: 0,
  })
  expect(manager.counts()).toMatchObject({ received: 3, accepted: 3, failed: 0 })
  await manager.stop()
})

test.each([
  [['stats_db', 'stats_logger'], 100],
  [['stats_logger'], 0],
])('statistics go to %j', async (statistics_drivers, stored) => {
  const { store, send, clock, manager, infos } = await setup(undefined, { statistics_drivers })
  const tree = await insertTree(store)
  send(tree.message(0, ['UP', 'UP'], 100))
  await clock.advance(250)
  const of = { listener_id: tree.l.id }
  expect((await sumStatistics(store.read, of)).bytes_in).toBe(stored)
  const logged = infos.filter(({ message }) => message === 'listener statistics')
  const counters = { bytes_in: 100, active_connections: 2, request_errors: 0 }
  expect(logged.map(({ fields }) => fields)).toEqual([
    expect.objectContaining({ ...of, amphora_id: tree.a.id, deltas: true, ...counters }),
  ])
  await manager.stop()
})

test('forged, replayed, unknown and broken ones change nothing and are told once per interval', async () => {
  const { store, send, clock, manager, datagrams, lines } = await setup()
  const tree = await insertTree(store)
  send(tree.message(5))
  await clock.advance(250)
  const before = await health(store, tree.a.id)
  for (let i = 0; i < 100; i++) {
    send(tree.message(9, ['DOWN', 'DOWN']), 'another key')
    send(tree.message(5))
    send(heartbeatMessage({ id: 'nobody', seq: i }))
    datagrams.send(Buffer.from('noise'))
  }
  await clock.advance(1000)
  expect(await tree.statuses()).toEqual(ONLINE)
  expect(await health(store, tree.a.id)).toEqual(before)
  expect(await sumStatistics(store.read, { listener_id: 'nobody' })).toMatchObject({ bytes_in: 0 })
  expect(manager.counts()).toMatchObject({
    received: 401,
    accepted: 101,
    forged: 100,
    replayed: 100,
    truncated: 100,
    unknown: 1,
  })
  expect(lines).toEqual([])
  await clock.advance(600_000)
  const dropped = lines.filter((line) => line.message.startsWith('heartbeats were dropped'))
  expect(dropped).toEqual([
    {
      message: expect.any(String),
      fields: {
        forged: 100,
        replayed: 100,
        truncated: 100,
        unknown: 1,
        unknown_amphora_id: 'nobody',
      },
    },
  ])
  await manager.stop()
})

test('a recording from before the start is a replay after it', async () => {
  const store = openStore(':memory:')
  const first = await setup(store)
  const tree = await insertTree(store)
  first.send(tree.message(50))
  first.send(tree.message(51, ['UP', 'DOWN']))
  await first.clock.advance(250)
  await first.manager.stop()
  const second = await setup(store)
  second.send(tree.message(50))
  second.send(tree.message(51))
  await second.clock.advance(250)
  expect(await tree.statuses()).toEqual(PARTLY)
  expect(second.manager.counts()).toMatchObject({ replayed: 2, accepted: 0 })
  second.send(tree.message(52))
  await second.clock.advance(250)
  expect(await tree.statuses()).toEqual(ONLINE)
  await second.manager.stop()
})

test('what has arrived is written when it stops', async () => {
  const { store, send, manager } = await setup()
  const tree = await insertTree(store)
  send(tree.message(1))
  await manager.stop()
  expect(await tree.statuses()).toEqual(ONLINE)
})

test('more amphorae than one transaction takes', async () => {
  const { store, send, clock, manager } = await setup()
  const trees = []
  for (let i = 0; i < 620; i++) trees.push(await insertTree(store))
  for (const tree of trees) send(tree.message(1, ['UP', 'DOWN'], 7))
  await clock.advance(250)
  await manager.stop()
  for (const tree of trees) expect(await tree.statuses()).toEqual(PARTLY)
  const last = present(trees.at(-1), 'tree')
  const { bytes_in } = await sumStatistics(store.read, { listener_id: last.l.id })
  expect(bytes_in).toBe(7)
})

test('heartbeats go on after the database failed once', async () => {
  const store = openStore(':memory:')
  let failing = false
  const shaky: Store = {
    ...store,
    transaction: (body) =>
      failing ? Promise.reject(new Error('disk full')) : store.transaction(body),
  }
  const { send, clock, manager, lines } = await setup(shaky)
  const tree = await insertTree(store)
  failing = true
  send(tree.message(1))
  await clock.advance(250)
  expect(manager.counts()).toMatchObject({ failed: 1 })
  expect(lines.map((line) => line.message)).toEqual(['heartbeats could not be written'])
  failing = false
  send(tree.message(2))
  await clock.advance(250)
  expect(await tree.statuses()).toEqual(ONLINE)
  await manager.stop()
})

test('a socket that fails is opened again, however often that takes', async () => {
  const { store, send, clock, manager, datagrams } = await setup()
  const tree = await insertTree(store)
  datagrams.refuse(3)
  datagrams.fail(new Error('ENETDOWN'))
  expect(datagrams.open).toBe(false)
  await clock.advance(3500)
  expect(datagrams.open).toBe(false)
  await clock.advance(1000)
  expect(datagrams.open).toBe(true)
  send(tree.message(1))
  await clock.advance(250)
  expect(await tree.statuses()).toEqual(ONLINE)
  await manager.stop()
  expect(datagrams.open).toBe(false)
})

test('busy belongs to whoever set it', async () => {
  const { store, send, clock, manager } = await setup()
  const tree = await insertTree(store)
  await store.transaction((tx) =>
    tx
      .insertInto('amphora_health')
      .values({ amphora_id: tree.a.id, last_update_ms: 0, busy: 1 })
      .execute(),
  )
  send(tree.message(1))
  await clock.advance(250)
  expect(await health(store, tree.a.id)).toMatchObject({ busy: 1, seq: 1 })
  await manager.stop()
})

test('an amphora that falls silent is told once, and replaced', async () => {
  const { store, send, clock, manager, lines, jobs, wakes } = await setup()
  const tree = await insertTree(store)
  send(tree.message(1))
  await clock.advance(250)
  await clock.advance(59_000)
  expect(lines).toEqual([])
  expect(await jobs()).toEqual([])
  await clock.advance(300_000)
  const of = { amphora_id: tree.a.id, load_balancer_id: tree.lb.id }
  expect(lines).toEqual([
    {
      message: 'an amphora has stopped sending heartbeats',
      fields: { ...of, silent_s: expect.any(Number) },
    },
    { message: 'a silent amphora is replaced', fields: of },
  ])
  expect(await jobs()).toEqual([
    {
      flow: 'amphora-failover',
      load_balancer_id: tree.lb.id,
      replacements: [{ id: expect.any(String), role: 'STANDALONE', replaces: [tree.a.id] }],
    },
  ])
  expect(wakes()).toBe(1)
  expect(await health(store, tree.a.id)).toMatchObject({ busy: 1 })
  expect((await getRow(store.read, loadBalancer, tree.lb.id)).provisioning_status).toBe(
    'PENDING_UPDATE',
  )
  await manager.stop()
})

test('an amphora that lacks listeners is given them again, once', async () => {
  const { store, send, clock, manager, lines, jobs, wakes } = await setup()
  const tree = await insertTree(store)
  const beats = async (seqs: readonly number[]): Promise<void> => {
    for (const seq of seqs) {
      send({ ...tree.message(seq), listeners: {} })
      await clock.advance(10_000)
    }
  }
  await beats([1])
  expect(await jobs()).toEqual([])
  await beats([2, 3])
  const job = { flow: 'load-balancer-restore', load_balancer_id: tree.lb.id }
  expect(await jobs()).toEqual([job])
  expect(wakes()).toBe(1)
  expect(lines).toContainEqual({
    message: 'an amphora lacks listeners and is given them again',
    fields: { amphora_id: tree.a.id },
  })
  await store.transaction((tx) =>
    updateRow(tx, loadBalancer, tree.lb.id, { provisioning_status: 'ACTIVE' }),
  )
  await beats([4, 5, 6])
  expect(await jobs()).toEqual([job])
  await manager.stop()
})

test('nobody is missed before everybody had the time to be heard after the start', async () => {
  const store = openStore(':memory:')
  const tree = await insertTree(store)
  await insertHealth(store, tree.a.id)
  const { clock, manager, jobs } = await setup(store)
  await clock.advance(57_000)
  expect(await jobs()).toEqual([])
  await clock.advance(6000)
  expect(await jobs()).toHaveLength(1)
  await manager.stop()
})

test('nobody is missed while the database or the socket was away, or the machine slept', async () => {
  const store = openStore(':memory:')
  const tree = await insertTree(store)
  await insertHealth(store, tree.a.id)
  let failing = false
  const flaky: Store = {
    ...store,
    transaction: (body) => (failing ? Promise.reject(new Error('full')) : store.transaction(body)),
  }
  const { clock, manager, jobs, datagrams } = await setup(flaky)
  await clock.advance(50_000)
  failing = true
  await clock.advance(20_000)
  failing = false
  await clock.advance(40_000)
  expect(await jobs()).toEqual([])
  datagrams.fail(new Error('ENETDOWN'))
  await clock.advance(50_000)
  expect(await jobs()).toEqual([])
  clock.sleepThrough(3_600_000)
  await clock.advance(50_000)
  expect(await jobs()).toEqual([])
  await clock.advance(15_000)
  expect(await jobs()).toHaveLength(1)
  await manager.stop()
})

test('a load balancer that is being changed is looked at again later', async () => {
  const store = openStore(':memory:')
  const tree = await insertTree(store)
  await insertHealth(store, tree.a.id)
  const { clock, manager, jobs } = await setup(store)
  const set = (provisioning_status: ProvisioningStatus) =>
    store.transaction((tx) => updateRow(tx, loadBalancer, tree.lb.id, { provisioning_status }))
  await set('PENDING_UPDATE')
  await clock.advance(120_000)
  expect(await jobs()).toEqual([])
  expect(await health(store, tree.a.id)).toMatchObject({ busy: 0 })
  await set('ERROR')
  await clock.advance(3_000)
  expect(await jobs()).toHaveLength(1)
  await manager.stop()
})

test('only so many are replaced at a time, those of the same load balancer one by one', async () => {
  const store = openStore(':memory:')
  const trees = [await insertTree(store), await insertTree(store), await insertTree(store)]
  const other = amphoraRow({ loadbalancer_id: trees[0]?.lb.id ?? '' })
  await store.transaction((tx) => insertRow(tx, amphora, other))
  for (const id of [...trees.map(({ a }) => a.id), other.id]) await insertHealth(store, id)
  const { clock, manager, jobs } = await setup(store, { failover_threads: 2 })
  await clock.advance(120_000)
  expect(await jobs()).toHaveLength(2)
  await store.transaction((tx) => tx.updateTable('job').set({ finished_ms: 1 }).execute())
  await clock.advance(120_000)
  // The fourth shares its load balancer, which stays PENDING here.
  expect(await jobs()).toHaveLength(3)
  await manager.stop()
})

test('so many silent ones are a fault of something else, until they are heard again', async () => {
  const store = openStore(':memory:')
  const trees = [await insertTree(store), await insertTree(store)]
  for (const { a } of trees) await insertHealth(store, a.id)
  const { clock, manager, jobs, send, lines } = await setup(store, { failover_threshold: 2 })
  const statuses = async () =>
    Promise.all(trees.map(async ({ a }) => (await getRow(store.read, amphora, a.id)).status))
  await clock.advance(120_000)
  expect(await jobs()).toEqual([])
  expect(await statuses()).toEqual(['FAILOVER_STOPPED', 'FAILOVER_STOPPED'])
  expect(lines.filter(({ message }) => message.startsWith('so many'))).toHaveLength(1)
  send(present(trees[0], 'tree').message(1))
  await clock.advance(3_250)
  expect(await statuses()).toEqual(['ALLOCATED', 'FAILOVER_STOPPED'])
  // Alone it is below the threshold.
  expect(await jobs()).toMatchObject([{ replacements: [{ replaces: [trees[1]?.a.id] }] }])
  await manager.stop()
})

test('an amphora that still runs after its end is deleted, once in a while', async () => {
  const { store, send, clock, manager, jobs } = await setup()
  const tree = await insertTree(store)
  const set = (status: AmphoraStatus) =>
    store.transaction((tx) => updateRow(tx, amphora, tree.a.id, { status }))
  await set('DELETED')
  send(tree.message(1))
  await clock.advance(250)
  // It may have been sent before the end.
  expect(await jobs()).toEqual([])
  await clock.advance(10_000)
  send(tree.message(2))
  await clock.advance(250)
  const deletion = { flow: 'amphora-delete', load_balancer_id: tree.lb.id, amphora_id: tree.a.id }
  expect(await jobs()).toEqual([deletion])
  await set('DELETED')
  for (let seq = 3; seq < 60; seq++) {
    await clock.advance(10_000)
    send(tree.message(seq))
  }
  await clock.advance(250)
  expect(await jobs()).toEqual([deletion])
  await clock.advance(60_000)
  send(tree.message(60))
  await clock.advance(250)
  expect(await jobs()).toEqual([deletion, deletion])
  await manager.stop()
})

test('over real UDP', async () => {
  const store = openStore(':memory:')
  const tree = await insertTree(store)
  const { log, lines } = recordingLog()
  const engine = { wake: () => {} }
  const deps = { clock: systemClock, store, datagrams: systemDatagrams, log, engine, newId }
  const manager = createHealthManager(deps, { ...OPTIONS, tick_ms: 1 })
  await manager.start()
  const { port } = present(manager.address(), 'address')
  await expect(createHealthManager(deps, { ...OPTIONS, bind_port: port }).start()).rejects.toThrow(
    'EADDRINUSE',
  )

  const sender = createSocket('udp4')
  const bytes = sealHeartbeat(tree.message(1), HEARTBEAT_KEY)
  await new Promise((sent) => sender.send(bytes, port, '127.0.0.1', sent))
  while (manager.counts().accepted === 0) await settled()
  sender.close()
  await manager.stop()
  expect(await tree.statuses()).toEqual(ONLINE)
  expect(lines).toEqual([])
})
