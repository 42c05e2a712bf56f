/**
 * One compiled query for many rows, for paths that are hot: a batch is cut into a few sizes, so
 * that there are as few queries to keep.
 */
import type { CompiledQuery } from 'kysely'
import { runCompiled } from './compiled.ts'
import type { Db } from './store.ts'

/** Largest first. 256 rows of seven values are far from the limit of parameters. */
const SIZES = [256, 32, 4, 1] as const

export interface Batch {
  /** Names the query; from a small fixed set. */
  readonly key: string
  /** The query for that many rows; the values which it is built with are replaced. */
  build(db: Db, rows: number): { compile(): CompiledQuery }
  /** The values of each row, in the order of the query. */
  readonly rows: readonly (readonly unknown[])[]
  /** Values that the query names before those of the rows. */
  readonly first?: readonly unknown[]
}

/** All rows that the queries give. */
export async function runBatch<R>(db: Db, batch: Batch): Promise<R[]> {
  const { rows, first = [] } = batch
  const found: R[] = []
  let at = 0
  for (const size of SIZES) {
    for (; rows.length - at >= size; at += size) {
      const parameters = [...first, ...rows.slice(at, at + size).flat()]
      const build = (on: Db) => batch.build(on, size)
      for (const row of await runCompiled<R>(db, `${batch.key} ${size}`, parameters, build))
        found.push(row)
    }
  }
  return found
}

/** That many times the same value, for queries which are only compiled. */
export function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value)
}
