/** Tokens against a Keystone that behaves; what is asked of it is counted. */
import { afterEach, expect, test } from 'vitest'
import { IdentityUnavailable, Unauthenticated } from '../../../src/driver/identity.ts'
import type { Credentials } from '../../../src/driver/openstack/credentials.ts'
import {
  createKeystoneIdentity,
  type KeystoneOptions,
} from '../../../src/driver/openstack/identity.ts'
import { createSession, type SessionOptions } from '../../../src/driver/openstack/session.ts'
import { createLog } from '../../../src/system/log.ts'
import { createFakeClock, type FakeClock, settled } from '../../fake/clock.ts'
import { createFakeKeystone, type FakeKeystone, SERVICE_PASSWORD } from '../../fake/keystone.ts'
import { createTestCa } from '../../lab/certificates.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

const NAMED = { id: null, name: 'octavia', domain_id: 'default', domain_name: null }
const PASSWORD: Credentials = {
  kind: 'password',
  user: NAMED,
  password: SERVICE_PASSWORD,
  scope: { kind: 'project', project: { ...NAMED, name: 'service' } },
}
const SECRETS = [SERVICE_PASSWORD, 'gAAAA-']

interface Over {
  readonly options?: Partial<KeystoneOptions>
  readonly session?: Partial<SessionOptions>
  readonly keystone?: Partial<Parameters<typeof createFakeKeystone>[0]>
}

function setUp(over: Over = {}) {
  const clock: FakeClock = createFakeClock({ jump: true })
  const keystone: FakeKeystone = createFakeKeystone({ now: clock.now, ...over.keystone })
  stops.push(() => keystone.stop())
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const log = createLog({ format: 'json', level: () => 'debug', write, now: clock.now })
  const session = createSession(
    { clock },
    {
      auth_url: keystone.url,
      credentials: PASSWORD,
      tls: { ca: null, cert: null, key: null, insecure: false },
      timeout_ms: 5_000,
      connect_retries: 1,
      ...over.session,
    },
  )
  const identity = createKeystoneIdentity(
    { clock, session, log },
    {
      www_authenticate_uri: 'https://keystone.example',
      endpoint: {
        type: 'identity',
        interfaces: ['internalURL', 'public'],
        region: 'RegionOne',
        name: null,
        override: null,
      },
      token_cache_time: 300,
      service_token_roles: ['service'],
      service_token_roles_required: false,
      service_type: 'load-balancer',
      ...over.options,
    },
  )
  const as = (
    headers: Record<string, string>,
    asked = { method: 'GET', path: '/v2.0/lbaas/pools' },
  ) => identity.identify(new Headers(headers), asked)
  return {
    clock,
    keystone,
    as,
    user: (token: string) => as({ 'x-auth-token': token }),
    /** How often Keystone was asked about a token. */
    questions: () => keystone.requests.filter((line) => line.startsWith('GET')).length,
    expectNoSecret: () => {
      for (const secret of SECRETS) expect(lines.join('')).not.toContain(secret)
    },
  }
}

test('a token is its user, project and roles', async () => {
  const { keystone, user } = setUp()
  const token = keystone.issue({ user_id: 'u', project_id: 'p', roles: ['member', 'reader'] })
  expect(await user(token)).toEqual({
    user_id: 'u',
    project_id: 'p',
    roles: ['member', 'reader'],
    is_admin: false,
  })
  expect(keystone.requests).toEqual(['POST /v3/auth/tokens', 'GET /v3/auth/tokens?nocatalog'])
  expect(keystone.logins).toEqual([
    {
      auth: {
        identity: {
          methods: ['password'],
          password: {
            user: { name: 'octavia', domain: { id: 'default' }, password: SERVICE_PASSWORD },
          },
        },
        scope: { project: { name: 'service', domain: { id: 'default' } } },
      },
    },
  ])
})

test('tokens of a domain, of the system and without scope have no project', async () => {
  const { keystone, user } = setUp()
  expect(await user(keystone.issue({ domain_id: 'd', roles: ['admin'] }))).toMatchObject({
    project_id: null,
    domain_id: 'd',
  })
  expect(await user(keystone.issue({ system: true, roles: ['admin'] }))).toMatchObject({
    project_id: null,
    system_scope: 'all',
  })
  expect(await user(keystone.issue({}))).toEqual({
    user_id: 'user',
    project_id: null,
    roles: [],
    is_admin: false,
  })
})

