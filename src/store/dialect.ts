/**
 * Kysely over bun:sqlite. One connection writes; a second, read-only one sees committed data only.
 * The writer is held from acquire to release, because a statement of another caller between `begin`
 * and `commit` would join the transaction and vanish with its rollback.
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

class SqliteConnection implements DatabaseConnection {
  readonly #database: Database
  readonly #statements = new Map<string, Statement>()
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
  constructor(database: Database, exclusive: boolean) {
    this.#connection = new SqliteConnection(database)
    this.#turns = exclusive ? new Turns() : undefined
  }
  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    await this.#turns?.take()
    return this.#connection
  }
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
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

/** `exclusive` for the connection which writes. */
export function kyselyOver<T>(database: Database, exclusive: boolean): Kysely<T> {
  const dialect: Dialect = {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteDriver(database, exclusive),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
  return new Kysely<T>({ dialect })
}
