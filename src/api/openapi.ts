/** The OpenAPI 3.1 document, from the routes and the fields of the resources. Needs no backend. */
import type { Fields, JsonSchema } from '../model/field.ts'
import {
  healthMonitorFields,
  l7policyFields,
  l7ruleFields,
  listenerFields,
  memberFields,
  poolFields,
} from '../model/graph.ts'
import { type AnswerShape, type BodyShape, pathsOf, type Route } from './route.ts'
import { ROUTES } from './routes.ts'

type Use = 'create' | 'update' | 'answer'

const FAULT: JsonSchema = {
  type: 'object',
  required: ['faultcode', 'faultstring', 'debuginfo'],
  properties: {
    faultcode: { type: 'string', enum: ['Client', 'Server'] },
    faultstring: { type: 'string' },
    debuginfo: { type: 'null' },
  },
}
const IDS: JsonSchema = {
  type: 'array',
  items: { type: 'object', properties: { id: { type: 'string', format: 'uuid' } } },
}
/** What answers have beside fields, by the wrapper of one. */
const RELATIVES: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>> = {
  loadbalancer: { listeners: IDS, pools: IDS },
  listener: { loadbalancers: IDS, l7policies: IDS },
  pool: {
    loadbalancers: IDS,
    listeners: IDS,
    members: IDS,
    healthmonitor_id: { type: 'string', format: 'uuid' },
  },
  healthmonitor: { pools: IDS },
  l7policy: { rules: IDS },
}

export function openapiDocument(): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const [tag, routes] of Object.entries(ROUTES))
    for (const route of routes as readonly Route[]) {
      const path = (pathsOf(route)[0] ?? '').replace(/:(\w+)/g, '{$1}')
      paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(tag, route) }
    }
  return {
    openapi: '3.1.0',
    info: {
      title: 'octavia-lite',
      version: '2.30',
      description:
        'Load balancing as a service with the API of OpenStack Octavia. Paths under ' +
        '/v2.0/lbaas are also served under /v2/lbaas, /v2.0 and /v2.',
    },
    paths,
    components: { schemas: { Fault: FAULT } },
  }
}

function operationOf(tag: string, route: Route): JsonSchema {
  const names = [...route.path.matchAll(/:(\w+)/g)].map((match) => match[1])
  const parameters = [
    ...names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    ...(route.query ?? []).map((name) => ({ name, in: 'query', schema: { type: 'string' } })),
    ...(route.answer?.list === true ? listParameters(route.answer.fields ?? {}) : []),
  ]
  const description = route.answer === undefined ? 'Done.' : 'The answer.'
  const success =
    route.answer === undefined
      ? { description }
      : { description, content: json(answerSchema(route.answer)) }
  return {
    tags: [tag],
    summary: route.summary,
    'x-octavia-lite-rule': route.rule,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.request === undefined
      ? {}
      : { requestBody: { required: true, content: json(bodySchema(route.request)) } }),
    responses: {
      [route.status]: success,
      default: { description: 'A fault.', content: json({ $ref: '#/components/schemas/Fault' }) },
    },
  }
}

function json(schema: JsonSchema): JsonSchema {
  return { 'application/json': { schema } }
}

function bodySchema(request: BodyShape): JsonSchema {
  if (request.kind === 'list')
    return wrapped(request.wrapper, { type: 'array', items: schemaOf(request.fields, 'create') })
  const rules = { type: 'array', items: schemaOf(l7ruleFields, 'create') }
  if (request.kind === 'policy')
    return wrapped(request.wrapper, schemaOf(request.fields, 'create', { rules }))
  if (request.kind !== 'graph')
    return wrapped(
      request.wrapper,
      schemaOf(request.fields, request.kind === 'update' ? 'update' : 'create'),
    )
  const members = { type: 'array', items: schemaOf(memberFields, 'create') }
  const healthmonitor = schemaOf(healthMonitorFields, 'create')
  const pool = schemaOf(poolFields, 'create', { members, healthmonitor })
  const reference = {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string', description: 'The name of a pool of this request.' } },
  }
  const l7policy = schemaOf(l7policyFields, 'create', {
    redirect_pool: { anyOf: [pool, reference] },
    rules,
  })
  const listener = schemaOf(listenerFields, 'create', {
    default_pool: { anyOf: [pool, reference] },
    l7policies: { type: 'array', items: l7policy },
  })
  return wrapped(
    request.wrapper,
    schemaOf(request.fields, 'create', {
      listeners: { type: 'array', items: listener },
      pools: { type: 'array', items: pool },
    }),
  )
}

function answerSchema(answer: AnswerShape): JsonSchema {
  const { wrapper, fields, list, links = `${wrapper}_links` } = answer
  if (fields === undefined) return wrapped(wrapper, {})
  const singular = wrapper.replace(/ies$/, 'y').replace(/s$/, '')
  const one = schemaOf(fields, 'answer', RELATIVES[list === true ? singular : wrapper])
  if (list !== true) return wrapped(wrapper, one)
  return {
    type: 'object',
    properties: {
      [wrapper]: { type: 'array', items: one },
      [links]: {
        type: 'array',
        items: {
          type: 'object',
          properties: { rel: { enum: ['next', 'previous'] }, href: { type: 'string' } },
        },
      },
    },
  }
}

function wrapped(wrapper: string, schema: JsonSchema): JsonSchema {
  return { type: 'object', required: [wrapper], properties: { [wrapper]: schema } }
}

function schemaOf(
  fields: Fields,
  use: Use,
  extra: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  const used = Object.entries(fields).filter(([, { options }]) => {
    const writable = options.writable ?? 'always'
    if (use === 'answer') return options.shown !== false
    return use === 'create' ? writable !== 'never' : writable === 'always'
  })
  const properties = used.map(([name, { type, options }]) => {
    const { fallback, help } = options
    return [
      name,
      {
        ...(options.nullable === true ? nullable(type.schema) : type.schema),
        description: help,
        ...(use === 'create' && fallback !== undefined && typeof fallback !== 'function'
          ? { default: fallback }
          : {}),
      },
    ]
  })
  const required = used.filter(([, { options }]) => options.required === true).map(([name]) => name)
  return {
    type: 'object',
    ...(use === 'create' && required.length > 0 ? { required } : {}),
    properties: { ...Object.fromEntries(properties), ...extra },
    ...(use === 'answer' ? {} : { additionalProperties: false }),
  }
}

function nullable(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: 'null' }] }
}

function listParameters(fields: Fields): readonly JsonSchema[] {
  const filters = Object.entries(fields).filter(([, { type }]) => type.column !== 'json')
  const paging = ['limit', 'marker', 'page_reverse', 'sort', 'sort_key', 'sort_dir', 'fields']
  const tags = fields.tags === undefined ? [] : ['tags', 'tags-any', 'not-tags', 'not-tags-any']
  return [
    ...[...paging, ...tags].map((name) => ({ name, in: 'query', schema: { type: 'string' } })),
    ...filters.map(([name, { type }]) => ({ name, in: 'query', schema: type.schema })),
  ]
}
