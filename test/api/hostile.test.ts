/** Input which nobody sends by mistake: always a 4xx fault, never a changed database. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { Fields } from '../../src/model/field.ts'
import { healthMonitor } from '../../src/model/health-monitor.ts'
import { l7policy } from '../../src/model/l7policy.ts'
import { l7rule } from '../../src/model/l7rule.ts'
import { listener } from '../../src/model/listener.ts'
import { loadBalancer } from '../../src/model/load-balancer.ts'
import { member } from '../../src/model/member.ts'
import { pool } from '../../src/model/pool.ts'
import { createHarness, type Harness, makeTree, SUBNET } from './harness.ts'

let harness: Harness
let ids: Awaited<ReturnType<typeof makeTree>>
let before: unknown

beforeAll(async () => {
  harness = createHarness()
  ids = await makeTree(harness)
  before = await harness.dump()
})

async function expectRefused(method: string, path: string, text: string): Promise<void> {
  const answer = await harness.sendText(method, path, text)
  expect([answer.status, text.slice(0, 200)]).toEqual([
    expect.toSatisfy(isClientError),
    text.slice(0, 200),
  ])
  expect(answer.body).toMatchObject({ faultcode: 'Client', faultstring: expect.any(String) })
  expect(answer.body.faultstring.length).toBeLessThan(2000)
  expect(await harness.dump()).toEqual(before)
}

function isClientError(status: number): boolean {
  return status >= 400 && status < 500
}

/** Every path that takes a body, with a body that would be accepted. */
const TARGETS = () => [
  {
    method: 'POST',
    path: '/v2/loadbalancers',
    wrapper: 'loadbalancer',
    fields: loadBalancer.fields as Fields,
    good: { vip_subnet_id: SUBNET },
  },
  {
    method: 'POST',
    path: '/v2/listeners',
    wrapper: 'listener',
    fields: listener.fields as Fields,
    good: { loadbalancer_id: ids.lb, protocol: 'HTTP', protocol_port: 8081 },
  },
  {
    method: 'POST',
    path: '/v2/pools',
    wrapper: 'pool',
    fields: pool.fields as Fields,
    good: { loadbalancer_id: ids.lb, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' },
  },
  {
    method: 'POST',
    path: `/v2/pools/${ids.pool}/members`,
    wrapper: 'member',
    fields: member.fields as Fields,
    good: { address: '10.0.0.33', protocol_port: 1 },
  },
  {
    method: 'POST',
    path: '/v2/healthmonitors',
    wrapper: 'healthmonitor',
    fields: healthMonitor.fields as Fields,
    good: { pool_id: ids.pool, type: 'HTTP', delay: 1, timeout: 1, max_retries: 1 },
  },
  {
    method: 'POST',
    path: '/v2/l7policies',
    wrapper: 'l7policy',
    fields: l7policy.fields as Fields,
    good: { listener_id: ids.listener, action: 'REJECT' },
  },
  {
    method: 'POST',
    path: `/v2/l7policies/${ids.policy}/rules`,
    wrapper: 'rule',
    fields: l7rule.fields as Fields,
    good: { type: 'PATH', compare_type: 'EQUAL_TO', value: '/' },
  },
]

/** Values which no type of a field takes, by the type of its schema. */
const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  string: [17, true, ['x'], { a: 1 }, 'x'.repeat(5000), 'line\u0000feed', '\ud800'],
  boolean: ['maybe', 7, [], {}, 'true\nfalse'],
  integer: ['x', 1.5, true, [], {}, 1e300, -(2 ** 60), '1\n2', ''],
  number: ['x', [], {}, true, 9e99],
  array: ['x', 1, {}, [1], [null], [[]], [{}], Array(2000).fill('x'), ['a\nb']],
  object: ['x', 1, [], { '\n': [] }, { a: 1 }],
}

