import { openKeyring } from '../../secret/keyring.ts'
import { rekey } from '../../secret/vault.ts'
import { parseArguments } from '../arguments.ts'
import { withDatabase } from '../database.ts'
import { EXIT, type Exit, type Io } from '../io.ts'
import { secretKeysIn } from '../serve/data-folder.ts'

/** Whoever may open the data directory may do this; nobody has to log in. */
export async function rekeySecrets(args: readonly string[], io: Io): Promise<Exit> {
  const options = parseArguments(args, { 'config-file': { type: 'string' } })
  return await withDatabase(options.text('config-file'), async ({ store, data_dir }) => {
    const count = await rekey(store, openKeyring(secretKeysIn(data_dir)))
    io.err(`octavia-lite: ${count} secrets are sealed with a new key\n`)
    return EXIT.ok
  })
}
