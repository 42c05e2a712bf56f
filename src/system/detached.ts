import { assertNoTransaction } from './outside.ts'
import { CommandError } from './process.ts'

/**
 * Starting programs that outlive this one: in a session of their own, so that neither a signal to
 * our terminal nor our end reaches them. Until `release`, a line protocol on their standard streams
 * tells both sides that the other is there; a program whose standard input ends before that should
 * end as well.
 */
export interface Launcher {
  /** Throws CommandError if it cannot be started. `env` is the whole environment. */
  launch(argv: readonly string[], env: Readonly<Record<string, string>>): Launch
}

export interface Launch {
  /** The next line it prints, or undefined when it ended or said nothing for `timeoutMs`. */
  readLine(timeoutMs: number): Promise<string | undefined>
  /** Writes a line to it; nothing happens when it is gone. */
  writeLine(line: string): void
  /**
   * Closes its standard streams on our side and forgets it. Always to be called, also after
   * failures.
   */
  release(): void
}

const LINE_MAX_CHARS = 4096

export const systemLauncher: Launcher = {
  launch(argv, env) {
    assertNoTransaction(argv[0] ?? 'process')
    try {
      const child = Bun.spawn([...argv], {
        detached: true,
        stdin: 'pipe',
        stdout: 'pipe',
        stderr: 'ignore',
        env: { ...env },
        cwd: '/',
      })
      return createLaunch(child)
    } catch (cause) {
      throw new CommandError(argv, 'cannot be started (is it installed?)', undefined, cause)
    }
  },
}

function createLaunch(child: Bun.Subprocess<'pipe', 'pipe', 'ignore'>): Launch {
  const reader = child.stdout.getReader()
  const decoder = new TextDecoder()
  let buffer = ''
  const nextLine = async (): Promise<string | undefined> => {
    while (!buffer.includes('\n') && buffer.length < LINE_MAX_CHARS) {
      const chunk = await reader.read()
      if (chunk.done) return undefined
      buffer += decoder.decode(chunk.value, { stream: true })
    }
    const end = buffer.indexOf('\n')
    const line = buffer.slice(0, end < 0 ? undefined : end)
    buffer = end < 0 ? '' : buffer.slice(end + 1)
    return line
  }
  return {
    async readLine(timeoutMs) {
      let timer: Timer | undefined
      const silence = new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), timeoutMs)
      })
      try {
        return await Promise.race([nextLine(), silence])
      } finally {
        clearTimeout(timer)
      }
    },
    writeLine(line) {
      try {
        child.stdin.write(`${line}\n`)
        void Promise.resolve(child.stdin.flush()).catch(() => {})
      } catch {
        // It has ended; the next readLine says so.
      }
    },
    release() {
      void Promise.resolve(child.stdin.end()).catch(() => {})
      void reader.cancel().catch(() => {})
      child.unref()
    },
  }
}
