import { parseArgs } from 'node:util'
import { CommandFailure, EXIT } from './io.ts'

/** One option of a command: `--name VALUE`, or `--name` alone for a flag. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean'
  readonly short?: string
}

export interface ParsedArguments {
  text(name: string): string | undefined
  flag(name: string): boolean
  readonly positionals: readonly string[]
}

/** Throws a usage failure for an unknown option, a missing value or too many words. */
export function parseArguments(
  args: readonly string[],
  options: Readonly<Record<string, OptionSpec>>,
  positionalsMax = 0,
): ParsedArguments {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
    })
    if (positionals.length > positionalsMax)
      throw new Error(`unexpected argument '${positionals[positionalsMax]}'`)
    return {
      text: (name) => (typeof values[name] === 'string' ? values[name] : undefined),
      flag: (name) => values[name] === true,
      positionals,
    }
  } catch (cause) {
    // What follows Node's first sentence is advice that does not fit here.
    const why = cause instanceof Error ? cause.message.split('. ')[0] : String(cause)
    throw new CommandFailure(`${why}; see --help`, EXIT.usage, cause)
  }
}
