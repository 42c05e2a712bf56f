/**
 * The API: a table of contents of its routes, and what happens around each of them. Elysia routes
 * and no more: bodies are read, errors answered and requests logged here, so that one place knows
 * upstream's rules.
 */
import { Elysia } from 'elysia'
import { fault } from '../model/fault.ts'
import { pingStore } from '../store/store.ts'
import type { Log } from '../system/log.ts'
import { NO_TRAIL, type Trail } from './audit.ts'
import { answerPreflight, decorate } from './cors.ts'
import { checkAccept, readBody } from './edge.ts'
import { answerOfError, RoutingError } from './faults.ts'
import { createHealthcheck } from './healthcheck.ts'
import { openapiDocument } from './openapi.ts'
import { publicUrl, withoutMount } from './public-url.ts'
import { type Api, type Call, JsonText, pathsOf, type Route } from './route.ts'
import { ROUTES } from './routes.ts'

/** What Elysia hands to a handler, as far as it is used. */
interface Context {
  readonly request: Request
  readonly params: Readonly<Record<string, string | null | undefined>>
}

/** The address a request comes from; null when it has none, as in tests. */
export type Peer = () => string | null

export interface App {
  handle(request: Request, peer?: Peer): Promise<Response>
}

export function createApi(api: Api): App {
  const app = new Elysia({ normalize: false, handler: { standardHostname: false } })
  for (const routes of Object.values(ROUTES)) app.use(elysiaOf(api, routes))
  app.use(elysiaOf(api, [openapiRoute]))
  app.all(HEALTHCHECK_PATH, healthcheckHandler(api), { parse: 'none' })
  app.all('/*', (context) => refuse(api, context.request, new RoutingError(404)), { parse: 'none' })
  // Nothing is thrown past the handlers above; what Elysia itself throws is a bug and answered as
  // one.
  app.onError(({ error, request }) => refuse(api, request, error))
  const { cors } = api.options
  return {
    handle: async (request, peer) => {
      if (request.method === 'OPTIONS')
        return begin(api, request).end(answerPreflight(cors, request.headers))
      const inner = routable(request)
      if (api.audit !== undefined && peer !== undefined) peers.set(inner, peer)
      return decorate(cors, request.headers, await app.handle(inner))
    },
  }
}

const openapiRoute: Route = {
  method: 'GET',
  area: 'root',
  path: '/openapi.json',
  rule: 'public',
  summary: 'This document.',
  status: 200,
  open: true,
  handle: async () => openapiDocument(),
}

/**
 * One instance per resource file: its routes at all their paths, and 405 for the other methods
 * there.
 */
function elysiaOf(api: Api, routes: readonly Route[]): Elysia {
  const app = new Elysia({ normalize: false })
  const methods = new Map<string, string[]>()
  for (const route of routes)
    for (const path of pathsOf(route)) {
      app.route(route.method, path, (context: Context) => serve(api, route, context), {
        parse: 'none',
      })
      methods.set(path, [...(methods.get(path) ?? []), route.method])
    }
  for (const [path, allowed] of methods)
    app.all(path, (context) => refuse(api, context.request, new RoutingError(405, allowed)), {
      parse: 'none',
    })
  return app
}

/** One request, from the edge to its answer; every request ends with a log line and its id. */
async function serve(api: Api, route: Route, context: Context): Promise<Response> {
  const { request } = context
  const exchange = begin(api, request)
  const trail = trailOf(api, request, exchange)
  try {
    const call = await callOf(api, route, context, exchange.id, trail)
    const body = await route.handle(api, call)
    return trail.end(exchange.end(jsonAnswer(route.status, body)))
  } catch (error) {
    return trail.end(exchange.end(answerOfError(error, exchange.log)))
  }
}

/** Where requests come from, as far as somebody asks. */
const peers = new WeakMap<Request, Peer>()

function trailOf({ audit }: Api, request: Request, { id }: Exchange): Trail {
  return audit?.follow(request, id, peers.get(request) ?? (() => null)) ?? NO_TRAIL
}

