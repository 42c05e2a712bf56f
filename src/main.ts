/**
 * argv to command. Each command is imported only when it is called, so that `agent`, which runs in
 * every amphora, never evaluates the controller's code.
 */
import { type Command, CommandFailure, EXIT, type Io, systemIo } from './command/io.ts'

type Load = () => Promise<{ readonly command: Command }>

/** Commands for the machine that serves. */
const SERVER: Readonly<Record<string, Load>> = {
  serve: () => import('./command/serve.ts'),
  agent: () => import('./command/agent.ts'),
  setup: () => import('./command/setup.ts'),
  doctor: () => import('./command/doctor.ts'),
  image: () => import('./command/image.ts'),
  demo: () => import('./command/demo.ts'),
  user: () => import('./command/user.ts'),
  project: () => import('./command/project.ts'),
  config: () => import('./command/config.ts'),
  policy: () => import('./command/policy.ts'),
  openapi: () => import('./command/openapi.ts'),
  version: () => import('./command/version.ts'),
}

const client = (name: string) => async () => ({
  command: (await import('./command/client/command.ts')).clientCommand(name),
})

/** Commands that talk to an API, this machine's or another's. */
const CLIENT: Readonly<Record<string, Load>> = {
  lb: client('lb'),
  listener: client('listener'),
  pool: client('pool'),
  member: client('member'),
  healthmonitor: client('healthmonitor'),
  l7policy: client('l7policy'),
  l7rule: client('l7rule'),
  quota: client('quota'),
  provider: client('provider'),
  amphora: () => import('./command/amphora.ts'),
  flavor: client('flavor'),
  flavorprofile: client('flavorprofile'),
  availabilityzone: client('availabilityzone'),
  availabilityzoneprofile: client('availabilityzoneprofile'),
  secret: () => import('./command/secret.ts'),
  jobs: () => import('./command/jobs.ts'),
  completion: () => import('./command/completion.ts'),
}

const COMMANDS: Readonly<Record<string, Load>> = { ...SERVER, ...CLIENT }

async function run(argv: readonly string[], io: Io): Promise<number> {
  const [name = '--help', ...args] = argv
  if (name === '--help' || name === '-h' || name === 'help') return await printHelp(io, args)
  const load = Object.hasOwn(COMMANDS, name === '--version' ? 'version' : name)
    ? COMMANDS[name === '--version' ? 'version' : name]
    : undefined
  if (load === undefined)
    throw new CommandFailure(`there is no command '${name}'; see octavia-lite --help`, EXIT.usage)
  const { command } = await load()
  if (args.includes('--help') || args.includes('-h')) {
    io.out(command.helpOf?.(args) ?? command.help)
    return EXIT.ok
  }
  return await command.run(args, io)
}

async function printHelp(io: Io, [name, ...rest]: readonly string[]): Promise<number> {
  const load = name === undefined ? undefined : COMMANDS[name]
  if (load !== undefined) {
    const { command } = await load()
    io.out(command.helpOf?.(rest) ?? command.help)
    return EXIT.ok
  }
  io.out('OpenStack Octavia, load balancing as a service, as one executable.\n\n')
  io.out('usage: octavia-lite COMMAND [options]\n')
  for (const [title, commands] of [
    ['server', SERVER],
    ['client', CLIENT],
  ] as const) {
    io.out(`\n${title} commands:\n`)
    const width = Math.max(...Object.keys(commands).map((key) => key.length))
    for (const [key, load] of Object.entries(commands))
      io.out(`  ${key.padEnd(width)}  ${(await load()).command.summary}\n`)
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
