/**
 * Query parameters of a list: filters, tags, order, page, selected fields; and the links to other
 * pages. Source: octavia/api/common/pagination.py. Two quirks of upstream are not copied: a list
 * without limit has no next link (upstream's ends in a 400), and page_reverse gives the page that
 * ends before the marker.
 */
import { fault } from '../model/fault.ts'
import { type Fields, keyOf, type Resource } from '../model/field.ts'
import type { View } from '../model/view.ts'
import {
  findRawRow,
  type ListQuery,
  type Reference,
  type SortKey,
  type TagFilter,
} from '../store/list.ts'
import type { Db } from '../store/store.ts'
import { parseUuid } from '../system/ids.ts'
import type { ApiOptions } from './route.ts'

const PAGE_PARAMETERS = [
  'limit',
  'marker',
  'sort',
  'sort_key',
  'sort_dir',
  'fields',
  'page_reverse',
] as const
const TAG_PARAMETERS = {
  tags: 'all',
  'tags-any': 'any',
  'not-tags': 'notAll',
  'not-tags-any': 'notAny',
} as const satisfies Record<string, keyof TagFilter>
/** Names of upstream's data model that its lists take too. */
const ALIASES: Readonly<Record<string, string>> = {
  tenant_id: 'project_id',
  load_balancer_id: 'loadbalancer_id',
  enabled: 'admin_state_up',
  loadbalancer: 'load_balancer',
  healthmonitor: 'health_monitor',
}

export interface Listed {
  readonly resource: Resource<Fields>
  /** Filters by rows of other tables that point here: name to table and column. */
  readonly references?: Readonly<Record<string, Omit<Reference, 'id'>>>
  readonly hidden?: ListQuery['hidden']
  /** The key of the links in an answer; default `<plural>_links`. */
  readonly links?: string
}

export interface Page {
  readonly query: ListQuery
  /** null: all fields. */
  readonly fields: readonly string[] | null
}

/** `scope` is what the list is limited to beside the filters. Reads the marker's row. */
export async function parsePage(
  db: Db,
  listed: Listed,
  params: URLSearchParams,
  options: ApiOptions,
  scope: ListQuery['where'],
): Promise<Page> {
  const filters = options.allow_filtering
    ? parseFilters(listed, params)
    : { where: [], referred: [], tags: {} }
  const sort = parseSort(listed.resource, params, options)
  const marker = options.allow_pagination
    ? await findMarker(db, listed.resource, params.get('marker'))
    : undefined
  return {
    query: {
      where: [...scope, ...filters.where],
      referred: filters.referred,
      tags: filters.tags,
      ...(listed.hidden === undefined ? {} : { hidden: listed.hidden }),
      sort,
      ...(marker === undefined ? {} : { marker }),
      reverse: marker !== undefined && /^(true|1)$/i.test(params.get('page_reverse') ?? ''),
      limit: options.allow_pagination ? parseLimit(params.get('limit'), options) : null,
    },
    fields: options.allow_field_selection ? parseFields(params) : null,
  }
}

type Filters = Pick<ListQuery, 'where' | 'referred' | 'tags'>

function parseFilters(listed: Listed, params: URLSearchParams): Filters {
  const where: ListQuery['where'][number][] = []
  const referred: Reference[] = []
  const tags: Record<string, readonly string[]> = {}
  for (const name of new Set(params.keys())) {
    const values = params.getAll(name)
    if ((PAGE_PARAMETERS as readonly string[]).includes(name)) continue
    if (Object.hasOwn(TAG_PARAMETERS, name)) {
      if (listed.resource.fields.tags === undefined) throw fault.invalidFilter()
      tags[TAG_PARAMETERS[name as keyof typeof TAG_PARAMETERS]] = values.flatMap((v) =>
        v.split(','),
      )
      continue
    }
    const [value, ...more] = values
    if (value === undefined || more.length > 0) throw fault.invalidFilter()
    const reference = Object.hasOwn(listed.references ?? {}, name)
      ? listed.references?.[name]
      : undefined
    if (reference !== undefined) {
      // A project's id is no UUID of ours.
      const id = reference.by === undefined ? (parseUuid(value) ?? value) : value
      referred.push({ ...reference, id })
    } else where.push(parseFilter(listed.resource, name, value))
  }
  return { where, referred, tags }
}

function columnOf(resource: Resource<Fields>, name: string): string | undefined {
  const own = Object.hasOwn(resource.fields, name) || !Object.hasOwn(ALIASES, name)
  const column = own ? name : ALIASES[name]
  if (column === undefined || !Object.hasOwn(resource.fields, column)) return undefined
  return resource.fields[column]?.type.column === 'json' ? undefined : column
}

function parseFilter(
  resource: Resource<Fields>,
  name: string,
  text: string,
): ListQuery['where'][number] {
  const column = columnOf(resource, name)
  const kind = column === undefined ? undefined : resource.fields[column]?.type
  if (column === undefined || kind === undefined) throw fault.invalidFilter()
  if (kind.column === 'boolean') {
    const parsed = kind.parse(text)
    if (!parsed.ok) throw fault.invalidFilter()
    return { column, value: parsed.value === true ? 1 : 0 }
  }
  if (kind.column === 'integer' || kind.column === 'real') {
    const number = text.trim() === '' ? Number.NaN : Number(text)
    // What is no number equals no row: a comparison with null is never true.
    return { column, value: Number.isFinite(number) ? number : null }
  }
  const parsed = kind.parse(text)
  return { column, value: parsed.ok ? parsed.value : text }
}

