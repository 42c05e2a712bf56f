/** Thousands of requests made of plausible parts: no route ever answers 5xx by accident. */
import { expect, test } from 'vitest'
import { pathsOf, type Route } from '../../src/api/route.ts'
import { ROUTES } from '../../src/api/routes.ts'
import type { Fields } from '../../src/model/field.ts'
import { createHarness, makeTree, SUBNET, settle } from './harness.ts'

const REQUESTS = 4000
const SEED = 20260102
const PARAMETERS = [
  'limit',
  'marker',
  'page_reverse',
  'sort',
  'sort_key',
  'fields',
  'tags',
  'not-tags-any',
  'id',
  'name',
  'project_id',
  'protocol_port',
  'load_balancer_id',
  'status',
  'cascade',
] as const

/** A small reproducible generator (mulberry32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

test('no route answers 5xx but the refusals of the provider', async () => {
  const random = generator(SEED)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const harness = createHarness()
  const strangers = [SUBNET, 'x', '', '00000000-0000-4000-8000-000000000000']
  let ids = await makeTree(harness)
  let someIds = [...Object.values(ids), ...strangers]
  const atoms = [
    null,
    true,
    false,
    0,
    1,
    -1,
    80,
    256,
    65536,
    1.1,
    '',
    'a',
    '1',
    'HTTP',
    'TCP',
    '/',
    '10.0.0.5',
    '::1',
    '10.0.0.0/8',
    'é\u{1f600}',
    'ROUND_ROBIN',
    [],
    {},
    2 ** 53,
    'a\nb',
    'SOURCE_IP',
  ]
  const value = (depth: number): unknown => {
    const kind = random()
    if (depth > 0 && kind < 0.1) return [value(depth - 1), value(depth - 1)]
    if (depth > 0 && kind < 0.2)
      return { [String(pick(['name', 'type', 'id', 'x']))]: value(depth - 1) }
    return kind < 0.35 ? pick(someIds) : pick(atoms)
  }
  const known = (name: string): unknown =>
    ({
      loadbalancer_id: ids.lb,
      listener_id: ids.listener,
      pool_id: ids.pool,
      default_pool_id: ids.pool,
      redirect_pool_id: ids.pool,
      redirect_url: 'https://example.org/%[src]',
      redirect_prefix: 'http://example.org',
      subnet_id: SUBNET,
      vip_subnet_id: SUBNET,
      address: `10.0.0.${Math.floor(random() * 250)}`,
    })[name]
  const sensible = (
    name: string,
    schema: { enum?: readonly unknown[]; type?: string },
  ): unknown => {
    if (random() < 0.05) return value(2)
    if (known(name) !== undefined && random() < 0.9) return known(name)
    if (schema.enum !== undefined) return pick(schema.enum)
    if (name.endsWith('_id')) return pick(someIds)
    if (schema.type === 'integer') return Math.floor(random() * (random() < 0.5 ? 10 : 300))
    return pick(atoms)
  }
  /** Mostly of the kind that the path asks for. */
  const idIn = (path: string, name: string): string => {
    if (random() < 0.15) return encodeURIComponent(pick(someIds))
    if (name === ':member_id') return ids.member
    if (name === ':rule_id') return ids.rule
    const kinds = {
      loadbalancers: ids.lb,
      listeners: ids.listener,
      pools: ids.pool,
      l7policies: ids.policy,
    }
    return Object.entries(kinds).find(([kind]) => path.includes(kind))?.[1] ?? ids.monitor
  }
  const bodyOf = (route: Route): unknown => {
    if (route.request === undefined || random() < 0.05) return value(3)
    const { wrapper, fields } = route.request
    const names = Object.keys(fields).filter(
      (name) => (fields as Fields)[name]?.options.writable !== 'never',
    )
    const inner: Record<string, unknown> = {}
    for (const name of names)
      if (
        fields[name]?.options.required === true ||
        random() < (name === 'vip_subnet_id' ? 0.9 : 0.06)
      )
        inner[name] = sensible(name, fields[name]?.type.schema as object)
    if (random() < 0.1)
      inner[pick(['listeners', 'pools', 'members', 'zzz', 'healthmonitor'])] = value(3)
    return { [wrapper]: inner }
  }
  const queryOf = (): string => {
    if (random() < 0.8) return ''
    const text = String(pick([...someIds, ...atoms, 'name:desc', 'created_at,id', 'true']))
    return `?${pick(PARAMETERS)}=${encodeURIComponent(text)}`
  }
  const routes = Object.values(ROUTES).flat() as Route[]
  const counts = new Map<number, number>()
  for (let at = 0; at < REQUESTS; at++) {
    const route = pick(routes)
    const path = pick(pathsOf(route)).replace(/:\w+/g, (name, _at, all) => idIn(all, name))
    const body = route.method === 'GET' ? undefined : bodyOf(route)
    const answer = await harness.send(route.method, path + queryOf(), body)
    counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1)
    if (answer.status >= 500)
      expect([answer.body.faultstring, route.method, path, JSON.stringify(body)]).toEqual([
        expect.stringMatching(/^Provider 'amphora' does not support a requested (action|option): /),
        route.method,
        path,
        JSON.stringify(body),
      ])
    expect(answer.headers.get('x-openstack-request-id')).toMatch(/^req-/)
    if (at % 10 === 0) await settle(harness)
    // Much of it is deleted meanwhile.
    if (at % 50 === 0) {
      await settle(harness)
      ids = await makeTree(harness)
      someIds = [...Object.values(ids), ...strangers]
    }
  }
  // The fuzz reaches what it should: successes of every kind, refusals, conflicts.
  for (const status of [200, 201, 204, 400, 404, 409])
    expect(counts.get(status) ?? 0).toBeGreaterThan(10)
})
