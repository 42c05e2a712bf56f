/** Around every route: who is asked for a token, pages of other origins, proxies, health. */
import { expect, test } from 'vitest'
import { createApi } from '../../src/api/app.ts'
import { createHealthcheck } from '../../src/api/healthcheck.ts'
import { DEFAULT_API_OPTIONS } from '../../src/api/route.ts'
import {
  type IdentityDriver,
  IdentityUnavailable,
  Unauthenticated,
} from '../../src/driver/identity.ts'
import { silentLog } from '../../src/system/log.ts'
import { createFakeClock } from '../fake/clock.ts'
import { createHarness, PROJECT, SUBNET } from './harness.ts'

const CALLER = { user_id: 'u', project_id: PROJECT, roles: ['member', 'reader'], is_admin: false }
/** Knows one token. */
const identity: IdentityDriver = {
  identify: async (headers) => {
    const token = headers.get('x-auth-token')
    if (token === 'outage') throw new IdentityUnavailable(new Error('no connection'))
    if (token !== 'good') throw new Unauthenticated('Keystone uri="https://keystone.example"')
    return CALLER
  },
}

test.each([
  ['GET', '/v2.0/lbaas/loadbalancers'],
  ['POST', '/v2.0/lbaas/loadbalancers'],
  ['GET', '/v2'],
  ['GET', '/v2.0/lbaas'],
  ['GET', '/no/such/path'],
  ['PATCH', '/v2.0/lbaas/loadbalancers'],
  ['GET', '/load-balancer/v2.0/lbaas/pools'],
])('%s %s needs a token', async (method, path) => {
  const harness = createHarness({ api: { identity } })
  const rows = await harness.dump()
  const { status, headers, body } = await harness.send(method, path)
  expect([status, headers.get('www-authenticate')]).toEqual([
    401,
    'Keystone uri="https://keystone.example"',
  ])
  expect(body).toEqual({
    error: {
      code: 401,
      title: 'Unauthorized',
      message: 'The request you have made requires authentication.',
    },
  })
  expect(headers.get('x-openstack-request-id')).toMatch(/^req-/)
  expect(await harness.dump()).toEqual(rows)
})

test.each([
  ['/', 200],
  ['/load-balancer/', 200],
  ['/healthcheck', 404],
  ['/load-balancer/healthcheck', 404],
  ['/openapi.json', 200],
] as const)('%s needs none and is %d', async (path, expected) => {
  const { send } = createHarness({ api: { identity } })
  expect((await send('GET', path)).status).toBe(expected)
})

test('a good token is enough, and without Keystone nobody gets in', async () => {
  const { send } = createHarness({ api: { identity } })
  const get = (token: string) =>
    send('GET', '/v2.0/lbaas/loadbalancers', undefined, { 'x-auth-token': token })
  expect((await get('good')).status).toBe(200)
  const { status, body } = await get('outage')
  expect(status).toBe(503)
  expect(body).toEqual({
    code: 503,
    title: 'Service Unavailable',
    message: 'The Keystone service is temporarily unavailable.',
  })
})

const ORIGIN = 'https://horizon.example'
const CORS = { ...DEFAULT_API_OPTIONS.cors, allowed_origin: [ORIGIN] }
const allowHeaders = (headers: Headers) =>
  Object.fromEntries([...headers].filter(([name]) => /^access-control|^vary/.test(name)))

const PREFLIGHT = { origin: ORIGIN, 'access-control-request-method': 'POST' }
const GRANTED = {
  vary: 'Origin',
  'access-control-allow-origin': ORIGIN,
  'access-control-allow-credentials': 'true',
  'access-control-max-age': '3600',
  'access-control-allow-methods': 'POST',
}
test.each([
  ['is granted', PREFLIGHT, GRANTED],
  [
    'names the headers that are granted',
    { ...PREFLIGHT, 'access-control-request-headers': 'x-auth-token, Content-Type' },
    { ...GRANTED, 'access-control-allow-headers': 'x-auth-token,Content-Type' },
  ],
  ['of another origin is not', { ...PREFLIGHT, origin: 'https://evil.example' }, {}],
  ['for another method is not', { ...PREFLIGHT, 'access-control-request-method': 'PATCH' }, {}],
  ['for another header is not', { ...PREFLIGHT, 'access-control-request-headers': 'x-y' }, {}],
  ['without an origin is not', { 'access-control-request-method': 'POST' }, {}],
  ['without a method is not', { origin: ORIGIN }, {}],
])('a preflight %s', async (_name, headers, expected) => {
  const { send } = createHarness({ api: { identity }, options: { cors: CORS } })
  const answer = await send('OPTIONS', '/v2.0/lbaas/loadbalancers', undefined, headers)
  expect([answer.status, answer.body, allowHeaders(answer.headers)]).toEqual([
    200,
    undefined,
    expected,
  ])
})

