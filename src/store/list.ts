/** Lists: rows by filters and tags, in an order, from a marker on, with a limit. */
import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely'
import { type Fields, keyOf, type Resource, type Row } from '../model/field.ts'
import { runCompiled } from './compiled.ts'
import { decodeRow } from './repository.ts'
import type { Db } from './store.ts'

export interface ListQuery {
  /** Column and value in column form: all must match. */
  readonly where: readonly { readonly column: string; readonly value: unknown }[]
  /** Rows with this value are not there. */
  readonly hidden?: { readonly column: string; readonly value: unknown }
  /** Ids of rows which another table points to, by its column: `listener.default_pool_id`. */
  readonly referred: readonly Reference[]
  readonly tags: TagFilter
  /** Ends with what makes the order total. */
  readonly sort: readonly SortKey[]
  /** In column form: the page begins after this row, or ends before it when `reverse`. */
  readonly marker?: Readonly<Record<string, unknown>>
  readonly reverse: boolean
  readonly limit: number | null
}

export interface Reference {
  readonly table: string
  readonly column: string
  /** The column of the listed rows that `column` holds; default `id`. */
  readonly own?: string
  /** The column of the other table that is asked for; default its `id`. */
  readonly by?: string
  readonly id: string
}

export interface SortKey {
  readonly column: string
  readonly direction: 'asc' | 'desc'
  /** A null sorts as the empty text or as zero, as upstream. */
  readonly nullable: boolean
  readonly numeric: boolean
}

export interface TagFilter {
  readonly all?: readonly string[]
  readonly any?: readonly string[]
  readonly notAll?: readonly string[]
  readonly notAny?: readonly string[]
}

/** What is wanted of each row. */
export interface Wanted<F extends Fields> {
  /** Fields in the text. */
  readonly names: readonly string[]
  /** Whether the text has the project under its older name too, where rows have one. */
  readonly tenant_id: boolean
  /** Fields of `row`, beside the one that identifies it. */
  readonly columns: readonly (keyof F & string)[]
}

export interface Text<F extends Fields> {
  /** A JSON object. */
  readonly text: string
  /** Only the columns which were wanted. */
  readonly row: Row<F>
}

export async function listTexts<F extends Fields>(
  db: Db,
  resource: Resource<F>,
  query: ListQuery,
  wanted: Wanted<F>,
): Promise<Text<F>[]> {
  const raws = await runList(db, resource, query, wanted)
  if (query.reverse) raws.reverse()
  return raws.map((raw) => ({ text: raw.own_text, row: decodeRow(resource, raw) }))
}

interface Raw extends Record<string, unknown> {
  readonly own_text: string
}

/** Without what is rare in it a query is compiled once. */
async function runList<F extends Fields>(
  db: Db,
  resource: Resource<F>,
  query: ListQuery,
  { names, tenant_id, columns }: Wanted<F>,
): Promise<Raw[]> {
  const selected = [...new Set([keyOf(resource), ...columns])]
  const build = (on: Db) =>
    selectPage(on, resource, query)
      .select(selected)
      .select(rowText(resource, names, tenant_id).as('own_text'))
  const { where, hidden, referred, marker, limit, sort } = query
  if (referred.length > 0 || marker !== undefined || tagConditions(query.tags).length > 0)
    return (await build(db).execute()) as unknown as Raw[]
  const values = where.map(({ value }) => value)
  if (hidden !== undefined) values.push(hidden.value)
  if (limit !== null) values.push(limit)
  const shape = {
    selected,
    where: where.map(({ column }) => column),
    hidden: hidden?.column,
    sort: sort.map(({ column, direction }) => [column, direction]),
    limited: limit !== null,
    names,
    tenant_id,
  }
  return await runCompiled<Raw>(
    db,
    `list ${resource.table} ${JSON.stringify(shape)}`,
    values,
    build,
  )
}

