/**
 * The vocabulary in which options are written: `port('The API port.', 9876)` states type, check,
 * default and help at once, and everything else (loading, the sample, `Config`) derives from it.
 * Pure; the kinds of value are in scalar.ts and compound.ts. What `parse` returns is right as it
 * stands.
 */

/**
 * `used`: the program acts on it. `accepted`: known and checked, but nothing in this release
 * depends on it. `obsolete`: upstream has or had it, it means nothing here.
 */
export type OptionStatus = 'used' | 'accepted' | 'obsolete'

/** What surrounds the process, for defaults that depend on it. */
export interface Surroundings {
  readonly root: boolean
  readonly home: string
  readonly hostname: string
}

/** The value another option will have, for defaults that follow it. */
export type Lookup = (section: string, option: string) => unknown

/** A default that follows from other options or the machine; `says` is shown in the sample. */
export class Derived<T> {
  readonly says: string
  readonly from: (around: Surroundings, lookup: Lookup) => T
  constructor(says: string, from: (around: Surroundings, lookup: Lookup) => T) {
    this.says = says
    this.from = from
  }
}

export type Parsed<T> = { readonly value: T } | { readonly problem: string }

export interface Option<T> {
  readonly fallback: T | Derived<T>
  readonly help: string
  /** What it takes, in words: `an integer from 1 to 65535`. */
  readonly takes: string
  /** `problem` says what is wrong with the value without quoting it. */
  readonly parse: (value: unknown) => Parsed<T>
  readonly status: OptionStatus
  /** For an obsolete option: why, or what to use. */
  readonly reason: string | null
  /** Its value is never printed. */
  readonly secret: boolean
  /** SIGHUP changes it; any other option needs a restart. */
  readonly mutable: boolean
  /** An older spelling upstream still reads. */
  readonly formerly: string | null
  /** The fields of an array of tables. */
  readonly fields: Readonly<Record<string, Option<unknown>>> | null
}

export type OptionTable = Readonly<Record<string, Option<unknown>>>

/** The values of a section: the record its options describe. */
export type Values<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends Option<infer V> ? V : never
}

export interface Traits {
  readonly secret?: true
  readonly mutable?: true
  readonly formerly?: string
}

/** `null` as a fallback means unset, and then the value may be null; anything else may not. */
export type Fallback<T> = T | Derived<T> | null
export type OrNull<T, F> = Option<T | (F & null)>

export function option<T, F extends Fallback<T>>(
  help: string,
  fallback: F,
  traits: Traits,
  takes: string,
  parse: (value: unknown) => Parsed<T>,
): OrNull<T, F> {
  return {
    // TypeScript cannot see that F without null and Derived is T; the parameter's bound says so.
    fallback: fallback as T | (F & null),
    help,
    takes,
    parse,
    status: 'used',
    reason: null,
    secret: traits.secret === true,
    mutable: traits.mutable === true,
    formerly: traits.formerly ?? null,
    fields: null,
  }
}

/** `takes an integer of at least 1, not a string`. */
export function sentence(option: Option<unknown>, problem: string): string {
  return `takes ${option.takes}${problem === '' ? '' : `; ${problem}`}`
}

/** The same options, known but without effect in this release. */
export function accepted<T extends OptionTable>(options: T): T {
  return mapOptions(options, (each) => ({ ...each, status: 'accepted' }))
}

/** The same options, without meaning here for that reason. */
export function obsolete<T extends OptionTable>(reason: string, options: T): T {
  return mapOptions(options, (each) => ({ ...each, status: 'obsolete', reason }))
}

function mapOptions<T extends OptionTable>(
  options: T,
  change: (option: Option<unknown>) => Option<unknown>,
): T {
  // Keys and value types stay as they are; only marks change.
  return Object.fromEntries(
    Object.entries(options).map(([name, each]) => [name, change(each)]),
  ) as T
}

export function isTable(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  )
}

/** What a value is instead, in words. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Date) return 'a date'
  if (isTable(value)) return 'a table'
  return typeof value === 'number' ? 'a number' : `a ${typeof value}`
}
