/** The flows of Keystone's API v3, as clients use them. */
import { expect, test } from 'vitest'
import {
  ADMIN,
  createIdentityHarness,
  type IdentityHarness,
  JOE,
  passwordLogin,
  TOKENS,
} from './identity-harness.ts'

const V3 = '/identity/v3'
const DOMAIN = { id: 'default', name: 'Default' }
const UNAUTHORIZED = {
  error: {
    code: 401,
    message: 'The request you have made requires authentication.',
    title: 'Unauthorized',
  },
}

test('version discovery', async () => {
  const { send } = await createIdentityHarness()
  const version = {
    id: 'v3.14',
    status: 'stable',
    links: [{ rel: 'self', href: 'http://lb.example:9876/identity/v3/' }],
  }
  for (const path of ['/identity', '/identity/']) {
    const { status, headers, body } = await send('GET', path)
    expect(status).toBe(300)
    expect(headers.get('location')).toBe('http://lb.example:9876/identity/v3/')
    expect(body).toMatchObject({ versions: { values: [version] } })
  }
  for (const path of [V3, `${V3}/`])
    expect(await send('GET', path)).toMatchObject({ status: 200, body: { version } })
})

test('a token by password says who, where and what, and where the services are', async () => {
  const { send, ids } = await createIdentityHarness()
  const scope = { project: { name: 'demo', domain: { id: 'default' } } }
  const { status, headers, body } = await send('POST', TOKENS, passwordLogin(JOE, scope))
  expect(status).toBe(201)
  expect(headers.get('x-subject-token')).toMatch(/^ol1\./)
  expect(headers.get('vary')).toBe('X-Auth-Token')
  const { catalog, ...token } = body.token
  expect(token).toEqual({
    methods: ['password'],
    user: { domain: DOMAIN, id: ids.joe, name: 'joe', password_expires_at: null },
    audit_ids: [expect.stringMatching(/^[\w-]{22}$/)],
    expires_at: '2026-01-02T04:04:05.678000Z',
    issued_at: '2026-01-02T03:04:05.678000Z',
    project: { domain: DOMAIN, id: ids.demo, name: 'demo' },
    is_domain: false,
    roles: [
      { id: expect.stringMatching(/^[0-9a-f]{32}$/), name: 'member' },
      { id: expect.stringMatching(/^[0-9a-f]{32}$/), name: 'reader' },
    ],
  })
  const url = (type: string) =>
    catalog
      .find((service: { type: string }) => service.type === type)
      ?.endpoints.map((each: { interface: string; url: string }) => [each.interface, each.url])
  const everywhere = (to: string) => ['public', 'internal', 'admin'].map((each) => [each, to])
  expect(url('identity')).toEqual(everywhere('http://lb.example:9876/identity'))
  expect(url('load-balancer')).toEqual(everywhere('http://lb.example:9876'))
  expect(url('network')).toEqual(everywhere('http://lb.example:9876/network'))
  expect(url('key-manager')).toEqual(everywhere('http://lb.example:9876/key-manager'))
})

test('links begin with api_base_uri where it is set', async () => {
  const { send } = await createIdentityHarness({ api_base_uri: 'https://lb.example.org/' })
  const challenge = 'Keystone uri="https://lb.example.org/identity"'
  for (const path of ['/v2.0/lbaas/pools', `${V3}/auth/catalog`])
    expect((await send('GET', path)).headers.get('www-authenticate')).toBe(challenge)
  const { body } = await send('POST', TOKENS, passwordLogin(JOE))
  const urls = JSON.stringify(body.token.catalog).match(/"url":"[^"]*"/g)
  expect(new Set(urls)).toEqual(
    new Set(
      ['', '/identity', '/network', '/key-manager'].map(
        (path) => `"url":"https://lb.example.org${path}"`,
      ),
    ),
  )
})

/** What is asked for, and `project` of the answer; a number is the status of a refusal. */
const SCOPES: readonly [
  string,
  (ids: IdentityHarness['ids']) => unknown,
  string | null | number,
][] = [
  ['none: the project of the user', () => undefined, 'demo'],
  ['unscoped', () => 'unscoped', null],
  ['unscoped as an object', () => ({ unscoped: {} }), null],
  ['project by id', ({ demo }) => ({ project: { id: demo } }), 'demo'],
  ['project by name', () => ({ project: { name: 'demo', domain: { name: 'default' } } }), 'demo'],
  ['project without a role', ({ adminProject }) => ({ project: { id: adminProject } }), 401],
  ['no such project', () => ({ project: { id: 'no' } }), 401],
  ['another domain', () => ({ project: { name: 'demo', domain: { id: 'other' } } }), 401],
  ['system', () => ({ system: { all: true } }), 401],
  ['domain', () => ({ domain: { id: 'default' } }), 401],
  ['name without domain', () => ({ project: { name: 'demo' } }), 400],
  ['project is a list', () => ({ project: [] }), 400],
  ['a number', () => 7, 400],
]

