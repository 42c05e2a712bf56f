/** Which amphorae are missed when nothing is heard of them. */
import { expect, test } from 'vitest'
import { createNoopAmphora } from '../../src/driver/noop/amphora.ts'
import { listSilent, renewHealth } from '../../src/store/health.ts'
import { idOf } from '../fake/cloud.ts'
import { named } from './found.ts'
import { begin, type History, run } from './scenarios.ts'

const [OLD, NEW] = [idOf('amphora'), idOf('new STANDALONE')] as const

/** As the health manager would find them at the end of time. */
const missed = async ({ store }: History): Promise<string[]> =>
  (await listSilent(store.read, Number.MAX_SAFE_INTEGER, 10)).map((row) => row.amphora_id)

test('an amphora that is never heard is missed', async () => {
  const history = await begin(named('load-balancer-create'))
  await run(history)
  expect(await missed(history)).toEqual([OLD])
})

test('nobody listens for an amphora that there is not', async () => {
  const history = await begin(named('load-balancer-create'))
  await run({ ...history, world: { ...history.world, amphora: createNoopAmphora() } })
  expect(await missed(history)).toEqual([])
})

test('its replacement is missed when the old one was heard', async () => {
  const history = await begin(named('load-balancer-failover'))
  await history.store.transaction((tx) =>
    renewHealth(tx, [{ amphora_id: OLD, last_update_ms: 1, seq: 7 }]),
  )
  await run(history)
  expect(await missed(history)).toEqual([NEW])
})

test('where no heartbeat comes through, one replacement is enough', async () => {
  const history = await begin(named('load-balancer-failover'))
  await run(history)
  expect(await missed(history)).toEqual([])
})
