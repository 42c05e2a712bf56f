/**
 * One compiled query for many rows, for paths that are hot: however many there are, they are one
 * parameter, a JSON array that SQLite unpacks. The fixed cost of a query is several times that of
 * a row.
 */
import { type RawBuilder, sql } from 'kysely'
import { type Compilable, runCompiled } from './compiled.ts'
import type { Db } from './store.ts'

export interface Batch {
  /** Names the query; from a small fixed set. */
  readonly key: string
  /** The query, with `listed` or `unpacked` after all other values. */
  build(db: Db): Compilable
  readonly values: readonly (string | readonly (string | number | null)[])[]
  /** Values that the query names before. */
  readonly first?: readonly unknown[]
}

/** All rows that the query gives. */
export async function runBatch<R>(db: Db, { key, build, values, first = [] }: Batch): Promise<R[]> {
  if (values.length === 0) return []
  return await runCompiled<R>(db, key, [...first, JSON.stringify(values)], build)
}

/** The values of a batch, to look for with `in`. */
export function listed(): RawBuilder<string> {
  return sql`(select value from json_each(${''}))`
}

/** The values of a batch, each an array, as rows to insert. */
export function unpacked(columns: number): RawBuilder<unknown> {
  const places = Array.from({ length: columns }, (_, at) => sql`value ->> ${sql.lit(at)}`)
  // Without the condition SQLite takes ON CONFLICT for a join.
  return sql`select ${sql.join(places)} from json_each(${''}) where true`
}
