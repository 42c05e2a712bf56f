/** What a command prints to, and how it ends. The only way from a command to the terminal. */
export interface Io {
  /** Results, for people or scripts. */
  out(text: string): void
  /** Problems and progress. */
  err(text: string): void
  /** Colour, tables and live progress only here. */
  readonly terminal: boolean
  /** Whether `err` is a terminal, on which a line can be written over. */
  readonly liveProgress?: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

/** 0 is success; what else a command can end with. */
export const EXIT = { ok: 0, failure: 1, usage: 2 } as const
export type Exit = (typeof EXIT)[keyof typeof EXIT]

/** A command cannot go on; `message` is one sentence which says what to do next. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
  readonly exit: Exit
  constructor(message: string, exit: Exit = EXIT.failure, cause?: unknown) {
    super(message, { cause })
    this.exit = exit
  }
}

export interface Command {
  /** One line for `octavia-lite --help`. */
  readonly summary: string
  /** The whole of `octavia-lite <name> --help`. */
  readonly help: string
  /** The page for these arguments, where a command has several. */
  helpOf?(args: readonly string[]): string
  /** An Exit, or the exit code of what it ran elsewhere. */
  run(args: readonly string[], io: Io): Promise<number>
}

/** Whoever read the output has read enough: `| head`. */
function endOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit(EXIT.ok)
}

export const systemIo: Io = {
  out: (text) => {
    if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', endOnClosedPipe)
    process.stdout.write(text)
  },
  err: (text) => {
    process.stderr.write(text)
  },
  terminal: process.stdout.isTTY === true,
  liveProgress: process.stderr.isTTY === true,
  env: process.env,
}

/** Rows as columns of equal width, the first row being the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('')
}
