/** `octavia-lite agent`: the program inside an amphora. */
import { runAgent } from '../agent/agent.ts'
import { AGENT_CONFIG_PATH } from '../contract/agent-config.ts'
import { systemClock } from '../system/clock.ts'
import { systemLauncher } from '../system/detached.ts'
import { createLog, errorText } from '../system/log.ts'
import { systemProcesses } from '../system/process.ts'
import { parseArguments } from './arguments.ts'
import { type Command, CommandFailure, EXIT, type Io } from './io.ts'

export const command: Command = {
  summary: 'run inside an amphora: serve the amphora API, keep haproxy running, send heartbeats',
  help: `usage: octavia-lite agent [--config-file FILE] [--guest]
       octavia-lite agent check udp ADDRESS PORT
       octavia-lite agent check sctp [-t SECONDS] ADDRESS PORT

Runs until SIGTERM. haproxy goes on serving while no agent runs; the next one takes it over.

  --config-file FILE  default ${AGENT_CONFIG_PATH}
  --guest             this machine is nothing but an amphora: set it up first as its config drive
                      says (files, host name, management network, ssh keys)

check is what keepalived calls: exit code 0 says that a member is well.

  -t SECONDS          how long a member may take to answer, default 3
`,
  async run(args, io) {
    if (args[0] === 'check') return checkCommand(args.slice(1))
    const options = parseArguments(args, {
      'config-file': { type: 'string' },
      guest: { type: 'boolean' },
    })
    const path = options.text('config-file') ?? AGENT_CONFIG_PATH
    return agentCommand(path, options.flag('guest'), io)
  },
}

async function agentCommand(configPath: string, guest: boolean, io: Io): Promise<typeof EXIT.ok> {
  const log = createLog({
    format: io.terminal ? 'human' : 'json',
    level: () => 'info',
    write: (line) => io.err(line),
    now: () => Date.now(),
  })
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end())
  try {
    if (guest) {
      const { prepareGuest } = await import('../agent/guest/guest.ts')
      const world = { processes: systemProcesses, launcher: systemLauncher, clock: systemClock }
      await prepareGuest({ ...world, log })
    }
    const agent = await runAgent(configPath, { log, self: selfCommand() })
    await ended
    await agent.stop()
    return EXIT.ok
  } catch (cause) {
    throw new CommandFailure(`the agent cannot run: ${errorText(cause)}`, EXIT.failure, cause)
  }
}

async function checkCommand(args: readonly string[]): Promise<typeof EXIT.ok> {
  const { runCheck } = await import('../agent/check.ts')
  let finding: string | undefined
  try {
    finding = await runCheck(args)
  } catch (cause) {
    throw new CommandFailure(errorText(cause), EXIT.usage, cause)
  }
  if (finding !== undefined) throw new CommandFailure(finding)
  return EXIT.ok
}

/** How to call this program again: the executable by itself, or its source by Bun. */
function selfCommand(): readonly string[] {
  const script = Bun.main.startsWith('/$bunfs/') ? [] : [Bun.main]
  return [process.execPath, ...script, 'agent']
}
