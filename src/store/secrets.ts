/**
 * Rows of the built-in store of secrets. What is secret stands sealed in them; the folder secret/
 * has the keys.
 */
import type { Db, Tx } from './store.ts'

export interface SecretRow {
  readonly id: string
  readonly project_id: string
  readonly creator_id: string | null
  readonly name: string
  readonly secret_type: string
  readonly algorithm: string | null
  readonly bit_length: number | null
  readonly mode: string | null
  /** When it is of no use any more, as its owner says. */
  readonly expires_at: string | null
  readonly created_at: string
  readonly updated_at: string
  /** These three are null as long as nothing was put in. */
  readonly content_type: string | null
  readonly key_id: string | null
  readonly sealed: Uint8Array | null
}

export interface ContainerRow {
  readonly id: string
  readonly project_id: string
  readonly creator_id: string | null
  readonly name: string
  readonly type: string
  readonly created_at: string
  readonly updated_at: string
}

/** What part of a container a secret is: `certificate`, `private_key`. */
export interface PartRow {
  readonly container_id: string
  readonly name: string
  readonly secret_id: string
}

export interface Page {
  readonly offset: number
  readonly limit: number
}

type Table = 'secret' | 'secret_container'

export async function insertSecret(tx: Tx, row: SecretRow): Promise<void> {
  await tx.insertInto('secret').values(row).execute()
}

export async function findSecret(db: Db, id: string): Promise<SecretRow | undefined> {
  const query = db.selectFrom('secret').selectAll().where('id', '=', id)
  return (await query.executeTakeFirst()) as SecretRow | undefined
}

/** Oldest first, with how many there are on all pages. */
export async function listSecrets(
  db: Db,
  where: Readonly<Partial<Record<keyof SecretRow, string | number>>>,
  page: Page,
): Promise<{ readonly rows: readonly SecretRow[]; readonly total: number }> {
  return await listIn<SecretRow>(db, 'secret', where, page)
}

export async function listContainers(
  db: Db,
  where: Readonly<Partial<Record<keyof ContainerRow, string>>>,
  page: Page,
): Promise<{ readonly rows: readonly ContainerRow[]; readonly total: number }> {
  return await listIn<ContainerRow>(db, 'secret_container', where, page)
}

async function listIn<R>(
  db: Db,
  table: Table,
  where: Readonly<Record<string, string | number>>,
  { offset, limit }: Page,
): Promise<{ readonly rows: readonly R[]; readonly total: number }> {
  let query = db.selectFrom(table)
  for (const [name, value] of Object.entries(where)) query = query.where(name, '=', value)
  const rows = query.selectAll().orderBy('created_at').orderBy('id').limit(limit).offset(offset)
  const count = query.select((e) => e.fn.countAll().as('count'))
  const { count: total } = (await count.executeTakeFirst()) as { count: number }
  return { rows: (await rows.execute()) as R[], total }
}

export async function countSecrets(db: Db, table: Table, project_id: string): Promise<number> {
  const query = db.selectFrom(table).select((e) => e.fn.countAll().as('count'))
  const row = await query.where('project_id', '=', project_id).executeTakeFirst()
  return (row as { count: number }).count
}

export async function updateSecret(
  tx: Tx,
  id: string,
  changes: Pick<SecretRow, 'key_id' | 'sealed'> &
    Partial<Pick<SecretRow, 'content_type' | 'updated_at'>>,
): Promise<void> {
  await tx.updateTable('secret').set(changes).where('id', '=', id).execute()
}

/** With its place in containers; or a container, whose secrets stay. */
export async function deleteFrom(tx: Tx, table: Table, id: string): Promise<void> {
  await tx.deleteFrom(table).where('id', '=', id).execute()
}

export async function insertContainer(
  tx: Tx,
  row: ContainerRow,
  parts: readonly Omit<PartRow, 'container_id'>[],
): Promise<void> {
  await tx.insertInto('secret_container').values(row).execute()
  for (const part of parts)
    await tx
      .insertInto('secret_container_part')
      .values({ container_id: row.id, ...part })
      .execute()
}

export async function findContainer(db: Db, id: string): Promise<ContainerRow | undefined> {
  const query = db.selectFrom('secret_container').selectAll().where('id', '=', id)
  return (await query.executeTakeFirst()) as ContainerRow | undefined
}

/** Of these containers, or of all that a secret is in. */
export async function listParts(
  db: Db,
  by: 'container_id' | 'secret_id',
  ids: readonly string[],
): Promise<readonly PartRow[]> {
  if (ids.length === 0) return []
  const query = db.selectFrom('secret_container_part').selectAll().where(by, 'in', ids)
  return (await query.orderBy('container_id').orderBy('name').execute()) as PartRow[]
}

/** The key that new secrets are sealed with; undefined before the first start. */
export async function findCurrentKey(db: Db): Promise<string | undefined> {
  const row = await db.selectFrom('secret_key').select('id').executeTakeFirst()
  return (row as { id: string } | undefined)?.id
}

export async function putCurrentKey(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('secret_key').execute()
  await tx.insertInto('secret_key').values({ id }).execute()
}

/** Secrets sealed with another key than this; at most `limit`. */
export async function listSealedOtherwise(
  db: Db,
  key_id: string,
  limit: number,
): Promise<readonly SecretRow[]> {
  const query = db.selectFrom('secret').selectAll().where('key_id', '!=', key_id)
  return (await query.orderBy('id').limit(limit).execute()) as SecretRow[]
}

/** A listener or pool with a reference that ends with this id. */
export interface Consumer {
  readonly type: 'listener' | 'pool'
  readonly id: string
  readonly name: string
}

const REFERENCES = {
  listener: [
    'default_tls_container_ref',
    'sni_container_refs',
    'client_ca_tls_container_ref',
    'client_crl_container_ref',
  ],
  pool: ['tls_container_ref', 'ca_tls_container_ref', 'crl_container_ref'],
} as const

/** Looks at every listener and pool, which is fast enough for what is done by hand. */
export async function findConsumers(db: Db, id: string): Promise<readonly Consumer[]> {
  const found: Consumer[] = []
  for (const type of ['listener', 'pool'] as const) {
    const query = db
      .selectFrom(type)
      .select(['id', 'name'])
      .where('provisioning_status', '!=', 'DELETED')
      // A list of references is JSON: the id is followed by a quotation mark there.
      .where((e) => e.or(REFERENCES[type].map((column) => e(column, 'like', `%/${id}%`))))
    const rows = (await query.orderBy('id').execute()) as { id: string; name: string }[]
    found.push(...rows.map((row) => ({ type, ...row })))
  }
  return found
}
