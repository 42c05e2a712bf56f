/**
 * A file to a configuration: parsed, checked whole, filled with defaults and frozen. All problems
 * are found, not only the first, and none quotes a secret. Nothing else reads configuration, and
 * what was loaded is passed on as values.
 */
import { homedir, hostname } from 'node:os'
import { present } from '../system/assert.ts'
import { readTextIfExists } from '../system/files.ts'
import { errorText } from '../system/log.ts'
import { crossCheck } from './cross-check.ts'
import type { Surroundings } from './option.ts'
import type { Config } from './options.ts'
import { fillDefaults, type Report, readSections } from './read.ts'
import { locateOptions, parseToml } from './toml.ts'

export interface Problem {
  /** A note does not keep the program from starting. */
  readonly severity: 'error' | 'note'
  /** `section.option`, a section, or null for the whole file. */
  readonly where: string | null
  readonly line: number | null
  readonly message: string
}

export interface Checked {
  /** null when there is an error. */
  readonly config: Config | null
  readonly problems: readonly Problem[]
}

/** The configuration cannot be used; the message lists every error, one per line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]
  constructor(file: string | null, problems: readonly Problem[]) {
    const errors = problems.filter((problem) => problem.severity === 'error')
    super(errors.map((problem) => problemText(file, problem)).join('\n'))
    this.problems = problems
  }
}

/** What a deployment of this machine and user has; the only look at either. */
export function systemSurroundings(): Surroundings {
  return { root: process.getuid?.() === 0, home: homedir(), hostname: hostname() }
}

/**
 * The configuration in `file`, or the defaults for null. Throws ConfigError, also without such a
 * file.
 */
export function loadConfig(file: string | null, around = systemSurroundings()): Config {
  const { config, problems } = file === null ? checkConfig('', around) : checkFile(file, around)
  if (config === null) throw new ConfigError(file, problems)
  return config
}

/** Like `loadConfig`, but tells notes and errors instead of throwing. */
export function checkFile(file: string, around = systemSurroundings()): Checked {
  let text: string | undefined
  try {
    text = readTextIfExists(file)
  } catch (error) {
    return refusal(`cannot be read: ${errorText(error)}`)
  }
  return text === undefined ? refusal('there is no such file') : checkConfig(text, around)
}

function refusal(message: string): Checked {
  return { config: null, problems: [{ severity: 'error', where: null, line: null, message }] }
}

export function configDefaults(around = systemSurroundings()): Config {
  return present(checkConfig('', around).config, 'the default configuration')
}

/** Parses and checks TOML text. */
export function checkConfig(text: string, around: Surroundings): Checked {
  const parsed = parseToml(text)
  if ('error' in parsed)
    return { config: null, problems: [{ severity: 'error', where: null, ...parsed.error }] }
  const lines = locateOptions(text)
  const problems: Problem[] = []
  const report: Report = (severity, where, message) =>
    problems.push({ severity, where, line: lines.get(where) ?? null, message })
  const config = fillDefaults(readSections(parsed.value, report), around)
  // A value that is wrong by itself would only be complained about twice.
  if (!problems.some(isError))
    for (const { where, message } of crossCheck(config)) report('error', where, message)
  problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
  return { config: problems.some(isError) ? null : config, problems }
}

/** `FILE:LINE: message`. */
export function problemText(file: string | null, problem: Problem): string {
  const line = problem.line === null ? '' : `:${problem.line}`
  return file === null ? problem.message : `${file}${line}: ${problem.message}`
}

function isError(problem: Problem): boolean {
  return problem.severity === 'error'
}
