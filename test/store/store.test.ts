import { expect, test } from 'vitest'
import { loadBalancer } from '../../src/model/load-balancer.ts'
import { findRow, insertRow, updateRow } from '../../src/store/repository.ts'
import { openStore } from '../../src/store/store.ts'
import { findTree } from '../../src/store/tree.ts'
import { loadBalancerRow } from '../fake/rows.ts'

test('a row comes back as it went in', async () => {
  const store = openStore(':memory:')
  const row = loadBalancerRow({ name: "a'b; drop table", tags: ['x', 'y'], admin_state_up: false })
  await store.transaction((tx) => insertRow(tx, loadBalancer, row))
  expect(await findRow(store.read, loadBalancer, row.id)).toEqual(row)
  const tree = await findTree(store.read, row.id)
  expect(tree).toEqual({ ...row, listeners: [], pools: [], l7policies: [], amphorae: [] })
})

test('a transaction that throws leaves nothing', async () => {
  const store = openStore(':memory:')
  const row = loadBalancerRow({})
  await store.transaction((tx) => insertRow(tx, loadBalancer, row))
  const failing = store.transaction(async (tx) => {
    await updateRow(tx, loadBalancer, row.id, { name: 'changed' })
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect((await findRow(store.read, loadBalancer, row.id))?.name).toBe(row.name)
})

test('transactions do not interleave', async () => {
  const store = openStore(':memory:')
  const order: string[] = []
  await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      store.transaction(async (tx) => {
        order.push(`${name}1`)
        await findRow(tx, loadBalancer, name)
        order.push(`${name}2`)
      }),
    ),
  )
  expect(order).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2'])
})