function parseSort(
  resource: Resource<Fields>,
  params: URLSearchParams,
  options: ApiOptions,
): SortKey[] {
  const wanted = options.allow_sorting ? wantedSort(params) : []
  const keys = wanted.map(([name, direction]): SortKey => {
    const column = columnOf(resource, name)
    if (column === undefined) throw fault.invalidSortKey(name)
    return sortKey(resource, column, direction)
  })
  for (const column of ['created_at', keyOf(resource)])
    if (resource.fields[column] !== undefined && !keys.some((key) => key.column === column))
      keys.push(sortKey(resource, column, 'asc'))
  return keys
}

function wantedSort(params: URLSearchParams): [string, 'asc' | 'desc'][] {
  const sort = params.get('sort')
  if (sort !== null && sort !== '')
    return sort.split(',').map((part) => {
      const [name = '', direction = 'asc', ...more] = part.split(':')
      if (more.length > 0) throw fault.invalidSortKey(part)
      return [name, parseDirection(direction)]
    })
  const names = params.get('sort_key')
  if (names === null || names === '') return []
  const directions = (params.get('sort_dir') ?? '').split(',')
  return names.split(',').map((name, at) => [name, parseDirection(directions[at] || 'asc')])
}

function parseDirection(text: string): 'asc' | 'desc' {
  const direction = text.toLowerCase()
  if (direction !== 'asc' && direction !== 'desc') throw fault.invalidSortDirection(direction)
  return direction
}

function sortKey(resource: Resource<Fields>, column: string, direction: 'asc' | 'desc'): SortKey {
  const field = resource.fields[column]
  return {
    column,
    direction,
    nullable: field?.options.nullable === true,
    numeric: field?.type.column !== 'text',
  }
}

function parseLimit(text: string | null, options: ApiOptions): number | null {
  const max = options.pagination_max_limit
  if (text === null) return max
  if (text === 'infinite') return null
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw fault.invalidLimit(text)
  const limit = Number(text)
  if (limit < 1) return null
  return Math.min(limit, max ?? Number.MAX_SAFE_INTEGER)
}

async function findMarker(
  db: Db,
  resource: Resource<Fields>,
  marker: string | null,
): Promise<Record<string, unknown> | undefined> {
  if (marker === null) return undefined
  const row = await findRawRow(db, resource, parseKey(resource, marker))
  if (row === undefined) throw fault.invalidMarker(marker)
  return row
}

/** A key as rows have it: a UUID in canonical form, any other text as it is. */
export function parseKey(resource: Resource<Fields>, text: string): string {
  return keyOf(resource) === 'id' ? (parseUuid(text) ?? text) : text
}

/** The names of `fields=a&fields=b`; null when there are none. */
export function parseFields(params: URLSearchParams): readonly string[] | null {
  const fields = params.getAll('fields').flatMap((value) => value.split(','))
  return fields.length === 0 ? null : fields
}

export function selectFields(view: View, fields: readonly string[] | null): View {
  if (fields === null) return view
  return Object.fromEntries(Object.entries(view).filter(([name]) => fields.includes(name)))
}

export interface Link {
  readonly rel: 'next' | 'previous'
  readonly href: string
}

const ORDER_PARAMETERS: readonly string[] = ['sort', 'sort_key', 'sort_dir']
const PLACE_PARAMETERS = [...ORDER_PARAMETERS, 'limit', 'marker', 'page_reverse']

/** Links keep everything that was asked: who follows them must not get other rows. */
export function linksOf(
  page: Page,
  ids: readonly string[],
  params: URLSearchParams,
  url: URL,
  options: ApiOptions,
): readonly Link[] {
  const { limit, marker } = page.query
  const [first] = ids
  const last = ids.at(-1)
  if (!options.allow_pagination || limit === null || first === undefined || last === undefined)
    return []
  const base =
    options.api_base_uri === null
      ? `${url.origin}${url.pathname}`
      : `${options.api_base_uri.replace(/\/+$/, '')}${url.pathname}`
  const kept = [`limit=${limit}`]
  for (const name of ORDER_PARAMETERS) {
    const value = params.get(name)
    if (value) kept.push(`${name}=${readable(value)}`)
  }
  for (const [name, value] of params)
    if (!PLACE_PARAMETERS.includes(name)) kept.push(`${readable(name)}=${readable(value)}`)
  const links: Link[] = []
  if (marker !== undefined)
    links.push({
      rel: 'previous',
      href: `${base}?${[...kept, `marker=${first}`, 'page_reverse=True'].join('&')}`,
    })
  if (ids.length >= limit)
    links.push({ rel: 'next', href: `${base}?${[...kept, `marker=${last}`].join('&')}` })
  return links
}

function readable(value: string): string {
  return encodeURIComponent(value).replaceAll('%3A', ':').replaceAll('%2C', ',')
}
