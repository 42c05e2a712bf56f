/**
 * Rows of resources, read and written by definition: `findRow(db, listener, id)` gives a Listener.
 * Values are in wire form outside and in column form inside (booleans 0 and 1, lists and objects
 * JSON).
 */

import type { ExpressionBuilder } from 'kysely'
import { type Fault, fault } from '../model/fault.ts'
import { type Fields, keyOf, type Resource, type Row } from '../model/field.ts'
import { changeCompiled, executeCompiled, runCompiled } from './compiled.ts'
import type { Db, Tables, Tx } from './store.ts'
import { applyWhere, meansNone, shapeOf, valuesOf } from './where.ts'

type RawRow = Record<string, unknown>
/** Column to value; a list as value means any of it. */
type Conditions<F extends Fields> = Readonly<Partial<Record<keyof F & string, unknown>>>

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
  for (const name of codec.boolean) if (typeof raw[name] === 'number') raw[name] = raw[name] === 1
  for (const name of codec.json) {
    const text = raw[name]
    if (typeof text === 'string') raw[name] = JSON.parse(text)
  }
  return raw as Row<F>
}

/**
 * Values in column form, without those that are undefined; names that are no field of the resource
 * are a bug and refused by SQLite.
 */
export function encodeRow(resource: Resource<Fields>, row: Readonly<RawRow>): RawRow {
  const out: RawRow = {}
  for (const [name, value] of Object.entries(row)) if (value !== undefined) out[name] = value
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
  where: Conditions<F>,
): Promise<Row<F>[]> {
  if (meansNone(where)) return []
  const { table, fields } = resource
  const rows = await runCompiled<RawRow>(
    db,
    `rows ${table}${shapeOf(where)}`,
    valuesOf(where),
    (on) => applyWhere(on.selectFrom(table).selectAll(), where),
  )
  // SQLite would build an index for it each time, which costs more than finding a few rows.
  const order =
    fields.created_at === undefined ? [keyOf(resource)] : ['created_at', keyOf(resource)]
  return rows.sort(inOrderOf(order)).map((raw) => decodeRow(resource, raw))
}

/** By columns of text, the first that differs deciding, as SQLite compares them. */
function inOrderOf(columns: readonly string[]): (a: RawRow, b: RawRow) => number {
  return (a, b) => {
    for (const column of columns) {
      const [left, right] = [String(a[column]), String(b[column])]
      if (left !== right) return left < right ? -1 : 1
    }
    return 0
  }
}

/** Only some columns of those, in no particular order. */
export async function findColumns<F extends Fields, K extends keyof F & string>(
  db: Db,
  resource: Resource<F>,
  columns: readonly K[],
  where: Conditions<F>,
): Promise<Pick<Row<F>, K>[]> {
  if (meansNone(where)) return []
  const { table } = resource
  const rows = await runCompiled<RawRow>(
    db,
    `columns ${table} ${columns.join()}${shapeOf(where)}`,
    valuesOf(where),
    (on) => applyWhere(on.selectFrom(table).select([...columns]), where),
  )
  return rows.map((raw) => decodeRow(resource, raw))
}

/** Of all rows whose columns have these values, in no particular order. */
export async function findIds<F extends Fields>(
  db: Db,
  resource: Resource<F>,
  where: Conditions<F>,
): Promise<string[]> {
  const rows = await findColumns(db, resource, ['id'], where)
  return rows.map((row) => String((row as RawRow).id))
}

export async function countRows<F extends Fields>(
  db: Db,
  { table }: Resource<F>,
  where: Conditions<F>,
): Promise<number> {
  if (meansNone(where)) return 0
  const [row] = await runCompiled<{ count: number }>(
    db,
    `count ${table}${shapeOf(where)}`,
    valuesOf(where),
    (on) => applyWhere(on.selectFrom(table).select(countAll), where),
  )
  return row?.count ?? 0
}

const countAll = (e: ExpressionBuilder<Tables, string>) => e.fn.countAll().as('count')

export async function insertRow<F extends Fields>(
  tx: Tx,
  resource: Resource<F>,
  row: Row<F>,
): Promise<void> {
  const values = encodeRow(resource, row as RawRow)
  await executeCompiled(
    tx,
    `insert ${resource.table} ${Object.keys(values).join()}`,
    Object.values(values),
    (on) => on.insertInto(resource.table).values(values),
  )
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
  where: Conditions<F>,
  changes: Partial<Row<F>>,
): Promise<number> {
  const values = encodeRow(resource, changes as RawRow)
  if (Object.keys(values).length === 0 || meansNone(where)) return 0
  return changeCompiled(
    tx,
    `update ${resource.table} ${Object.keys(values).join()}${shapeOf(where)}`,
    [...Object.values(values), ...valuesOf(where)],
    (on) => applyWhere(on.updateTable(resource.table).set(values), where),
  )
}

/** Deletes all rows whose columns have these values; how many there were. */
export async function deleteRows<F extends Fields>(
  tx: Tx,
  { table }: Resource<F>,
  where: Conditions<F>,
): Promise<number> {
  if (meansNone(where)) return 0
  return changeCompiled(tx, `delete ${table}${shapeOf(where)}`, valuesOf(where), (on) =>
    applyWhere(on.deleteFrom(table), where),
  )
}

export async function deleteRow<F extends Fields>(
  tx: Tx,
  resource: Resource<F>,
  id: string,
): Promise<boolean> {
  return (await deleteRows(tx, resource, { [keyOf(resource)]: id } as never)) > 0
}
