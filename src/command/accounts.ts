/**
 * What `user` and `project` have in common: they work on the database itself, beside a serve that
 * runs or without one. Whoever may open the data directory may do everything anyway; so no
 * administrator has to log in, and one who lost the password gets in again. SQLite lets one writer
 * wait for another, each change is one short transaction, and serve asks for the version of the
 * accounts with every request, so that a change counts there at once. The `lock` of the data
 * directory is about who runs the engine, and is left alone.
 */
import { type OpenDatabase, withDatabase } from './database.ts'
import { CommandFailure, EXIT } from './io.ts'

/**
 * Opens the accounts of that configuration for `work`, and makes its failures those of a command.
 */
export async function withAccounts<T>(
  config: string | undefined,
  work: (accounts: OpenDatabase) => Promise<T>,
): Promise<T> {
  return await withDatabase(config, work, ({ api_settings: { auth_strategy } }) => {
    if (auth_strategy !== 'local')
      throw new CommandFailure(
        `auth_strategy is ${auth_strategy}: there are no users and projects here`,
      )
  })
}

/** The one word behind a verb. */
export function nameIn(positionals: readonly string[], usage: string): string {
  const [, name, more] = positionals
  if (name === undefined || more !== undefined) throw new CommandFailure(usage, EXIT.usage)
  return name
}
