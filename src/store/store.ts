/**
 * The database: embedded SQLite, one writer, one reader. All writes go through `transaction`, which
 * is immediate and holds the writer until it ends, so nothing but `tx` may be awaited in it: what
 * is outside is asked before, and told after. SQL lives in this folder only.
 */
import { Database } from 'bun:sqlite'
import { closeSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Kysely, sql, type Transaction } from 'kysely'
import { makeFolder, SECRET_MODE } from '../system/files.ts'
import { duringTransaction } from '../system/outside.ts'
import { readerOver, writerOver } from './dialect.ts'
import { MIGRATIONS } from './migrations.ts'
import { SCHEMA_VERSION, schemaStatements } from './tables.ts'
import { openWal, WalSync } from './wal-sync.ts'

/**
 * The repository builds its queries from resource definitions, so column names are values, not
 * types, here; its functions give the rows their types back.
 */
// biome-ignore lint/suspicious/noExplicitAny: the one untyped boundary, see above
export type Tables = any

/** Where reads go: committed data, or inside a transaction its own writes too. */
export type Db = Kysely<Tables>
/** A running transaction; every function which writes asks for one. */
export type Tx = Transaction<Tables>

export interface Store {
  readonly read: Db
  /**
   * Runs `body` alone among writers; a throw rolls everything back. Its result is committed when
   * this resolves.
   */
  transaction<T>(body: (tx: Tx) => Promise<T>, durability?: Durability): Promise<T>
  /** Of what the running transaction sees. */
  revision(tx: Tx): Revision
  /** What `read` has shown until now is on the disk: to be awaited before acting on it outside. */
  synced(): Promise<void>
  close(): void
}

/** While nothing is written between two transactions, the second has one `own` more. */
export interface Revision {
  /** How many transactions of this store have begun. */
  readonly own: number
  /** A number that other programs change with each of theirs. */
  readonly others: number
}

/**
 * 'power-cut', the default: what is committed is on the disk. 'crash': it outlives this process and
 * any later commit of the other kind carries it to the disk, but without one a power cut can take
 * it back; for what comes to the same when it is done again.
 */
export type Durability = 'power-cut' | 'crash'

/** The database cannot be used as it is; `message` is one sentence for the operator. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
}

/** `path` is a file, made with its folder when missing, or `:memory:`. */
export function openStore(path: string): Store {
  if (path !== ':memory:') makeFolder(dirname(path), 0o700)
  const writer = openDatabase(path)
  prepareSchema(writer, path)
  const reader = path === ':memory:' ? undefined : openReader(path)
  const disk = reader === undefined ? undefined : new WalSync(openWal(path))
  const { db, transaction } = writerOver<Tables>(writer)
  let begun = 0
  return {
    // With `:memory:` both are one connection; the reader must not join a transaction that is open.
    read: reader === undefined ? db : readerOver<Tables>(reader),
    transaction: async (body, durability = 'power-cut') => {
      const counted = (tx: Tx) => {
        begun++
        return body(tx)
      }
      const result = await duringTransaction(() => transaction(counted))
      disk?.committed()
      if (durability === 'power-cut') await disk?.synced()
      return result
    },
    // https://www.sqlite.org/pragma.html#pragma_data_version
    revision: () => ({ own: begun, others: pragma(writer, 'data_version') }),
    synced: async () => disk?.synced(),
    close: () => {
      disk?.close()
      reader?.close()
      writer.run('PRAGMA optimize')
      writer.close()
    },
  }
}

/** Rejects where the database does not answer. */
export async function pingStore(db: Db): Promise<void> {
  await sql`select 1`.execute(db)
}

/** At most, in KiB, of each connection: the rows of some thousand load balancers stay in memory. */
const CACHE = 'PRAGMA cache_size = -16384'

function openDatabase(path: string): Database {
  try {
    // Hashes of passwords are in it. The files that SQLite makes beside it get the same mode.
    if (path !== ':memory:') closeSync(openSync(path, 'a', SECRET_MODE))
    const database = new Database(path, { create: true, readwrite: true, strict: true })
    // busy_timeout first: switching to WAL takes a lock which another process may hold for a
    // moment.
    database.run('PRAGMA busy_timeout = 5000')
    database.run('PRAGMA journal_mode = wal')
    // What has to be on the disk is carried there by wal-sync.ts.
    database.run('PRAGMA synchronous = normal')
    database.run('PRAGMA foreign_keys = on')
    database.run(CACHE)
    return database
  } catch (cause) {
    throw unusable(path, cause)
  }
}

function openReader(path: string): Database {
  const database = new Database(path, { readonly: true, strict: true })
  database.run('PRAGMA busy_timeout = 5000')
  database.run(CACHE)
  return database
}

/** Makes or completes the schema, or refuses a database which this program must not touch. */
function prepareSchema(database: Database, path: string): void {
  let version: number
  try {
    version = pragma(database, 'user_version')
    if (version === 0 && pragma(database, 'schema_version') > 0)
      throw new StoreError(`${path} is a database of another program; choose another data_dir`)
    const check = database.query('PRAGMA quick_check(1)').get() as { quick_check: string }
    if (check.quick_check !== 'ok') throw new Error(check.quick_check)
  } catch (cause) {
    throw cause instanceof StoreError ? cause : unusable(path, cause)
  }
  if (version > SCHEMA_VERSION)
    throw new StoreError(
      `${path} has schema ${version} and this octavia-lite knows ${SCHEMA_VERSION}: ` +
        'it was written by a newer version, so use that one or restore a backup',
    )
  if (version === SCHEMA_VERSION) return
  database
    .transaction(() => {
      for (const statement of version === 0 ? schemaStatements() : migrationsFrom(version))
        database.run(statement)
      database.run(`PRAGMA user_version = ${SCHEMA_VERSION}`)
    })
    .immediate()
}

function migrationsFrom(version: number): readonly string[] {
  const steps = Array.from({ length: SCHEMA_VERSION - version }, (_, at) => version + 1 + at)
  return steps.flatMap((step) => MIGRATIONS[step] ?? [])
}

function pragma(database: Database, name: string): number {
  const row = database.query(`PRAGMA ${name}`).get() as Record<string, number>
  return row[name] ?? 0
}

function unusable(path: string, cause: unknown): StoreError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new StoreError(`the database ${path} cannot be used: ${why}; nothing was changed`, {
    cause,
  })
}
