/**
 * The vocabulary in which resources are written. A field states once: its type (check, column and
 * OpenAPI schema together), who may write it, and what an absent or null value becomes. Request
 * checks, TypeScript types, columns, filters and the OpenAPI document are derived from these
 * records. Pure.
 *
 * The texts of refused values are those of upstream's WSME types (octavia/api/common/types.py).
 */
import { parseUuid } from '../system/ids.ts'
import { hostCidr, parseCidr, parseIp } from './address.ts'

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [k: string]: Json }
export type JsonSchema = Readonly<Record<string, unknown>>
export type Parsed<T> = { readonly ok: true; readonly value: T } | Refused

interface Refused {
  readonly ok: false
  readonly message: string
  /** The part of the value that it is about. */
  readonly at?: { readonly name: string; readonly value: unknown }
}

/** How a value is kept: `boolean` as 0 or 1, `json` as text. */
export type ColumnKind = 'text' | 'integer' | 'real' | 'boolean' | 'json'

export interface FieldType<T> {
  readonly column: ColumnKind
  readonly schema: JsonSchema
  /** The value in canonical form, or why it is refused. Never sees undefined or null. */
  parse(value: unknown): Parsed<T>
}

/** Defaults which the operator sets; everything else is written beside its field. */
export interface ModelDefaults {
  readonly timeout_client_data: number
  readonly timeout_member_connect: number
  readonly timeout_member_data: number
  readonly timeout_tcp_inspect: number
}

export interface FieldOptions<T> {
  /** One sentence for OpenAPI. */
  readonly help: string
  /** Who may write it; `never` is what the system itself keeps. Default `always`. */
  readonly writable?: 'never' | 'create' | 'always'
  /** A create request without it is refused. */
  readonly required?: boolean
  /**
   * The title of what a required id belongs to: it is asked for last, and null is one that is not
   * found.
   */
  readonly parent?: string
  /** null is a value of its own, in rows and answers. */
  readonly nullable?: boolean
  /** What an absent value on create, and an explicit null, becomes. */
  readonly fallback?: T | ((defaults: ModelDefaults) => T)
  /** What an explicit null becomes, where that is not `fallback`. */
  readonly whenNull?: T
  /** false: a column and a filter, but not part of answers. */
  readonly shown?: boolean
}

export interface Field<T = unknown, O extends FieldOptions<T> = FieldOptions<T>> {
  readonly type: FieldType<T>
  readonly options: O
}

export function field<T, const O extends FieldOptions<T>>(
  type: FieldType<T>,
  options: O,
): Field<T, O> {
  return { type, options }
}

/** Any set of fields; the methods' bivariance lets a `Field<string>` stand in it. */
// biome-ignore lint/suspicious/noExplicitAny: of any type, only read through its own methods
export type Fields = Readonly<Record<string, Field<any, any>>>

type ValueOf<F> =
  F extends Field<infer T, infer O> ? (O extends { nullable: true } ? T | null : T) : never

/** A row of the database, decoded, in wire spelling. */
export type Row<F extends Fields> = { [K in keyof F]: ValueOf<F[K]> }

type CreateKey<F extends Fields> = {
  [K in keyof F]: F[K]['options'] extends { writable: 'never' } ? never : K
}[keyof F]
type UpdateKey<F extends Fields> = {
  [K in keyof F]: F[K]['options'] extends { writable: 'never' | 'create' } ? never : K
}[keyof F]

/** A create request after checks: every writable field, its fallback filled in. */
export type Create<F extends Fields> = { [K in CreateKey<F>]: ValueOf<F[K]> }
/** An update request after checks: only what was sent, null already turned into its fallback. */
export type Update<F extends Fields> = { [K in UpdateKey<F>]?: ValueOf<F[K]> }

export interface Resource<F extends Fields = Fields> {
  /** Octavia's noun in a fault: `Load Balancer`. */
  readonly title: string
  /** The wrapper of one: `loadbalancer`. */
  readonly singular: string
  /** The wrapper of many and the path segment: `loadbalancers`. */
  readonly plural: string
  /** The name which upstream's faults give to the body of a request: `load_balancer`. */
  readonly argument: string
  /** The table. */
  readonly table: string
  /** The field that identifies a row; default `id`. */
  readonly key?: string
  readonly fields: F
}

export function keyOf(resource: Pick<Resource, 'key'>): string {
  return resource.key ?? 'id'
}

export function resource<const F extends Fields>(definition: Resource<F>): Resource<F> {
  return definition
}

export const ok = <T>(value: T): Parsed<T> => ({ ok: true, value })
export const refuse = (message: string): Refused => ({ ok: false, message })

export interface TextRule {
  readonly max: number
  readonly min?: number
  readonly pattern?: RegExp
  /** What is said of a value that does not match, instead of naming the pattern. */
  readonly message?: string
}

/**
 * A string. C0 control characters and DEL are refused everywhere (upstream lets them through):
 * every text can reach a configuration file, and no field needs them but descriptions, which allow
 * line breaks.
 */