/** An expression that writes fields of a row as a JSON object. */
function rowText(
  resource: Resource<Fields>,
  names: readonly string[],
  tenant_id: boolean,
): RawBuilder<string> {
  const members = names.map((name) => {
    const column = sql.ref(name)
    const kind = resource.fields[name]?.type.column
    if (kind === 'boolean')
      return sql`${sql.lit(name)}, json(case ${column} when 1 then 'true' when 0 then 'false' end)`
    return sql`${sql.lit(name)}, ${kind === 'json' ? sql`json(${column})` : column}`
  })
  if (tenant_id && resource.fields.project_id !== undefined)
    members.push(sql`'tenant_id', project_id`)
  return sql<string>`json_object(${sql.join(members)})`
}

function selectPage(db: Db, resource: Resource<Fields>, query: ListQuery) {
  let select = db.selectFrom(resource.table)
  for (const { column, value } of query.where) select = select.where(column, '=', value)
  if (query.hidden !== undefined)
    select = select.where(query.hidden.column, '!=', query.hidden.value)
  for (const { table, column, own = 'id', by = 'id', id } of query.referred)
    select = select.where(own, 'in', db.selectFrom(table).select(column).where(by, '=', id))
  for (const condition of tagConditions(query.tags)) select = select.where(condition)
  if (query.marker !== undefined)
    select = select.where(after(query.sort, query.marker, query.reverse))
  for (const key of query.sort)
    select = select.orderBy(sortValue(key), flip(key.direction, query.reverse))
  return query.limit === null ? select : select.limit(query.limit)
}

/** A row in column form, to be a marker. */
export async function findRawRow(
  db: Db,
  resource: Resource<Fields>,
  id: string,
): Promise<Record<string, unknown> | undefined> {
  const query = db.selectFrom(resource.table).selectAll().where(keyOf(resource), '=', id)
  return (await query.executeTakeFirst()) as Record<string, unknown> | undefined
}

function sortValue(key: SortKey): Expression<unknown> {
  // Without `coalesce` where it can be, so that the index of the default order serves.
  if (!key.nullable) return sql.ref(key.column)
  return key.numeric
    ? sql`coalesce(${sql.ref(key.column)}, 0)`
    : sql`coalesce(${sql.ref(key.column)}, '')`
}

function flip(direction: 'asc' | 'desc', reverse: boolean): 'asc' | 'desc' {
  if (!reverse) return direction
  return direction === 'asc' ? 'desc' : 'asc'
}

/** Lexicographic: k1 beyond, or k1 equal and k2 beyond, and so on. */
function after(
  keys: readonly SortKey[],
  marker: Readonly<Record<string, unknown>>,
  reverse: boolean,
): Expression<SqlBool> {
  const markerValue = (key: SortKey): unknown => marker[key.column] ?? (key.numeric ? 0 : '')
  const beyond = (key: SortKey): Expression<SqlBool> =>
    flip(key.direction, reverse) === 'asc'
      ? sql<SqlBool>`${sortValue(key)} > ${markerValue(key)}`
      : sql<SqlBool>`${sortValue(key)} < ${markerValue(key)}`
  const cases = keys.map((key, at) => {
    const equal = keys.slice(0, at).map((k) => sql<SqlBool>`${sortValue(k)} = ${markerValue(k)}`)
    return sql<SqlBool>`(${sql.join([...equal, beyond(key)], sql` and `)})`
  })
  return sql<SqlBool>`(${sql.join(cases, sql` or `)})`
}

function tagConditions(tags: TagFilter): Expression<SqlBool>[] {
  const has = (tag: string): Expression<SqlBool> =>
    sql<SqlBool>`exists (select 1 from json_each(tags) where value = ${tag})`
  const out: Expression<SqlBool>[] = (tags.all ?? []).map(has)
  if (tags.any !== undefined) out.push(sql<SqlBool>`(${sql.join(tags.any.map(has), sql` or `)})`)
  if (tags.notAll !== undefined)
    out.push(sql<SqlBool>`not (${sql.join(tags.notAll.map(has), sql` and `)})`)
  if (tags.notAny !== undefined)
    out.push(sql<SqlBool>`not (${sql.join(tags.notAny.map(has), sql` or `)})`)
  return out
}
