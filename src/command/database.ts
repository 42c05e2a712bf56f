/** The database of a configuration, for commands that work on it beside a serve or without one. */
import { existsSync } from 'node:fs'
import { ConfigError, loadConfig } from '../config/load.ts'
import type { Config } from '../config/options.ts'
import { AccountError } from '../identity/accounts.ts'
import { KeyError } from '../secret/keyring.ts'
import { openStore, type Store, StoreError } from '../store/store.ts'
import { configFile } from './config.ts'
import { CommandFailure, EXIT } from './io.ts'
import { databaseIn } from './serve/data-folder.ts'

export interface OpenDatabase {
  readonly store: Store
  readonly data_dir: string
}

/**
 * Makes the failures of `work` that are for the operator those of a command. `check` throws for a
 * configuration that the command is not for.
 */
export async function withDatabase<T>(
  file: string | undefined,
  work: (database: OpenDatabase) => Promise<T>,
  check: (config: Config) => void = () => {},
): Promise<T> {
  try {
    const config = loadConfig(configFile(file))
    check(config)
    const { data_dir } = config.DEFAULT
    const path = databaseIn(data_dir)
    if (!existsSync(path))
      throw new CommandFailure(`there is no database ${path} yet; start octavia-lite serve once`)
    const store = openStore(path)
    try {
      return await work({ store, data_dir })
    } finally {
      store.close()
    }
  } catch (cause) {
    const told = [ConfigError, StoreError, AccountError, KeyError].some(
      (kind) => cause instanceof kind,
    )
    if (!told || !(cause instanceof Error)) throw cause
    throw new CommandFailure(cause.message, EXIT.failure, cause)
  }
}