export function text(
  rule: TextRule,
  allow: { readonly lineBreaks?: boolean } = {},
): FieldType<string> {
  const forbidden = allow.lineBreaks ? /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/ : /[\0-\x1f\x7f]/
  return {
    column: 'text',
    schema: {
      type: 'string',
      maxLength: rule.max,
      ...(rule.min === undefined ? {} : { minLength: rule.min }),
      ...(rule.pattern === undefined ? {} : { pattern: rule.pattern.source }),
    },
    parse: (value) => {
      if (typeof value !== 'string') return refuse('Value should be string')
      if (rule.min !== undefined && value.length < rule.min)
        return refuse(`Value should have a minimum character requirement of ${rule.min}`)
      if (value.length > rule.max)
        return refuse(`Value should have a maximum character requirement of ${rule.max}`)
      if (forbidden.test(value)) return refuse('Value should not contain control characters')
      if (!value.isWellFormed()) return refuse('Value should be valid Unicode')
      if (rule.pattern !== undefined && !rule.pattern.test(value))
        return refuse(rule.message ?? `Value should match the pattern ${rule.pattern.source}`)
      return ok(value)
    },
  }
}

export const name = text({ max: 255 })
export const description = text({ max: 255 }, { lineBreaks: true })

export const boolean: FieldType<boolean> = {
  column: 'boolean',
  schema: { type: 'boolean' },
  parse: (value) => {
    if (typeof value === 'boolean') return ok(value)
    // WSME converts these spellings; clients send them.
    if (Number.isInteger(value)) return ok(value !== 0)
    const parsed = typeof value === 'string' ? parseBoolean(value) : undefined
    return parsed === undefined ? refuse('Value not an unambiguous boolean') : ok(parsed)
  },
}

/** The truth of a word, as Python services read it; undefined if it is none. */
export function parseBoolean(word: string): boolean | undefined {
  const lower = word.trim().toLowerCase()
  if (['true', 't', 'yes', 'y', 'on', '1'].includes(lower)) return true
  if (['false', 'f', 'no', 'n', 'off', '0'].includes(lower)) return false
  return undefined
}

/** A whole number of `min` to `max`; WSME takes decimal text for one too. */
export function integer(min: number, max: number = 2 ** 31 - 1): FieldType<number> {
  return {
    column: 'integer',
    schema: { type: 'integer', minimum: min, maximum: max },
    parse: (value) => {
      const number =
        typeof value === 'string' && /^-?\d{1,15}$/.test(value.trim()) ? Number(value) : value
      if (typeof number !== 'number' || !Number.isInteger(number))
        return refuse('Value should be an integer')
      if (number < min) return refuse(`Value should be greater or equal to ${min}`)
      if (number > max) return refuse(`Value should be lower or equal to ${max}`)
      return ok(number)
    },
  }
}

export const port = integer(1, 65535)

export const uuid: FieldType<string> = {
  column: 'text',
  schema: { type: 'string', format: 'uuid' },
  parse: (value) => {
    const id = typeof value === 'string' ? parseUuid(value) : undefined
    return id === undefined ? refuse('Value should be UUID format') : ok(id)
  },
}

/** An IPv4 or IPv6 address in canonical text form. */
export const ipAddress: FieldType<string> = {
  column: 'text',
  schema: { type: 'string', anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] },
  parse: (value) => {
    const ip = typeof value === 'string' ? parseIp(value) : undefined
    return ip === undefined ? refuse('Value should be IPv4 or IPv6 format') : ok(ip.text)
  },
}

/**
 * An IPv4 or IPv6 address as it was written, for what clients look up again by what they sent.
 * Compare such addresses by `canonicalIp`.
 */
export const ipAddressAsWritten: FieldType<string> = {
  ...ipAddress,
  parse: (value) => {
    const parsed = ipAddress.parse(value)
    return parsed.ok ? ok(String(value)) : parsed
  },
}

/** An IPv4 or IPv6 prefix, or an address for itself; host bits are tolerated and cleared. */
export const cidr: FieldType<string> = {
  column: 'text',
  schema: { type: 'string', format: 'cidr' },
  parse: (value) => {
    const parsed = typeof value === 'string' ? (parseCidr(value) ?? hostCidr(value)) : undefined
    return parsed === undefined
      ? refuse('Value should be IPv4 or IPv6 CIDR format')
      : ok(parsed.text)
  },
}

export function oneOf<const T extends string>(choices: readonly T[]): FieldType<T> {
  return {
    column: 'text',
    schema: { type: 'string', enum: choices },
    parse: (value) =>
      (choices as readonly unknown[]).includes(value)
        ? ok(value as T)
        : refuse(`Value should be one of: ${choices.join(', ')}`),
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `created_at` and the like: `YYYY-MM-DDTHH:MM:SS`, UTC without a zone. */
export const time: FieldType<string> = {
  column: 'text',
  schema: { type: 'string', format: 'date-time' },
  parse: (value) => (typeof value === 'string' ? ok(value) : refuse('Value should be string')),
}
