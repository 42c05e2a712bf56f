/** Routes that only read: the list and the single row of a resource, alike for all of them. */
import { fault } from '../model/fault.ts'
import { type Fields, keyOf, type Resource, type Row } from '../model/field.ts'
import type { View } from '../model/view.ts'
import { listScope } from '../policy/check.ts'
import type { RuleName } from '../policy/rules.ts'
import { type ListQuery, listRows } from '../store/list.ts'
import { findRow } from '../store/repository.ts'
import type { Db } from '../store/store.ts'
import { type Listed, linksOf, parseFields, parseKey, parsePage, selectFields } from './listing.ts'
import type { Api, Area, Call, Route } from './route.ts'
import { allow } from './route.ts'

export interface Readable<F extends Fields> extends Omit<Listed, 'resource'> {
  readonly resource: Resource<F>
  /** Rows as answers, with their relatives. */
  readonly view: (db: Db, rows: readonly Row<F>[]) => Promise<readonly View[]>
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
  const [view = {}] = await readable.view(db, [row])
  const fields = call === undefined ? null : parseFields(call.query)
  return { [readable.resource.singular]: selectFields(view, fields) }
}

/** A page of rows within `scope`, with its links. */
export async function answerPage<F extends Fields>(
  api: Api,
  readable: Readable<F>,
  call: Call,
  query: URLSearchParams,
  scope: ListQuery['where'],
): Promise<Record<string, unknown>> {
  const db = api.store.read
  const page = await parsePage(db, readable, query, api.options, scope)
  const rows = await listRows(db, readable.resource, page.query)
  const views = await readable.view(db, rows)
  const { plural } = readable.resource
  const key = keyOf(readable.resource)
  const ids = rows.map((row) => String((row as Record<string, unknown>)[key]))
  return {
    [plural]: views.map((view) => selectFields(view, page.fields)),
    [readable.links ?? `${plural}_links`]: linksOf(page, ids, call.query, call.url, api.options),
  }
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
