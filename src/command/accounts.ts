/**
 * What `user` and `project` have in common: they work on the database itself, beside a serve that
 * runs or without one. Whoever may open the data directory may do everything anyway; so no
 * administrator has to log in, and one who lost the password gets in again. SQLite lets one writer
 * wait for another, each change is one short transaction, and serve asks for the version of the
 * accounts with every request, so that a change counts there at once. The `lock` of the data
 * directory is about who runs the engine, and is left alone.
 */
import { existsSync } from 'node:fs'
import { ConfigError, loadConfig } from '../config/load.ts'
import { AccountError } from '../identity/accounts.ts'
import { openStore, type Store, StoreError } from '../store/store.ts'
import { configFile } from './config.ts'
import { CommandFailure, EXIT } from './io.ts'
import { databaseIn } from './serve/data-folder.ts'

export interface Accounts {
  readonly store: Store
  readonly data_dir: string
}

/**
 * Opens the accounts of that configuration for `work`, and makes its failures those of a command.
 */
export async function withAccounts<T>(
  config: string | undefined,
  work: (accounts: Accounts) => Promise<T>,
): Promise<T> {
  try {
    const { DEFAULT, api_settings } = loadConfig(configFile(config))
    if (api_settings.auth_strategy !== 'local')
      throw new CommandFailure(
        `auth_strategy is ${api_settings.auth_strategy}: there are no users and projects here`,
      )
    const path = databaseIn(DEFAULT.data_dir)
    if (!existsSync(path))
      throw new CommandFailure(`there is no database ${path} yet; start octavia-lite serve once`)
    const store = openStore(path)
    try {
      return await work({ store, data_dir: DEFAULT.data_dir })
    } finally {
      store.close()
    }
  } catch (cause) {
    const told = [ConfigError, StoreError, AccountError].some((kind) => cause instanceof kind)
    if (!told || !(cause instanceof Error)) throw cause
    throw new CommandFailure(cause.message, EXIT.failure, cause)
  }
}

/** The one word behind a verb. */
export function nameIn(positionals: readonly string[], usage: string): string {
  const [, name, more] = positionals
  if (name === undefined || more !== undefined) throw new CommandFailure(usage, EXIT.usage)
  return name
}
