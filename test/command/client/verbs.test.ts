/** The commands that come out of the tables, against those of upstream's client. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { command as amphora } from '../../../src/command/amphora.ts'
import { verbHelp } from '../../../src/command/client/help.ts'
import type { ClientTable } from '../../../src/command/client/table.ts'
import { TABLES } from '../../../src/command/client/tables.ts'
import { type Verb, verbsOf } from '../../../src/command/client/verb.ts'
import { present } from '../../../src/system/assert.ts'

interface Upstream {
  readonly name: string
  readonly positionals: number
  readonly options: readonly string[]
}

const UPSTREAM: readonly Upstream[] = readFileSync(
  `${import.meta.dirname}/upstream-commands.txt`,
  'utf8',
)
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [name = '', rest = ''] = line.split(':')
    const words = rest.trim().split(' ')
    return {
      name: name.replace(/^loadbalancer /, ''),
      positionals: words.filter((word) => word.startsWith('<')).length,
      options: words.filter((word) => word.startsWith('--')).map((word) => word.slice(2)),
    }
  })

/** `create` of a load balancer has no noun upstream, and `lb` here. */
function findVerb(name: string): { readonly table: ClientTable; readonly verb: Verb } | undefined {
  const [noun = '', ...rest] = name.split(' ')
  const table = TABLES.find(({ command }) => command === noun) ?? TABLES[0]
  const words = table?.command === noun ? rest.join(' ') : name
  const verb = table === undefined ? undefined : verbsOf(table).find((v) => v.name === words)
  return table === undefined || verb === undefined ? undefined : { table, verb }
}

test('the list of upstream is whole', () => {
  expect(UPSTREAM.length).toBeGreaterThanOrEqual(80)
})

test.each(UPSTREAM.map((each) => [each.name, each] as const))('%s', (name, upstream) => {
  const found = findVerb(name)
  if (found === undefined) throw new Error(`there is no verb for ${name}`)
  expect(found.verb.positionals).toHaveLength(upstream.positionals)
  const flags = [...new Set(found.verb.options.flatMap(({ flag, alias }) => [flag, alias ?? flag]))]
  // A unique beginning is enough, so --vip-sg-id stands for --vip-sg-ids.
  const missing = upstream.options.filter(
    (option) => !flags.includes(option) && flags.filter((f) => f.startsWith(option)).length !== 1,
  )
  expect(missing).toEqual([])
})

const VERBS = TABLES.flatMap((table) => verbsOf(table).map((verb) => ({ table, verb })))

test('no verb has an option twice', () => {
  const twice = VERBS.flatMap(({ table, verb }) => {
    const flags = [...verb.options, ...verb.output].map(({ flag }) => flag)
    return flags
      .filter((flag, at) => flags.indexOf(flag) !== at)
      .map((flag) => `${table.command} ${verb.name} --${flag}`)
  })
  expect(twice).toEqual([])
})

test('what the tables name exists', () => {
  const wrong = TABLES.flatMap((table) => {
    const named = [
      ...Object.keys(table.names),
      ...Object.keys(table.references),
      ...Object.keys(table.switches),
      ...(table.wordLists ?? []),
      ...(table.list?.filters ?? []),
    ]
    return named
      .filter((field) => !Object.hasOwn(table.fields, field))
      .map((field) => `${table.command}: ${field}`)
  })
  expect(wrong).toEqual([])
})

test('every help page has a line for each option, and none is too long', () => {
  for (const { table, verb } of VERBS) {
    const page = verbHelp(table, verb)
    for (const { flag } of verb.options) expect(page).toContain(`--${flag}`)
    const long = page.split('\n').filter((line) => line.length > 120)
    expect(long, `${table.command} ${verb.name}`).toEqual([])
  }
})

const pageOf = (command: string, name: string): string => {
  const { table, verb } = present(
    VERBS.find((each) => each.table.command === command && each.verb.name === name),
    `${command} ${name}`,
  )
  return verbHelp(table, verb)
}

test('pages say how values are spelled, what is the default, and nothing that only answers have', () => {
  expect(pageOf('healthmonitor', 'create')).toContain('--http-version {1.0,1.1}')
  expect(pageOf('lb', 'create')).toContain('--additional-vip subnet-id=VALUE,ip-address=VALUE\n')
  expect(pageOf('lb', 'create')).toContain('Enable load balancer, which is the default.')
  expect(pageOf('pool', 'create')).toContain('Disable TLS, which is the default.')
  expect(pageOf('lb', 'set')).not.toContain('which is the default')
  expect(pageOf('pool', 'list')).toContain('The load balancer it belongs to. Name or ID.')
})

test('the page of amphorae has what is not of the API', () => {
  const { helpOf } = amphora
  expect(helpOf?.(['--help'])).toContain('octavia-lite amphora ssh ID')
  expect(helpOf?.(['show', '--help'])).not.toContain('ssh')
})
