/** TOML to plain values, and where in the file each option is written. */
import { parse } from 'toml'
import { errorText } from '../system/log.ts'
import { isTable } from './option.ts'

export type TomlTable = Readonly<Record<string, unknown>>

export interface TomlError {
  readonly line: number | null
  readonly message: string
}

/** The value of a TOML document, or why it is none. */
export function parseToml(
  text: string,
): { readonly value: TomlTable } | { readonly error: TomlError } {
  try {
    const value: unknown = parse(text)
    return { value: isTable(value) ? value : {} }
  } catch (error) {
    return { error: { line: errorLine(error), message: `not TOML: ${oneSentence(error)}` } }
  }
}

/**
 * A syntax error has a location, any other a `line`; the runtime also puts a `line` on syntax
 * errors.
 */
function errorLine(error: unknown): number | null {
  if (!(error instanceof Error)) return null
  const { location, line } = error as { location?: { start?: { line?: unknown } }; line?: unknown }
  const at = location === undefined ? line : location.start?.line
  return typeof at === 'number' ? at : null
}

/** The grammar lists every character it would have taken; the first few say enough. */
function oneSentence(error: unknown): string {
  const text = errorText(error).replace(/\s+/g, ' ')
  const found = /but (.{1,12}) found/.exec(text)
  return text.length > 120 && found !== null ? `unexpected ${found[1]}` : text
}

/**
 * The line of each `section.option`, and of each section. Reads headers and keys line by line
 * rather than by grammar: it serves messages only, and a key inside a multi-line string at worst
 * gives another line.
 */
export function locateOptions(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>()
  let section = ''
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*\[\[?\s*([^\]#]+?)\s*\]/.exec(line)?.[1]
    const key = /^\s*("[^"]*"|'[^']*'|[A-Za-z0-9_.-]+)\s*=/.exec(line)?.[1]
    if (header !== undefined) section = header.replace(/["'\s]/g, '')
    const name = header !== undefined ? section : key && join(section, key.replace(/["']/g, ''))
    if (name && !lines.has(name)) lines.set(name, index + 1)
  }
  return lines
}

function join(section: string, key: string): string {
  return section === '' ? key : `${section}.${key}`
}
