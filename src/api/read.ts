/** Routes that only read: the list and the single row of a resource, alike for all of them. */
import { fault } from '../model/fault.ts'
import { type Fields, keyOf, type Resource, type Row } from '../model/field.ts'
import { shownOf, type View } from '../model/view.ts'
import { type Relatives, viewRow } from '../operation/views.ts'
import { listScope } from '../policy/check.ts'
import type { RuleName } from '../policy/rules.ts'
import { type ListQuery, listTexts } from '../store/list.ts'
import { findRow } from '../store/repository.ts'
import type { Db } from '../store/store.ts'
import { type Listed, linksOf, parseFields, parseKey, parsePage, selectFields } from './listing.ts'
import type { Api, Area, Call, Route } from './route.ts'
import { allow, JsonText } from './route.ts'

export interface Readable<F extends Fields> extends Omit<Listed, 'resource'> {
  readonly resource: Resource<F>
  /** Absent: its answers are its fields. */
  readonly relatives?: Relatives<F>
}

/** The row, or 404: also for one that is only kept as a memory. */
export async function getShown<F extends Fields>(
  db: Db,
  { resource, hidden }: Pick<Readable<F>, 'resource' | 'hidden'>,
  id: string,
): Promise<Row<F>> {
  const row = await findRow(db, resource, parseKey(resource, id))
  if (row === undefined) throw fault.notFound(resource.title, id)
  if (hidden !== undefined && (row as Record<string, unknown>)[hidden.column] === hidden.value)
    throw fault.notFound(resource.title, id)
  return row
}

/** One row by `params.id`, as its answer. */
export async function answerOne<F extends Fields>(
  db: Db,
  readable: Readable<F>,
  row: Row<F>,
  call?: Call,
): Promise<Record<string, unknown>> {
  const view = await viewRow(db, readable.resource, row, readable.relatives)
  const fields = call === undefined ? null : parseFields(call.query)
  return { [readable.resource.singular]: selectFields(view, fields) }
}

/**
 * A page of rows within `scope`, with its links. SQLite writes the rows' own fields as JSON: to
 * read a thousand rows and write them again takes twice as long.
 */
export async function answerPage<F extends Fields>(
  api: Api,
  { resource, relatives, ...readable }: Readable<F>,
  call: Call,
  query: URLSearchParams,
  scope: ListQuery['where'],
): Promise<JsonText> {
  const db = api.store.read
  const page = await parsePage(db, { ...readable, resource }, query, api.options, scope)
  const { fields } = page
  const own = shownOf(resource).filter((name) => !relatives?.replaced.includes(name))
  const texts = await listTexts(db, resource, page.query, {
    names: fields === null ? own : own.filter((name) => fields.includes(name)),
    tenant_id: fields === null || fields.includes('tenant_id'),
    columns: relatives?.columns ?? [],
  })
  const rows = texts.map(({ row }) => row)
  const more = (await relatives?.load(db, rows)) ?? []
  const views = texts.map(({ text }, at) => withMore(text, selectFields(more[at] ?? {}, fields)))
  const key = keyOf(resource)
  const ids = rows.map((row) => String((row as Record<string, unknown>)[key]))
  const links = linksOf(page, ids, call.query, call.url, api.options)
  const { plural } = resource
  const linksName = readable.links ?? `${plural}_links`
  return new JsonText(`{"${plural}":[${views.join()}],"${linksName}":${JSON.stringify(links)}}`)
}

/** The text of an object with further members. */
function withMore(text: string, more: View): string {
  const added = JSON.stringify(more)
  if (added === '{}') return text
  return text === '{}' ? added : `${text.slice(0, -1)},${added.slice(1)}`
}

interface Names {
  readonly area: Area
  readonly path: string
  readonly summary: string
}

/** Lists what the caller may see: all projects with the global rule, else one. */
export function listRoute<F extends Fields>(
  readable: Readable<F>,
  rule: RuleName,
  globalRule: RuleName,
  names: Names,
): Route {
  const { plural, fields } = readable.resource
  return {
    ...names,
    method: 'GET',
    rule,
    status: 200,
    answer: { wrapper: plural, fields, list: true },
    handle: async (api, call) => {
      const query = new URLSearchParams(call.query)
      const asked = query.get('project_id') ?? query.get('tenant_id')
      query.delete('project_id')
      query.delete('tenant_id')
      const project_id = listScope(api.policy, rule, globalRule, call.caller, asked)
      const scope = project_id === null ? [] : [{ column: 'project_id', value: project_id }]
      return answerPage(api, readable, call, query, scope)
    },
  }
}

/** Shows one row to whom the rule allows on its project. */
export function showRoute<F extends Fields>(
  readable: Readable<F>,
  rule: RuleName,
  names: Names,
): Route {
  const { singular, fields } = readable.resource
  return {
    ...names,
    method: 'GET',
    rule,
    status: 200,
    answer: { wrapper: singular, fields },
    handle: async (api, call) => {
      const row = await getShown(api.store.read, readable, call.params.id ?? '')
      allow(call, projectOf(row))
      return answerOne(api.store.read, readable, row, call)
    },
  }
}

export function projectOf(row: object): string | null {
  return 'project_id' in row && typeof row.project_id === 'string' ? row.project_id : null
}
