/**
 * Queries compiled once: building the text of a query costs several times what SQLite takes to run
 * it. A key names the shape of a query, so everything that changes its text must be in the key.
 */
import type { CompiledQuery } from 'kysely'
import { directConnection, type Ran } from './dialect.ts'
import type { Db } from './store.ts'

/** Shapes kept per database, among them those of bodies that name any of the fields. */
const COMPILED_MAX = 1024

/** By the dialect's adapter, which a database and its transactions share. */
const compiledByAdapter = new WeakMap<object, Map<string, CompiledQuery>>()

export interface Compilable {
  compile(): CompiledQuery
}

/** `parameters` are in the order in which `build` names its values, which are replaced by them. */
export async function executeCompiled(
  db: Db,
  key: string,
  parameters: readonly unknown[],
  build: (db: Db) => Compilable,
): Promise<Ran> {
  const compiled = compiledBy(db, key, build)
  const direct = directConnection(db)
  if (direct !== undefined) return direct.run(compiled.sql, parameters)
  const { rows, numAffectedRows = 0n } = await db.executeQuery({ ...compiled, parameters })
  return { rows, changes: Number(numAffectedRows) }
}

function compiledBy(db: Db, key: string, build: (db: Db) => Compilable): CompiledQuery {
  const { adapter } = db.getExecutor()
  let queries = compiledByAdapter.get(adapter)
  if (queries === undefined) {
    queries = new Map()
    compiledByAdapter.set(adapter, queries)
  }
  const known = queries.get(key)
  if (known !== undefined) return known
  const compiled = build(db).compile()
  const oldest = queries.keys().next()
  if (queries.size >= COMPILED_MAX && oldest.done !== true) queries.delete(oldest.value)
  queries.set(key, compiled)
  return compiled
}

/** The rows it gives. */
export async function runCompiled<R>(
  db: Db,
  key: string,
  parameters: readonly unknown[],
  build: (db: Db) => Compilable,
): Promise<R[]> {
  return (await executeCompiled(db, key, parameters, build)).rows as R[]
}

/** How many rows it changed. */
export async function changeCompiled(
  db: Db,
  key: string,
  parameters: readonly unknown[],
  build: (db: Db) => Compilable,
): Promise<number> {
  return (await executeCompiled(db, key, parameters, build)).changes
}
