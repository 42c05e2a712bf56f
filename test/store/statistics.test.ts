import { expect, test } from 'vitest'
import { amphora } from '../../src/model/amphora.ts'
import { listener } from '../../src/model/listener.ts'
import { loadBalancer } from '../../src/model/load-balancer.ts'
import { deleteListenerStatistics } from '../../src/store/removal.ts'
import { insertRow } from '../../src/store/repository.ts'
import { addStatistics, replaceStatistics, sumStatistics } from '../../src/store/statistics.ts'
import { openStore } from '../../src/store/store.ts'
import type { ListenerStatisticsRow } from '../../src/store/tables.ts'
import { amphoraRow, listenerRow, loadBalancerRow } from '../fake/rows.ts'

async function setup() {
  const store = openStore(':memory:')
  const lb = loadBalancerRow()
  const l = listenerRow({ loadbalancer_id: lb.id })
  const other = listenerRow({ loadbalancer_id: lb.id, protocol_port: 81 })
  const allocated = amphoraRow({ loadbalancer_id: lb.id })
  const leaving = amphoraRow({ loadbalancer_id: lb.id, status: 'PENDING_DELETE' })
  await store.transaction(async (tx) => {
    await insertRow(tx, loadBalancer, lb)
    for (const row of [l, other]) await insertRow(tx, listener, row)
    for (const row of [allocated, leaving]) await insertRow(tx, amphora, row)
  })
  return { store, lb, l, other, allocated, leaving }
}

const row = (
  listener_id: string,
  amphora_id: string,
  count: number,
  active_connections = count,
): ListenerStatisticsRow => ({
  listener_id,
  amphora_id,
  bytes_in: count,
  bytes_out: 2 * count,
  active_connections,
  total_connections: 3 * count,
  request_errors: 4 * count,
})
const sum = (count: number, active_connections: number) => ({
  bytes_in: count,
  bytes_out: 2 * count,
  active_connections,
  total_connections: 3 * count,
  request_errors: 4 * count,
})

test('deltas add up, connections and absolute values replace', async () => {
  const { store, l, allocated } = await setup()
  await store.transaction(async (tx) => {
    await addStatistics(tx, [row(l.id, allocated.id, 10, 5)])
    await addStatistics(tx, [row(l.id, allocated.id, 7, 3)])
  })
  expect(await sumStatistics(store.read, { listener_id: l.id })).toEqual(sum(17, 3))
  await store.transaction((tx) => replaceStatistics(tx, [row(l.id, allocated.id, 1, 9)]))
  expect(await sumStatistics(store.read, { listener_id: l.id })).toEqual(sum(1, 9))
})

test('connections count only where the amphora works, or where there is none', async () => {
  const { store, lb, l, other, allocated, leaving } = await setup()
  await store.transaction((tx) =>
    addStatistics(tx, [
      row(l.id, allocated.id, 1),
      row(l.id, leaving.id, 10),
      row(l.id, 'deleted long ago', 100),
      // What another provider reports.
      row(other.id, other.id, 1000),
    ]),
  )
  expect(await sumStatistics(store.read, { listener_id: l.id })).toEqual(sum(111, 1))
  expect(await sumStatistics(store.read, { load_balancer_id: lb.id })).toEqual(sum(1111, 1001))
})

test('a listener without statistics has zeros, also after they are deleted', async () => {
  const { store, l, other, allocated } = await setup()
  expect(await sumStatistics(store.read, { listener_id: l.id })).toEqual(sum(0, 0))
  await store.transaction((tx) =>
    addStatistics(tx, [row(l.id, allocated.id, 1), row(other.id, allocated.id, 2)]),
  )
  await store.transaction((tx) => deleteListenerStatistics(tx, [l.id]))
  expect(await sumStatistics(store.read, { listener_id: l.id })).toEqual(sum(0, 0))
  expect(await sumStatistics(store.read, { listener_id: other.id })).toEqual(sum(2, 2))
})

test('counters stop at the largest exact number instead of failing', async () => {
  const { store, l, allocated } = await setup()
  const most = { ...row(l.id, allocated.id, 0), bytes_in: Number.MAX_SAFE_INTEGER }
  for (let i = 0; i < 3; i++) await store.transaction((tx) => addStatistics(tx, [most]))
  const { bytes_in } = await sumStatistics(store.read, { listener_id: l.id })
  expect(bytes_in).toBe(Number.MAX_SAFE_INTEGER)
})

test.each([1, 3, 4, 5, 31, 33, 255, 256, 257, 600])('a batch of %s rows', async (count) => {
  const { store, l } = await setup()
  const many = Array.from({ length: count }, (_, i) => row(l.id, `amphora ${i}`, i))
  await store.transaction((tx) => addStatistics(tx, many))
  const { bytes_in } = await sumStatistics(store.read, { listener_id: l.id })
  expect(bytes_in).toBe((count * (count - 1)) / 2)
})
