import { assertNoTransaction } from './outside.ts'

/** What a finished program left behind. Output is text, cut at `outputLimit` characters. */
export interface RunResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly stdin?: string
  readonly timeoutMs?: number
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** Running other programs: arguments are a list, never a shell line. */
export interface Processes {
  /**
   * Runs to the end and returns whatever the exit code; throws CommandError if it cannot start or
   * times out.
   */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>
}

/** A program could not be started, did not end in time, or (by `runOk`) failed. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly argv: readonly string[]
  readonly result: RunResult | undefined
  constructor(argv: readonly string[], why: string, result?: RunResult, cause?: unknown) {
    super(`${argv.slice(0, 6).join(' ')}: ${why}`, { cause })
    this.argv = argv
    this.result = result
  }
}

const DEFAULT_TIMEOUT_MS = 30_000
const OUTPUT_LIMIT_CHARS = 4 << 20

export const systemProcesses: Processes = {
  async run(argv, options = {}) {
    assertNoTransaction(argv[0] ?? 'process')
    let child: Bun.Subprocess<Uint8Array | 'ignore', 'pipe', 'pipe'>
    try {
      child = Bun.spawn([...argv], {
        stdin: options.stdin === undefined ? 'ignore' : new TextEncoder().encode(options.stdin),
        stdout: 'pipe',
        stderr: 'pipe',
        timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        killSignal: 'SIGKILL',
        ...(options.env === undefined ? {} : { env: { ...options.env } }),
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      })
    } catch (cause) {
      throw new CommandError(argv, 'cannot be started (is it installed?)', undefined, cause)
    }
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ])
    const result = { code, stdout: cut(stdout), stderr: cut(stderr) }
    if (child.signalCode === 'SIGKILL')
      throw new CommandError(argv, 'was killed or timed out', result)
    return result
  },
}

/** Like `run`, but a non-zero exit code throws a CommandError which quotes standard error. */
export async function runOk(
  processes: Processes,
  argv: readonly string[],
  options?: RunOptions,
): Promise<RunResult> {
  const result = await processes.run(argv, options)
  if (result.code !== 0) {
    const why = (result.stderr || result.stdout).trim().split('\n').slice(-5).join(' / ')
    throw new CommandError(argv, `exit code ${result.code}: ${why}`, result)
  }
  return result
}

function cut(text: string): string {
  return text.length > OUTPUT_LIMIT_CHARS ? text.slice(0, OUTPUT_LIMIT_CHARS) : text
}
