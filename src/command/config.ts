/** `octavia-lite config`: the sample, whether a configuration is right, and one from upstream's. */
import { existsSync } from 'node:fs'
import {
  ConfigError,
  checkConfig,
  checkFile,
  loadConfig,
  problemText,
  systemSurroundings,
} from '../config/load.ts'
import { renderSample } from '../config/sample.ts'
import { parseArguments } from './arguments.ts'
import { importConfig } from './config-import.ts'
import { type Command, CommandFailure, EXIT, type Exit, type Io } from './io.ts'

/** Read when no --config-file is given and it exists. */
export const DEFAULT_CONFIG_FILE = '/etc/octavia-lite/octavia-lite.toml'

/** The file to load: the one named, the default one if it is there, or none. */
export function configFile(named: string | undefined): string | null {
  if (named !== undefined) return named
  return existsSync(DEFAULT_CONFIG_FILE) ? DEFAULT_CONFIG_FILE : null
}

/** Where the serve of that configuration keeps a clouds.yaml, if it is one which has users. */
export function cloudBesideServe(named: string | undefined): { readonly data_dir?: string } {
  try {
    const { DEFAULT, api_settings } = loadConfig(configFile(named))
    return api_settings.auth_strategy === 'local' ? { data_dir: DEFAULT.data_dir } : {}
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause
    throw new CommandFailure(cause.message, EXIT.failure, cause)
  }
}

export const command: Command = {
  summary: 'print a sample configuration, check one, or import octavia.conf',
  help: `usage: octavia-lite config sample
       octavia-lite config check [--config-file FILE] [--json]
       octavia-lite config import FILE [--output FILE [--force]] [--json]

sample prints every option with its help and default, commented out, as TOML.
check prints what is wrong with FILE (default ${DEFAULT_CONFIG_FILE}),
one problem per line, and exits 0 when it can be used, else 1.
import reads upstream's octavia.conf and prints it in our form, secrets included; what
no longer applies, and why, goes to standard error. It exits 1 when something needs a
decision.

  --json          check: print { "file", "ok", "problems": [{ severity, where, line,
                  message }] }; import: print { "toml", "dropped", "problems", ... }
  --output FILE   write it there, readable by its owner only
  --force         also when FILE exists
`,
  async run(args, io) {
    const [verb, ...rest] = args
    if (verb === 'sample') {
      parseArguments(rest, {})
      io.out(renderSample())
      return EXIT.ok
    }
    if (verb === 'check') return check(rest, io)
    if (verb === 'import') return importConfig(rest, io)
    throw new CommandFailure('say config sample, check or import; see --help', EXIT.usage)
  },
}

function check(args: readonly string[], io: Io): Exit {
  const options = parseArguments(args, {
    'config-file': { type: 'string' },
    json: { type: 'boolean' },
  })
  const file = configFile(options.text('config-file'))
  const { config, problems } =
    file === null ? checkConfig('', systemSurroundings()) : checkFile(file)
  const ok = config !== null
  if (options.flag('json')) io.out(`${JSON.stringify({ file, ok, problems }, null, 2)}\n`)
  else {
    for (const problem of problems)
      io.out(`${problem.severity}: ${problemText(file ?? 'defaults', problem)}\n`)
    if (ok) io.out(`${file ?? 'the built-in defaults'}: can be used\n`)
  }
  return ok ? EXIT.ok : EXIT.failure
}
