/**
 * Users, projects, roles and application credentials: the rules of each change, one transaction
 * each.
 */
import { randomBytes } from 'node:crypto'
import { loadBalancer } from '../model/load-balancer.ts'
import {
  type CredentialRow,
  changeIdentity,
  deleteAssignment,
  deleteProject,
  deleteUser,
  findProject,
  findUser,
  insertAssignment,
  insertCredential,
  insertProject,
  insertUser,
  invalidateTokens,
  listAssignments,
  listCredentials,
  listUsers,
  type ProjectRow,
  type UserRow,
  updateUser,
} from '../store/identity.ts'
import { countRows } from '../store/repository.ts'
import type { Store, Tx } from '../store/store.ts'
import { PASSWORD_LENGTH_MAX, type Passwords } from './passwords.ts'
import { refusal } from './refusal.ts'
import { isRole, ROLES } from './roles.ts'

/** An account cannot be changed so; `message` is one sentence. */
export class AccountError extends Error {
  override readonly name = 'AccountError'
}

export interface AccountDependencies {
  readonly store: Store
  readonly passwords: Passwords
}
type StoreOnly = Pick<AccountDependencies, 'store'>

const CREDENTIALS_MAX = 200

/** An id as Keystone makes them. */
const newAccountId = (): string => randomBytes(16).toString('hex')

function checkName(what: string, name: string): void {
  const trimmed = name.trim() === name && name !== ''
  if (!trimmed || name.length > 64 || /[\u0000-\u001f\u007f]/.test(name) || !name.isWellFormed())
    throw new AccountError(
      `a ${what} needs a name of 1 to 64 characters without control characters or spaces around it`,
    )
}

async function hashOf(passwords: Passwords, password: string): Promise<string> {
  if (password.length < 8 || password.length > PASSWORD_LENGTH_MAX)
    throw new AccountError(`a password has 8 to ${PASSWORD_LENGTH_MAX} characters`)
  return await passwords.hash(password)
}

async function userNamed(tx: Tx, name: string): Promise<UserRow> {
  const user = await findUser(tx, 'name', name)
  if (user === undefined) throw new AccountError(`there is no user ${name}`)
  return user
}

async function projectNamed(tx: Tx, name: string): Promise<ProjectRow> {
  const project = await findProject(tx, 'name', name)
  if (project === undefined) throw new AccountError(`there is no project ${name}`)
  return project
}

export interface NewUser {
  readonly name: string
  readonly password: string
  /** Where it gets the roles, and where its tokens lead when they name no project. */
  readonly project: string
  readonly roles: readonly string[]
}

export async function createUser(deps: AccountDependencies, user: NewUser): Promise<UserRow> {
  checkName('user', user.name)
  for (const role of user.roles) checkRole(role)
  const password_hash = await hashOf(deps.passwords, user.password)
  return await changeIdentity(deps.store, async (tx) => {
    const project = await projectNamed(tx, user.project)
    if ((await findUser(tx, 'name', user.name)) !== undefined)
      throw new AccountError(`there is a user ${user.name} already`)
    const row = {
      id: newAccountId(),
      name: user.name,
      password_hash,
      enabled: 1,
      default_project_id: project.id,
      token_version: 1,
    }
    await insertUser(tx, row)
    for (const role of user.roles)
      await insertAssignment(tx, { user_id: row.id, project_id: project.id, role })
    return row
  })
}

/** Its tokens and application credentials end with it. */
export async function removeUser({ store }: StoreOnly, name: string): Promise<void> {
  await changeIdentity(store, async (tx) => {
    await deleteUser(tx, (await userNamed(tx, name)).id)
    await keepAnAdministrator(tx)
  })
}

/** All its tokens end. Application credentials stay, as in Keystone. */
export async function setPassword(
  { store, passwords }: AccountDependencies,
  name: string,
  password: string,
): Promise<void> {
  const password_hash = await hashOf(passwords, password)
  await changeIdentity(store, async (tx) => {
    const { id } = await userNamed(tx, name)
    await updateUser(tx, id, { password_hash })
    await invalidateTokens(tx, id)
  })
}

