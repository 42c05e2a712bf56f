/** `octavia-lite agent`: the program inside an amphora. */
import { runAgent } from '../agent/agent.ts'
import { AGENT_CONFIG_PATH } from '../contract/agent-config.ts'
import { createLog, errorText } from '../system/log.ts'
import { parseArguments } from './arguments.ts'
import { type Command, CommandFailure, EXIT, type Io } from './io.ts'

export const command: Command = {
  summary: 'run inside an amphora: serve the amphora API, keep haproxy running, send heartbeats',
  help: `usage: octavia-lite agent [--config-file FILE]

Runs until SIGTERM. haproxy goes on serving while no agent runs; the next one takes it over.

  --config-file FILE  default ${AGENT_CONFIG_PATH}
`,
  async run(args, io) {
    const options = parseArguments(args, { 'config-file': { type: 'string' } })
    return agentCommand(options.text('config-file') ?? AGENT_CONFIG_PATH, io)
  },
}

async function agentCommand(configPath: string, io: Io): Promise<typeof EXIT.ok> {
  const log = createLog({
    format: io.terminal ? 'human' : 'json',
    level: () => 'info',
    write: (line) => io.err(line),
    now: () => Date.now(),
  })
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end())
  try {
    const agent = await runAgent(configPath, { log })
    await ended
    await agent.stop()
    return EXIT.ok
  } catch (cause) {
    throw new CommandFailure(`the agent cannot run: ${errorText(cause)}`, EXIT.failure, cause)
  }
}
