/** Options derived from fields: name, type, choices and what the text after them means. Pure. */
import { type Field, isObject, type JsonSchema } from '../../model/field.ts'
import { CommandFailure, EXIT } from '../io.ts'
import type { ClientTable, Kind } from './table.ts'

export interface Option {
  /** Without its dashes. */
  readonly flag: string
  readonly short?: string
  readonly alias?: string
  /** `words` takes all words up to the next option. */
  readonly takes: 'nothing' | 'one' | 'words'
  /** Given several times it is a list. */
  readonly repeats: boolean
  /** What stands for the value in help; empty for a flag. */
  readonly metavar: string
  readonly help: string
  readonly choices?: readonly string[]
  readonly required?: boolean
  /** Of all options with the same word here only one may be given. */
  readonly group?: string
  /** The field of the request, or the setting of the command. */
  readonly field: string
  /** What a flag means. */
  readonly value?: unknown
  /** The value is the name or id of one of these. */
  readonly reference?: Kind
  /** Throws a usage failure for text that is no value. */
  read(text: string): unknown
}

/** Fields whose options take `none` for null. */
const NONE = /^(none|null|void)$/i

/** A flag which means one value. */
export function flag(
  name: string,
  help: string,
  over: Partial<Pick<Option, 'field' | 'value' | 'group' | 'short'>> = {},
): Option {
  return {
    flag: name,
    takes: 'nothing',
    repeats: false,
    metavar: '',
    help,
    field: name,
    value: true,
    read: (text) => text,
    ...over,
  }
}

/** An option with a text after it. */
export function textOption(
  name: string,
  help: string,
  over: Partial<Omit<Option, 'flag' | 'help'>> = {},
): Option {
  return {
    flag: name,
    takes: 'one',
    repeats: false,
    metavar: lastWord(name),
    help,
    field: name,
    read: (text) => (over.choices === undefined ? text : choose(name, over.choices, text)),
    ...over,
  }
}

/** The options by which a field is written: one, or two flags for a switch. */
export function optionsOf(table: ClientTable, name: string, field: Field): readonly Option[] {
  const { help } = field.options
  const state = table.switches[name]
  if (state !== undefined) {
    const tail = state === '' ? '' : `-${state}`
    const what = state === '' ? table.noun : state.toUpperCase().replace('BACKUP', 'backup')
    return [
      flag(`enable${tail}`, `Enable ${what}.`, { field: name, value: true, group: name }),
      flag(`disable${tail}`, `Disable ${what}.`, { field: name, value: false, group: name }),
    ]
  }
  const called = nameOf(table, name)
  const schema = field.type.schema
  if (schema.type === 'boolean') return [flag(called, help, { field: name })]
  const items =
    schema.type === 'array' ? sent(schema.items as JsonSchema, table.answered ?? []) : undefined
  const words = table.wordLists?.includes(name) === true
  const reference = table.references[name]
  const alias = table.aliases?.[name]
  const choices = choicesOf(items ?? schema)
  const read = readerOf(called, items ?? schema)
  const nullable =
    field.options.nullable === true && (name.endsWith('_ref') || reference === 'policy')
  const option = textOption(called, reference === undefined ? help : `${help} Name or ID.`, {
    field: name,
    takes: words ? 'words' : 'one',
    repeats: items !== undefined,
    metavar: metavarOf(called, items ?? schema),
    read: (text) => (nullable && NONE.test(text) ? null : read(text)),
    ...(choices === undefined ? {} : { choices }),
    ...(reference === undefined ? {} : { reference }),
    ...(alias === undefined ? {} : { alias }),
  })
  return [option]
}

/** The schema without those properties. */
function sent(schema: JsonSchema, answered: readonly string[]): JsonSchema {
  if (!isObject(schema.properties)) return schema
  const kept = Object.entries(schema.properties).filter(([key]) => !answered.includes(key))
  return { ...schema, properties: Object.fromEntries(kept) }
}

/** `default_pool_id` is `default-pool` by the table, all others have dashes for lines. */
export function nameOf(table: ClientTable, field: string): string {
  return table.names[field] ?? field.replaceAll('_', '-')
}

function choicesOf(schema: JsonSchema): readonly string[] | undefined {
  const values = schema.enum as readonly (string | number)[] | undefined
  // HTTP has a version 1.0, which is 1 to JSON.
  const spelled = (value: string | number) =>
    typeof value === 'number' && schema.type === 'number' ? value.toFixed(1) : String(value)
  return values?.map(spelled)
}

function metavarOf(name: string, schema: JsonSchema): string {
  const choices = choicesOf(schema)
  if (choices !== undefined) return `{${choices.join(',')}}`
  if (schema.type === 'object') {
    const keys = isObject(schema.properties) ? Object.keys(schema.properties) : ['KEY']
    return keys.map((key) => `${key.replaceAll('_', '-')}=VALUE`).join(',')
  }
  return schema.type === 'integer' ? 'N' : lastWord(name)
}

/** `--vip-subnet-id ID`. */
function lastWord(name: string): string {
  return name.slice(name.lastIndexOf('-') + 1).toUpperCase()
}

function readerOf(name: string, schema: JsonSchema): (text: string) => unknown {
  const choices = choicesOf(schema)
  if (schema.type === 'integer') return (text) => readInteger(name, text)
  if (schema.type === 'number') return (text) => readNumber(name, text, schema.enum)
  if (schema.type === 'object') return (text) => readPairs(name, text, schema)
  if (choices !== undefined) return (text) => choose(name, choices, text)
  return (text) => text
}

/** Choices are found in any case, as upstream's client does. */
function choose(name: string, choices: readonly string[], text: string): string {
  const found = choices.find((choice) => choice.toLowerCase() === text.toLowerCase())
  if (found !== undefined) return found
  throw usage(`--${name} is one of ${choices.join(', ')}, not '${text}'`)
}

function readInteger(name: string, text: string): number {
  if (/^[+-]?\d{1,15}$/.test(text)) return Number(text)
  throw usage(`--${name} is a whole number, not '${text}'`)
}

function readNumber(name: string, text: string, choices: unknown): number {
  const number = Number(text)
  const right = Array.isArray(choices) ? choices.includes(number) : Number.isFinite(number)
  if (text !== '' && right) return number
  throw usage(`--${name} is ${Array.isArray(choices) ? choices.join(' or ') : 'a number'}`)
}

/** `key=value,key=value`; keys may have dashes, values of known keys have their type. */
function readPairs(name: string, text: string, schema: JsonSchema): Record<string, unknown> {
  const parts = (isObject(schema.properties) ? schema.properties : {}) as Record<string, JsonSchema>
  const open = !isObject(schema.properties)
  const pairs = text.split(',').map((pair): [string, unknown] => {
    const at = pair.indexOf('=')
    if (at < 1) throw usage(`--${name} is key=value[,key=value], not '${text}'`)
    const key = open ? pair.slice(0, at) : pair.slice(0, at).replaceAll('-', '_')
    const part = Object.hasOwn(parts, key) ? parts[key] : undefined
    if (part === undefined && !open)
      throw usage(`--${name} knows ${Object.keys(parts).join(', ')}, not '${key}'`)
    const value = pair.slice(at + 1)
    return [key, part === undefined ? value : readerOf(`${name} ${key}`, part)(value)]
  })
  return Object.fromEntries(pairs)
}

export function usage(message: string): CommandFailure {
  return new CommandFailure(message, EXIT.usage)
}
