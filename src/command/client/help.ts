/** Help pages of the client commands, all from the tables. Pure. */
import type { Option } from './option.ts'
import type { ClientTable } from './table.ts'
import { CONNECTION_OPTIONS, type Verb, verbsOf } from './verb.ts'

const COLUMNS = 100

/** `octavia-lite listener --help`. */
export function resourceHelp(table: ClientTable): string {
  const verbs = verbsOf(table)
  const width = Math.max(...verbs.map(({ name }) => name.length))
  return `usage: octavia-lite ${table.command} VERB [options]

${verbs.map((verb) => `  ${verb.name.padEnd(width)}  ${verb.summary}\n`).join('')}
The cloud is found by OS_CLOUD and clouds.yaml or by OS_* variables, as by \`openstack\`; without any
it is the API of this machine. octavia-lite ${table.command} VERB --help tells more.
`
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
    `\n${[verb.summary, ...notes].join(' ')}\n`,
    section('options', verb.options),
    section('output', verb.output),
    section('the cloud', CONNECTION_OPTIONS),
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
    const help = `${option.help}${again ? ' Can be repeated.' : ''}${alias}`
    return spelled.length <= 30
      ? `  ${spelled.padEnd(30)}  ${help}\n`
      : `  ${spelled}\n${' '.repeat(34)}${help}\n`
  })
  return `\n${title}:\n${lines.join('')}`
}

function wrapped(words: readonly string[], indent: string): string {
  const lines = ['']
  for (const word of words) {
    const last = lines.at(-1) ?? ''
    const longer = last === '' ? word : `${last} ${word}`
    if (longer.length <= COLUMNS || last === '') lines[lines.length - 1] = longer
    else lines.push(`${indent}${word}`)
  }
  return lines.join('\n')
}
