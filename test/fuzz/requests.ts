/** Requests from the OpenAPI document: mostly sensible ones, and some with one thing wrong. */
import { openapiDocument } from '../../src/api/openapi.ts'
import type { JsonSchema } from '../../src/model/field.ts'
import {
  HOSTILE_BODIES,
  HOSTILE_HEADERS,
  HOSTILE_METHODS,
  HOSTILE_SEGMENTS,
  HOSTILE_STRINGS,
} from './hostile.ts'
import type { Known } from './known.ts'
import type { Random } from './random.ts'
import { Values } from './values.ts'
import { CALLER_HEADER, CALLER_NAMES, type CallerName } from './world.ts'

export interface FuzzRequest {
  readonly method: string
  /** With its prefix and query. */
  readonly target: string
  /** The path as the document has it, for reports. */
  readonly template: string
  readonly caller: CallerName
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array<ArrayBuffer> | undefined
}

interface Operation {
  readonly method: string
  /** `/v2.0/lbaas/pools/{id}/members/{member_id}`. */
  readonly template: string
  readonly query: readonly { readonly name: string; readonly schema: JsonSchema }[]
  readonly body: JsonSchema | undefined
}

/** How often, relative to one another. Creates have much that can be wrong, and feed the rest. */
const WEIGHT: Readonly<Record<string, number>> = { GET: 1, POST: 5, PUT: 3, DELETE: 1 }
/** Admins succeed most, so they keep the database filled. */
const CALLER_WEIGHTS: Readonly<Record<CallerName, number>> = {
  admin: 5,
  'member-of-a': 6,
  'member-of-b': 6,
  reader: 2,
  nobody: 1,
}
const CALLERS_WEIGHED = CALLER_NAMES.flatMap((name) =>
  Array.from({ length: CALLER_WEIGHTS[name] }, () => name),
)
/** Of requests with something wrong. */
const WRONG = 0.4
const PREFIXES = ['/v2.0/lbaas', '/v2/lbaas', '/v2.0', '/v2']

/** Every operation of the document, as often as its weight says. */
export function operationsOf(document: JsonSchema = openapiDocument()): readonly Operation[] {
  const { paths } = document as { paths: Record<string, Record<string, OperationShape>> }
  return Object.entries(paths).flatMap(([template, methods]) =>
    Object.entries(methods).flatMap(([name, shape]) => {
      const method = name.toUpperCase()
      const operation: Operation = {
        method,
        template,
        query: (shape.parameters ?? []).filter((parameter) => parameter.in === 'query'),
        body: Object.values(shape.requestBody?.content ?? {})[0]?.schema,
      }
      return Array.from({ length: WEIGHT[method] ?? 1 }, () => operation)
    }),
  )
}

interface OperationShape {
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly schema: JsonSchema
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: JsonSchema }>> }
}

export class Requests {
  readonly #random: Random
  readonly #known: Known
  readonly #values: Values
  readonly #operations: readonly Operation[]

  constructor(random: Random, known: Known, operations = operationsOf()) {
    this.#random = random
    this.#known = known
    this.#values = new Values(random, known)
    this.#operations = operations
  }

