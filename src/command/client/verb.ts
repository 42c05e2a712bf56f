/** The verbs of a resource with their options, derived from its table. Pure. */
import type { Field } from '../../model/field.ts'
import { CLOUD_OPTIONS } from '../cloud-settings.ts'
import { LIST_OPTIONS, SHOW_OPTIONS } from './format-options.ts'
import { flag, nameOf, type Option, optionsOf, textOption } from './option.ts'
import type { ClientTable, ExtraVerb, Kind, VerbTable } from './table.ts'

export type VerbName = 'list' | 'show' | 'create' | 'set' | 'unset' | 'delete' | ExtraVerb

export interface Verb {
  readonly name: VerbName
  readonly summary: string
  readonly positionals: readonly Kind[]
  /** What the verb is about. */
  readonly options: readonly Option[]
  /** How its result is printed; none for verbs without one. */
  readonly output: readonly Option[]
  readonly exactlyOne?: readonly string[]
  readonly atLeastOne?: readonly string[]
}

export const CONNECTION_OPTIONS: readonly Option[] = CLOUD_OPTIONS.map(
  ({ flag: name, help, takes }) =>
    takes === 'nothing' ? flag(name, help) : textOption(name, help),
)

const WAIT = flag('wait', 'Wait until the change is done.')
const TAG = textOption('tag', 'A tag to add; can be repeated.', { field: 'tags', repeats: true })

export function verbsOf(table: ClientTable): readonly Verb[] {
  return [
    ...(table.list === undefined ? [] : [listVerb(table, table.list)]),
    ...(table.show === undefined
      ? []
      : [verb('show', `Show one ${table.noun}.`, table.show, [], SHOW_OPTIONS)]),
    ...(table.create === undefined ? [] : [createVerb(table, table.create)]),
    ...(table.set === undefined ? [] : [setVerb(table, table.set)]),
    ...(table.unset === undefined ? [] : [unsetVerb(table, table.unset)]),
    ...(table.delete === undefined ? [] : [deleteVerb(table, table.delete)]),
    ...(table.extra ?? []).map((name) => extraVerb(table, name)),
  ]
}

function verb(
  name: VerbName,
  summary: string,
  { on = [], exactlyOne, atLeastOne }: VerbTable,
  options: readonly Option[],
  output: readonly Option[],
): Verb {
  return {
    name,
    summary,
    positionals: on,
    options,
    output,
    ...(exactlyOne === undefined ? {} : { exactlyOne }),
    ...(atLeastOne === undefined ? {} : { atLeastOne }),
  }
}

function listVerb(table: ClientTable, list: NonNullable<ClientTable['list']>): Verb {
  const filters = list.filters.flatMap((name) => {
    const field = table.fields[name]
    return field === undefined ? [] : optionsOf(table, name, field).map(filtering(table))
  })
  const commas = (name: string, field: string, help: string): Option =>
    textOption(name, help, { field, metavar: 'TAG[,TAG...]', read: (text) => text.split(',') })
  const tags = [
    commas('tags', 'tags', `Only ${table.nouns} that have all of these tags.`),
    commas('any-tags', 'tags-any', `Only ${table.nouns} that have one of these tags.`),
    commas('not-tags', 'not-tags', `No ${table.nouns} that have all of these tags.`),
    commas('not-any-tags', 'not-tags-any', `No ${table.nouns} that have one of these tags.`),
  ]
  const long = table.longColumns === undefined ? [] : [flag('long', 'Show more columns.')]
  return verb(
    'list',
    `List ${table.nouns}.`,
    list,
    [...filters, ...(table.tags ? tags : []), ...long],
    LIST_OPTIONS,
  )
}

/** A switch of a list chooses, and changes nothing; conditions of requests are none of lists. */
function filtering(table: ClientTable): (option: Option) => Option {
  return (option) =>
    option.takes !== 'nothing' || table.switches[option.field] === undefined
      ? { ...option, help: option.help.replace(/;[^.]*\./, '.') }
      : { ...option, help: `Only ${table.nouns} that are ${option.value ? 'on' : 'off'}.` }
}

/** What a create request without the option means, where it is the same on every server. */
function withDefault(option: Option, { options }: Field): Option {
  const { fallback } = options
  if (option.group === option.field && option.value === fallback)
    return { ...option, help: option.help.replace(/\.$/, ', which is the default.') }
  const told = typeof fallback === 'number' || (typeof fallback === 'string' && fallback !== '')
  if (!told || option.takes === 'nothing' || option.help.includes('when absent')) return option
  return { ...option, help: `${option.help.replace(/\.$/, '')} (default ${fallback}).` }
}

