/**
 * A network and mount namespace of its own for the demo: no route leads out of it, nothing of the
 * machine's network is touched, and everything vanishes with its last process.
 */
import { systemProcesses } from '../../system/process.ts'
import { CommandFailure, EXIT, type Exit } from '../io.ts'

/** Set for the process inside, and only there. */
const MARK = 'OCTAVIA_LITE_ISOLATED'

export function isInside(env: Readonly<Record<string, string | undefined>>): boolean {
  return env[MARK] === '1'
}

/**
 * Runs this program with the same arguments inside; signals to the terminal's group reach it
 * directly.
 */
export async function runInside(args: readonly string[]): Promise<Exit> {
  const argv = [
    'unshare',
    '--net',
    '--mount',
    '--propagation',
    'private',
    process.execPath,
    ...args,
  ]
  let child: Bun.Subprocess
  try {
    child = Bun.spawn(argv, {
      stdio: ['inherit', 'inherit', 'inherit'],
      env: { ...process.env, [MARK]: '1' },
    })
  } catch (cause) {
    throw new CommandFailure('unshare is missing; install util-linux', EXIT.failure, cause)
  }
  // The child cleans up on a signal; this process only passes it on and waits for that.
  const pass = (signal: NodeJS.Signals): void => child.kill(signal)
  process.on('SIGINT', () => {})
  process.on('SIGTERM', pass)
  const code = await child.exited
  return code === 0 ? EXIT.ok : code === 2 ? EXIT.usage : EXIT.failure
}

/** The first thing inside: loopback, and a /run of its own, where named namespaces live. */
export async function prepareInside(): Promise<void> {
  for (const argv of [
    ['mount', '-t', 'tmpfs', 'tmpfs', '/run'],
    ['mkdir', '-p', '/run/netns'],
    ['ip', 'link', 'set', 'lo', 'up'],
  ]) {
    const { code, stderr } = await systemProcesses.run(argv)
    if (code !== 0) throw new CommandFailure(`${argv.join(' ')}: ${stderr.trim()}`)
  }
}
