/**
 * Kysely over bun:sqlite. One connection writes; a second, read-only one sees committed data only.
 * The writer is held from acquire to release, because a statement of another caller between `begin`
 * and `commit` would join the transaction and vanish with its rollback. Its transactions are of two
 * kinds, each a Kysely of its own over the one connection: FULL is on the disk when it is
 * committed; NORMAL is safe from a crash of this process, and a power cut may take back the last of
 * them, but never one that a FULL one followed.
 */
import type { Database, Statement } from 'bun:sqlite'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'

/** Statements kept prepared per connection; the oldest leaves first. */
const STATEMENTS_MAX = 256

type Synchronous = 'full' | 'normal'

class SqliteConnection implements DatabaseConnection {
  readonly #database: Database
  readonly #statements = new Map<string, Statement>()
  #synchronous: Synchronous | undefined
  constructor(database: Database) {
    this.#database = database
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const statement = this.#prepare(query.sql)
    const parameters = query.parameters as never[]
    if (statement.columnNames.length > 0) return { rows: statement.all(...parameters) as R[] }
    const { changes } = statement.run(...parameters)
    return { rows: [], numAffectedRows: BigInt(changes) }
  }

  // biome-ignore lint/correctness/useYield: nothing here streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streaming is not supported')
  }

  get inTransaction(): boolean {
    return this.#database.inTransaction
  }

  /** Not inside a transaction. */
  synchronize(how: Synchronous): void {
    if (this.#synchronous === how) return
    this.#prepare(`pragma synchronous = ${how}`).run()
    this.#synchronous = how
  }

  #prepare(sql: string): Statement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    const oldest = this.#statements.keys().next()
    if (this.#statements.size >= STATEMENTS_MAX && oldest.done !== true) {
      this.#statements.get(oldest.value)?.finalize()
      this.#statements.delete(oldest.value)
    }
    this.#statements.set(sql, statement)
    return statement
  }
}

/** Lets one holder in at a time, in the order of asking. */
class Turns {
  #last: Promise<void> = Promise.resolve()
  #release: (() => void) | undefined

  async take(): Promise<void> {
    const before = this.#last
    let release: () => void = () => {}
    this.#last = new Promise((resolve) => {
      release = resolve
    })
    await before
    this.#release = release
  }

  give(): void {
    this.#release?.()
  }
}

class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection
  readonly #turns: Turns | undefined
  readonly #synchronous: Synchronous
  constructor(connection: SqliteConnection, turns?: Turns, synchronous: Synchronous = 'full') {
    this.#connection = connection
    this.#turns = turns
    this.#synchronous = synchronous
  }
  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    await this.#turns?.take()
    return this.#connection
  }
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    this.#connection.synchronize(this.#synchronous)
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }
  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // SQLite rolls back by itself when the disk is full; a second rollback would hide that error.
    if (!this.#connection.inTransaction) return
    await connection.executeQuery(CompiledQuery.raw('rollback'))
  }
  async releaseConnection(): Promise<void> {
    this.#turns?.give()
  }
  async destroy(): Promise<void> {}
}

export function readerOver<T>(database: Database): Kysely<T> {
  return kyselyOver(new SqliteDriver(new SqliteConnection(database)))
}

/** The same connection twice; whoever holds one holds both. */
export function writersOver<T>(database: Database): Readonly<Record<Synchronous, Kysely<T>>> {
  const connection = new SqliteConnection(database)
  const turns = new Turns()
  return {
    full: kyselyOver(new SqliteDriver(connection, turns, 'full')),
    normal: kyselyOver(new SqliteDriver(connection, turns, 'normal')),
  }
}

function kyselyOver<T>(driver: Driver): Kysely<T> {
  const dialect: Dialect = {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
  return new Kysely<T>({ dialect })
}
