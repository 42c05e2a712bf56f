/**
 * The built-in identity over an empty database, with a clock that stands still until it is moved.
 */

import { createApi } from '../../src/api/app.ts'
import { createIdentityApp } from '../../src/api/identity-v3/app.ts'
import { mountApps } from '../../src/api/mount.ts'
import { DEFAULT_API_OPTIONS } from '../../src/api/route.ts'
import { createNoopCertificateManager } from '../../src/driver/noop/certificate-manager.ts'
import { createProject, createUser } from '../../src/identity/accounts.ts'
import { LocalIdentity } from '../../src/identity/local-identity.ts'
import { createLoginLimiter } from '../../src/identity/login-limiter.ts'
import type { Passwords } from '../../src/identity/passwords.ts'
import { createPolicy } from '../../src/policy/check.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { newId } from '../../src/system/ids.ts'
import { silentLog } from '../../src/system/log.ts'
import { type Answer, FakeNetwork, SETTINGS } from './harness.ts'

export const KEY = 'a key of a test'
export const ADMIN = { name: 'admin', password: 'password of admin', project: 'admin' } as const
export const JOE = { name: 'joe', password: 'password of joe', project: 'demo' } as const

/** Not argon2id, which takes tens of milliseconds: passwords.test.ts is about that. */
export const FAST_PASSWORDS: Passwords = {
  hash: async (password) => `hash of ${password}`,
  verify: async (password, hash, stillWanted = () => {}) => {
    stillWanted()
    return hash === `hash of ${password}`
  },
}

export interface IdentityHarness {
  readonly store: Store
  readonly identity: LocalIdentity
  readonly deps: { readonly store: Store; readonly passwords: Passwords }
  readonly ids: {
    readonly admin: string
    readonly joe: string
    readonly adminProject: string
    readonly demo: string
  }
  advance(ms: number): void
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>
  /** A token by password; fails the test where there is none. */
  token(who: { readonly name: string; readonly password: string }): Promise<string>
}

/** `store` of another harness: the same database after a restart. */
export async function createIdentityHarness(
  over: { readonly store?: Store; readonly api_base_uri?: string } = {},
): Promise<IdentityHarness> {
  const store = over.store ?? openStore(':memory:')
  let now = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
  const clock = { now: () => now }
  const deps = { store, passwords: FAST_PASSWORDS }
  const identity = new LocalIdentity(
    { store, clock, key: KEY },
    { token_expiration: 3600, api_base_uri: over.api_base_uri ?? null },
  )
  const main = createApi({
    store,
    network: new FakeNetwork(),
    compute: {},
    clock,
    newId,
    engine: { wake: () => {} },
    settings: SETTINGS,
    identity,
    log: silentLog,
    options: DEFAULT_API_OPTIONS,
    localNetworks: null,
    policy: createPolicy(),
    certificateManager: createNoopCertificateManager(),
  })
  const app = mountApps(main, {
    '/identity': createIdentityApp({
      ...deps,
      clock,
      identity,
      limiter: createLoginLimiter({ clock }, { failures_max: 5 }),
      log: silentLog,
      options: {
        api_base_uri: over.api_base_uri ?? null,
        max_request_body_size: 114_688,
        region_name: 'RegionOne',
        network: true,
        key_manager: true,
      },
    }),
  })
  const send: IdentityHarness['send'] = async (method, path, body, headers = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await app.handle(
      new Request(`http://lb.example:9876${path}`, {
        method,
        headers: {
          'content-type': 'application/json',
          ...headers,
        },
        ...(body === undefined ? {} : { body: text }),
      }),
      () => '192.0.2.1',
    )
    const answer = await response.text()
    const { status, headers: got } = response
    return { status, headers: got, body: answer === '' ? undefined : JSON.parse(answer) }
  }
  const ids = over.store === undefined ? await populate(deps) : { ...NOBODY }
  return {
    store,
    identity,
    deps,
    ids,
    advance: (ms) => {
      now += ms
    },
    send,
    token: async (who) => {
      const { status, headers, body } = await send('POST', TOKENS, passwordLogin(who))
      if (status !== 201) throw new Error(JSON.stringify(body))
      return headers.get('x-subject-token') ?? ''
    },
  }
}

const NOBODY = { admin: '', joe: '', adminProject: '', demo: '' }

async function populate(deps: IdentityHarness['deps']): Promise<IdentityHarness['ids']> {
  const adminProject = await createProject(deps, ADMIN.project)
  const demo = await createProject(deps, JOE.project)
  const admin = await createUser(deps, { ...ADMIN, roles: ['admin'] })
  const joe = await createUser(deps, { ...JOE, roles: ['member'] })
  return { admin: admin.id, joe: joe.id, adminProject: adminProject.id, demo: demo.id }
}

export const TOKENS = '/identity/v3/auth/tokens'

export function passwordLogin(
  { name, password }: { readonly name: string; readonly password: string },
  scope?: unknown,
) {
  const user = { name, password, domain: { name: 'Default' } }
  const identity = { methods: ['password'], password: { user } }
  return { auth: { identity, ...(scope === undefined ? {} : { scope }) } }
}
