/**
 * Rows of the built-in identity. What makes a token invalid is written by `changeIdentity` only,
 * which raises the version; whoever remembers a judgement asks for the version, so that a change by
 * another process (`octavia-lite user ...` beside a running serve) counts from its commit on.
 */
import type { SelectQueryBuilder } from 'kysely'
import { runCompiled } from './compiled.ts'
import type { Db, Store, Tables, Tx } from './store.ts'

export interface UserRow {
  readonly id: string
  readonly name: string
  /** In PHC form; says by itself how it was made. */
  readonly password_hash: string
  readonly enabled: number
  readonly default_project_id: string | null
  /** Tokens of an earlier version are invalid. */
  readonly token_version: number
}

export interface ProjectRow {
  readonly id: string
  readonly name: string
  readonly enabled: number
}

export interface AssignmentRow {
  readonly user_id: string
  readonly project_id: string
  readonly role: string
}

export interface CredentialRow {
  readonly id: string
  readonly name: string
  readonly description: string | null
  readonly user_id: string
  readonly project_id: string
  /** A JSON list of names. */
  readonly roles: string
  readonly secret_hash: string
  /** Whether it may make and delete application credentials itself. */
  readonly unrestricted: number
  readonly expires_ms: number | null
}

/** Runs `body` in a transaction after which every token is judged anew. */
export function changeIdentity<T>(store: Store, body: (tx: Tx) => Promise<T>): Promise<T> {
  return store.transaction(async (tx) => {
    const result = await body(tx)
    await tx
      .updateTable('identity_version')
      .set((e) => ({ version: e('version', '+', 1) }))
      .execute()
    return result
  })
}

export async function identityVersion(db: Db): Promise<number> {
  const [row] = await runCompiled<{ version: number }>(db, 'identity version', [], (on) =>
    on.selectFrom('identity_version').select('version'),
  )
  return row?.version ?? 0
}

type Query = SelectQueryBuilder<Tables, string, unknown>

async function one<R>(query: Query): Promise<R | undefined> {
  return (await query.executeTakeFirst()) as R | undefined
}

async function all<R>(query: Query): Promise<R[]> {
  return (await query.execute()) as R[]
}

export async function findUser(
  db: Db,
  by: 'id' | 'name',
  value: string,
): Promise<UserRow | undefined> {
  return one(db.selectFrom('identity_user').selectAll().where(by, '=', value))
}

export async function listUsers(db: Db): Promise<UserRow[]> {
  return all(db.selectFrom('identity_user').selectAll().orderBy('name'))
}

export async function insertUser(tx: Tx, row: UserRow): Promise<void> {
  await tx.insertInto('identity_user').values(row).execute()
}

export async function updateUser(
  tx: Tx,
  id: string,
  changes: Partial<Omit<UserRow, 'id'>>,
): Promise<void> {
  await tx.updateTable('identity_user').set(changes).where('id', '=', id).execute()
}

/** With its roles, application credentials and revocations. */
export async function deleteUser(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('identity_user').where('id', '=', id).execute()
}

export async function findProject(
  db: Db,
  by: 'id' | 'name',
  value: string,
): Promise<ProjectRow | undefined> {
  return one(db.selectFrom('identity_project').selectAll().where(by, '=', value))
}

export async function listProjects(db: Db): Promise<ProjectRow[]> {
  return all(db.selectFrom('identity_project').selectAll().orderBy('name'))
}

export async function insertProject(tx: Tx, row: ProjectRow): Promise<void> {
  await tx.insertInto('identity_project').values(row).execute()
}

/** With the roles and application credentials in it. */
export async function deleteProject(tx: Tx, id: string): Promise<void> {
  await tx
    .updateTable('identity_user')
    .set({ default_project_id: null })
    .where('default_project_id', '=', id)
    .execute()
  await tx.deleteFrom('identity_project').where('id', '=', id).execute()
}

export async function listAssignments(
  db: Db,
  where: Partial<AssignmentRow>,
): Promise<AssignmentRow[]> {
  let query = db.selectFrom('role_assignment').selectAll()
  for (const [name, value] of Object.entries(where)) query = query.where(name, '=', value)
  return all(query.orderBy('user_id').orderBy('project_id').orderBy('role'))
}

/** Twice is once. */
export async function insertAssignment(tx: Tx, row: AssignmentRow): Promise<void> {
  await tx
    .insertInto('role_assignment')
    .values(row)
    .onConflict((on) => on.doNothing())
    .execute()
}

/** Whether there was such a role. */
export async function deleteAssignment(tx: Tx, row: AssignmentRow): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('role_assignment')
    .where('user_id', '=', row.user_id)
    .where('project_id', '=', row.project_id)
    .where('role', '=', row.role)
    .executeTakeFirst()
  return Number(numDeletedRows) > 0
}

export async function findCredential(db: Db, id: string): Promise<CredentialRow | undefined> {
  return one(db.selectFrom('application_credential').selectAll().where('id', '=', id))
}

export async function listCredentials(db: Db, user_id: string): Promise<CredentialRow[]> {
  return all(
    db
      .selectFrom('application_credential')
      .selectAll()
      .where('user_id', '=', user_id)
      .orderBy('name'),
  )
}

export async function insertCredential(tx: Tx, row: CredentialRow): Promise<void> {
  await tx.insertInto('application_credential').values(row).execute()
}

export async function deleteCredential(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('application_credential').where('id', '=', id).execute()
}

export interface RevocationRow {
  readonly audit_id: string
  readonly user_id: string
  /** When the token would have ended; afterwards nobody needs this row. */
  readonly expires_ms: number
}

export async function isRevoked(db: Db, audit_id: string): Promise<boolean> {
  const row = await db
    .selectFrom('revoked_token')
    .select('audit_id')
    .where('audit_id', '=', audit_id)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Keeps the table bounded: expired rows go, and a user with `perUserMax` of them loses all tokens
 * instead of filling it.
 */
export async function insertRevocation(
  tx: Tx,
  row: RevocationRow,
  now_ms: number,
  perUserMax: number,
): Promise<void> {
  await tx.deleteFrom('revoked_token').where('expires_ms', '<=', now_ms).execute()
  const { count } = (await tx
    .selectFrom('revoked_token')
    .select((e) => e.fn.countAll().as('count'))
    .where('user_id', '=', row.user_id)
    .executeTakeFirst()) as { count: number }
  if (count < perUserMax) {
    await tx
      .insertInto('revoked_token')
      .values(row)
      .onConflict((on) => on.doNothing())
      .execute()
    return
  }
  await invalidateTokens(tx, row.user_id)
}

/** Every token which the user has now is invalid. */
export async function invalidateTokens(tx: Tx, user_id: string): Promise<void> {
  await tx
    .updateTable('identity_user')
    .set((e) => ({ token_version: e('token_version', '+', 1) }))
    .where('id', '=', user_id)
    .execute()
  await tx.deleteFrom('revoked_token').where('user_id', '=', user_id).execute()
}