test('our user can log in by an application credential', async () => {
  const { keystone, user } = setUp({
    session: {
      credentials: {
        kind: 'application_credential',
        id: 'cred',
        name: null,
        user: NAMED,
        secret: SERVICE_PASSWORD,
      },
    },
  })
  expect((await user(keystone.issue({ project_id: 'p' }))).project_id).toBe('p')
  expect(keystone.logins[0]).toMatchObject({
    auth: {
      identity: {
        methods: ['application_credential'],
        application_credential: { id: 'cred', secret: SERVICE_PASSWORD },
      },
    },
  })
})

test.each([
  ['no token', {}],
  ['an empty token', { 'x-auth-token': '' }],
  ['an unknown token', { 'x-auth-token': 'nonsense' }],
  ['a token of another alphabet', { 'x-auth-token': 'caf\u00e9' }],
  ['an endless token', { 'x-auth-token': 'x'.repeat(9_000) }],
  ['a token with a space', { 'x-auth-token': 'a b' }],
])('%s is refused and told where to get one', async (_name, headers) => {
  const { as, expectNoSecret } = setUp()
  const refusal = await as(headers).catch((error) => error)
  expect(refusal).toBeInstanceOf(Unauthenticated)
  expect(refusal.challenge).toBe('Keystone uri="https://keystone.example"')
  expectNoSecret()
})

test('what cannot be a token is not asked about', async () => {
  const { as, questions, keystone } = setUp()
  await expect(as({ 'x-auth-token': 'x'.repeat(9_000) })).rejects.toThrow(Unauthenticated)
  expect(questions()).toBe(0)
  expect(keystone.requests).toEqual([])
})

test('many requests with one token ask once', async () => {
  const { keystone, user, questions } = setUp()
  const token = keystone.issue({ project_id: 'p' })
  await Promise.all(Array.from({ length: 50 }, () => user(token)))
  await user(token)
  expect(questions()).toBe(1)
  expect(keystone.logins).toHaveLength(1)
})

test('a revoked token is refused when the cache has forgotten it, not later', async () => {
  const { keystone, user, clock } = setUp()
  const token = keystone.issue({ project_id: 'p' })
  await user(token)
  keystone.revoke(token)
  await clock.advance(299_000)
  await user(token)
  await clock.advance(1_000)
  await expect(user(token)).rejects.toThrow(Unauthenticated)
})

test('a token ends at its time, also in the cache', async () => {
  const { keystone, user, clock } = setUp()
  const token = keystone.issue({ project_id: 'p', expires_ms: clock.now() + 10_000 })
  await user(token)
  await clock.advance(10_000)
  await expect(user(token)).rejects.toThrow(Unauthenticated)
})

test('without a cache every request asks', async () => {
  const { keystone, user, questions } = setUp({ options: { token_cache_time: -1 } })
  const token = keystone.issue({ project_id: 'p' })
  await user(token)
  await user(token)
  expect(questions()).toBe(2)
})

test('a bad token is remembered for seconds only', async () => {
  const { user, questions, clock } = setUp()
  await expect(user('bad')).rejects.toThrow(Unauthenticated)
  await expect(user('bad')).rejects.toThrow(Unauthenticated)
  expect(questions()).toBe(1)
  await clock.advance(5_000)
  await expect(user('bad')).rejects.toThrow(Unauthenticated)
  expect(questions()).toBe(2)
})

test('while Keystone is down nobody can be checked, and afterwards everybody', async () => {
  const { keystone, user, clock, expectNoSecret } = setUp()
  const [known, other] = [keystone.issue({}), keystone.issue({})]
  await user(known)
  await keystone.goDown()
  await expect(user(other)).rejects.toThrow(IdentityUnavailable)
  // The one retry, and who is known is not asked about.
  expect(clock.slept).toEqual([500])
  await user(known)
  keystone.comeUp()
  await user(other)
  expectNoSecret()
})

test.each([500, 503, 403, 401])('an answer of %d from Keystone is no verdict', async (status) => {
  const { keystone, user } = setUp()
  const token = keystone.issue({})
  keystone.failWith(status)
  await expect(user(token)).rejects.toThrow(IdentityUnavailable)
  keystone.failWith(null)
  await user(token)
})

test('a wrong password of ours is our fault, not the caller\u2019s', async () => {
  const { keystone, user, expectNoSecret } = setUp({
    session: { credentials: { ...PASSWORD, password: 'wrong' } },
  })
  await expect(user(keystone.issue({}))).rejects.toThrow(IdentityUnavailable)
  expectNoSecret()
})

test('our own token is renewed before its end and after it was revoked', async () => {
  const { keystone, user, clock } = setUp({ options: { token_cache_time: 0 } })
  const token = keystone.issue({ expires_ms: clock.now() + 10 * 3_600_000 })
  await user(token)
  keystone.revokeServiceTokens()
  await user(token)
  expect(keystone.logins).toHaveLength(2)
  await clock.advance(3_541_000)
  await user(token)
  expect(keystone.logins).toHaveLength(3)
})

