import { expect, test } from 'vitest'
import { KnownRows } from '../../src/health/known-rows.ts'
import type { Known, KnownLoadBalancer } from '../../src/store/health.ts'
import type { Tx } from '../../src/store/store.ts'

const TX = {} as Tx

function setup(rows_max?: number) {
  const asked: (readonly string[])[] = []
  const load = async (_tx: Tx, ids: readonly string[]): Promise<Known> => {
    asked.push(ids)
    const there = ids.filter((id) => id !== 'nobody')
    return {
      amphorae: new Map(
        there.map((id) => [
          id,
          { id, status: 'ALLOCATED', compute_id: null, loadbalancer_id: `lb-${id}` },
        ]),
      ),
      load_balancers: new Map(there.map((id) => [`lb-${id}`, loadBalancer(`lb-${id}`)])),
    }
  }
  return { asked, known: new KnownRows(load, rows_max) }
}

function loadBalancer(id: string): KnownLoadBalancer {
  const state = { operating_status: 'ONLINE', admin_state_up: true } as const
  return { id, ...state, provisioning_status: 'ACTIVE', listeners: [], pools: [] }
}

test('only what is not known is read, while nobody else writes', async () => {
  const { asked, known } = setup()
  await known.read(TX, { own: 1, others: 1 }, ['a', 'b'])
  known.committed({ own: 1, others: 1 }, false)
  const { amphorae, load_balancers } = await known.read(TX, { own: 2, others: 1 }, ['b', 'c'])
  expect(asked).toEqual([['a', 'b'], ['c']])
  expect([...amphorae.keys()]).toEqual(['a', 'b', 'c'])
  expect([...load_balancers.keys()]).toEqual(['lb-a', 'lb-b', 'lb-c'])
})

test.each([
  ['a transaction of this program came between', { own: 3, others: 1 }],
  ['another program wrote', { own: 2, others: 2 }],
])('all is read again when %s', async (_what, revision) => {
  const { asked, known } = setup()
  await known.read(TX, { own: 1, others: 1 }, ['a'])
  known.committed({ own: 1, others: 1 }, false)
  await known.read(TX, revision, ['a'])
  expect(asked).toEqual([['a'], ['a']])
})

test('all is read again after rows were changed, and after a transaction that failed', async () => {
  const { asked, known } = setup()
  await known.read(TX, { own: 1, others: 1 }, ['a'])
  known.committed({ own: 1, others: 1 }, true)
  await known.read(TX, { own: 2, others: 1 }, ['a'])
  await known.read(TX, { own: 3, others: 1 }, ['a'])
  expect(asked).toEqual([['a'], ['a'], ['a']])
})

test('who is not there is looked for each time', async () => {
  const { asked, known } = setup()
  for (const own of [1, 2]) {
    await known.read(TX, { own, others: 1 }, ['nobody'])
    known.committed({ own, others: 1 }, false)
  }
  expect(asked).toEqual([['nobody'], ['nobody']])
})

test('more rows than the limit are not kept', async () => {
  const { asked, known } = setup(3)
  await known.read(TX, { own: 1, others: 1 }, ['a', 'b'])
  known.committed({ own: 1, others: 1 }, false)
  const { amphorae } = await known.read(TX, { own: 2, others: 1 }, ['a'])
  expect(asked).toEqual([['a', 'b'], ['a']])
  expect([...amphorae.keys()]).toEqual(['a'])
})