async function callOf(
  api: Api,
  route: Route,
  { request, params }: Context,
  request_id: string,
  trail: Trail,
): Promise<Call> {
  const url = urlOf(api, request)
  const asked = { method: request.method, path: url.pathname }
  const caller = route.open === true ? NOBODY : await api.identity.identify(request.headers, asked)
  if (route.open !== true) trail.known(caller, url)
  checkAccept(request.headers)
  if (route.method !== 'GET') checkQuery(url.searchParams, route.query ?? [])
  return {
    caller,
    policy: api.policy,
    rule: route.rule,
    params: decodedParams(params),
    query: url.searchParams,
    url,
    body:
      route.request === undefined
        ? undefined
        : await readBody(request, api.options.max_request_body_size),
    origin: { request_id, caller, token: request.headers.get('x-auth-token') },
  }
}

const NOBODY = { user_id: null, project_id: null, roles: [], is_admin: false } as const

/** A part of a path that is no UTF-8 names nothing. */
function decodedParams(params: Context['params']): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(params ?? {}).map(([name, value]) => [name, value ?? '']),
  )
}

function checkQuery(query: URLSearchParams, known: readonly string[]): void {
  const unknown = [...new Set(query.keys())].filter((name) => !known.includes(name))
  if (unknown.length > 0) throw fault.unknownArgument(unknown.join(', '))
}

function jsonAnswer(status: number, body: unknown): Response {
  if (body === undefined) return new Response(null, { status })
  return new Response(body instanceof JsonText ? body.text : JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json' },
  })
}

async function refuse(api: Api, request: Request, error: unknown): Promise<Response> {
  const exchange = begin(api, request)
  const trail = trailOf(api, request, exchange)
  try {
    const { method, headers } = request
    const url = urlOf(api, request)
    if (new URL(request.url).pathname !== '/')
      trail.known(await api.identity.identify(headers, { method, path: url.pathname }), url)
    checkAccept(headers)
    return trail.end(exchange.end(answerOfError(error, exchange.log)))
  } catch (earlier) {
    return trail.end(exchange.end(answerOfError(earlier, exchange.log)))
  }
}

export interface Exchange {
  readonly id: string
  readonly log: Log
  end(response: Response): Response
}

export function begin(api: Pick<Api, 'log'>, request: Request): Exchange {
  const started = performance.now()
  const id = `req-${crypto.randomUUID()}`
  const log = api.log.with({ request_id: id })
  return {
    id,
    log,
    end: (response) => {
      response.headers.set('x-openstack-request-id', id)
      const line = `${request.method} ${pathOf(request.url)} ${response.status}`
      const ms = Math.round((performance.now() - started) * 10) / 10
      // Reads are many and change nothing; an operator turns debug on to see them.
      if (request.method === 'GET' && response.status < 500) log.debug(line, { ms })
      else log.info(line, { ms })
      return response
    },
  }
}

/** The path with its query, without the host. */
function pathOf(url: string): string {
  return url.slice(url.indexOf('/', url.indexOf('//') + 2)).slice(0, 500)
}

const HEALTHCHECK_PATH = '/healthcheck'

/** Neither a token nor an Accept header of the API is needed. */
function healthcheckHandler(api: Api): (context: { request: Request }) => Promise<Response> {
  const { clock, log, store, options } = api
  const check = createHealthcheck(
    { clock, log, checkDatabase: () => pingStore(store.read) },
    options.healthcheck,
  )
  return async ({ request }) => {
    const exchange = begin(api, request)
    try {
      return exchange.end(await check(request))
    } catch (error) {
      return exchange.end(answerOfError(error, exchange.log))
    }
  }
}

/** Requests whose path stood below the mount. */
const mounted = new WeakSet<Request>()

/** The request as the router knows it: without the mount, and without a suffix that names JSON. */
function routable(request: Request): Request {
  const inner = withoutMount(request)
  const plain = withoutJsonSuffix(inner ?? request)
  if (inner !== undefined) mounted.add(plain)
  return plain
}

function urlOf(api: Api, request: Request): URL {
  return publicUrl(request, mounted.has(request), api.options.enable_proxy_headers_parsing)
}

/** `/v2/lbaas/pools.json` is `/v2/lbaas/pools`: pecan guesses the type of the answer from it. */
function withoutJsonSuffix(request: Request): Request {
  const path = request.url.split('?', 1)[0] ?? ''
  if (!path.endsWith('.json') || path.endsWith('/openapi.json')) return request
  return new Request(path.slice(0, -5) + request.url.slice(path.length), request)
}
