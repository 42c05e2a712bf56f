/** Help pages of the client commands, all from the tables. Pure. */
import type { Option } from './option.ts'
import type { ClientTable } from './table.ts'
import { CONNECTION_OPTIONS, type Verb, verbsOf } from './verb.ts'

const COLUMNS = 100
/** Where the text of an option begins. */
const INDENT = ' '.repeat(34)

/** The settings are variables, options and keys of clouds.yaml alike, so their names are enough. */
const CLOUD_HELP = `
the cloud:
  --os-cloud NAME, or OS_CLOUD, is one of clouds.yaml (./, ~/.config/openstack/, /etc/openstack/, or
  OS_CLIENT_CONFIG_FILE). Each OS_* variable is an option too and wins over the file:
${wrapped(
  CONNECTION_OPTIONS.map(({ flag }) => `--${flag}`),
  '  ',
  '  ',
)}
  Without any of them it is the serve of this machine: by the clouds.yaml beside its data, or, where
  there is none, http://127.0.0.1:9876 without a login.
`

/** `octavia-lite listener --help`. */
export function resourceHelp(table: ClientTable): string {
  const verbs = verbsOf(table)
  const width = Math.max(...verbs.map(({ name }) => name.length))
  return `usage: octavia-lite ${table.command} VERB [options]

${verbs.map((verb) => `  ${verb.name.padEnd(width)}  ${verb.summary}\n`).join('')}
octavia-lite ${table.command} VERB --help tells more.
${CLOUD_HELP}`
}

/** `octavia-lite listener create --help`. */
export function verbHelp(table: ClientTable, verb: Verb): string {
  const words = verb.positionals.map((kind) => kind.replaceAll('_', '-').toUpperCase())
  const needed = verb.options.filter(({ required }) => required === true)
  const usage = [
    `usage: octavia-lite ${table.command} ${verb.name} [options]`,
    ...needed.map((option) => `--${option.flag} ${option.metavar}`),
    ...words,
  ]
  const notes = [
    ...(verb.exactlyOne === undefined
      ? []
      : [`Exactly one of ${flags(verb.exactlyOne)} is needed.`]),
    ...(verb.atLeastOne === undefined
      ? []
      : [`At least one of ${flags(verb.atLeastOne)} is needed.`]),
  ]
  return [
    `${wrapped(usage, '       ')}\n`,
    `\n${wrapped([verb.summary, ...notes].join(' ').split(' '), '')}\n`,
    section('options', verb.options),
    section('output', verb.output),
    CLOUD_HELP,
  ].join('')
}

const flags = (names: readonly string[]): string => names.map((name) => `--${name}`).join(', ')

function section(title: string, options: readonly Option[]): string {
  if (options.length === 0) return ''
  const lines = options.map((option) => {
    const short = option.short === undefined ? '' : `-${option.short}, `
    const many = option.takes === 'words' ? '...' : ''
    const spelled = [`${short}--${option.flag}`, option.metavar + many].join(' ').trimEnd()
    const alias = option.alias === undefined ? '' : ` Also --${option.alias}.`
    const again = option.repeats && option.takes === 'one' && !option.help.includes('repeated')
    const [first = '', ...rest] = wrapped(
      `${option.help}${again ? ' Can be repeated.' : ''}${alias}`.split(' '),
      INDENT,
      INDENT,
    ).split('\n')
    const head =
      spelled.length <= 30 ? `  ${spelled.padEnd(30)}  ${first.trim()}` : `  ${spelled}\n${first}`
    return [head, ...rest].map((line) => `${line}\n`).join('')
  })
  return `\n${title}:\n${lines.join('')}`
}

function wrapped(words: readonly string[], indent: string, first = ''): string {
  const lines = [first]
  for (const word of words) {
    const last = lines.at(-1) ?? ''
    const longer = last.trim() === '' ? last + word : `${last} ${word}`
    if (longer.length <= COLUMNS || last.trim() === '') lines[lines.length - 1] = longer
    else lines.push(`${indent}${word}`)
  }
  return lines.join('\n')
}
