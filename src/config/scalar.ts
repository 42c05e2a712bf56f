/** Options of one value: text, numbers, addresses, choices. */
import { parseCidr, parseIp } from '../model/address.ts'
import { type Fallback, kindOf, type OrNull, option, type Parsed, type Traits } from './option.ts'

export interface TextTraits extends Traits {
  readonly pattern?: RegExp
  /** With `pattern`: what matches it, in words. */
  readonly takes?: string
}

/** One line of text: no value may bring a line feed or control character into a file or a log. */
export function text<F extends Fallback<string>>(
  help: string,
  fallback: F,
  traits: TextTraits = {},
): OrNull<string, F> {
  return option(help, fallback, traits, traits.takes ?? 'a string', (value) =>
    parseText(value, traits),
  )
}

export function parseText(value: unknown, traits: TextTraits): Parsed<string> {
  if (typeof value !== 'string') return { problem: `not ${kindOf(value)}` }
  if (/[\u0000-\u001f\u007f]/.test(value)) return { problem: 'without control characters' }
  if (traits.pattern !== undefined && !traits.pattern.test(value)) return { problem: '' }
  return { value }
}

export function path<F extends Fallback<string>>(help: string, fallback: F, traits: Traits = {}) {
  const pattern = /^\/[^\0]*$/
  return text(help, fallback, { ...traits, pattern, takes: 'an absolute path' })
}

export function ip<F extends Fallback<string>>(
  help: string,
  fallback: F,
  traits: Traits = {},
): OrNull<string, F> {
  return option(help, fallback, traits, 'an IP address', (value) => {
    if (typeof value !== 'string') return { problem: `not ${kindOf(value)}` }
    return parseIp(value) === undefined ? { problem: '' } : { value }
  })
}

/** Host bits are an error: `10.0.0.5/24` is more often a mistake than a spelling of 10.0.0.0/24. */
export function cidr<F extends Fallback<string>>(help: string, fallback: F): OrNull<string, F> {
  return option(help, fallback, {}, 'a network such as 10.0.0.0/24', (value) => {
    if (typeof value !== 'string') return { problem: `not ${kindOf(value)}` }
    const range = parseCidr(value)
    if (range === undefined) return { problem: '' }
    return range.text === value ? { value } : { problem: `did you mean ${range.text}?` }
  })
}

export interface NumberTraits extends Traits {
  readonly min?: number
  readonly max?: number
}

export function integer<F extends Fallback<number>>(
  help: string,
  fallback: F,
  traits: NumberTraits = {},
): OrNull<number, F> {
  return option(help, fallback, traits, `an integer${range(traits)}`, (value) =>
    typeof value === 'number' && !Number.isInteger(value)
      ? { problem: 'not a fraction' }
      : parseNumber(value, traits),
  )
}

export function float<F extends Fallback<number>>(
  help: string,
  fallback: F,
  traits: NumberTraits = {},
): OrNull<number, F> {
  const takes = `a number${range(traits)}`
  return option(help, fallback, traits, takes, (value) => parseNumber(value, traits))
}

/** 0 lets the system choose a free one. */
export function port<F extends Fallback<number>>(help: string, fallback: F): OrNull<number, F> {
  return integer(help, fallback, { min: 0, max: 65_535 })
}

function parseNumber(value: unknown, { min, max }: NumberTraits): Parsed<number> {
  if (typeof value !== 'number' || !Number.isFinite(value))
    return { problem: `not ${kindOf(value)}` }
  if (value < (min ?? -Infinity) || value > (max ?? Infinity)) return { problem: '' }
  return { value }
}

function range({ min, max }: NumberTraits): string {
  if (min === undefined) return max === undefined ? '' : ` of at most ${max}`
  return max === undefined ? ` of at least ${min}` : ` from ${min} to ${max}`
}

export function boolean<F extends Fallback<boolean>>(
  help: string,
  fallback: F,
  traits: Traits = {},
): OrNull<boolean, F> {
  return option(help, fallback, traits, 'true or false', (value) =>
    typeof value === 'boolean' ? { value } : { problem: `not ${kindOf(value)}` },
  )
}

export interface ChoiceTraits extends Traits {
  /** Upstream's other values, which this release cannot do yet. */
  readonly later?: readonly string[]
  /** Those which it will never do, and what to do then. */
  readonly instead?: Readonly<Record<string, string>>
}

export function choice<const C extends readonly string[], F extends Fallback<C[number]>>(
  help: string,
  choices: C,
  fallback: F,
  traits: ChoiceTraits = {},
): OrNull<C[number], F> {
  const takes = choices.length === 1 ? `"${choices[0]}"` : `one of ${choices.join(', ')}`
  return option<C[number], F>(help, fallback, traits, takes, (value) => {
    const found = choices.find((each) => each === value)
    if (found !== undefined) return { value: found }
    if (typeof value !== 'string') return { problem: `not ${kindOf(value)}` }
    const { later = [], instead = {} } = traits
    if (Object.hasOwn(instead, value)) return { problem: `${value} is not here: ${instead[value]}` }
    return { problem: later.includes(value) ? `${value} is not in this release` : '' }
  })
}
