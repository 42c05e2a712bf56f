/**
 * One statement for many rows, for paths that are hot. Building a statement costs more than running
 * it, so it is compiled once for each of a few numbers of rows, and a batch is cut into these.
 */
import type { CompiledQuery } from 'kysely'
import type { Db } from './store.ts'

/** Largest first. 256 rows of seven values are far from the limit of variables. */
const SIZES = [256, 32, 4, 1] as const

export type Parameters = readonly unknown[]

/**
 * Runs over all `rows`, their values in the order of the statement, after the values in `first`.
 */
export type Batch = (db: Db, rows: readonly Parameters[], first?: Parameters) => Promise<unknown[]>

/** `compile` makes the statement for that many rows; the values it is given there are replaced. */
export function prepareBatch(compile: (rows: number) => CompiledQuery): Batch {
  const compiled = new Map<number, CompiledQuery>()
  const statement = (size: number): CompiledQuery => {
    const known = compiled.get(size) ?? compile(size)
    compiled.set(size, known)
    return known
  }
  return async (db, rows, first = []) => {
    const found: unknown[] = []
    let at = 0
    for (const size of SIZES) {
      for (; rows.length - at >= size; at += size) {
        const parameters = [...first, ...rows.slice(at, at + size).flat()]
        const result = await db.executeQuery({ ...statement(size), parameters })
        for (const row of result.rows) found.push(row)
      }
    }
    return found
  }
}

/** That many times the same value, for statements which are only compiled. */
export function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value)
}
