/**
 * Rows as answers have them: JSON that SQLite writes, which is faster than to read rows and to
 * write them again.
 */
import { type RawBuilder, sql } from 'kysely'
import { type Fields, keyOf, type Resource } from '../model/field.ts'
import { shownOf } from '../model/view.ts'
import { runCompiled } from './compiled.ts'
import type { Relatives } from './relatives.ts'
import type { Db } from './store.ts'

/** Rows with this value are not there. */
export interface Hidden {
  readonly column: string
  readonly value: unknown
}

/** What is wanted of each row. */
export interface Wanted {
  /** Some names of `answerNames`; null is all. */
  readonly fields: readonly string[] | null
  /** Absent: there is nothing but the fields of the row. */
  readonly relatives?: Relatives | undefined
}

/** The names that an answer can have. */
export function answerNames(resource: Resource<Fields>, relatives?: Relatives): readonly string[] {
  const { optional } = relatives ?? {}
  return [...membersOf(resource, relatives).keys(), ...(optional ? [optional.name] : [])]
}

export interface Answer {
  /** A JSON object. */
  readonly text: string
  /** null: rows of this kind belong to none. */
  readonly project_id: string | null
}

/** One row; undefined where there is none, or one that is `hidden`. */
export async function findAnswer(
  db: Db,
  resource: Resource<Fields>,
  key: string,
  wanted: Wanted & { readonly hidden?: Hidden | undefined },
): Promise<Answer | undefined> {
  const { fields, hidden } = wanted
  const owner = resource.fields.project_id === undefined ? sql.lit(null) : sql.ref('project_id')
  const name = `answer ${resource.table} ${hidden?.column} ${JSON.stringify(fields)}`
  const values = hidden === undefined ? [key] : [key, hidden.value]
  const [row] = await runCompiled<Answer>(db, name, values, (on) => {
    const found = on
      .selectFrom(resource.table)
      .select([rowText(resource, wanted).as('text'), owner.as('project_id')])
      .where(keyOf(resource), '=', '')
    return hidden === undefined ? found : found.where(hidden.column, '!=', '')
  })
  return row
}

/** An expression that writes a row as a JSON object. */
export function rowText(
  resource: Resource<Fields>,
  { fields, relatives }: Wanted,
): RawBuilder<string> {
  const isWanted = (name: string): boolean => fields === null || fields.includes(name)
  const members = [...membersOf(resource, relatives)]
    .filter(([name]) => isWanted(name))
    .map(([name, value]) => member(name, value))
  const optional = relatives?.optional
  if (optional === undefined || !isWanted(optional.name)) return object(members)
  const { name, value } = optional
  return sql`case when ${value} is null then ${object(members)}
    else ${object([...members, member(name, value)])} end`
}

/** What every answer has: name to the expression of its value. */
function membersOf(
  resource: Resource<Fields>,
  relatives: Relatives | undefined,
): ReadonlyMap<string, RawBuilder<unknown>> {
  const values = relatives?.values ?? {}
  const members = new Map<string, RawBuilder<unknown>>()
  for (const name of shownOf(resource))
    if (!Object.hasOwn(values, name)) members.set(name, columnValue(resource, name))
  if (resource.fields.project_id !== undefined) members.set('tenant_id', sql.ref('project_id'))
  for (const [name, value] of Object.entries(values)) members.set(name, value)
  return members
}

function object(members: readonly RawBuilder<unknown>[]): RawBuilder<string> {
  return members.length === 0 ? sql`json_object()` : sql`json_object(${sql.join(members)})`
}

function member(name: string, value: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`${sql.lit(name)}, ${value}`
}

/** A column in wire form. */
function columnValue(resource: Resource<Fields>, name: string): RawBuilder<unknown> {
  const column = sql.ref(`${resource.table}.${name}`)
  const kind = resource.fields[name]?.type.column
  if (kind === 'boolean')
    return sql`json(case ${column} when 1 then 'true' when 0 then 'false' end)`
  return kind === 'json' ? sql`json(${column})` : column
}
