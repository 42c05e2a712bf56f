/** What a look at an installation found, and how it is told. */
import { DriverError } from '../../driver/error.ts'
import { errorText } from '../../system/log.ts'
import { CommandFailure, type Io } from '../io.ts'

export interface Finding {
  readonly what: string
  readonly state: 'ok' | 'warn' | 'fail'
  /** Of what is right a detail, which may be empty; else what is wrong, and what to do. */
  readonly text: string
}

export interface Section {
  readonly title: string
  readonly findings: readonly Finding[]
}

export const ok = (what: string, text = ''): Finding => ({ what, state: 'ok', text })
export const warn = (what: string, text: string): Finding => ({ what, state: 'warn', text })
export const fail = (what: string, text: string): Finding => ({ what, state: 'fail', text })

/** Thrown in a look: the message is a sentence which says what to do. */
export class Wrong extends Error {
  override readonly name = 'Wrong'
}
/** The same for what works, and better should not stay so. */
export class Doubtful extends Error {
  override readonly name = 'Doubtful'
}

/** One look; it gives the detail of what is right. */
export async function look(what: string, ask: () => Promise<string> | string): Promise<Finding> {
  try {
    return ok(what, await ask())
  } catch (error) {
    if (error instanceof Doubtful) return warn(what, error.message)
    const told = [DriverError, CommandFailure, Wrong].some((kind) => error instanceof kind)
    if (!told) throw error
    return fail(what, errorText(error))
  }
}

export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ state }) => state !== 'fail')
}

const COLOUR = { ok: 32, warn: 33, fail: 31 } as const

/** One line for each finding; colour only where a person looks. */
export function findingLines(findings: readonly Finding[], io: Io): string {
  const width = Math.max(0, ...findings.map(({ what }) => what.length))
  const isColoured = io.terminal && (io.env.NO_COLOR ?? '') === ''
  return findings
    .map(({ what, state, text }) => {
      const word = state.padEnd(4)
      const shown = isColoured ? `\x1b[${COLOUR[state]}m${word}\x1b[0m` : word
      return `${shown}  ${what.padEnd(width)}  ${oneLine(text)}`.trimEnd()
    })
    .map((line) => `${line}\n`)
    .join('')
}

function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ')
}

const UNITS = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
] as const

/** `3 hours`: in the largest unit that fits. */
export function duration(ms: number): string {
  const [size, name] = UNITS.find(([size]) => ms >= size) ?? UNITS[3]
  const count = Math.floor(ms / size)
  return `${count} ${name}${count === 1 ? '' : 's'}`
}
