/**
 * argv to command. Each command is imported only when it is called, so that `agent`, which runs in
 * every amphora, never evaluates the controller's code.
 */
import { type Command, CommandFailure, EXIT, type Exit, type Io, systemIo } from './command/io.ts'

const COMMANDS: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  serve: () => import('./command/serve.ts'),
  agent: () => import('./command/agent.ts'),
  demo: () => import('./command/demo.ts'),
  jobs: () => import('./command/jobs.ts'),
  user: () => import('./command/user.ts'),
  project: () => import('./command/project.ts'),
  config: () => import('./command/config.ts'),
  openapi: () => import('./command/openapi.ts'),
  version: () => import('./command/version.ts'),
}

async function run(argv: readonly string[], io: Io): Promise<Exit> {
  const [name = '--help', ...args] = argv
  if (name === '--help' || name === '-h' || name === 'help') return await printHelp(io, args[0])
  const load = Object.hasOwn(COMMANDS, name === '--version' ? 'version' : name)
    ? COMMANDS[name === '--version' ? 'version' : name]
    : undefined
  if (load === undefined)
    throw new CommandFailure(`there is no command '${name}'; see octavia-lite --help`, EXIT.usage)
  const { command } = await load()
  if (args.includes('--help') || args.includes('-h')) {
    io.out(command.help)
    return EXIT.ok
  }
  return await command.run(args, io)
}

async function printHelp(io: Io, name: string | undefined): Promise<Exit> {
  const load = name === undefined ? undefined : COMMANDS[name]
  if (load !== undefined) {
    io.out((await load()).command.help)
    return EXIT.ok
  }
  io.out('OpenStack Octavia, load balancing as a service, as one executable.\n\n')
  io.out('usage: octavia-lite COMMAND [options]\n\ncommands:\n')
  for (const [key, load] of Object.entries(COMMANDS)) {
    const { command } = await load()
    io.out(`  ${key.padEnd(10)} ${command.summary}\n`)
  }
  io.out('\noctavia-lite COMMAND --help tells more.\n')
  return EXIT.ok
}

try {
  process.exitCode = await run(process.argv.slice(2), systemIo)
} catch (error) {
  if (!(error instanceof CommandFailure)) throw error
  systemIo.err(`octavia-lite: ${error.message}\n`)
  process.exitCode = error.exit
}
