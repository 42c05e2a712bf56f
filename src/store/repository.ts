/**
 * Rows of resources, read and written by definition: `findRow(db, listener, id)` gives a Listener.
 * Values are in wire form outside and in column form inside (booleans 0 and 1, lists and objects
 * JSON).
 */

import { type Fault, fault } from '../model/fault.ts'
import { type Fields, keyOf, type Resource, type Row } from '../model/field.ts'
import { runCompiled } from './compiled.ts'
import type { Db, Tx } from './store.ts'

type RawRow = Record<string, unknown>

interface Codec {
  readonly boolean: readonly string[]
  readonly json: readonly string[]
}
const codecs = new WeakMap<object, Codec>()

function codecOf(resource: Resource<Fields>): Codec {
  const known = codecs.get(resource)
  if (known !== undefined) return known
  const named = (kind: string): string[] =>
    Object.keys(resource.fields).filter((name) => resource.fields[name]?.type.column === kind)
  const codec = { boolean: named('boolean'), json: named('json') }
  codecs.set(resource, codec)
  return codec
}

/** A row as it came from the database, turned into wire form in place. */
export function decodeRow<F extends Fields>(resource: Resource<F>, raw: RawRow): Row<F> {
  const codec = codecOf(resource)
  for (const name of codec.boolean) if (raw[name] !== null) raw[name] = raw[name] === 1
  for (const name of codec.json) {
    const text = raw[name]
    if (typeof text === 'string') raw[name] = JSON.parse(text)
  }
  return raw as Row<F>
}

/**
 * Values in column form; names that are no field of the resource are a bug and refused by SQLite.
 */
export function encodeRow(resource: Resource<Fields>, row: Readonly<RawRow>): RawRow {
  const out: RawRow = { ...row }
  const codec = codecOf(resource)
  for (const name of codec.boolean)
    if (typeof out[name] === 'boolean') out[name] = out[name] ? 1 : 0
  for (const name of codec.json)
    if (out[name] !== undefined && out[name] !== null) out[name] = JSON.stringify(out[name])
  return out
}

export async function findRow<F extends Fields>(
  db: Db,
  resource: Resource<F>,
  id: string,
): Promise<Row<F> | undefined> {
  const [raw] = await runCompiled<RawRow>(db, `row ${resource.table}`, [id], (on) =>
    on.selectFrom(resource.table).selectAll().where(keyOf(resource), '=', ''),
  )
  return raw === undefined ? undefined : decodeRow(resource, raw)
}

/** Throws the 404 fault where there is none. */
export async function getRow<F extends Fields>(
  db: Db,
  resource: Resource<F>,
  id: string,
): Promise<Row<F>> {
  const row = await findRow(db, resource, id)
  if (row === undefined) throw notFound(resource, id)
  return row
}

export function notFound(resource: Resource<Fields>, id: string): Fault {
  return fault.notFound(resource.title, id)
}

/** All rows whose columns have these values, oldest first; a list as value means any of it. */
export async function findRows<F extends Fields>(
  db: Db,
  resource: Resource<F>,
  where: Readonly<Partial<Record<keyof F & string, unknown>>>,
): Promise<Row<F>[]> {
  let query = db.selectFrom(resource.table).selectAll()
  for (const [name, value] of Object.entries(where))
    query = query.where(name, Array.isArray(value) ? 'in' : '=', value)
  if (resource.fields.created_at !== undefined) query = query.orderBy('created_at')
  const rows = await query.orderBy(keyOf(resource)).execute()
  return rows.map((raw: RawRow) => decodeRow(resource, raw))
}

export async function countRows<F extends Fields>(
  db: Db,
  resource: Resource<F>,
  where: Readonly<Partial<Record<keyof F & string, unknown>>>,
): Promise<number> {
  let query = db.selectFrom(resource.table).select((e) => e.fn.countAll().as('count'))
  for (const [name, value] of Object.entries(where))
    query = query.where(name, Array.isArray(value) ? 'in' : '=', value)
  const row = (await query.executeTakeFirst()) as { count: number }
  return row.count
}

export async function insertRow<F extends Fields>(
  tx: Tx,
  resource: Resource<F>,
  row: Row<F>,
): Promise<void> {
  await tx
    .insertInto(resource.table)
    .values(encodeRow(resource, row as RawRow))
    .execute()
}

export async function insertRows<F extends Fields>(
  tx: Tx,
  resource: Resource<F>,
  rows: readonly Row<F>[],
): Promise<void> {
  for (const row of rows) await insertRow(tx, resource, row)
}

/** Changes the named columns of one row; whether there was such a row. */
export async function updateRow<F extends Fields>(
  tx: Tx,
  resource: Resource<F>,
  id: string,
  changes: Partial<Row<F>>,
): Promise<boolean> {
  return (await updateRows(tx, resource, { [keyOf(resource)]: id } as never, changes)) > 0
}

/** Changes the named columns of all rows whose columns have these values; how many there were. */
export async function updateRows<F extends Fields>(
  tx: Tx,
  resource: Resource<F>,
  where: Readonly<Partial<Record<keyof F & string, unknown>>>,
  changes: Partial<Row<F>>,
): Promise<number> {
  if (Object.keys(changes).length === 0) return 0
  let query = tx.updateTable(resource.table).set(encodeRow(resource, changes as RawRow))
  for (const [name, value] of Object.entries(where))
    query = query.where(name, Array.isArray(value) ? 'in' : '=', value)
  const { numUpdatedRows } = await query.executeTakeFirst()
  return Number(numUpdatedRows)
}

export async function deleteRow(tx: Tx, resource: Resource<Fields>, id: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom(resource.table)
    .where(keyOf(resource), '=', id)
    .executeTakeFirst()
  return Number(numDeletedRows) > 0
}
