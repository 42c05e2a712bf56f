/**
 * Parsed TOML to the values of options: every name known, every value what its option takes, the
 * rest filled with defaults. Pure; problems go to `report`, and none quotes a secret.
 */
import { present } from '../system/assert.ts'
import { nearest } from './nearest.ts'
import {
  Derived,
  isTable,
  type Lookup,
  type OptionTable,
  type Surroundings,
  sentence,
} from './option.ts'
import { type Config, FOREIGN_SECTIONS, SECTIONS } from './options.ts'
import type { TomlTable } from './toml.ts'

/** `where` is a section, or `section.option` as it is spelt in the file. */
export type Report = (severity: 'error' | 'note', where: string, message: string) => void

/** Values by `section.option`, only those that were given. */
type Given = ReadonlyMap<string, unknown>

export function readSections(root: TomlTable, report: Report): Given {
  const given = new Map<string, unknown>()
  for (const [section, content] of Object.entries(root)) {
    const options = optionsOf(section)
    const foreign = FOREIGN_SECTIONS[section]
    if (!isTable(content)) report('error', section, strayOption(section))
    else if (options !== undefined) readOptions(section, options, content, given, report)
    else if (Object.hasOwn(FOREIGN_SECTIONS, section))
      report('note', section, `obsolete, ignored: [${section}] (${foreign})`)
    else
      report('error', section, `unknown section [${section}]${didYouMean(section, sectionNames())}`)
  }
  return given
}

function readOptions(
  section: string,
  options: OptionTable,
  content: TomlTable,
  given: Map<string, unknown>,
  report: Report,
): void {
  for (const [spelling, value] of Object.entries(content)) {
    const found = findOption(options, spelling)
    const where = `${section}.${spelling}`
    if (found === undefined) {
      report('error', where, unknownOption(section, options, spelling))
      continue
    }
    const [name, option] = found
    if (name !== spelling) report('note', where, `${where} is now ${section}.${name}`)
    if (option.status === 'obsolete') {
      report('note', where, `obsolete, ignored: ${where} (${option.reason})`)
      continue
    }
    const parsed = option.parse(value)
    if ('problem' in parsed) {
      const shown = option.secret ? '' : shownValue(value)
      report('error', where, `${where}${shown}: ${sentence(option, parsed.problem)}`)
      continue
    }
    if (option.status === 'accepted')
      report('note', where, `accepted, not used by this release: ${where}`)
    given.set(`${section}.${name}`, parsed.value)
  }
}

function shownValue(value: unknown): string {
  if (typeof value === 'object') return ''
  return ` = ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`
}

export function findOption(
  options: OptionTable,
  spelling: string,
): readonly [string, OptionTable[string]] | undefined {
  return Object.entries(options).find(
    ([name, option]) => name === spelling || option.formerly === spelling,
  )
}

/** Every option's value: what was given, or its default, which may follow from others. */
export function fillDefaults(given: Given, around: Surroundings): Config {
  const lookup: Lookup = (section, name) => {
    const key = `${section}.${name}`
    if (given.has(key)) return given.get(key)
    const { fallback } = present(optionsOf(section)?.[name], key)
    return fallback instanceof Derived ? fallback.from(around, lookup) : fallback
  }
  const config = Object.entries(SECTIONS).map(([section, options]) => [
    section,
    Object.fromEntries(Object.keys(options).map((name) => [name, lookup(section, name)])),
  ])
  // The keys are those of SECTIONS and every value came out of its option's `parse` or default.
  return deepFreeze(Object.fromEntries(config)) as Config
}

function optionsOf(section: string): OptionTable | undefined {
  const sections: Readonly<Record<string, OptionTable>> = SECTIONS
  return Object.hasOwn(sections, section) ? sections[section] : undefined
}

function sectionNames(): readonly string[] {
  return Object.keys(SECTIONS)
}

function didYouMean(name: string, candidates: Iterable<string>): string {
  const near = nearest(name, candidates)
  return near === undefined ? '' : `; did you mean ${near}?`
}

function unknownOption(section: string, options: OptionTable, name: string): string {
  const near = nearest(name, Object.keys(options))
  const elsewhere = near === name ? [] : sectionsWith(name)
  const hint =
    elsewhere.length > 0
      ? `; it belongs in [${elsewhere.join('] or [')}]`
      : didYouMean(name, Object.keys(options))
  return `unknown option ${section}.${name}${hint}`
}

/** A value before the first section header. */
function strayOption(name: string): string {
  if (optionsOf(name) !== undefined) return `[${name}] is a section, not a value`
  const home = sectionsWith(name)[0] ?? nearest(name, sectionNames())
  return `${name} is not in a section${home === undefined ? '' : `; put it under [${home}]`}`
}

function sectionsWith(name: string): readonly string[] {
  return sectionNames().filter((section) => Object.hasOwn(optionsOf(section) ?? {}, name))
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
