/**
 * Application credentials: passwords for programs, for one project and some of their user's roles.
 */
import { createCredential } from '../../identity/accounts.ts'
import type { Access } from '../../identity/local-identity.ts'
import { generatePassword, PASSWORD_LENGTH_MAX } from '../../identity/passwords.ts'
import { refusal } from '../../identity/refusal.ts'
import { expandRoles, roleOfId } from '../../identity/roles.ts'
import {
  type CredentialRow,
  changeIdentity,
  deleteCredential,
  findCredential,
  listCredentials,
} from '../../store/identity.ts'
import {
  type IdentityApi,
  type IdentityCall,
  type IdentityRoute,
  isAdministrator,
  isRecord,
  type Json,
  objectIn,
  textIn,
} from './route.ts'
import { credentialView, listOf } from './views.ts'

const PATH = '/v3/users/:id/application_credentials'

export const CREDENTIAL_ROUTES: readonly IdentityRoute[] = [
  {
    method: 'GET',
    path: PATH,
    handle: async (api, call) => {
      const user_id = await ownerOf(call, 'identity:list_application_credentials')
      const name = call.query.get('name')
      const rows = (await listCredentials(api.store.read, user_id)).filter(
        (row) => name === null || row.name === name,
      )
      const views = rows.map((row) => credentialView(row, call.base))
      const path = `/users/${user_id}/application_credentials`
      return { status: 200, body: listOf('application_credentials', views, call.base, path) }
    },
  },
  { method: 'POST', path: PATH, handle: create },
  {
    method: 'GET',
    path: `${PATH}/:credential_id`,
    handle: async (api, call) => {
      const row = await ownOf(api, call, 'identity:get_application_credential')
      return { status: 200, body: { application_credential: credentialView(row, call.base) } }
    },
  },
  {
    method: 'DELETE',
    path: `${PATH}/:credential_id`,
    handle: async (api, call) => {
      const action = 'identity:delete_application_credential'
      refuseRestricted(await call.access(), action)
      const { id } = await ownOf(api, call, action)
      // Tokens which were got by it end too.
      await changeIdentity(api.store, (tx) => deleteCredential(tx, id))
      return { status: 204 }
    },
  },
]

async function create(api: IdentityApi, call: IdentityCall) {
  const action = 'identity:create_application_credential'
  const access = await call.access()
  // Not for others, administrators neither: it would be a way to act in their name.
  if (access.user.id !== call.params.id || access.project === null) throw refusal.forbidden(action)
  refuseRestricted(access, action)
  const given = objectIn(call.body, 'application_credential')
  const name = textIn(given, 'name')?.trim() ?? ''
  if (name === '' || name.length > 255)
    throw refusal.badRequest("Invalid input for field 'name': 1 to 255 characters.")
  // Passed over, they would give more than was asked for.
  if (Array.isArray(given.access_rules) && given.access_rules.length > 0)
    throw refusal.badRequest('Access rules are not supported.')
  const secret = textIn(given, 'secret') ?? `${generatePassword()}${generatePassword()}`
  if (secret.length < 16 || secret.length > PASSWORD_LENGTH_MAX)
    throw refusal.badRequest("Invalid input for field 'secret': 16 to 4096 characters.")
  const row = await createCredential(
    { store: api.store, passwords: api.passwords },
    {
      name,
      description: textIn(given, 'description') ?? null,
      user_id: access.user.id,
      project_id: access.project.id,
      roles: rolesIn(given.roles, access.roles),
      secret,
      unrestricted: given.unrestricted === true ? 1 : 0,
      expires_ms: expiryIn(given, api.clock.now()),
    },
  )
  // The secret is told this once; only its hash is kept.
  const view: Json = { ...credentialView(row, call.base), secret }
  return { status: 201, body: { application_credential: view } }
}

/** Names of the roles asked for, which the caller must have; all of the caller's when none are. */
function rolesIn(given: unknown, own: readonly string[]): readonly string[] {
  if (given === undefined || given === null) return own
  if (!Array.isArray(given)) throw refusal.badRequest("Invalid input for field 'roles'.")
  const names = given.slice(0, 100).map((role: unknown) => {
    const id = isRecord(role) ? textIn(role, 'id') : undefined
    const name = id === undefined && isRecord(role) ? textIn(role, 'name') : roleOfId(id ?? '')
    if (name === undefined || !own.includes(name))
      throw refusal.badRequest('Invalid application credential: a role is not one of yours.')
    return name
  })
  return names.length === 0 ? own : expandRoles(names).filter((role) => own.includes(role))
}

function expiryIn(given: Json, now_ms: number): number | null {
  const text = textIn(given, 'expires_at')
  if (text === undefined) return null
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`
  const ms = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(zoned) : Number.NaN
  if (Number.isNaN(ms) || ms <= now_ms)
    throw refusal.badRequest("Invalid input for field 'expires_at': a time to come is needed.")
  return ms
}

/** A stolen credential must not be a way to make more of them. */
function refuseRestricted({ credential }: Access, action: string): void {
  if (credential?.unrestricted === 0) throw refusal.forbidden(action)
}

async function ownerOf(call: IdentityCall, action: string): Promise<string> {
  const access = await call.access()
  const { id: user_id = '' } = call.params
  if (access.user.id !== user_id && !isAdministrator(access)) throw refusal.forbidden(action)
  return user_id
}

async function ownOf(api: IdentityApi, call: IdentityCall, action: string): Promise<CredentialRow> {
  const user_id = await ownerOf(call, action)
  const { credential_id: id = '' } = call.params
  const row = await findCredential(api.store.read, id)
  if (row?.user_id !== user_id) throw refusal.notFound('application_credential', id)
  return row
}
