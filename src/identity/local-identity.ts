/**
 * The built-in identity (`auth_strategy = "local"`): issues tokens and judges them. Everything it
 * knows is in the database; it remembers judgements, bounded, as long as the version there says
 * that nothing changed. This folder imports what is above it and `driver/identity.ts`, whose seam
 * it implements; HTTP is in api/identity-v3/.
 */
import { randomBytes } from 'node:crypto'
import { type Caller, type IdentityDriver, Unauthenticated } from '../driver/identity.ts'
import {
  type CredentialRow,
  changeIdentity,
  findCredential,
  findProject,
  findUser,
  identityVersion,
  insertRevocation,
  isRevoked,
  listAssignments,
  type ProjectRow,
  type UserRow,
} from '../store/identity.ts'
import type { Db, Store } from '../store/store.ts'
import type { Clock } from '../system/clock.ts'
import { expandRoles } from './roles.ts'
import { type Claims, openToken, sealToken } from './token.ts'

/** What a token that is valid now gives. */
export interface Access {
  readonly claims: Claims
  readonly user: UserRow
  /** null: unscoped, and then without roles. */
  readonly project: ProjectRow | null
  /** Implied ones included. */
  readonly roles: readonly string[]
  readonly credential: CredentialRow | null
}

export interface LocalIdentityDependencies {
  readonly store: Store
  readonly clock: Pick<Clock, 'now'>
  /** Signs tokens. */
  readonly key: string
}

export interface LocalIdentityOptions {
  /** Seconds for which a token is valid. */
  readonly token_expiration: number
  /** Where this program's APIs are; null: where the request went. */
  readonly api_base_uri: string | null
}

interface Remembered {
  readonly version: number
  readonly access: Access
  readonly caller: Caller
}

const REMEMBERED_MAX = 5_000
/** Of one user, see insertRevocation. */
const REVOCATIONS_MAX = 1_000

export class LocalIdentity implements IdentityDriver {
  readonly #deps: LocalIdentityDependencies
  readonly #options: LocalIdentityOptions
  readonly #remembered = new Map<string, Remembered>()

  constructor(deps: LocalIdentityDependencies, options: LocalIdentityOptions) {
    this.#deps = deps
    this.#options = options
  }

  async identify(headers: Headers): Promise<Caller> {
    const token = headers.get('x-auth-token')
    const found = token === null ? undefined : await this.#judge(token)
    if (found === undefined) throw new Unauthenticated(this.#challenge(headers.get('host')))
    return found.caller
  }

  /**
   * What the token gives now; undefined for one that is forged, over, revoked, or without its user.
   */
  async access(token: string): Promise<Access | undefined> {
    return (await this.#judge(token))?.access
  }

  /**
   * A new token; `access` says for whom. It ends with the one it was got by, where there is one.
   */
  async issue(of: {
    readonly user: UserRow
    readonly project: ProjectRow | null
    readonly credential: CredentialRow | null
    readonly methods: readonly string[]
    readonly expires_ms_max?: number
  }): Promise<{ readonly token: string; readonly access: Access } | undefined> {
    const now = this.#deps.clock.now()
    const ends = [now + this.#options.token_expiration * 1000]
    if (of.expires_ms_max !== undefined) ends.push(of.expires_ms_max)
    if (of.credential?.expires_ms != null) ends.push(of.credential.expires_ms)
    const token = sealToken(this.#deps.key, {
      user_id: of.user.id,
      project_id: of.project?.id ?? null,
      token_version: of.user.token_version,
      credential_id: of.credential?.id ?? null,
      methods: of.methods,
      audit_id: randomBytes(16).toString('base64url'),
      issued_ms: now,
      expires_ms: Math.min(...ends),
    })
    const access = await this.access(token)
    return access === undefined ? undefined : { token, access }
  }

  async revoke({ claims }: Access): Promise<void> {
    const { audit_id, user_id, expires_ms } = claims
    const row = { audit_id, user_id, expires_ms }
    await changeIdentity(this.#deps.store, (tx) =>
      insertRevocation(tx, row, this.#deps.clock.now(), REVOCATIONS_MAX),
    )
  }

  /** What keystonemiddleware sends with a 401. */
  #challenge(host: string | null): string {
    const safe = host !== null && /^[\w.:[\]-]{1,255}$/.test(host) ? host : 'localhost'
    const base = this.#options.api_base_uri?.replace(/\/+$/, '') ?? `http://${safe}`
    return `Keystone uri="${base}/identity"`
  }

  async #judge(token: string): Promise<Remembered | undefined> {
    const { store, clock, key } = this.#deps
    const known = this.#remembered.get(token)
    const claims = known?.access.claims ?? openToken(key, token)
    if (claims === undefined) return undefined
    if (clock.now() >= claims.expires_ms) {
      this.#remembered.delete(token)
      return undefined
    }
    // The version first: a change while the rows are read makes the judgement old at once.
    const version = await identityVersion(store.read)
    if (known?.version === version) return known
    const access = await loadAccess(store.read, claims, clock.now())
    this.#remembered.delete(token)
    if (access === undefined) return undefined
    const { user, project, roles } = access
    const is_admin = roles.includes('admin')
    const caller = { user_id: user.id, project_id: project?.id ?? null, roles, is_admin }
    const remembered = { version, access, caller }
    this.#remembered.set(token, remembered)
    const [oldest] = this.#remembered.keys()
    if (this.#remembered.size > REMEMBERED_MAX && oldest !== undefined)
      this.#remembered.delete(oldest)
    return remembered
  }
}

async function loadAccess(db: Db, claims: Claims, now_ms: number): Promise<Access | undefined> {
  const user = await findUser(db, 'id', claims.user_id)
  if (user?.enabled !== 1 || user.token_version !== claims.token_version) return undefined
  if (await isRevoked(db, claims.audit_id)) return undefined
  const { project_id, credential_id } = claims
  const credential = credential_id === null ? null : await findCredential(db, credential_id)
  if (credential === undefined || isOver(credential, now_ms)) return undefined
  if (project_id === null) return { claims, user, project: null, roles: [], credential }
  const project = await findProject(db, 'id', project_id)
  if (project?.enabled !== 1) return undefined
  const roles = await rolesOf(db, user.id, project.id)
  const delegated = credential === null ? roles : delegatedRoles(credential, roles)
  if (delegated.length === 0) return undefined
  return { claims, user, project, roles: delegated, credential }
}

/** The user's roles in the project, implied ones included. */
export async function rolesOf(
  db: Db,
  user_id: string,
  project_id: string,
): Promise<readonly string[]> {
  const rows = await listAssignments(db, { user_id, project_id })
  return expandRoles(rows.map((row) => row.role))
}

/** What of an application credential's roles its user still has. */
function delegatedRoles(credential: CredentialRow, roles: readonly string[]): readonly string[] {
  const delegated = expandRoles(JSON.parse(credential.roles) as string[])
  return delegated.filter((role) => roles.includes(role))
}

export function isOver(credential: CredentialRow | null, now_ms: number): boolean {
  return credential?.expires_ms != null && credential.expires_ms <= now_ms
}
