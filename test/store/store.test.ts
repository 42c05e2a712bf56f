import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

test('the revision tells that somebody else wrote, in this program or in another', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'store-'))
  const path = join(folder, 'octavia-lite.db')
  const [store, other] = [openStore(path), openStore(path)]
  const revision = () => store.transaction(async (tx) => store.revision(tx))
  const [first, second] = [await revision(), await revision()]
  expect(second).toEqual({ own: first.own + 1, others: first.others })
  await store.transaction((tx) => insertRow(tx, loadBalancer, loadBalancerRow({})))
  expect((await revision()).own).toBe(second.own + 2)
  await other.transaction((tx) => insertRow(tx, loadBalancer, loadBalancerRow({})))
  expect((await revision()).others).not.toBe(first.others)
  for (const each of [store, other]) each.close()
  rmSync(folder, { recursive: true })
})
