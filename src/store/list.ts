/** Lists: rows by filters and tags, in an order, from a marker on, with a limit. */
import {
  type AliasableExpression,
  type Expression,
  type RawBuilder,
  type SqlBool,
  sql,
} from 'kysely'
import { type Fields, keyOf, type Resource } from '../model/field.ts'
import { type Hidden, rowText, type Wanted } from './answer.ts'
import { runCompiled } from './compiled.ts'
import type { Db } from './store.ts'

export interface ListQuery {
  /** Column and value in column form: all must match. */
  readonly where: readonly { readonly column: string; readonly value: unknown }[]
  readonly hidden?: Hidden
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

export interface Page {
  /** JSON objects, with commas between them. */
  readonly text: string
  /** What identifies each. */
  readonly keys: readonly string[]
}

export async function listPage(
  db: Db,
  resource: Resource<Fields>,
  query: ListQuery,
  wanted: Wanted,
): Promise<Page> {
  const [page] = await runList(db, resource, query, wanted)
  return { text: page?.text ?? '', keys: JSON.parse(page?.keys ?? '[]') }
}

interface RawPage {
  /** null: no rows. */
  readonly text: string | null
  readonly keys: string
}

/** Without what is rare in it a query is compiled once. */
async function runList(
  db: Db,
  resource: Resource<Fields>,
  query: ListQuery,
  wanted: Wanted,
): Promise<RawPage[]> {
  const build = (on: Db) => joined(on, selectPage(on, resource, query, wanted), query)
  const { where, hidden, referred, marker, limit, sort } = query
  if (referred.length > 0 || marker !== undefined || tagConditions(query.tags).length > 0)
    return (await build(db).execute()) as unknown as RawPage[]
  const values = where.map(({ value }) => value)
  if (hidden !== undefined) values.push(hidden.value)
  if (limit !== null) values.push(limit)
  const shape = {
    where: where.map(({ column }) => column),
    hidden: hidden?.column,
    sort: sort.map(({ column, direction }) => [column, direction]),
    limited: limit !== null,
    names: wanted.fields,
  }
  const key = `list ${resource.table} ${JSON.stringify(shape)}`
  return await runCompiled<RawPage>(db, key, values, build)
}

/** One text of all rows: to hand over a thousand takes longer than to join them. */
function joined(db: Db, page: ReturnType<typeof selectPage>, { sort, reverse }: ListQuery) {
  // The rows come in their order, unless they were looked for backwards.
  const order = reverse ? sql` order by ${sql.join(sort.map(wayBack))}` : sql``
  return db
    .selectFrom(page.as('page'))
    .select(sql<string | null>`group_concat(row_text, ','${order})`.as('text'))
    .select(sql<string>`json_group_array(row_key${order})`.as('keys'))
}

function wayBack({ direction }: SortKey, at: number): RawBuilder<unknown> {
  return sql`${sql.ref(placeName(at))} ${sql.raw(direction)}`
}

function placeName(at: number): string {
  return `place_${at}`
}

function selectPage(db: Db, resource: Resource<Fields>, query: ListQuery, wanted: Wanted) {
  let select = db
    .selectFrom(resource.table)
    .select(sql.ref(keyOf(resource)).as('row_key'))
    .select(rowText(resource, wanted).as('row_text'))
  if (query.reverse)
    for (const [at, key] of query.sort.entries())
      select = select.select(sortValue(key).as(placeName(at)))
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

function sortValue(key: SortKey): AliasableExpression<unknown> {
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
