/**
 * A deployment's octavia.conf to a configuration of ours: what it says, in TOML, and what no longer
 * applies, with the reason. Where the file is silent and our default is not upstream's, upstream's
 * is written down: the cloud goes on as it was. Pure. No message quotes a value.
 */
import { type Option, type OptionTable, sentence } from './option.ts'
import { FOREIGN_SECTIONS, SECTIONS } from './options.ts'
import { type OsloLine, parseOsloFile, substituted } from './oslo-file.ts'
import { findOption } from './read.ts'
import { renderValue } from './sample.ts'

/** Something of the old file, and what became of it. */
export interface Finding {
  /** `section.option`. */
  readonly where: string
  /** Of the old file; null for a default of upstream's. */
  readonly line: number | null
  readonly message: string
}

export interface Imported {
  readonly toml: string
  /** What has no meaning here, and why. */
  readonly dropped: readonly Finding[]
  /** What has one and could not be taken over. */
  readonly problems: readonly Finding[]
}

/** What upstream does where its file says nothing, and we would not. */
const UPSTREAM_DEFAULTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  api_settings: { auth_strategy: 'keystone' },
  controller_worker: {
    compute_driver: 'compute_nova_driver',
    network_driver: 'allowed_address_pairs_driver',
    client_ca: '/etc/octavia/certs/ca_01.pem',
  },
  certificates: { cert_manager: 'barbican_cert_manager' },
  haproxy_amphora: {
    client_cert: '/etc/octavia/certs/client.pem',
    server_ca: '/etc/octavia/certs/server_ca.pem',
  },
}

/** Options of older releases that are elsewhere now. */
const MOVED: Readonly<Record<string, string>> = {
  'DEFAULT.bind_host': 'api_settings.bind_host',
  'DEFAULT.bind_port': 'api_settings.bind_port',
  'DEFAULT.auth_strategy': 'api_settings.auth_strategy',
  'DEFAULT.allow_bulk': 'api_settings.allow_bulk',
  'DEFAULT.allow_pagination': 'api_settings.allow_pagination',
  'DEFAULT.allow_sorting': 'api_settings.allow_sorting',
  'DEFAULT.pagination_max_limit': 'api_settings.pagination_max_limit',
  'DEFAULT.api_base_uri': 'api_settings.api_base_uri',
  'controller_worker.amp_network': 'controller_worker.amp_boot_network_list',
}

interface Setting {
  readonly section: string
  readonly option: string
  /** null: the value could not be taken over. */
  readonly value: unknown
  readonly note: string | null
}

/** `error` when the text has another form than octavia.conf. */
export function importOslo(text: string): Imported | { readonly error: string } {
  const file = parseOsloFile(text)
  if ('error' in file) return file
  const settings = new Map<string, Setting>()
  const dropped: Finding[] = []
  const problems: Finding[] = []
  for (const line of file.lines) {
    const found = place(line)
    const where = `${line.section}.${line.option}`
    if ('gone' in found) {
      dropped.push({ where, line: line.line, message: found.gone })
      continue
    }
    const { section, name, option } = found
    const taken = take(option, substituted(file.lines, line))
    const moved = where === `${section}.${name}` ? null : `formerly ${where}`
    const note = 'problem' in taken ? taken.problem : moved
    const value = 'value' in taken ? taken.value : null
    settings.set(`${section}.${name}`, { section, option: name, value, note })
    if ('problem' in taken) problems.push({ where, line: line.line, message: taken.problem })
  }
  for (const each of silentDefaults(settings)) settings.set(`${each.section}.${each.option}`, each)
  return { toml: render([...settings.values()]), dropped, problems }
}

type Place =
  | { readonly gone: string }
  | { readonly section: string; readonly name: string; readonly option: Option<unknown> }

function place(line: OsloLine): Place {
  const moved = MOVED[`${line.section}.${line.option}`] ?? `${line.section}.${line.option}`
  const section = moved.slice(0, moved.indexOf('.'))
  const options = tableOf(section)
  if (options === undefined) {
    const foreign = Object.hasOwn(FOREIGN_SECTIONS, section) ? FOREIGN_SECTIONS[section] : undefined
    return { gone: foreign ?? `Octavia has no section [${section}]` }
  }
  const found = findOption(options, moved.slice(section.length + 1))
  if (found === undefined) return { gone: 'Octavia has no such option' }
  const [name, option] = found
  if (option.status === 'obsolete') return { gone: option.reason ?? 'it means nothing here' }
  // The only server this option could name is one that is no longer needed.
  if (section === 'database' && name === 'connection' && !line.value.startsWith('sqlite:'))
    return { gone: 'the database is embedded, in [DEFAULT] data_dir' }
  return { section, name, option }
}

function tableOf(section: string): OptionTable | undefined {
  const sections: Readonly<Record<string, OptionTable>> = SECTIONS
  return Object.hasOwn(sections, section) ? sections[section] : undefined
}

type Taken = { readonly value: unknown } | { readonly problem: string }

/** An option knows what it takes; the text is offered as everything it may have been. */
function take(option: Option<unknown>, text: string | undefined): Taken {
  if (text === undefined) return { problem: 'it refers to a value which is not in the file' }
  for (const value of readings(text)) if ('value' in option.parse(value)) return { value }
  const first = option.parse(text)
  return { problem: sentence(option, 'problem' in first ? first.problem : '') }
}

const WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  yes: true,
  on: true,
  false: false,
  '0': false,
  no: false,
  off: false,
}

function* readings(text: string): Generator<unknown> {
  yield text
  if (/^[+-]?\d+(\.\d+)?$/.test(text)) yield Number(text)
  const word = WORDS[text.toLowerCase()]
  if (word !== undefined) yield word
  const items = text.split(/[,\n]/).map((item) => item.trim())
  const given = items
    .filter((item) => item !== '')
    .map((item) => item.replace(/^(["'])(.*)\1$/, '$2'))
  yield given
  const pairs = given.map((item) => /^([^:]+):\s*(.*)$/.exec(item))
  if (pairs.every((pair) => pair !== null))
    yield Object.fromEntries(pairs.map((pair) => [pair[1]?.trim() ?? '', pair[2] ?? '']))
}

function silentDefaults(settings: ReadonlyMap<string, Setting>): readonly Setting[] {
  return Object.entries(UPSTREAM_DEFAULTS).flatMap(([section, values]) =>
    Object.entries(values)
      .filter(([option]) => !settings.has(`${section}.${option}`))
      .map(([option, value]) => ({ section, option, value, note: "upstream's default" })),
  )
}

/** In the order of the sample. */
function render(settings: readonly Setting[]): string {
  const sections = Object.keys(SECTIONS).flatMap((section) => {
    const lines = settings.filter((each) => each.section === section).map(renderSetting)
    return lines.length === 0 ? [] : [`[${section}]\n${lines.join('')}`]
  })
  return sections.join('\n')
}

function renderSetting({ option, value, note }: Setting): string {
  if (value === null) return `# ${option}: not taken over, ${note}\n`
  const comment = note === null ? '' : `  # ${note}`
  return `${option} = ${renderValue(value)}${comment}\n`
}
