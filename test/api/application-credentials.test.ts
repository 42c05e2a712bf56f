/** Application credentials, and logins that are slowed down, over HTTP. */
import { expect, test } from 'vitest'
import { grantRole, revokeRole, setPassword } from '../../src/identity/accounts.ts'
import {
  ADMIN,
  createIdentityHarness,
  type IdentityHarness,
  JOE,
  passwordLogin,
  TOKENS,
} from './identity-harness.ts'

const V3 = '/identity/v3'

async function withCredential(harness: IdentityHarness, over: object = {}) {
  const token = await harness.token(JOE)
  const path = `${V3}/users/${harness.ids.joe}/application_credentials`
  const headers = { 'x-auth-token': token }
  const body = { application_credential: { name: 'ci', ...over } }
  const created = await harness.send('POST', path, body, headers)
  return { path, headers, created, credential: created.body?.application_credential }
}

function credentialLogin(given: object, scope?: unknown) {
  const identity = { methods: ['application_credential'], application_credential: given }
  return { auth: { identity, ...(scope === undefined ? {} : { scope }) } }
}

test('made, shown without its secret, used by id and by name, deleted', async () => {
  const harness = await createIdentityHarness()
  const { send, ids } = harness
  const { path, headers, created, credential } = await withCredential(harness)
  expect(created.status).toBe(201)
  expect(credential).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{32}$/),
    name: 'ci',
    description: null,
    project_id: ids.demo,
    user_id: ids.joe,
    expires_at: null,
    roles: [
      expect.objectContaining({ name: 'member', domain_id: null }),
      expect.objectContaining({ name: 'reader', domain_id: null }),
    ],
    secret: expect.stringMatching(/^\w{48}$/),
    unrestricted: false,
    system: null,
    links: { self: `http://lb.example:9876${path}/${credential.id}` },
  })
  const { id, secret } = credential
  const shown = await send('GET', `${path}/${id}`, undefined, headers)
  expect(shown.body.application_credential).toEqual({ ...credential, secret: undefined })
  const listed = await send('GET', `${path}?name=ci`, undefined, headers)
  expect(listed.body.application_credentials).toHaveLength(1)
  expect(JSON.stringify([shown.body, listed.body])).not.toContain(secret)

  const user = { name: 'joe', domain: { id: 'default' } }
  for (const given of [
    { id, secret },
    { name: 'ci', user, secret },
  ]) {
    const { status, body } = await send('POST', TOKENS, credentialLogin(given))
    expect(status).toBe(201)
    expect(body.token).toMatchObject({
      methods: ['application_credential'],
      project: { id: ids.demo },
      application_credential: { id, name: 'ci', restricted: true },
    })
  }
  const token = await login(harness, { id, secret })
  expect((await send('DELETE', `${path}/${id}`, undefined, headers)).status).toBe(204)
  expect((await send('GET', `${path}/${id}`, undefined, headers)).status).toBe(404)
  expect(await harness.identity.access(token)).toBeUndefined()
  expect((await send('POST', TOKENS, credentialLogin({ id, secret }))).status).toBe(401)
})

async function login({ send }: IdentityHarness, given: object): Promise<string> {
  const { headers } = await send('POST', TOKENS, credentialLogin(given))
  return headers.get('x-subject-token') ?? ''
}

test('it gives no more than its user has and no more than it was given', async () => {
  const harness = await createIdentityHarness()
  const { credential } = await withCredential(harness, { roles: [{ name: 'reader' }] })
  const token = await login(harness, credential)
  const roles = async () => (await harness.identity.access(token))?.roles
  expect(await roles()).toEqual(['reader'])
  const role = { user: 'joe', project: 'demo', role: 'load-balancer_admin' }
  await grantRole(harness.deps, role)
  expect(await roles()).toEqual(['reader'])
  await revokeRole(harness.deps, { ...role, role: 'member' })
  expect(await roles()).toBeUndefined()
})