test('answers and faults may be read by pages of an allowed origin only', async () => {
  const readable = {
    vary: 'Origin',
    'access-control-allow-origin': ORIGIN,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'X-Auth-Token,X-Openstack-Request-Id',
  }
  const { send } = createHarness({ api: { identity }, options: { cors: CORS } })
  for (const [token, origin, status, expected] of [
    ['good', ORIGIN, 200, readable],
    ['bad', ORIGIN, 401, readable],
    ['good', 'https://evil.example', 200, {}],
  ] as const) {
    const answer = await send('GET', '/v2.0/lbaas/pools', undefined, {
      'x-auth-token': token,
      origin,
    })
    expect([answer.status, allowHeaders(answer.headers)]).toEqual([status, expected])
  }
  const any = { ...CORS, allowed_origin: ['*'], allow_credentials: false, expose_headers: [] }
  const open = createHarness({ options: { cors: any } })
  const answer = await open.send('GET', '/v2.0/lbaas/pools', undefined, { origin: ORIGIN })
  expect(allowHeaders(answer.headers)).toEqual({
    vary: 'Origin',
    'access-control-allow-origin': '*',
  })
})

const versionLink = async (
  path: string,
  headers: Record<string, string>,
  enable_proxy_headers_parsing = true,
) => {
  const { send } = createHarness({ options: { enable_proxy_headers_parsing } })
  return (await send('GET', path, undefined, headers)).body.versions[0].links[0].href
}
test.each([
  ['/', {}, 'http://lb.example/v2'],
  ['/load-balancer/', {}, 'http://lb.example/load-balancer/v2'],
  ['/', { 'x-forwarded-proto': 'https' }, 'https://lb.example/v2'],
  [
    '/',
    { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'cloud.example:13876' },
    'https://cloud.example:13876/v2',
  ],
  ['/', { 'x-forwarded-host': 'a.example, b.example' }, 'http://a.example/v2'],
  [
    '/',
    { 'x-forwarded-host': 'a.example', 'x-forwarded-port': '8443' },
    'http://a.example:8443/v2',
  ],
  ['/', { 'x-forwarded-prefix': '/lb/' }, 'http://lb.example/lb/v2'],
  [
    '/load-balancer/',
    { 'x-forwarded-prefix': '/cloud' },
    'http://lb.example/cloud/load-balancer/v2',
  ],
  [
    '/',
    { forwarded: 'for=192.0.2.1;proto=https;host="c.example"', 'x-forwarded-host': 'd.example' },
    'https://c.example/v2',
  ],
  ['/', { 'x-forwarded-host': 'evil.example/"<x>' }, 'http://lb.example/v2'],
  ['/', { 'x-forwarded-proto': 'javascript' }, 'http://lb.example/v2'],
  ['/', { 'x-forwarded-prefix': '//evil.example' }, 'http://lb.example/v2'],
] as const)('%s with %j is at %s', async (path, headers, expected) => {
  expect(await versionLink(path, headers)).toBe(expected)
})

test('what a proxy says is believed only where one is configured', async () => {
  expect(await versionLink('/', { 'x-forwarded-host': 'evil.example' }, false)).toBe(
    'http://lb.example/v2',
  )
})

