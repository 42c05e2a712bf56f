/**
 * From what a caller presents to a token: a password, an application credential or another token.
 */
import {
  type CredentialRow,
  findCredential,
  findProject,
  findUser,
  listCredentials,
  type ProjectRow,
  type UserRow,
} from '../store/identity.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../system/clock.ts'
import { type Access, isOver, type LocalIdentity } from './local-identity.ts'
import type { LoginLimiter } from './login-limiter.ts'
import type { Passwords } from './passwords.ts'
import { refusal } from './refusal.ts'

/** By id, or by name in the one domain. */
export type Reference = { readonly by: 'id' | 'name'; readonly value: string }

export type Proof =
  | { readonly method: 'password'; readonly user: Reference; readonly password: string }
  | {
      readonly method: 'application_credential'
      readonly credential: Reference
      /** With a name: whose. */
      readonly user: Reference | null
      readonly secret: string
    }
  | { readonly method: 'token'; readonly token: string }

export interface LoginRequest {
  readonly proof: Proof
  /**
   * `default`: none was asked for; `none`: expressly unscoped; `foreign`: one that nobody here has.
   */
  readonly scope: Reference | 'default' | 'none' | 'foreign'
  /** Where it comes from: an address. */
  readonly source: string
}

export interface LoginDependencies {
  readonly store: Store
  readonly clock: Pick<Clock, 'now'>
  readonly identity: LocalIdentity
  readonly passwords: Passwords
  readonly limiter: LoginLimiter
}

interface Proven {
  readonly user: UserRow
  readonly credential: CredentialRow | null
  readonly methods: readonly string[]
  readonly expires_ms_max?: number
}

/** The token and what it gives; throws a Refusal, of which 401 says nothing about why. */
export async function logIn(
  deps: LoginDependencies,
  request: LoginRequest,
): Promise<{ readonly token: string; readonly access: Access }> {
  const proven = await prove(deps, request)
  const project = await projectOf(deps, proven, request.scope)
  const issued = await deps.identity.issue({ ...proven, project })
  // Also where the user has no role in the project.
  if (issued === undefined) throw refusal.unauthorized()
  return issued
}

async function prove(deps: LoginDependencies, { proof, source }: LoginRequest): Promise<Proven> {
  switch (proof.method) {
    case 'password': {
      const user = await findUser(deps.store.read, proof.user.by, proof.user.value)
      const who = user?.id ?? proof.user.value
      await check(deps, who, source, proof.password, user?.password_hash ?? null)
      if (user?.enabled !== 1) throw refusal.unauthorized()
      return { user, credential: null, methods: ['password'] }
    }
    case 'application_credential': {
      const credential = await credentialOf(deps, proof.credential, proof.user)
      const who = credential?.id ?? proof.credential.value
      await check(deps, who, source, proof.secret, credential?.secret_hash ?? null)
      if (credential === undefined || isOver(credential, deps.clock.now()))
        throw refusal.unauthorized()
      const user = await findUser(deps.store.read, 'id', credential.user_id)
      if (user?.enabled !== 1) throw refusal.unauthorized()
      return { user, credential, methods: ['application_credential'] }
    }
    case 'token': {
      const access = await deps.identity.access(proof.token)
      // An application credential is for one project, so its tokens lead to no other.
      if (access === undefined || access.credential !== null) throw refusal.unauthorized()
      const methods = [...new Set([...access.claims.methods, 'token'])]
      const expires_ms_max = access.claims.expires_ms
      return { user: access.user, credential: null, methods, expires_ms_max }
    }
  }
}

/** Throws 401 unless the secret has that hash; 429 for those who try too often. */
async function check(
  { limiter, passwords }: LoginDependencies,
  who: string,
  source: string,
  secret: string,
  hash: string | null,
): Promise<void> {
  const mayTry = (): void => {
    const wait_s = limiter.wait_s(who, source)
    if (wait_s > 0) throw refusal.tooManyLogins(wait_s)
  }
  mayTry()
  // Asked again when its turn comes: those before it may have failed meanwhile.
  if (await passwords.verify(secret, hash, mayTry)) return limiter.succeeded(who, source)
  limiter.failed(who, source)
  throw refusal.unauthorized()
}

async function credentialOf(
  { store }: LoginDependencies,
  credential: Reference,
  owner: Reference | null,
): Promise<CredentialRow | undefined> {
  if (credential.by === 'id') return await findCredential(store.read, credential.value)
  if (owner === null) return undefined
  const user = await findUser(store.read, owner.by, owner.value)
  if (user === undefined) return undefined
  const rows = await listCredentials(store.read, user.id)
  return rows.find((row) => row.name === credential.value)
}

async function projectOf(
  { store }: LoginDependencies,
  { user, credential }: Proven,
  scope: LoginRequest['scope'],
): Promise<ProjectRow | null> {
  const projectBy = async (by: 'id' | 'name', value: string): Promise<ProjectRow> => {
    const project = await findProject(store.read, by, value)
    if (project === undefined) throw refusal.unauthorized()
    return project
  }
  if (credential !== null) {
    const project = await projectBy('id', credential.project_id)
    const other = typeof scope === 'object' && project[scope.by] !== scope.value
    if (other || scope === 'foreign' || scope === 'none') throw refusal.unauthorized()
    return project
  }
  if (scope === 'foreign') throw refusal.unauthorized()
  if (scope === 'none') return null
  if (scope !== 'default') return await projectBy(scope.by, scope.value)
  const { default_project_id } = user
  return default_project_id === null ? null : await projectBy('id', default_project_id)
}
