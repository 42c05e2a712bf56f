/**
 * The structured log: one line per event on standard error, for people on a terminal and as JSON
 * otherwise. Lines carry the request and job they belong to: `with` binds those once. Nothing here
 * knows which values are secret; the rule is that callers never pass one.
 */
export const LOG_LEVELS = ['debug', 'info', 'warning', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export type LogFields = Readonly<Record<string, unknown>>

export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warning(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A log which adds `fields` to every line. */
  with(fields: LogFields): Log
}

export interface LogOptions {
  readonly format: 'human' | 'json'
  /** Read at every line, so that SIGHUP can change it. */
  readonly level: () => LogLevel
  readonly write: (line: string) => void
  readonly now: () => number
}

export function createLog(options: LogOptions, bound: LogFields = {}): Log {
  const emit = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(options.level())) return
    const all = { ...bound, ...fields }
    const time = new Date(options.now()).toISOString()
    if (options.format === 'json') {
      options.write(`${JSON.stringify({ time, level, message, ...printable(all) })}\n`)
      return
    }
    const tail = Object.entries(printable(all)).map(([key, value]) => ` ${key}=${plain(value)}`)
    options.write(`${time.slice(11, 23)} ${level.padEnd(7)} ${oneLine(message)}${tail.join('')}\n`)
  }
  return {
    debug: (message, fields) => emit('debug', message, fields),
    info: (message, fields) => emit('info', message, fields),
    warning: (message, fields) => emit('warning', message, fields),
    error: (message, fields) => emit('error', message, fields),
    with: (fields) => createLog(options, { ...bound, ...fields }),
  }
}

/** For tests and for commands that print by themselves. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warning: () => {},
  error: () => {},
  with: () => silentLog,
}

/** The text of an error with its causes, without a stack. */
export function errorText(error: unknown): string {
  const parts: string[] = []
  for (let at: unknown = error; at !== undefined && parts.length < 5; ) {
    parts.push(at instanceof Error ? at.message : String(at))
    at = at instanceof Error ? at.cause : undefined
  }
  return parts.join(': ')
}

function printable(fields: LogFields): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue
    out[key] = value instanceof Error ? errorText(value) : value
  }
  return out
}

function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text
}

/** A message may quote outside input: a line feed in it must not forge a second log line. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]/g, ' ')
}