function createVerb(table: ClientTable, create: NonNullable<ClientTable['create']>): Verb {
  const options = writable(table, create, ['create', 'always']).flatMap(([name, field]) =>
    name === create.fills
      ? []
      : optionsOf(table, name, field).map((option) =>
          field.options.required === true && option.takes !== 'nothing'
            ? { ...option, required: true }
            : withDefault(option, field),
        ),
  )
  const tags = [
    { ...TAG, group: 'tags' },
    flag('no-tag', 'No tags, which is the default.', { group: 'tags' }),
  ]
  return verb(
    'create',
    `Create ${article(table.noun)}.`,
    create,
    [...options, ...(table.tags ? tags : []), ...(table.waits ? [WAIT] : [])],
    SHOW_OPTIONS,
  )
}

function setVerb(table: ClientTable, set: NonNullable<ClientTable['set']>): Verb {
  const options = writable(table, set, ['always']).flatMap(([name, field]) =>
    optionsOf(table, name, field),
  )
  const tags = [TAG, flag('no-tag', 'Remove all tags; with --tag, replace them.')]
  return verb(
    'set',
    `Change ${article(table.noun)}.`,
    set,
    [...options, ...(table.tags ? tags : []), ...(table.waits ? [WAIT] : [])],
    set.prints === true ? SHOW_OPTIONS : [],
  )
}

/** Fields that can be cleared, each a flag; what null becomes is the server's to say. */
function unsetVerb(table: ClientTable, unset: VerbTable): Verb {
  const clearable = writable(table, unset, ['always']).filter(
    ([name, { options }]) =>
      !['admin_state_up', 'enabled'].includes(name) &&
      (options.nullable === true || options.fallback !== undefined),
  )
  // `--allowed-cidr` adds one, `--allowed-cidrs` clears them all.
  const flags = clearable.map(([name, { type }]) =>
    flag(
      type.schema.type === 'array' ? name.replaceAll('_', '-') : nameOf(table, name),
      `Clear or reset ${name}.`,
      { field: name, value: null },
    ),
  )
  const tags = [
    { ...TAG, help: 'A tag to remove; can be repeated.', group: 'tags' },
    flag('all-tag', 'Remove all tags.', { group: 'tags' }),
  ]
  return verb(
    'unset',
    `Clear fields of ${article(table.noun)}.`,
    unset,
    [...flags, ...(table.tags ? tags : []), ...(table.waits ? [WAIT] : [])],
    [],
  )
}

function deleteVerb(table: ClientTable, remove: NonNullable<ClientTable['delete']>): Verb {
  const cascade = flag('cascade', 'Delete everything below it too.')
  return verb(
    'delete',
    `Delete ${article(table.noun)}.`,
    remove,
    [...(remove.cascade === true ? [cascade] : []), ...(table.waits ? [WAIT] : [])],
    [],
  )
}

function extraVerb(table: ClientTable, name: ExtraVerb): Verb {
  const on: VerbTable = { on: [table.kind] }
  const listener = textOption('listener', 'Only of this listener. Name or ID.', {
    reference: 'listener',
  })
  const one = article(table.noun)
  switch (name) {
    case 'stats show':
      return verb(
        name,
        `Show the statistics of ${one}.`,
        on,
        table.kind === 'amphora' ? [listener] : [],
        SHOW_OPTIONS,
      )
    case 'status show':
      return verb(name, `Show the status of ${one} and of all below it, as JSON.`, on, [], [])
    case 'failover':
      return verb(
        name,
        `Replace ${table.kind === 'amphora' ? one : `the amphorae of ${one}`}.`,
        on,
        [WAIT],
        [],
      )
    case 'configure':
      return verb(name, `Give ${one} its configuration again.`, on, [WAIT], [])
    case 'reset':
      return verb(
        name,
        'Reset the quota of a project to the defaults.',
        { on: ['project'] },
        [],
        [],
      )
    case 'defaults show':
      return verb(
        name,
        'Show the quota of projects that have none of their own.',
        {},
        [],
        SHOW_OPTIONS,
      )
    case 'capability list': {
      const only = (what: string) =>
        flag(what, `Only those for ${what.replaceAll('-', ' ')}s.`, { group: 'type' })
      return verb(
        name,
        'List what flavors and availability zones can ask of a provider.',
        on,
        [only('flavor'), only('availability-zone')],
        LIST_OPTIONS,
      )
    }
  }
}

function writable(
  table: ClientTable,
  { without = [] }: VerbTable,
  when: readonly string[],
): readonly (readonly [string, Field])[] {
  return Object.entries(table.fields).filter(
    ([name, field]) =>
      when.includes(field.options.writable ?? 'always') &&
      !without.includes(name) &&
      name !== 'tags',
  )
}

export function article(noun: string): string {
  return /^([aeio]|L7)/.test(noun) ? `an ${noun}` : `a ${noun}`
}
