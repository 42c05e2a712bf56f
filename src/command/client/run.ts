/** What each verb does: names to ids, the request, the wait, and what is to be printed. */
import { isObject } from '../../model/field.ts'
import type { Clock } from '../../system/clock.ts'
import { parseUuid } from '../../system/ids.ts'
import type { Io } from '../io.ts'
import { usage } from './option.ts'
import type { Input } from './parse.ts'
import { RequestFailure, type Session, unwrapped, type View } from './session.ts'
import { type ClientTable, STATISTICS } from './table.ts'
import type { Verb } from './verb.ts'
import { loadBalancerOf, waitForActive, waitForDelete } from './wait.ts'

export type Result =
  | { readonly kind: 'list'; readonly columns: readonly string[]; readonly rows: readonly View[] }
  | { readonly kind: 'one'; readonly columns: readonly string[]; readonly row: View }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'nothing' }

export interface Run {
  readonly session: Session
  readonly clock: Clock
  readonly io: Io
  readonly table: ClientTable
  readonly verb: Verb
  readonly input: Input
}

const NOTHING: Result = { kind: 'nothing' }

export async function runVerb(run: Run): Promise<Result> {
  switch (run.verb.name) {
    case 'list':
      return await runList(run)
    case 'show':
      return one(run.table.rows, await find(run))
    case 'create':
      return await runCreate(run)
    case 'set':
      return await runSet(run)
    case 'unset':
      return await runUnset(run)
    case 'delete':
      return await runDelete(run)
    case 'stats show':
      return await runStatistics(run)
    case 'status show':
      return await runStatus(run)
    case 'failover':
    case 'configure':
      return await runAction(run)
    case 'reset': {
      const { id } = await target(run)
      await run.session.request('DELETE', run.session.pathOf('quota', undefined, id))
      return NOTHING
    }
    case 'defaults show':
      return one(run.table.rows, await run.session.show('quota', 'defaults'))
    case 'capability list':
      return await runCapabilities(run)
  }
}

const one = (columns: readonly string[], row: View): Result => ({ kind: 'one', columns, row })

interface Target {
  readonly id: string
  readonly parent: string | undefined
}

/** The ids behind the positionals: the last one is the resource itself. */
async function target({ session, verb, input }: Run): Promise<Target> {
  let parent: string | undefined
  let id = ''
  for (const [at, kind] of verb.positionals.entries()) {
    parent = at === 0 ? undefined : id
    id = await session.resolve(kind, input.positionals[at] ?? '', parent)
  }
  return { id, parent }
}

/** The values of the options that are fields, names turned into ids. */
async function fieldsOf({ session, verb, input }: Run): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {}
  for (const [field, value] of input.values) {
    const option = verb.options.find((each) => each.field === field && !NOT_FIELDS.has(each.flag))
    if (option === undefined) continue
    const { reference } = option
    const resolve = async (one: unknown) =>
      reference === undefined || typeof one !== 'string'
        ? one
        : await session.resolve(reference, one)
    if (!Array.isArray(value)) found[field] = await resolve(value)
    else found[field] = await Promise.all(value.map(resolve))
  }
  if (Array.isArray(found.additional_vips))
    found.additional_vips = await Promise.all(
      found.additional_vips.filter(isObject).map(async (vip) => withSubnet(session, vip)),
    )
  return found
}

const NOT_FIELDS: ReadonlySet<string> = new Set(['wait', 'long', 'cascade', 'no-tag', 'all-tag'])

async function withSubnet(session: Session, vip: View): Promise<View> {
  const { subnet_id } = vip
  if (typeof subnet_id !== 'string') throw usage('--additional-vip needs subnet-id=NAME-OR-ID')
  return { ...vip, subnet_id: await session.resolve('subnet', subnet_id) }
}

async function runList(run: Run): Promise<Result> {
  const { session, table, input } = run
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(await fieldsOf(run)))
    for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each))
  const [parentKind] = run.verb.positionals
  const parent =
    parentKind === undefined
      ? undefined
      : await session.resolve(parentKind, input.positionals[0] ?? '')
  const rows = await session.list(table.kind, query, parent)
  const long = input.values.get('long') === true
  return { kind: 'list', columns: (long ? table.longColumns : undefined) ?? table.columns, rows }
}

/** By id at once where it is one, else by name: one request less for scripts. */
async function find(run: Run): Promise<View> {
  const { session, table, verb, input } = run
  const ids = input.positionals.map((word) => parseUuid(word))
  if (ids.every((id) => id !== undefined))
    try {
      const [last = '', parent] = [...input.positionals].reverse()
      return await session.show(table.kind, last, parent)
    } catch (error) {
      if (!(error instanceof RequestFailure) || error.status !== 404) throw error
      if (verb.positionals.includes('amphora')) throw error
    }
  const { id, parent } = await target(run)
  return await session.show(table.kind, id, parent)
}