test.each(SCOPES)('scope: %s', async (_name, scope, expected) => {
  const { send, ids } = await createIdentityHarness()
  const { status, body } = await send('POST', TOKENS, passwordLogin(JOE, scope(ids)))
  if (typeof expected === 'number') expect([status, body.error.code]).toEqual([expected, expected])
  else {
    expect(status).toBe(201)
    expect(body.token.project?.name ?? null).toBe(expected)
    expect(body.token.catalog === undefined).toBe(expected === null)
  }
})

const user = (over: object) => ({
  auth: { identity: { methods: ['password'], password: { user: over } } },
})
const domain = { id: 'default' }
const { password } = JOE

const REFUSED: readonly [string, unknown, number][] = [
  ['no body', undefined, 400],
  ['no JSON', '{', 400],
  ['an array', [], 400],
  ['null', null, 400],
  ['auth is a text', { auth: 'x' }, 400],
  ['no identity', { auth: {} }, 400],
  ['no methods', { auth: { identity: { methods: [] } } }, 400],
  ['methods is a text', { auth: { identity: { methods: 'password' } } }, 400],
  ['unknown method', { auth: { identity: { methods: ['totp'], totp: {} } } }, 401],
  ['two methods', { auth: { identity: { methods: ['password', 'totp'] } } }, 401],
  ['no password', { auth: { identity: { methods: ['password'] } } }, 400],
  ['no user', user({ password }), 400],
  ['user without domain', user({ name: 'joe', password }), 400],
  ['a password that is a number', user({ name: 'joe', domain, password: 7 }), 400],
  ['a name with half a surrogate', user({ name: '\ud800', domain, password }), 400],
  ['wrong password', user({ name: 'joe', domain, password: 'x' }), 401],
  ['empty password', user({ name: 'joe', domain, password: '' }), 401],
  ['unknown user', user({ name: 'nobody', domain, password }), 401],
  ['unknown id', user({ id: 'nobody', password }), 401],
  ['SQL for a name', user({ name: "joe' --", domain, password }), 401],
  ['another domain', user({ name: 'joe', domain: { id: 'x' }, password }), 401],
  ['deep nesting', `{"auth":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 400],
  ['too long', JSON.stringify({ auth: 'x'.repeat(120_000) }), 413],
]

test.each(REFUSED)('a login is refused: %s', async (_name, body, status) => {
  const { send } = await createIdentityHarness()
  const answer = await send('POST', TOKENS, body)
  expect([answer.status, answer.body.error.code]).toEqual([status, status])
  expect(answer.headers.get('x-subject-token')).toBeNull()
  if (status !== 401) return
  expect(answer.body).toEqual(UNAUTHORIZED)
  expect(answer.headers.get('www-authenticate')).toBe(
    'Keystone uri="http://lb.example:9876/identity"',
  )
})

test('unknown attributes and other types of body are passed over', async () => {
  const { send } = await createIdentityHarness()
  const login = { ...passwordLogin(JOE), surplus: 1 }
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  expect(await send('POST', TOKENS, login, form)).toMatchObject({ status: 201 })
})

test('a token is shown, checked and revoked', async () => {
  const { send, token } = await createIdentityHarness()
  const [mine, other] = [await token(JOE), await token(JOE)]
  const headers = { 'x-auth-token': mine, 'x-subject-token': other }
  const shown = await send('GET', TOKENS, undefined, headers)
  expect(shown).toMatchObject({ status: 200, body: { token: { user: { name: 'joe' } } } })
  expect(shown.headers.get('x-subject-token')).toBe(other)
  expect(shown.body.token.catalog).toHaveLength(4)
  const short = await send('GET', `${TOKENS}?nocatalog`, undefined, headers)
  expect(short.body.token.catalog).toBeUndefined()
  expect(await send('HEAD', TOKENS, undefined, headers)).toMatchObject({
    status: 200,
    body: undefined,
  })
  expect(await send('DELETE', TOKENS, undefined, headers)).toMatchObject({ status: 204 })
  for (const method of ['GET', 'HEAD', 'DELETE'])
    expect((await send(method, TOKENS, undefined, headers)).status, method).toBe(404)
  const asOther = { 'x-auth-token': other, 'x-subject-token': mine }
  expect(await send('GET', TOKENS, undefined, asOther)).toMatchObject({
    status: 401,
    body: UNAUTHORIZED,
  })
  expect(
    (await send('GET', '/v2.0/lbaas/pools', undefined, { 'x-auth-token': other })).status,
  ).toBe(401)
  expect((await send('GET', '/v2.0/lbaas/pools', undefined, { 'x-auth-token': mine })).status).toBe(
    200,
  )
})

test('only administrators look at the tokens of others', async () => {
  const { send, token } = await createIdentityHarness()
  const [admin, joe] = [await token(ADMIN), await token(JOE)]
  const as = (caller: string, subject: string) =>
    send('GET', TOKENS, undefined, { 'x-auth-token': caller, 'x-subject-token': subject })
  expect((await as(admin, joe)).status).toBe(200)
  expect((await as(joe, admin)).status).toBe(403)
  expect((await as(joe, 'gAAAAAB')).status).toBe(404)
  expect((await send('GET', TOKENS, undefined, { 'x-auth-token': joe })).status).toBe(400)
})

test('a token leads to another scope, and no further in time', async () => {
  const { send, token, advance, ids } = await createIdentityHarness()
  const id = await token(JOE)
  advance(1_800_000)
  const identity = { methods: ['token'], token: { id } }
  const scope = { project: { id: ids.demo } }
  const { status, body } = await send('POST', TOKENS, { auth: { identity, scope } })
  expect(status).toBe(201)
  expect(body.token.methods).toEqual(['password', 'token'])
  expect(body.token.expires_at).toBe('2026-01-02T04:04:05.678000Z')
  advance(1_800_000)
  expect((await send('POST', TOKENS, { auth: { identity, scope } })).status).toBe(401)
})

test('what a caller may look up', async () => {
  const { send, token, ids } = await createIdentityHarness()
  const tokens = { admin: await token(ADMIN), joe: await token(JOE) }
  const get = async (who: keyof typeof tokens, path: string) => {
    const answer = await send('GET', `${V3}${path}`, undefined, { 'x-auth-token': tokens[who] })
    return answer.status === 200 ? answer.body : answer.status
  }
  const names = async (who: keyof typeof tokens, path: string) => {
    const body = await get(who, path)
    const [list] = Object.values(body).filter(Array.isArray)
    return list?.map((each: { name: string }) => each.name)
  }
  expect(await names('joe', '/auth/projects')).toEqual(['demo'])
  expect(await names('admin', '/projects')).toEqual(['admin', 'demo'])
  expect(await names('admin', '/projects?name=demo')).toEqual(['demo'])
  expect(await names('joe', '/projects?name=admin')).toEqual([])
  expect(await names('joe', '/projects?enabled=True')).toEqual(['demo'])
  expect(await names('admin', '/users?name=joe')).toEqual(['joe'])
  expect(await names('joe', '/users')).toEqual(['joe'])
  expect(await names('joe', '/domains')).toEqual(['Default'])
  expect(await names('admin', `/users/${ids.joe}/projects`)).toEqual(['demo'])
  expect(await get('joe', `/users/${ids.admin}/projects`)).toBe(403)
  expect(await get('joe', `/projects/${ids.adminProject}`)).toBe(404)
  expect((await get('joe', `/projects/${ids.demo}`)).project).toMatchObject({
    id: ids.demo,
    domain_id: 'default',
    enabled: true,
    links: { self: `http://lb.example:9876/identity/v3/projects/${ids.demo}` },
  })
  expect((await get('joe', `/users/${ids.joe}`)).user).toMatchObject({ name: 'joe' })
  expect((await get('joe', '/auth/catalog')).catalog).toHaveLength(4)
  expect(await get('joe', `/role_assignments?user.id=${ids.admin}`)).toBe(403)
  expect((await get('joe', '/role_assignments?include_names=true')).role_assignments).toEqual([
    expect.objectContaining({
      role: expect.objectContaining({ name: 'member' }),
      user: { id: ids.joe, name: 'joe', domain: DOMAIN },
      scope: { project: { id: ids.demo, name: 'demo', domain: DOMAIN } },
    }),
  ])
  expect(JSON.stringify(await get('admin', '/users'))).not.toMatch(/hash|password of/)
  for (const path of [
    '/projects',
    '/users',
    '/auth/projects',
    '/auth/catalog',
    '/role_assignments',
  ])
    expect((await send('GET', `${V3}${path}`)).status, path).toBe(401)
})

test('other paths and methods', async () => {
  const { send } = await createIdentityHarness()
  expect(await send('GET', `${V3}/nothing`)).toMatchObject({
    status: 404,
    body: { error: { code: 404, title: 'Not Found' } },
  })
  expect(await send('PATCH', TOKENS, {})).toMatchObject({
    status: 405,
    body: { error: { code: 405 } },
  })
  expect((await send('GET', '/identityx')).body).not.toHaveProperty('error.title', 'Bad Request')
  const { headers } = await send('GET', V3)
  expect(headers.get('x-openstack-request-id')).toMatch(/^req-/)
})
