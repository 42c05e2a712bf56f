/**
 * Queries of hot paths, built and compiled once per database: building one costs more than running
 * it. The parameters are given anew each time, in the order in which the query names them.
 */
import type { CompiledQuery } from 'kysely'
import type { Db } from './store.ts'

/** By the dialect's adapter, which a database and its transactions share. */
const compiledByAdapter = new WeakMap<object, Map<string, CompiledQuery>>()

/** `key` names the query; keys come from a small fixed set. The rows it gives. */
export async function runCompiled<R>(
  db: Db,
  key: string,
  parameters: readonly unknown[],
  build: (db: Db) => { compile(): CompiledQuery },
): Promise<R[]> {
  const { adapter } = db.getExecutor()
  let queries = compiledByAdapter.get(adapter)
  if (queries === undefined) {
    queries = new Map()
    compiledByAdapter.set(adapter, queries)
  }
  let compiled = queries.get(key)
  if (compiled === undefined) {
    compiled = build(db).compile()
    queries.set(key, compiled)
  }
  const { rows } = await db.executeQuery({ ...compiled, parameters })
  return rows as R[]
}
