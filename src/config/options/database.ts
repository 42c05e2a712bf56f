/** [database]: one embedded SQLite file. */
import { accepted, obsolete } from '../option.ts'
import { boolean, integer, text } from '../scalar.ts'

/** The file is in the data directory, so a server's address is refused rather than passed over. */
export const database = {
  ...accepted({
    connection: text('The database. This release has its own, in [DEFAULT] data_dir.', null, {
      secret: true,
      pattern: /^sqlite:/,
      takes: 'sqlite:// (database servers are not in this release)',
    }),
  }),
  ...obsolete('one embedded database needs no pool', {
    slave_connection: text('A database for reading.', null, { secret: true }),
    sqlite_synchronous: boolean('Whether commits reach the disk: always.', true),
    backend: text('The kind of database layer.', 'sqlalchemy'),
    mysql_sql_mode: text('The SQL mode of MySQL.', 'TRADITIONAL'),
    mysql_wsrep_sync_wait: integer('Whether Galera waits for other nodes.', null),
    connection_recycle_time: integer('Seconds after which a connection is renewed.', 3600),
    max_pool_size: integer('Connections kept open.', 10),
    max_overflow: integer('Connections beyond max_pool_size.', 20),
    pool_timeout: integer('Seconds to wait for a connection.', 10),
    max_retries: integer('Attempts to connect at start.', 10),
    retry_interval: integer('Seconds between them.', 10),
    connection_debug: integer('How much of SQL to log.', 0),
    connection_trace: boolean('Whether SQL names its caller.', false),
    connection_parameters: text('More parameters of the connection.', ''),
    use_db_reconnect: boolean('Whether a lost connection is made again.', false),
    db_retry_interval: integer('Seconds before trying again.', 1),
    db_inc_retry_interval: boolean('Whether that grows.', true),
    db_max_retry_interval: integer('How far it grows.', 10),
    db_max_retries: integer('Attempts in all.', 20),
  }),
}