async function runCreate(run: Run): Promise<Result> {
  const { session, table, verb, input } = run
  const [aboveKind] = verb.positionals
  const above =
    aboveKind === undefined
      ? undefined
      : { kind: aboveKind, id: await session.resolve(aboveKind, input.positionals[0] ?? '') }
  const fields = await fieldsOf(run)
  const { fills } = table.create ?? {}
  if (fills !== undefined && above !== undefined) fields[fills] = above.id
  const parent = table.parent === undefined ? undefined : above?.id
  const body = { [table.singular]: fields }
  const made = unwrapped(await session.request('POST', session.pathOf(table.kind, parent), body))
  if (input.values.get('wait') !== true) return one(table.rows, made)
  const id = String(made.id)
  const lb = table.kind === 'loadbalancer' ? id : await loadBalancerOf(session, made, above)
  if (lb !== undefined) await waitForActive(run, 'loadbalancer', lb)
  return one(table.rows, await session.show(table.kind, id, parent))
}

async function runSet(run: Run): Promise<Result> {
  const { table, input } = run
  const at = await target(run)
  const fields = await fieldsOf(run)
  const clear = input.values.get('no-tag') === true
  if (Array.isArray(fields.tags)) {
    const earlier = clear ? [] : await tagsOf(run, at)
    fields.tags = [...new Set([...earlier, ...fields.tags])]
  } else if (clear) fields.tags = []
  if (Object.keys(fields).length === 0) throw usage('nothing to change is given; see --help')
  const answer = await update(run, at, fields)
  return table.set?.prints === true ? one(table.rows, unwrapped(answer)) : NOTHING
}

async function runUnset(run: Run): Promise<Result> {
  const { input } = run
  const fields = await fieldsOf(run)
  const all = input.values.get('all-tag') === true
  if (Object.keys(fields).length === 0 && !all) throw usage('nothing to clear is given; see --help')
  const at = await target(run)
  const { tags } = fields
  if (all) fields.tags = []
  else if (Array.isArray(tags))
    fields.tags = (await tagsOf(run, at)).filter((tag) => !tags.includes(tag))
  await update(run, at, fields)
  return NOTHING
}

async function tagsOf(
  { session, table }: Run,
  { id, parent }: Target,
): Promise<readonly unknown[]> {
  const { tags } = await session.show(table.kind, id, parent)
  return Array.isArray(tags) ? tags : []
}

async function update(run: Run, { id, parent }: Target, fields: View): Promise<View> {
  const { session, table, input } = run
  const path = session.pathOf(table.kind, parent, id)
  const answer = await session.request('PUT', path, { [table.singular]: fields })
  if (input.values.get('wait') === true) await waitForActive(run, table.kind, id, parent)
  return answer
}

async function runDelete(run: Run): Promise<Result> {
  const { session, table, input } = run
  const { id, parent } = await target(run)
  const cascade = input.values.get('cascade') === true ? '?cascade=true' : ''
  await session.request('DELETE', `${session.pathOf(table.kind, parent, id)}${cascade}`)
  if (input.values.get('wait') === true) await waitForDelete(run, table.kind, id, parent)
  return NOTHING
}

/** An amphora has statistics per listener; the sum is shown, as by upstream's client. */
async function runStatistics(run: Run): Promise<Result> {
  const { session, table } = run
  const { id } = await target(run)
  const { listener } = await fieldsOf(run)
  const body = await session.request('GET', `${session.pathOf(table.kind, undefined, id)}/stats`)
  const parts = Array.isArray(body.amphora_stats) ? body.amphora_stats : [body.stats]
  const counted = parts
    .filter(isObject)
    .filter((part) => listener === undefined || part.listener_id === listener)
  const sums = STATISTICS.map((name): [string, number] => [
    name,
    counted.reduce((sum, part) => sum + Number(part[name] ?? 0), 0),
  ])
  return one(STATISTICS, Object.fromEntries(sums))
}

async function runStatus(run: Run): Promise<Result> {
  const { id } = await target(run)
  const path = `${run.session.pathOf(run.table.kind, undefined, id)}/status`
  const { statuses } = await run.session.request('GET', path)
  return { kind: 'json', value: statuses ?? {} }
}

async function runAction(run: Run): Promise<Result> {
  const { session, table, verb, input } = run
  const { id } = await target(run)
  const before = table.kind === 'amphora' ? await session.show('amphora', id) : { id }
  const path = session.pathOf(table.kind, undefined, id)
  await session.request('PUT', `${path}/${verb.name === 'failover' ? 'failover' : 'config'}`)
  if (input.values.get('wait') !== true) return NOTHING
  const lb = table.kind === 'amphora' ? before.loadbalancer_id : id
  // A spare amphora that is replaced is simply gone; one that is configured shows no status.
  if (typeof lb === 'string') await waitForActive(run, 'loadbalancer', lb)
  else if (verb.name === 'failover') await waitForDelete(run, 'amphora', id)
  return NOTHING
}

async function runCapabilities({ session, input }: Run): Promise<Result> {
  const [provider = ''] = input.positionals
  const only = ['flavor', 'availability-zone'].filter((name) => input.values.get(name) === true)
  const rows: View[] = []
  for (const type of ['flavor', 'availability_zone'] as const) {
    const part = `${type}_capabilities`
    if (only.length > 0 && !only.includes(type.replace('_', '-'))) continue
    const path = session.pathOf('provider', undefined, provider)
    const found = (await session.request('GET', `${path}/${part}`))[part]
    for (const each of Array.isArray(found) ? found.filter(isObject) : [])
      rows.push({ type, ...each })
  }
  return { kind: 'list', columns: ['type', 'name', 'description'], rows }
}