describe('hostile input', () => {
  test.each([
    '{',
    'null',
    '[]',
    '""',
    '1',
    'true',
    '{}',
    '{"loadbalancer": null}',
    '{"loadbalancer": []}',
    '{"loadbalancer": "x"}',
    '{"loadbalancer": {}, "x": 1}',
    '{"__proto__": {}}',
    '{"loadbalancer": {"__proto__": {"vip_subnet_id": "x"}}}',
    '{"loadbalancer": {"constructor": 1}}',
    '\u0000',
    '{"a":1}{"b":2}',
    `${'['.repeat(50_000)}`,
    `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
    `${'{"loadbalancer":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
    `{"loadbalancer":{"name":${'['.repeat(20)}1${']'.repeat(20)}}}`,
    `{"loadbalancer":{"vip_subnet_id":"${SUBNET}","listeners":[{}]}}`,
    `{"loadbalancer":{"vip_subnet_id":"${SUBNET}","listeners":[null]}}`,
    `{"loadbalancer":{"vip_subnet_id":"${SUBNET}","pools":[[]]}}`,
    `{"loadbalancer":{"vip_subnet_id":"${SUBNET}","pools":{"a":1}}}`,
  ])('POST %s', async (text) => {
    await expectRefused('POST', '/v2/loadbalancers', text)
  })

  test('a body that is no UTF-8', async () => {
    const bytes = new Uint8Array([
      ...new TextEncoder().encode('{"loadbalancer":{"name":"'),
      0xff,
      0x22,
      0x7d,
      0x7d,
    ])
    const answer = await harness.sendText('POST', '/v2/loadbalancers', bytes)
    expect([answer.status, answer.body.faultstring]).toEqual([
      400,
      'Request is not in valid JSON format',
    ])
  })

  test('a wrong type for every field of every resource, on create and update', async () => {
    let count = 0
    for (const { method, path, wrapper, fields, good } of TARGETS())
      for (const [name, field] of Object.entries(fields)) {
        const schema = field.type.schema as { type: string }
        const writable = field.options.writable ?? 'always'
        for (const value of WRONG[schema.type] ?? []) {
          if (field.type.parse(value).ok) continue
          await expectRefused(
            method,
            path,
            JSON.stringify({ [wrapper]: { ...good, [name]: value } }),
          )
          count++
          if (writable === 'never') continue
          const update = updatePath(path)
          await expectRefused('PUT', update, JSON.stringify({ [wrapper]: { [name]: value } }))
        }
      }
    expect(count).toBeGreaterThan(300)
  })

  test('line feeds and configuration keywords in every text', async () => {
    const evil = 'x\n  server evil 10.9.9.9:80\n  acl a always_true\r\nuse_backend'
    for (const { method, path, wrapper, fields, good } of TARGETS())
      for (const [name, field] of Object.entries(fields)) {
        // A description may have several lines: it is printed nowhere but in answers.
        if ((field.options.writable ?? 'always') === 'never' || name === 'description') continue
        if (field.type.parse(evil).ok) throw new Error(`${wrapper}.${name} accepts line feeds`)
        for (const value of [evil, [evil], { type: evil }, { 'X-Forwarded-For': evil }])
          if (!field.type.parse(value).ok)
            await expectRefused(
              method,
              path,
              JSON.stringify({ [wrapper]: { ...good, [name]: value } }),
            )
          else throw new Error(`${wrapper}.${name} accepts ${JSON.stringify(value)}`)
      }
  })

  test.each([
    "/v2/loadbalancers/' or 1=1 --",
    '/v2/loadbalancers/%00',
    '/v2/loadbalancers/%ff%fe',
    '/v2/loadbalancers/%',
    '/v2/loadbalancers/..%2f..%2fetc',
    `/v2/loadbalancers/${'a'.repeat(10_000)}`,
    '/v2/loadbalancers/\u{1f600}',
    '/v2/pools/x/members/y',
  ])('GET %s is not found', async (path) => {
    const answer = await harness.send('GET', path)
    expect(answer.status).toBe(404)
    expect(JSON.stringify(answer.body).length).toBeLessThan(1000)
  })

  test.each([
    'name=a&name=b',
    'nothing=1',
    '__proto__=1',
    'constructor=1',
    'tags=a&nope=1',
    'admin_state_up=perhaps',
    'insert_headers=x',
    'sort=nope',
    'sort=tags',
    'sort=name:up',
    'sort=name:asc:desc',
    'sort=__proto__',
    'sort_key=name;drop table listener',
    'sort_key=name&sort_dir=sideways',
    'limit=x',
    'limit=1.5',
    'limit=None',
    "marker=' or 1=1",
    'marker=00000000-0000-4000-8000-000000000000',
  ])('GET /listeners?%s is a client error', async (query) => {
    const answer = await harness.send('GET', `/v2/listeners?${query}`)
    expect([answer.status, answer.body.faultcode]).toEqual([400, 'Client'])
  })
})

function updatePath(path: string): string {
  if (path.endsWith('/members')) return `${path}/${ids.member}`
  if (path.endsWith('/rules')) return `${path}/${ids.rule}`
  const id = {
    loadbalancers: ids.lb,
    listeners: ids.listener,
    pools: ids.pool,
    l7policies: ids.policy,
  }
  return `${path}/${id[path.slice(4) as keyof typeof id] ?? ids.monitor}`
}
