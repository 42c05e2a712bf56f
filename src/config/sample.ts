/** The sample configuration: every option with help and default, commented out. Pure. */
import { Derived, isTable, type Option } from './option.ts'
import { SECTIONS } from './options.ts'

const HEAD = `# The configuration of octavia-lite, in TOML: every option with its default. Names are
# those of Octavia. Remove the # before an option to set it; check with
# \`octavia-lite config check\`. Marks: [mutable] SIGHUP changes it without a restart;
# [secret] it is never printed.
`

const UNUSED_HEAD = '# Known, without effect in this release:\n'

/** What the default shows by itself. */
const PLAIN: ReadonlySet<string> = new Set(['a string', 'true or false', 'an absolute path'])

/**
 * Options without a default are shown as \`# name = ...\`; with every \`#name\` line set, it is the
 * defaults.
 */
export function renderSample(): string {
  const sections = Object.entries(SECTIONS).map(([name, options]) => renderSection(name, options))
  return [HEAD, ...sections.filter((text) => text !== '')].join('\n')
}

function renderSection(name: string, options: Readonly<Record<string, Option<unknown>>>): string {
  const shown = Object.entries(options).filter(([, option]) => option.status !== 'obsolete')
  if (shown.length === 0) return ''
  const used = shown.filter(([, option]) => option.status === 'used')
  const unused = shown.filter(([, option]) => option.status === 'accepted')
  // In TOML the tables of an array end the section they are in, so they come last.
  const arrays = used.filter(([, option]) => option.fields !== null)
  const plain = used.filter(([, option]) => option.fields === null)
  const unusedLines = unused.map(
    ([key, option]) => `${renderOption(key, option)}  # ${option.help}\n`,
  )
  return [
    `[${name}]\n`,
    ...plain.map(([key, option]) => `${renderHelp(option)}${renderOption(key, option)}\n`),
    ...(unused.length > 0 ? [UNUSED_HEAD + unusedLines.join('')] : []),
    ...arrays.map(([key, option]) => renderTables(`${name}.${key}`, option)),
  ].join('\n')
}

function renderHelp(option: Option<unknown>): string {
  const marks = `${option.mutable ? ' [mutable]' : ''}${option.secret ? ' [secret]' : ''}`
  const takes = PLAIN.has(option.takes) ? '' : `# Takes ${option.takes}.\n`
  return `# ${option.help}${marks}\n${takes}`
}

/** One line without its end. */
function renderOption(key: string, option: Option<unknown>): string {
  const { fallback } = option
  if (fallback instanceof Derived) return `# ${key} = (${fallback.says})`
  if (fallback === null) return `# ${key} = (unset)`
  return `#${key} = ${renderValue(fallback)}`
}

function renderTables(name: string, option: Option<unknown>): string {
  const rows = Array.isArray(option.fallback) ? (option.fallback as readonly unknown[]) : []
  const fields = renderFields(name, option, '#  ')
  const tables = rows.filter(isTable).map((row) => {
    // An empty array of tables would keep those of the next lines from being read.
    const lines = Object.entries(row).filter(([, value]) => value !== null && !isEmptyArray(value))
    return `#[[${name}]]\n${lines.map(([key, value]) => `#${key} = ${renderValue(value)}\n`).join('')}`
  })
  return `# ${option.help} Any given replace the default ones. Each has:\n${fields}${tables.join('')}`
}

function renderFields(name: string, option: Option<unknown>, indent: string): string {
  const lines = Object.entries(option.fields ?? {}).map(([key, field]) => {
    const nested = `${name}.${key}`
    if (field.fields === null) return `${indent} ${key}: ${field.help} Takes ${field.takes}.\n`
    const below = renderFields(nested, field, `${indent}  `)
    return `${indent} ${key}: ${field.help} Tables [[${nested}]]; each has:\n${below}`
  })
  return lines.join('')
}

function isEmptyArray(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

/** TOML's basic strings are JSON's, but for the escape of DEL, which no default has. */
export function renderValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(renderValue).join(', ')}]`
  if (isTable(value)) {
    const pairs = Object.entries(value).map(
      ([key, item]) => `${JSON.stringify(key)} = ${renderValue(item)}`,
    )
    return `{ ${pairs.join(', ')} }`
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
