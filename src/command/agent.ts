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

Runs until SIGTERM. haproxy goes on serving while no agent runs; the next one takes it over.

  --config-file FILE  default ${AGENT_CONFIG_PATH}
  --guest             this machine is nothing but an amphora: set it up first as its config drive
                      says (files, host name, management network, ssh keys)
`,
  async run(args, io) {
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
    const agent = await runAgent(configPath, { log })
    await ended
    await agent.stop()
    return EXIT.ok
  } catch (cause) {
    throw new CommandFailure(`the agent cannot run: ${errorText(cause)}`, EXIT.failure, cause)
  }
}