test('below the mount everything is there, and links lead back to it', async () => {
  const { send } = createHarness()
  const base = '/load-balancer/v2.0/lbaas/loadbalancers'
  for (const name of ['a', 'b'])
    await send('POST', base, { loadbalancer: { name, vip_subnet_id: SUBNET } })
  const { body } = await send('GET', `${base}?limit=1`)
  expect(body.loadbalancers_links[0].href).toMatch(
    /^http:\/\/lb\.example\/load-balancer\/v2\.0\/lbaas\/loadbalancers\?limit=1&marker=/,
  )
  expect((await send('GET', '/load-balancer')).body.versions[0].links[0].href).toBe(
    'http://lb.example/load-balancer/v2',
  )
  expect((await send('GET', '/load-balancers')).status).toBe(404)
})

/** /healthcheck as text, since not every form is JSON. */
async function health(
  over: object = {},
  init: RequestInit = {},
  before: (harness: ReturnType<typeof createHarness>) => void = () => {},
) {
  const harness = createHarness()
  before(harness)
  const app = createApi({
    ...harness.api,
    identity,
    options: {
      ...DEFAULT_API_OPTIONS,
      healthcheck: { ...DEFAULT_API_OPTIONS.healthcheck, enabled: true, ...over },
    },
  })
  const ask = async () => {
    const response = await app.handle(new Request('http://lb.example/healthcheck', init))
    return [response.status, response.headers.get('content-type'), await response.text()] as const
  }
  return { first: await ask() }
}
const accept = (type: string): RequestInit => ({ headers: { accept: type } })
const text = 'text/plain; charset=UTF-8'
const down = 'The Octavia database is unavailable.'
const closed = (harness: ReturnType<typeof createHarness>) => harness.store.close()

test('health as text, JSON and HTML', async () => {
  expect((await health()).first).toEqual([200, text, 'OK'])
  expect((await health({}, accept('image/png'))).first).toEqual([200, text, 'OK'])
  const [status, type, json] = (await health({}, accept('application/json'))).first
  expect([status, type, JSON.parse(json)]).toEqual([
    200,
    'application/json; charset=UTF-8',
    { detailed: false, reasons: ['OK'] },
  ])
  const browser = 'application/json;q=0.5,text/html;q=0.9,*/*;q=0.1'
  const [, html, page] = (await health({}, accept(browser))).first
  expect([html, page.includes('<TD>OK</TD>')]).toEqual(['text/html; charset=UTF-8', true])
  expect((await health({}, { method: 'HEAD' })).first).toEqual([204, null, ''])
})

test('a database that does not answer is 503 in every form', async () => {
  expect((await health({}, {}, closed)).first).toEqual([503, text, down])
  const [status, , json] = (await health({ detailed: true }, accept('application/json'), closed))
    .first
  expect([status, JSON.parse(json).reasons[0]]).toMatchObject([
    503,
    { class: 'octavia_db_check', reason: down },
  ])
  expect((await health({}, { method: 'HEAD' }, closed)).first[0]).toBe(503)
})

test('a look at the database is kept for a while, and many ask for one', async () => {
  const clock = createFakeClock()
  let looks = 0
  const checkDatabase = async () => {
    looks++
    if (looks > 1) throw new Error('disk I/O error')
  }
  const options = { ...DEFAULT_API_OPTIONS.healthcheck, enabled: true }
  const check = createHealthcheck({ clock, log: silentLog, checkDatabase }, options)
  const status = async () => (await check(new Request('http://lb.example/healthcheck'))).status
  expect(await Promise.all([status(), status(), status()])).toEqual([200, 200, 200])
  await clock.advance(4_999)
  expect([await status(), looks]).toEqual([200, 1])
  await clock.advance(1)
  expect([await status(), looks]).toEqual([503, 2])
})

test('a file takes the server out, and other methods are refused', async () => {
  const file = new URL(import.meta.url).pathname
  const disabled = { backends: ['disable_by_file'], disable_by_file_path: file }
  expect((await health(disabled)).first).toEqual([503, text, 'DISABLED BY FILE'])
  expect((await health({ ...disabled, disable_by_file_path: '/no/such' })).first[0]).toBe(200)
  const enabled = { backends: ['enable_by_files'], enable_by_file_paths: [file, '/no/such'] }
  expect((await health(enabled)).first[0]).toBe(503)
  for (const method of ['POST', 'PUT', 'DELETE'])
    expect((await health({}, { method })).first[0]).toBe(405)
  expect((await health({ enabled: false })).first[0]).toBe(404)
})
