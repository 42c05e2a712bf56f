/**
 * Kysely over bun:sqlite. One connection writes; a second, read-only one sees committed data only.
 * The writer is held from acquire to release, because a statement of another caller between `begin`
 * and `commit` would join the transaction and vanish with its rollback.
 *
 * Kysely's executor costs more than SQLite takes for most queries. So whoever holds a connection
 * anyway, as a transaction does, may run compiled queries on it at once: `directConnection`.
 */
import type { Database, Statement } from 'bun:sqlite'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Transaction,
} from 'kysely'

/** Statements kept prepared per connection; the oldest leaves first. */
const STATEMENTS_MAX = 256

interface Prepared {
  readonly statement: Statement
  /** Whether it has columns; asking the statement each time is not cheap. */
  readonly gives_rows: boolean
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: Database
  readonly #statements = new Map<string, Prepared>()
  constructor(database: Database) {
    this.#database = database
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes } = this.run(sql, parameters)
    return { rows: rows as R[], numAffectedRows: BigInt(changes) }
  }

  run(sql: string, parameters: readonly unknown[]): Ran {
    const { statement, gives_rows } = this.#prepare(sql)
    const bound = parameters as never[]
    if (gives_rows) return { rows: statement.all(...bound), changes: 0 }
    return { rows: [], changes: statement.run(...bound).changes }
  }

  // biome-ignore lint/correctness/useYield: nothing here streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streaming is not supported')
  }

  get inTransaction(): boolean {
    return this.#database.inTransaction
  }

  #prepare(sql: string): Prepared {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    const prepared = { statement, gives_rows: statement.columnNames.length > 0 }
    const oldest = this.#statements.keys().next()
    if (this.#statements.size >= STATEMENTS_MAX && oldest.done !== true) {
      this.#statements.get(oldest.value)?.statement.finalize()
      this.#statements.delete(oldest.value)
    }
    this.#statements.set(sql, prepared)
    return prepared
  }
}

export interface Ran {
  readonly rows: readonly unknown[]
  readonly changes: number
}

/** A connection of which one is sure that nobody else is in the middle of something on it. */
export type DirectConnection = Pick<SqliteConnection, 'run'>

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
  constructor(connection: SqliteConnection, turns?: Turns) {
    this.#connection = connection
    this.#turns = turns
  }
  async init(): Promise<void> {}
  async acquireConnection(): Promise<DatabaseConnection> {
    await this.#turns?.take()
    return this.#connection
  }
  async beginTransaction(): Promise<void> {
    this.#connection.run('begin immediate', [])
  }
  async commitTransaction(): Promise<void> {
    this.#connection.run('commit', [])
  }
  async rollbackTransaction(): Promise<void> {
    // SQLite rolls back by itself when the disk is full; a second rollback would hide that error.
    if (this.#connection.inTransaction) this.#connection.run('rollback', [])
  }
  async releaseConnection(): Promise<void> {
    this.#turns?.give()
  }
  async destroy(): Promise<void> {}
}

const directConnections = new WeakMap<object, DirectConnection>()

/** Of a reader or an open transaction; undefined where queries have to wait for their turn. */
export function directConnection(db: object): DirectConnection | undefined {
  return directConnections.get(db)
}

export function readerOver<T>(database: Database): Kysely<T> {
  const connection = new SqliteConnection(database)
  const db = kyselyOver<T>(new SqliteDriver(connection))
  directConnections.set(db, connection)
  return db
}

export interface Writer<T> {
  readonly db: Kysely<T>
  transaction<R>(body: (tx: Transaction<T>) => Promise<R>): Promise<R>
}

export function writerOver<T>(database: Database): Writer<T> {
  const connection = new SqliteConnection(database)
  const db = kyselyOver<T>(new SqliteDriver(connection, new Turns()))
  return {
    db,
    transaction: (body) =>
      db.transaction().execute(async (tx) => {
        directConnections.set(tx, connection)
        try {
          return await body(tx)
        } finally {
          directConnections.delete(tx)
        }
      }),
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
