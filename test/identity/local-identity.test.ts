/** What ends a token, at once and also when another process does it. */
import { expect, test } from 'vitest'
import {
  createProject,
  grantRole,
  removeProject,
  removeUser,
  revokeRole,
  setEnabled,
  setPassword,
} from '../../src/identity/accounts.ts'
import { LocalIdentity } from '../../src/identity/local-identity.ts'
import { changeIdentity } from '../../src/store/identity.ts'
import {
  ADMIN,
  createIdentityHarness,
  type IdentityHarness,
  JOE,
  KEY,
} from '../api/identity-harness.ts'

const asCaller = ({ identity }: IdentityHarness, token: string) =>
  identity.identify(new Headers({ 'x-auth-token': token }))

async function isValid(harness: IdentityHarness, token: string): Promise<boolean> {
  return asCaller(harness, token).then(
    () => true,
    (error: { challenge?: string }) => {
      expect(error.challenge).toBe('Keystone uri="http://localhost/identity"')
      return false
    },
  )
}

test('the caller of a token', async () => {
  const harness = await createIdentityHarness()
  expect(await asCaller(harness, await harness.token(JOE))).toEqual({
    user_id: harness.ids.joe,
    project_id: harness.ids.demo,
    roles: ['member', 'reader'],
    is_admin: false,
  })
  expect(await asCaller(harness, await harness.token(ADMIN))).toMatchObject({
    roles: ['admin', 'member', 'reader'],
    is_admin: true,
  })
  await expect(harness.identity.identify(new Headers())).rejects.toThrow('requires authentication')
})

const role = { user: 'joe', project: 'demo', role: 'member' }
const ENDS: readonly [string, (harness: IdentityHarness) => unknown][] = [
  ['its time', ({ advance }) => advance(3_600_000)],
  ['a new password', ({ deps }) => setPassword(deps, 'joe', 'another password')],
  ['the same password again', ({ deps }) => setPassword(deps, 'joe', JOE.password)],
  ['disabling the user', ({ deps }) => setEnabled(deps, 'joe', false)],
  ['deleting the user', ({ deps }) => removeUser(deps, 'joe')],
  ['deleting the project', ({ deps }) => removeProject(deps, 'demo')],
  ['taking its last role', ({ deps }) => revokeRole(deps, role)],
]

test.each(ENDS)('a token ends with %s', async (_name, end) => {
  const harness = await createIdentityHarness()
  const token = await harness.token(JOE)
  const other = await harness.token(ADMIN)
  expect(await isValid(harness, token)).toBe(true)
  await end(harness)
  expect(await isValid(harness, token)).toBe(false)
  expect(await isValid(harness, token)).toBe(false)
  expect(await isValid(harness, other)).toBe(_name !== 'its time')
})

test('a user who is enabled again does not get back the tokens of before', async () => {
  const harness = await createIdentityHarness()
  const token = await harness.token(JOE)
  await setEnabled(harness.deps, 'joe', false)
  await setEnabled(harness.deps, 'joe', true)
  expect(await isValid(harness, token)).toBe(false)
  expect(await isValid(harness, await harness.token(JOE))).toBe(true)
})

test('roles are those of now', async () => {
  const harness = await createIdentityHarness()
  const token = await harness.token(JOE)
  await grantRole(harness.deps, { ...role, role: 'load-balancer_admin' })
  expect((await asCaller(harness, token)).roles).toEqual([
    'load-balancer_admin',
    'member',
    'reader',
  ])
  await revokeRole(harness.deps, role)
  expect((await asCaller(harness, token)).roles).toEqual(['load-balancer_admin'])
})

test('a restart keeps tokens and revocations', async () => {
  const before = await createIdentityHarness()
  const [kept, revoked] = [await before.token(JOE), await before.token(JOE)]
  const access = await before.identity.access(revoked)
  if (access === undefined) throw new Error('no access')
  await before.identity.revoke(access)
  const after = await createIdentityHarness({ store: before.store })
  expect(await isValid(after, kept)).toBe(true)
  expect(await isValid(after, revoked)).toBe(false)
})

test('another key makes all tokens worthless', async () => {
  const { store, token } = await createIdentityHarness()
  const clock = { now: () => 0 }
  const other = new LocalIdentity(
    { store, clock, key: `${KEY}!` },
    { token_expiration: 3600, api_base_uri: null },
  )
  expect(await other.access(await token(JOE))).toBeUndefined()
})

test('who revokes more tokens than are remembered loses all', async () => {
  const harness = await createIdentityHarness()
  const [kept, given] = [await harness.token(JOE), await harness.token(JOE)]
  await changeIdentity(harness.store, async (tx) => {
    const rows = Array.from({ length: 1_000 }, (_, at) => ({
      audit_id: `a${at}`,
      user_id: harness.ids.joe,
      expires_ms: Date.UTC(2027),
    }))
    for (const row of rows) await tx.insertInto('revoked_token').values(row).execute()
  })
  const access = await harness.identity.access(given)
  if (access === undefined) throw new Error('no access')
  await harness.identity.revoke(access)
  expect(await isValid(harness, given)).toBe(false)
  expect(await isValid(harness, kept)).toBe(false)
  expect(await harness.store.read.selectFrom('revoked_token').selectAll().execute()).toEqual([])
})

test('expired revocations are taken away', async () => {
  const harness = await createIdentityHarness()
  for (let i = 0; i < 3; i++) {
    const access = await harness.identity.access(await harness.token(JOE))
    if (access !== undefined) await harness.identity.revoke(access)
    harness.advance(3_600_000)
  }
  const rows = await harness.store.read.selectFrom('revoked_token').selectAll().execute()
  expect(rows).toHaveLength(1)
})

test('rules of accounts', async () => {
  const { deps } = await createIdentityHarness()
  await expect(removeUser(deps, 'admin')).rejects.toThrow('nobody who is an administrator')
  await expect(setEnabled(deps, 'admin', false)).rejects.toThrow('nobody who is an administrator')
  await expect(removeProject(deps, 'admin')).rejects.toThrow('nobody who is an administrator')
  await expect(removeUser(deps, 'nobody')).rejects.toThrow('there is no user nobody')
  await expect(createProject(deps, 'demo')).rejects.toThrow('there is a project demo already')
  await expect(createProject(deps, ' x')).rejects.toThrow('needs a name')
  await expect(setPassword(deps, 'joe', 'short')).rejects.toThrow('8 to 4096')
  await expect(grantRole(deps, { ...role, role: 'boss' })).rejects.toThrow('boss is no role')
})
