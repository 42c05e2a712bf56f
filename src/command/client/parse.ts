/**
 * Words of a command line to values, by the options of a verb. It does what argparse does for
 * upstream's client: `--name=value`, unique beginnings of names, options after positionals, negative
 * numbers as values. Pure.
 */
import { type Option, usage } from './option.ts'

export interface Input {
  readonly positionals: readonly string[]
  /** By field; a list for options that repeat. */
  readonly values: ReadonlyMap<string, unknown>
}

interface Shape {
  readonly options: readonly Option[]
  /** The names of the positionals, all of them needed. */
  readonly positionals: readonly string[]
  readonly exactlyOne?: readonly string[]
  readonly atLeastOne?: readonly string[]
}

export function parseWords(words: readonly string[], shape: Shape): Input {
  const reader = new Reader(shape.options)
  reader.readAll(words)
  checkPositionals(shape.positionals, reader.positionals)
  const given = reader.given
  for (const { flag, required, metavar } of shape.options)
    if (required === true && !given.has(flag)) throw usage(`--${flag} ${metavar} is needed`)
  const { exactlyOne: one, atLeastOne: some } = shape
  const count = (flags: readonly string[]) => flags.filter((name) => given.has(name)).length
  if (one !== undefined && count(one) !== 1)
    throw usage(`exactly one of ${one.map((name) => `--${name}`).join(' and ')} is needed`)
  if (some !== undefined && count(some) === 0)
    throw usage(`at least one of ${some.map((name) => `--${name}`).join(', ')} is needed`)
  return { positionals: reader.positionals, values: reader.values }
}

function checkPositionals(wanted: readonly string[], given: readonly string[]): void {
  const missing = wanted.slice(given.length)
  if (missing.length > 0) throw usage(`${missing.join(' and ').toUpperCase()} is missing`)
  if (given.length > wanted.length) throw usage(`unexpected argument '${given[wanted.length]}'`)
}

class Reader {
  readonly positionals: string[] = []
  readonly values = new Map<string, unknown>()
  readonly given = new Set<string>()
  readonly #options: readonly Option[]
  /** The option of each group that was given. */
  readonly #groups = new Map<string, string>()

  constructor(options: readonly Option[]) {
    this.#options = options
  }

  readAll(words: readonly string[]): void {
    for (let at = 0; at < words.length; ) {
      const word = words[at] ?? ''
      if (word === '--') {
        this.positionals.push(...words.slice(at + 1))
        return
      }
      if (isOption(word)) at += 1 + this.#readOption(word, words.slice(at + 1))
      else {
        this.positionals.push(word)
        at += 1
      }
    }
  }

  /** How many of the words after it belong to the option. */
  #readOption(word: string, rest: readonly string[]): number {
    const cut = word.startsWith('--') ? word.indexOf('=') : -1
    const option = this.#find(cut < 0 ? word : word.slice(0, cut))
    const glued = shortValue(word, option) ?? (cut < 0 ? undefined : word.slice(cut + 1))
    this.#checkGroup(option)
    this.given.add(option.flag)
    if (option.takes === 'nothing') {
      if (glued !== undefined) throw usage(`--${option.flag} takes no value`)
      this.values.set(option.field, option.value)
      return 0
    }
    if (glued !== undefined) {
      this.#store(option, [glued])
      return 0
    }
    const end = rest.findIndex(isOption)
    const available = end < 0 ? rest : rest.slice(0, end)
    const taken = option.takes === 'one' ? available.slice(0, 1) : available
    if (option.takes === 'one' && taken.length === 0)
      throw usage(`--${option.flag} needs a value: ${option.metavar}`)
    this.#store(option, taken)
    return taken.length
  }

  #store(option: Option, texts: readonly string[]): void {
    const read = texts.map((text) => option.read(text))
    if (!option.repeats) {
      this.values.set(option.field, read[0])
      return
    }
    const earlier = this.values.get(option.field)
    this.values.set(option.field, [...(Array.isArray(earlier) ? earlier : []), ...read])
  }

  #checkGroup(option: Option): void {
    if (option.group === undefined) return
    const other = this.#groups.get(option.group)
    if (other !== undefined && other !== option.flag)
      throw usage(`--${option.flag} and --${other} exclude each other`)
    this.#groups.set(option.group, option.flag)
  }

  #find(word: string): Option {
    const short = word.startsWith('--') ? undefined : word.slice(1, 2)
    const name = word.slice(2)
    const exact = this.#options.find(
      ({ flag, alias, short: letter }) =>
        (short === undefined && (flag === name || alias === name)) ||
        (short !== undefined && letter === short),
    )
    if (exact !== undefined) return exact
    const near = short === undefined ? this.#options.filter((o) => o.flag.startsWith(name)) : []
    const [only] = near
    if (near.length === 1 && only !== undefined && name !== '') return only
    if (near.length > 1)
      throw usage(`${word} could be ${near.map(({ flag }) => `--${flag}`).join(' or ')}`)
    throw usage(`there is no option ${word}`)
  }
}

/** `-1` is a number, `-` is a word. */
function isOption(word: string): boolean {
  return word.length > 1 && word.startsWith('-') && !/^-\d/.test(word)
}

/** `-fjson` is `-f json`. */
function shortValue(word: string, option: Option): string | undefined {
  const glued = !word.startsWith('--') && word.length > 2 && option.takes !== 'nothing'
  return glued ? word.slice(2).replace(/^=/, '') : undefined
}
