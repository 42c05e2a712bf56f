import { ConfigError } from '../config/load.ts'
import { DriverError } from '../driver/error.ts'
import { PolicyError } from '../policy/compile.ts'
import { KeyError } from '../secret/keyring.ts'
import { StoreError } from '../store/store.ts'
import { parseArguments } from './arguments.ts'
import { configFile, DEFAULT_CONFIG_FILE } from './config.ts'
import { type Command, CommandFailure, EXIT, type Exit } from './io.ts'
import { type ControllerOptions, startController } from './serve/controller.ts'

export const command: Command = {
  summary: 'run API, worker, health manager and housekeeping',
  help: `usage: octavia-lite serve [--config-file FILE]

Without a configuration it runs the embedded default: everything it needs is made at the first
start. SIGTERM stops it, work under way goes on at the next start. SIGHUP reads the mutable options
and the policy files again.

  --config-file FILE  default ${DEFAULT_CONFIG_FILE}, if that is there
`,
  async run(args, io) {
    const options = parseArguments(args, { 'config-file': { type: 'string' } })
    // The executable compiles late, which suits agents that idle; here it pays from the start.
    Bun.unsafe.setJITPolicy(1)
    return await runController({
      configFile: configFile(options.text('config-file')),
      agentExecutable: process.execPath,
      terminal: process.stderr.isTTY === true,
      write: io.err,
    })
  },
}

/** From start to the signal that ends it. What keeps it from starting is one sentence. */
export async function runController(options: ControllerOptions): Promise<Exit> {
  const controller = await startController(options).catch((cause: unknown) => {
    const told = [ConfigError, PolicyError, StoreError, KeyError, DriverError].some(
      (kind) => cause instanceof kind,
    )
    if (!told || !(cause instanceof Error)) throw cause
    throw new CommandFailure(cause.message, EXIT.failure, cause)
  })
  process.on('SIGHUP', () => controller.reload())
  const signalled = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
  })
  await signalled
  await controller.stop()
  return EXIT.ok
}
