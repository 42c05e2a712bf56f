/** What the log says to others when a load balancer was made, changed or deleted. */
import { expect, test } from 'vitest'
import { type LogFields, silentLog } from '../../src/system/log.ts'
import { createAnnouncer } from '../../src/worker/events.ts'
import { named } from './found.ts'
import { begin, LB, run } from './scenarios.ts'

async function announced(name: string, broken = false): Promise<[string, LogFields][]> {
  const history = await begin(named(name))
  if (broken)
    history.world.cloud.fault = () => {
      throw new Error('broken')
    }
  const lines: [string, LogFields][] = []
  const info = (message: string, fields: LogFields = {}): void => void lines.push([message, fields])
  const log = { ...silentLog, info }
  await run(history, { done: createAnnouncer({ read: history.store.read, log }) })
  return lines
}

test.each([
  ['create', 'ACTIVE'],
  ['update', 'ACTIVE'],
  ['delete', 'DELETED'],
])('load-balancer-%s is announced with its load balancer, %s', async (action, status) => {
  const [line, ...others] = await announced(`load-balancer-${action}`)
  expect(others).toEqual([])
  const what = { load_balancer: LB, request: 'req', provisioning_status: status }
  expect(line).toEqual([`octavia.loadbalancer.${action}.end`, expect.objectContaining(what)])
})

test.each(['member-create', 'load-balancer-failover', 'vip-release'])(
  '%s is announced to nobody',
  async (name) => {
    expect(await announced(name)).toEqual([])
  },
)

test('nor is what has failed', async () => {
  expect(await announced('load-balancer-update', true)).toEqual([])
})
