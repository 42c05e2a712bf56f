/** Routes that only read: the list and the single row of a resource, alike for all of them. */
import { fault } from '../model/fault.ts'
import { type Fields, keyOf, type Resource, type Row } from '../model/field.ts'
import { listScope } from '../policy/check.ts'
import type { RuleName } from '../policy/rules.ts'
import { type Answer, answerNames, findAnswer } from '../store/answer.ts'
import { type ListQuery, listPage } from '../store/list.ts'
import type { Relatives } from '../store/relatives.ts'
import { findRow } from '../store/repository.ts'
import type { Db } from '../store/store.ts'
import { type Listed, linksOf, parseFields, parseKey, parsePage } from './listing.ts'
import type { Api, Area, Call, Route } from './route.ts'
import { allow, JsonText } from './route.ts'

export interface Readable<F extends Fields> extends Omit<Listed, 'resource'> {
  readonly resource: Resource<F>
  /** Absent: its answers are its fields. */
  readonly relatives?: Relatives
}

type Answerable = Pick<Readable<Fields>, 'resource' | 'relatives' | 'hidden'>

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

/** A row that was found, as its answer. */
export async function answerOne<F extends Fields>(
  db: Db,
  readable: Readable<F>,
  row: Row<F>,
  call?: Call,
): Promise<JsonText> {
  const key = String((row as Record<string, unknown>)[keyOf(readable.resource)])
  return wrapped(readable, await getAnswer(db, readable, key, call))
}

/** A row with the fields that are asked for, or 404 as above. */
export async function getAnswer(
  db: Db,
  { resource, relatives, hidden }: Answerable,
  id: string,
  call?: Call,
): Promise<Answer> {
  const asked = call === undefined ? null : parseFields(call.query)
  const wanted = { fields: known(asked, resource, relatives), relatives, hidden }
  const answer = await findAnswer(db, resource, parseKey(resource, id), wanted)
  if (answer === undefined) throw fault.notFound(resource.title, id)
  return answer
}

/** Of the fields that a client asks for, those that there are. */
function known(
  asked: readonly string[] | null,
  resource: Resource<Fields>,
  relatives: Relatives | undefined,
): readonly string[] | null {
  return asked && answerNames(resource, relatives).filter((name) => asked.includes(name))
}

export function wrapped({ resource }: Answerable, { text }: Answer): JsonText {
  return new JsonText(`{"${resource.singular}":${text}}`)
}

/** A page of rows within `scope`, with its links. */
export async function answerPage<F extends Fields>(
  api: Api,
  { resource, relatives, ...readable }: Readable<F>,
  call: Call,
  query: URLSearchParams,
  scope: ListQuery['where'],
): Promise<JsonText> {
  const db = api.store.read
  const asked = await parsePage(db, { ...readable, resource }, query, api.options, scope)
  const fields = known(asked.fields, resource, relatives)
  const page = await listPage(db, resource, asked.query, { fields, relatives })
  const links = linksOf(asked, page.keys, call.query, call.url, api.options)
  const { plural } = resource
  const linksName = readable.links ?? `${plural}_links`
  return new JsonText(`{"${plural}":[${page.text}],"${linksName}":${JSON.stringify(links)}}`)
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
      const answer = await getAnswer(api.store.read, readable, call.params.id ?? '', call)
      allow(call, answer.project_id)
      return wrapped(readable, answer)
    },
  }
}

export function projectOf(row: object): string | null {
  return 'project_id' in row && typeof row.project_id === 'string' ? row.project_id : null
}