test('it goes with its time, and stays when the password changes', async () => {
  const harness = await createIdentityHarness()
  const { credential } = await withCredential(harness, { expires_at: '2026-01-02T03:30:00' })
  await setPassword(harness.deps, 'joe', 'another password')
  const { body } = await harness.send('POST', TOKENS, credentialLogin(credential))
  expect(body.token.expires_at).toBe('2026-01-02T03:30:00.000000Z')
  harness.advance(30 * 60_000)
  expect((await harness.send('POST', TOKENS, credentialLogin(credential))).status).toBe(401)
})

test('a restricted one makes and deletes none, an unrestricted one does', async () => {
  const harness = await createIdentityHarness()
  const { path, credential } = await withCredential(harness)
  const token = await login(harness, credential)
  const make = (as: string, name: string) =>
    harness.send('POST', path, { application_credential: { name } }, { 'x-auth-token': as })
  expect((await make(token, 'more')).status).toBe(403)
  const own = `${path}/${credential.id}`
  const headers = { 'x-auth-token': token }
  expect((await harness.send('DELETE', own, undefined, headers)).status).toBe(403)
  const { credential: free } = await withCredential(harness, { name: 'free', unrestricted: true })
  expect((await make(await login(harness, free), 'more')).status).toBe(201)
  // Its token leads to no other one, and to no other project.
  const identity = { methods: ['token'], token: { id: token } }
  expect((await harness.send('POST', TOKENS, { auth: { identity } })).status).toBe(401)
  const scope = { project: { id: harness.ids.adminProject } }
  expect((await harness.send('POST', TOKENS, credentialLogin(credential, scope))).status).toBe(401)
})

const INVALID: readonly [string, object, number][] = [
  ['a name taken', { name: 'taken' }, 409],
  ['no name', { name: '' }, 400],
  ['a role of others', { roles: [{ name: 'admin' }] }, 400],
  ['roles that are a text', { roles: 'admin' }, 400],
  ['a role that is a text', { roles: ['member'] }, 400],
  ['access rules', { access_rules: [{ path: '/', method: 'GET', service: 'x' }] }, 400],
  ['a short secret', { secret: 'short' }, 400],
  ['an end in the past', { expires_at: '2020-01-01T00:00:00' }, 400],
  ['an end that is no time', { expires_at: 'tomorrow' }, 400],
]

test.each(INVALID)('not made: %s', async (_name, over, status) => {
  const harness = await createIdentityHarness()
  await withCredential(harness, { name: 'taken' })
  const rows = () => harness.store.read.selectFrom('application_credential').selectAll().execute()
  const before = await rows()
  expect((await withCredential(harness, over)).created.status).toBe(status)
  expect(await rows()).toEqual(before)
})

test('nobody makes them for others; administrators may look', async () => {
  const harness = await createIdentityHarness()
  const { path } = await withCredential(harness)
  const headers = { 'x-auth-token': await harness.token(ADMIN) }
  const body = { application_credential: { name: 'x' } }
  expect((await harness.send('POST', path, body, headers)).status).toBe(403)
  expect((await harness.send('GET', path, undefined, headers)).status).toBe(200)
  const theirs = path.replace(harness.ids.joe, harness.ids.admin)
  const asJoe = { 'x-auth-token': await harness.token(JOE) }
  expect((await harness.send('GET', theirs, undefined, asJoe)).status).toBe(403)
})

test('who guesses has to wait, and then the right password too', async () => {
  const { send, advance } = await createIdentityHarness()
  const attempt = (password: string) => send('POST', TOKENS, passwordLogin({ ...JOE, password }))
  const statuses: number[] = []
  for (let i = 0; i < 7; i++) statuses.push((await attempt(`guess ${i}`)).status)
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
  const { status, headers, body } = await attempt(JOE.password)
  expect([status, headers.get('retry-after'), body.error.title]).toEqual([
    429,
    '1',
    'Too Many Requests',
  ])
  // Others go on, and a wrong name is told apart by nothing.
  expect((await send('POST', TOKENS, passwordLogin(ADMIN))).status).toBe(201)
  advance(1_000)
  expect((await attempt(JOE.password)).status).toBe(201)
  for (let i = 0; i < 5; i++)
    await send('POST', TOKENS, passwordLogin({ name: 'nobody', password: 'x' }))
  const unknown = await send('POST', TOKENS, passwordLogin({ name: 'nobody', password: 'x' }))
  expect(unknown.status).toBe(429)
})