/** Whoever is disabled loses all tokens, also for the time after. */
export async function setEnabled(
  { store }: StoreOnly,
  name: string,
  enabled: boolean,
): Promise<void> {
  await changeIdentity(store, async (tx) => {
    const { id } = await userNamed(tx, name)
    await updateUser(tx, id, { enabled: enabled ? 1 : 0 })
    if (!enabled) await invalidateTokens(tx, id)
    await keepAnAdministrator(tx)
  })
}

export interface Grant {
  readonly user: string
  readonly project: string
  readonly role: string
}

export async function grantRole({ store }: StoreOnly, grant: Grant): Promise<void> {
  checkRole(grant.role)
  await changeIdentity(store, async (tx) => insertAssignment(tx, await assignmentOf(tx, grant)))
}

/** Counts at once, for tokens that are out too. */
export async function revokeRole({ store }: StoreOnly, grant: Grant): Promise<void> {
  await changeIdentity(store, async (tx) => {
    if (!(await deleteAssignment(tx, await assignmentOf(tx, grant))))
      throw new AccountError(
        `user ${grant.user} has not been granted ${grant.role} in project ${grant.project}`,
      )
    await keepAnAdministrator(tx)
  })
}

async function assignmentOf(tx: Tx, { user, project, role }: Grant) {
  return {
    user_id: (await userNamed(tx, user)).id,
    project_id: (await projectNamed(tx, project)).id,
    role,
  }
}

function checkRole(role: string): void {
  if (!isRole(role)) throw new AccountError(`${role} is no role; there are ${ROLES.join(', ')}`)
}

/** Without one, nobody could be made administrator by any client; a slip is easier to undo so. */
async function keepAnAdministrator(tx: Tx): Promise<void> {
  const enabled = new Set((await listUsers(tx)).flatMap((row) => (row.enabled === 1 ? row.id : [])))
  const admins = (await listAssignments(tx, { role: 'admin' })).map((row) => row.user_id)
  if (!admins.some((id) => enabled.has(id)))
    throw new AccountError('this would leave nobody who is an administrator')
}

export async function createProject({ store }: StoreOnly, name: string): Promise<ProjectRow> {
  checkName('project', name)
  return await changeIdentity(store, async (tx) => {
    if ((await findProject(tx, 'name', name)) !== undefined)
      throw new AccountError(`there is a project ${name} already`)
    const row = { id: newAccountId(), name, enabled: 1 }
    await insertProject(tx, row)
    return row
  })
}

export async function removeProject({ store }: StoreOnly, name: string): Promise<void> {
  await changeIdentity(store, async (tx) => {
    const { id } = await projectNamed(tx, name)
    const count = await countRows(tx, loadBalancer, { project_id: id })
    if (count > 0) throw new AccountError(`project ${name} has ${count} load balancers`)
    await deleteProject(tx, id)
    await keepAnAdministrator(tx)
  })
}

export interface NewCredential extends Omit<CredentialRow, 'id' | 'roles' | 'secret_hash'> {
  readonly roles: readonly string[]
  readonly secret: string
}

/** Throws the Refusal 409 for a name the user has used, 403 for too many. */
export async function createCredential(
  { store, passwords }: AccountDependencies,
  { secret, roles, ...rest }: NewCredential,
): Promise<CredentialRow> {
  const row: CredentialRow = {
    ...rest,
    id: newAccountId(),
    roles: JSON.stringify(roles),
    secret_hash: await passwords.hash(secret),
  }
  return await changeIdentity(store, async (tx) => {
    const known = await listCredentials(tx, row.user_id)
    if (known.some((other) => other.name === row.name))
      throw refusal.conflict('application_credential', row.name)
    if (known.length >= CREDENTIALS_MAX)
      throw refusal.forbidden('identity:create_application_credential')
    await insertCredential(tx, row)
    return row
  })
}
