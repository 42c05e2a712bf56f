/** Options of many values: arrays of strings, tables, arrays of tables. */
import {
  type Fallback,
  isTable,
  kindOf,
  type Option,
  type OptionTable,
  type OrNull,
  option,
  type Parsed,
  sentence,
  type Traits,
  type Values,
} from './option.ts'
import { parseText } from './scalar.ts'

export interface ListTraits extends Traits {
  readonly choices?: readonly string[]
  readonly pattern?: RegExp
  readonly itemTakes?: string
}

/** An array of strings. */
export function list<F extends Fallback<readonly string[]>>(
  help: string,
  fallback: F,
  traits: ListTraits = {},
): OrNull<readonly string[], F> {
  const items = traits.choices?.join(', ') ?? traits.itemTakes
  const takes = `an array of strings${items === undefined ? '' : ` (${items})`}`
  return option<readonly string[], F>(help, fallback, traits, takes, (value) => {
    if (typeof value === 'string') return { problem: 'not a string: put it in [ ]' }
    if (!Array.isArray(value)) return { problem: `not ${kindOf(value)}` }
    const out: string[] = []
    for (const [index, item] of value.entries()) {
      const parsed = parseText(
        item,
        traits.pattern === undefined ? {} : { pattern: traits.pattern },
      )
      const why = 'problem' in parsed ? parsed.problem : null
      if ('value' in parsed && (traits.choices?.includes(parsed.value) ?? true))
        out.push(parsed.value)
      else return { problem: `item ${index + 1} is wrong${why ? ` (${why})` : ''}` }
    }
    return { value: out }
  })
}

/** A table whose values are strings, booleans or numbers. Oslo writes these as `a:b,c:d`. */
export function map(
  help: string,
  fallback: Readonly<Record<string, string>>,
): Option<Readonly<Record<string, string>>> {
  return option<Readonly<Record<string, string>>, Readonly<Record<string, string>>>(
    help,
    fallback,
    {},
    'a table of strings such as { name = "text" }',
    (value) => {
      if (!isTable(value)) return { problem: `not ${kindOf(value)}` }
      const out: Record<string, string> = {}
      for (const [key, item] of Object.entries(value)) {
        const parsed = parseText(item, {})
        if ('problem' in parsed) return { problem: `its ${JSON.stringify(key)} is wrong` }
        out[key] = parsed.value
      }
      return { value: out }
    },
  )
}

/**
 * An array of tables, `[[section.name]]`, each with `fields`; fields without a default are null.
 */
export function tables<T extends OptionTable>(
  help: string,
  fields: T,
  fallback: readonly Values<T>[],
): Option<readonly Values<T>[]> {
  const parse = (value: unknown): Parsed<readonly Values<T>[]> => {
    if (!Array.isArray(value) || !value.every(isTable)) return { problem: `not ${kindOf(value)}` }
    const rows: Values<T>[] = []
    for (const [index, row] of value.entries()) {
      const parsed = parseRow(fields, row)
      if ('problem' in parsed) return { problem: `the ${ordinal(index)} ${parsed.problem}` }
      rows.push(parsed.value)
    }
    return { value: rows }
  }
  const made = option<readonly Values<T>[], readonly Values<T>[]>(
    help,
    fallback,
    {},
    'tables',
    parse,
  )
  return { ...made, fields }
}

function parseRow<T extends OptionTable>(
  fields: T,
  row: Record<string, unknown>,
): Parsed<Values<T>> {
  const unknown = Object.keys(row).find((key) => !Object.hasOwn(fields, key))
  if (unknown !== undefined)
    return {
      problem: `has an unknown ${JSON.stringify(unknown)}; it takes ${Object.keys(fields).join(', ')}`,
    }
  const out: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(fields)) {
    if (!Object.hasOwn(row, key)) {
      if (field.fallback === REQUIRED) return { problem: `has no ${key}` }
      out[key] = field.fallback
      continue
    }
    const parsed = field.parse(row[key])
    if ('problem' in parsed)
      return { problem: `has a wrong ${key}: ${sentence(field, parsed.problem)}` }
    out[key] = parsed.value
  }
  return { value: out as Values<T> }
}

/**
 * As the fallback of a field: the table must have it. No text of a user can be this very string.
 */
export const REQUIRED = '\u0000required'

function ordinal(index: number): string {
  return ['first', 'second', 'third'][index] ?? `${index + 1}th`
}