test('a service may speak for a user whose token has ended', async () => {
  const { keystone, as, clock } = setUp()
  const token = keystone.issue({ user_id: 'u', project_id: 'p', expires_ms: clock.now() - 1 })
  const service = keystone.issue({ roles: ['service'] })
  const other = keystone.issue({ roles: ['member'] })
  const both = { 'x-auth-token': token, 'x-service-token': service }
  expect((await as(both)).user_id).toBe('u')
  await expect(as({ 'x-auth-token': token })).rejects.toThrow(Unauthenticated)
  // A token without the role is no better than none.
  await expect(as({ ...both, 'x-service-token': other })).rejects.toThrow(Unauthenticated)
})

test('a bad service token refuses a good user, one without the role where it must have it', async () => {
  const lax = setUp()
  const strict = setUp({ options: { service_token_roles_required: true } })
  for (const [{ keystone, as }, expected] of [
    [lax, true],
    [strict, false],
  ] as const) {
    const token = keystone.issue({ user_id: 'u' })
    const member = keystone.issue({ roles: ['member'] })
    const result = as({ 'x-auth-token': token, 'x-service-token': member })
    if (expected) expect((await result).user_id).toBe('u')
    else await expect(result).rejects.toThrow(Unauthenticated)
    await expect(as({ 'x-auth-token': token, 'x-service-token': 'bad' })).rejects.toThrow(
      Unauthenticated,
    )
  }
})

test('an application credential does what its access rules name', async () => {
  const { keystone, as } = setUp()
  const rule = (method: string, path: string, service = 'load-balancer') => ({
    service,
    method,
    path,
  })
  const token = keystone.issue({
    access_rules: [
      rule('GET', '/v2.0/lbaas/pools/{pool_id}'),
      rule('GET', '/v2.0/lbaas/loadbalancers/**'),
      rule('PUT', '/v2.0/lbaas/pools/*/members'),
      rule('DELETE', '/v2.0/lbaas/pools/x', 'compute'),
    ],
  })
  const may = async (method: string, path: string) =>
    as({ 'x-auth-token': token }, { method, path }).then(
      () => true,
      () => false,
    )
  expect(await may('GET', '/v2.0/lbaas/pools/1')).toBe(true)
  expect(await may('GET', '/v2.0/lbaas/pools/1/members')).toBe(false)
  expect(await may('GET', '/v2.0/lbaas/loadbalancers/1/stats')).toBe(true)
  expect(await may('PUT', '/v2.0/lbaas/pools/1/members')).toBe(true)
  expect(await may('POST', '/v2.0/lbaas/pools/1/members')).toBe(false)
  expect(await may('DELETE', '/v2.0/lbaas/pools/x')).toBe(false)
  expect(await may('GET', '/v2x0/lbaas/pools/1')).toBe(false)
})

test('more questions than Keystone can take are refused at once', async () => {
  const { keystone, user } = setUp()
  await user(keystone.issue({}))
  const { promise, resolve } = Promise.withResolvers<void>()
  keystone.hold(promise)
  const waiting = Array.from({ length: 128 }, () => user(keystone.issue({})))
  await settled()
  await expect(user(keystone.issue({}))).rejects.toThrow(IdentityUnavailable)
  resolve()
  keystone.hold(null)
  expect(await Promise.all(waiting)).toHaveLength(128)
})

test('Keystone below a path, with a certificate of a private CA', async () => {
  const ca = createTestCa('private')
  stops.push(ca.remove)
  const tls = { cert: null, key: null }
  const keystone = { tls: ca.issue('localhost', 'serverAuth'), path: '/identity' }
  const trusted = setUp({ keystone, session: { tls: { ...tls, ca: ca.cert, insecure: false } } })
  const blind = setUp({ keystone, session: { tls: { ...tls, ca: null, insecure: true } } })
  const strange = setUp({ keystone, session: { tls: { ...tls, ca: null, insecure: false } } })
  const region = { project_id: 'p' }
  for (const { keystone: each } of [trusted, blind, strange]) expect(each.url).toMatch(/^https:/)
  expect((await blind.user(blind.keystone.issue(region))).project_id).toBe('p')
  expect((await trusted.user(trusted.keystone.issue(region))).project_id).toBe('p')
  await expect(strange.user(strange.keystone.issue(region))).rejects.toThrow(IdentityUnavailable)
  // A certificate that is wrong now is not tried again.
  expect(strange.clock.slept).toEqual([])
})
