/** A few thousand requests on every run of the tests, and that the fuzzer would notice. */
import { expect, test } from 'vitest'
import { pathsOf } from '../../src/api/route.ts'
import { ROUTES } from '../../src/api/routes.ts'
import { LISTENER_PROTOCOLS, listener } from '../../src/model/listener.ts'
import { loadBalancer } from '../../src/model/load-balancer.ts'
import { POOL_PROTOCOLS } from '../../src/model/pool.ts'
import { insertRow, insertRows } from '../../src/store/repository.ts'
import { enqueue } from '../../src/worker/catalogue.ts'
import { listenerRow, loadBalancerRow } from '../fake/rows.ts'
import { brokenAnswer } from './answers.ts'
import { brokenInvariants, quotaUse } from './invariants.ts'
import { createRandom } from './random.ts'
import { type FuzzRequest, operationsOf } from './requests.ts'
import { fuzz } from './run.ts'
import { createWorld } from './world.ts'

const SEED = 20_260_103

test('thousands of requests: no 5xx, and every invariant holds', async () => {
  const { broken, tail, statuses, successes, made } = await fuzz({ seed: SEED, requests: 10_000 })
  expect(broken, tail.join('\n')).toEqual([])
  // It reaches what it should: successes of every kind, refusals, conflicts.
  for (const status of [200, 201, 202, 204, 400, 403, 404, 405, 406, 409, 413, 415])
    expect([status, statuses.get(status) ?? 0]).toEqual([status, expect.toSatisfy((n) => n > 5)])
  for (const collection of ['loadbalancers', 'listeners', 'pools', 'healthmonitors', 'l7policies'])
    for (const method of ['POST', 'PUT', 'DELETE', 'GET']) {
      const path = `${method} /v2.0/lbaas/${collection}${method === 'POST' ? '' : '/{id}'}`
      expect([path, successes.get(path) ?? 0]).toEqual([path, expect.toSatisfy((n) => n > 0)])
    }
  for (const protocol of LISTENER_PROTOCOLS)
    expect([...made.keys()]).toContain(`listeners ${protocol}`)
  for (const protocol of POOL_PROTOCOLS) expect([...made.keys()]).toContain(`pools ${protocol}`)
})

test('the same seed asks the same', async () => {
  const runs = [1, 2].map(async () => await fuzz({ seed: 7, requests: 300 }))
  const [first, second] = await Promise.all(runs)
  expect(first?.tail).toEqual(second?.tail)
})

test('every route is asked', () => {
  const asked = new Set(operationsOf().map(({ method, template }) => `${method} ${template}`))
  for (const route of Object.values(ROUTES).flat()) {
    const path = (pathsOf(route)[0] ?? '').replace(/:(\w+)/g, '{$1}')
    expect(asked).toContain(`${route.method} ${path}`)
  }
})

test('a database with something wrong in it is noticed', async () => {
  const world = await createWorld(createRandom(1))
  expect(await brokenInvariants(world.store)).toEqual([])
  const lb = loadBalancerRow({ project_id: 'a' })
  const child = { loadbalancer_id: lb.id, project_id: 'a', protocol_port: 80 } as const
  const twin = listenerRow({ ...child, provisioning_status: 'PENDING_UPDATE' })
  const stranger = listenerRow({ ...child, project_id: 'b', protocol_port: 81 })
  await world.store.transaction(async (tx) => {
    await insertRow(tx, loadBalancer, lb)
    await insertRows(tx, listener, [listenerRow(child), twin, stranger])
    const input = { load_balancer_id: lb.id, id: twin.id }
    await enqueue(tx, { flow: 'listener-update', input, request_id: null }, 0)
  })
  const broken = await brokenInvariants(world.store)
  expect(broken).toEqual(
    expect.arrayContaining([
      `2 listeners on ${lb.id} tcp 80`,
      expect.stringMatching(/^job .* is QUEUED and never ends$/),
      `listener ${twin.id} is PENDING_UPDATE without a job`,
      `listener ${stranger.id} is of another project than its load_balancer`,
    ]),
  )
  const { broken: beyond } = await quotaUse(
    world.store,
    { ...world.limits, listener: 1 },
    new Map(),
  )
  expect(beyond).toContain('project a has 2 of at most 1 listener')
  await world.close()
})

test.each([
  [500, '{"faultcode":"Server","faultstring":"Internal error","debuginfo":null}', 1],
  [501, '{"faultstring":"Provider \'x\' does not support a requested option: y"}', 0],
  [501, '{"faultstring":"anything else"}', 1],
  [200, '{"pools":[{"project_id":"somebody"}]}', 1],
  [200, 'no JSON', 1],
  [400, '{}', 1],
])('an answer %s %s', (status, text, count) => {
  const request: FuzzRequest = {
    method: 'GET',
    target: '/v2/pools',
    template: '',
    caller: 'member-of-a',
    headers: {},
    body: undefined,
  }
  const headers = new Headers({ 'x-openstack-request-id': `req-${crypto.randomUUID()}` })
  const body = text.startsWith('{') ? JSON.parse(text) : undefined
  expect(brokenAnswer(request, { status, headers, text, body })).toHaveLength(count)
})
