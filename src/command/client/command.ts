/** `octavia-lite lb`, `listener` and so on: one command per table. */
import { type Clock, systemClock } from '../../system/clock.ts'
import { type Fetch, openCloud } from '../cloud-login.ts'
import { cloudBesideServe } from '../config.ts'
import { type Command, CommandFailure, EXIT, type Io } from '../io.ts'
import { formatResult } from './format.ts'
import { resourceHelp, verbHelp } from './help.ts'
import { usage } from './option.ts'
import { parseWords } from './parse.ts'
import { runVerb } from './run.ts'
import { Session } from './session.ts'
import type { ClientTable } from './table.ts'
import { TABLES } from './tables.ts'
import { CONNECTION_OPTIONS, type Verb, verbsOf } from './verb.ts'

/** What tests replace. */
interface Outside {
  readonly fetch: Fetch
  readonly clock: Clock
}

const WIDTH_WITHOUT_TERMINAL = 0

/** Throws for a name without a table, which is a mistake of the caller. */
export function clientCommand(
  name: string,
  outside: Outside = { fetch, clock: systemClock },
): Command {
  const table = TABLES.find(({ command }) => command === name)
  if (table === undefined) throw new Error(`no resource is called ${name}`)
  return {
    summary: `${verbsOf(table)
      .map((verb) => verb.name)
      .join(', ')}`,
    help: resourceHelp(table),
    helpOf: (args) => {
      const verb = findVerb(table, args)
      return verb === undefined ? resourceHelp(table) : verbHelp(table, verb)
    },
    run: async (args, io) => {
      await runClient(table, args, io, outside)
      return EXIT.ok
    },
  }
}

async function runClient(
  table: ClientTable,
  args: readonly string[],
  io: Io,
  outside: Outside,
): Promise<void> {
  const verb = findVerb(table, args)
  if (verb === undefined) {
    const known = verbsOf(table).map(({ name }) => name)
    throw usage(`octavia-lite ${table.command} knows ${known.join(', ')}; see --help`)
  }
  const words = args.slice(verb.name.split(' ').length)
  const input = parseWords(words, {
    options: [...verb.options, ...verb.output, ...CONNECTION_OPTIONS],
    positionals: verb.positionals,
    ...(verb.exactlyOne === undefined ? {} : { exactlyOne: verb.exactlyOne }),
    ...(verb.atLeastOne === undefined ? {} : { atLeastOne: verb.atLeastOne }),
  })
  const options = { flags: input.values, ...dataFolder() }
  const cloud = await openCloud(io.env, options, outside.fetch)
  const session = new Session(cloud)
  const result = await runVerb({ session, clock: outside.clock, io, table, verb, input })
  const width = io.terminal ? (process.stdout.columns ?? 0) : WIDTH_WITHOUT_TERMINAL
  io.out(formatResult(result, table, input, width))
}

/** The verb whose words the arguments begin with, the longest first. */
function findVerb(table: ClientTable, args: readonly string[]): Verb | undefined {
  return [...verbsOf(table)]
    .sort((a, b) => b.name.length - a.name.length)
    .find(({ name }) => name.split(' ').every((word, at) => args[at] === word))
}

/** A configuration of serve that is wrong is no reason not to talk to another machine. */
export function dataFolder(): { readonly data_dir?: string } {
  try {
    return cloudBesideServe(undefined)
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error
    return {}
  }
}