  next(): FuzzRequest {
    const random = this.#random
    const operation = random.pick(this.#operations)
    const caller = random.pick(CALLERS_WEIGHED)
    const value = operation.body === undefined ? undefined : this.#values.of(operation.body, '', 0)
    const request: FuzzRequest = {
      method: operation.method,
      target: this.#path(operation.template) + this.#query(operation),
      template: operation.template,
      caller,
      headers: { [CALLER_HEADER]: caller, 'content-type': 'application/json' },
      body: value === undefined ? undefined : JSON.stringify(value),
    }
    return random.chance(WRONG) ? this.#worsened(request, value) : request
  }

  #worsened(request: FuzzRequest, value: unknown): FuzzRequest {
    const random = this.#random
    const kind = random.between(0, 9)
    if (value !== undefined && kind <= 6)
      return { ...request, body: JSON.stringify(this.#values.mutated(value)) }
    if (value !== undefined && kind === 7) return { ...request, body: random.pick(HOSTILE_BODIES) }
    if (kind === 8) {
      const [name, text] = random.pick(HOSTILE_HEADERS)
      return { ...request, headers: { ...request.headers, [name]: text } }
    }
    if (random.chance(0.15)) return { ...request, method: random.pick(HOSTILE_METHODS) }
    if (random.chance(0.1) && request.body === undefined)
      return { ...request, body: random.pick(HOSTILE_BODIES) }
    return { ...request, target: this.#worsenedTarget(request.target) }
  }

  #worsenedTarget(target: string): string {
    const random = this.#random
    const [path = '', query = ''] = target.split('?', 2)
    const text = encodeURIComponent(random.pick(HOSTILE_STRINGS).toWellFormed().slice(0, 3000))
    switch (random.between(0, 6)) {
      case 0:
        return `${path}/?${query}`
      case 1:
        return `${path}.json?${query}`
      case 2:
        return `${path}?${query}&${random.pick(['limit', 'marker', 'sort', 'fields', 'tags'])}=${text}`
      case 3:
        return `${path}?${query}&${text}=${text}`
      case 4:
        return `${path}?${query}&limit=1&limit=2&%ff=%00`
      default: {
        const parts = path.split('/')
        const at = random.between(1, parts.length - 1)
        const segment = random.chance(0.3)
          ? random.pick([this.#known.any(), this.#known.gone()])
          : random.pick(HOSTILE_SEGMENTS)
        return [...parts.slice(0, at), segment, ...parts.slice(at + 1)].join('/')
      }
    }
  }

  #path(template: string): string {
    const random = this.#random
    const tail = this.#filled(template)
    if (!template.startsWith('/v2.0/lbaas/') || random.chance(0.8)) return tail
    return tail.replace('/v2.0/lbaas', random.pick(PREFIXES))
  }

  /** The last collection decides: a member is asked for under its own pool. */
  #filled(template: string): string {
    const parts = template.split('/')
    const at = parts.findLastIndex((part) => part.startsWith('{'))
    if (at < 0) return template
    const collection = parts[at - 1] ?? ''
    const area = parts.slice(0, parts.findIndex((part) => part.startsWith('{')) - 1)
    const known = this.#random.chance(0.97) ? this.#known.path(collection) : undefined
    const depth = parts.filter((part) => part.startsWith('{')).length
    const own = known?.split('/').length === depth * 2 ? known.split('/') : undefined
    let ids = own?.filter((_, index) => index % 2 === 1)
    ids ??= parts
      .filter((part) => part.startsWith('{'))
      .map((part) => this.#known.some(parts[parts.indexOf(part) - 1] ?? ''))
    let next = 0
    const rest = parts.slice(area.length)
    return [...area, ...rest.map((part) => (part.startsWith('{') ? ids[next++] : part))].join('/')
  }

  #query({ method, query, template }: Operation): string {
    const random = this.#random
    if (query.length === 0 || random.chance(0.6)) return ''
    if (method !== 'GET' || !template) return `?${random.pick(query).name}=true`
    const names = Array.from({ length: random.between(1, 3) }, () => random.pick(query))
    return `?${names.map(({ name, schema }) => `${name}=${encodeURIComponent(this.#argument(name, schema))}`).join('&')}`
  }

  #argument(name: string, schema: JsonSchema): string {
    const random = this.#random
    switch (name) {
      case 'limit':
        return random.pick(['1', '2', '5', '1000', '0', '-1', 'x'])
      case 'marker':
        return this.#known.any()
      case 'page_reverse':
        return random.pick(['True', 'false', '1', 'x'])
      case 'sort':
        return random.pick(['name', 'created_at:desc', 'name:asc,id:desc', 'id:sideways', 'zzz'])
      case 'sort_key':
        return random.pick(['name', 'id', 'created_at', 'zzz'])
      case 'sort_dir':
        return random.pick(['asc', 'desc', 'x'])
      case 'fields':
        return random.pick(['id', 'name', 'zzz'])
      default:
        return String(this.#values.of(schema, name, 4)).toWellFormed()
    }
  }
}
