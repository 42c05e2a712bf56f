/**
 * One compiled query for many rows, for paths that are hot: however many there are, they are one
 * parameter, a JSON array that SQLite unpacks. The fixed cost of a query is several times that of
 * a row.
 */
import { type RawBuilder, sql } from 'kysely'
import { type Compilable, runCompiled } from './compiled.ts'
import type { Db } from './store.ts'

interface Query {
  /** Names the query; from a small fixed set. */
  readonly key: string
  /** Values that the query names before. */
  readonly first?: readonly unknown[]
}

export interface Lookup extends Query {
  /** The query, with `among`, to be looked for with `in`, after all other values. */
  build(db: Db, among: RawBuilder<string>): Compilable
  readonly values: readonly string[]
}

export interface Batch extends Query {
  /** The query, with `unpacked` after all other values. */
  build(db: Db): Compilable
  readonly values: readonly (readonly (string | number | null)[])[]
}

/** All rows that the query gives for any of the values. */
export async function runLookup<R>(db: Db, query: Lookup): Promise<R[]> {
  const { key, build, values, first = [] } = query
  const [only] = values
  if (only === undefined) return []
  // To unpack one value takes SQLite several times as long as to find what it names.
  if (values.length === 1)
    return await runCompiled<R>(db, `${key} of one`, [...first, only], (on) => build(on, ONE))
  const all = [...first, JSON.stringify(values)]
  return await runCompiled<R>(db, key, all, (on) => build(on, LISTED))
}

const ONE = sql<string>`(${''})`
const LISTED = sql<string>`(select value from json_each(${''}))`

/** One statement for all rows of values. */
export async function runBatch(db: Db, { key, build, values, first = [] }: Batch): Promise<void> {
  if (values.length === 0) return
  await runCompiled(db, key, [...first, JSON.stringify(values)], build)
}

/** The values of a batch, each an array, as rows to insert. */
export function unpacked(columns: number): RawBuilder<unknown> {
  const places = Array.from({ length: columns }, (_, at) => sql`value ->> ${sql.lit(at)}`)
  // Without the condition SQLite takes ON CONFLICT for a join.
  return sql`select ${sql.join(places)} from json_each(${''}) where true`
}
