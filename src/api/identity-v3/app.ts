/** The routes of the built-in identity as an application, and what happens around each of them. */
import { Elysia } from 'elysia'
import { Refusal, refusal } from '../../identity/refusal.ts'
import { Fault } from '../../model/fault.ts'
import { isStoreOutage } from '../../store/failure.ts'
import type { Log } from '../../system/log.ts'
import { type App, begin, type Peer } from '../app.ts'
import { readBody } from '../edge.ts'
import { CREDENTIAL_ROUTES } from './credentials.ts'
import { DIRECTORY_ROUTES } from './directory.ts'
import {
  IDENTITY_PREFIX,
  type IdentityAnswer,
  type IdentityApi,
  type IdentityCall,
  type IdentityRoute,
} from './route.ts'
import { TOKEN_ROUTES } from './tokens.ts'

const ROUTES: readonly IdentityRoute[] = [
  ...TOKEN_ROUTES,
  ...DIRECTORY_ROUTES,
  ...CREDENTIAL_ROUTES,
]

interface Context {
  readonly request: Request
  readonly params?: Readonly<Record<string, string | null | undefined>>
}

export function createIdentityApp(api: IdentityApi): App {
  const app = new Elysia({
    normalize: false,
    strictPath: true,
    handler: { standardHostname: false },
  })
  const peers = new WeakMap<Request, Peer>()
  const serve = (
    { request, params = {} }: Context,
    handle: IdentityRoute['handle'],
  ): Promise<Response> => answer(api, request, params, peers.get(request), handle)
  for (const { method, path, handle } of ROUTES)
    app.route(method, `${IDENTITY_PREFIX}${path}`, (context: Context) => serve(context, handle), {
      parse: 'none',
    })
  const refuse = (context: Context, why: Refusal): Promise<Response> =>
    serve(context, async () => {
      throw why
    })
  for (const path of new Set(ROUTES.map((route) => route.path)))
    app.all(`${IDENTITY_PREFIX}${path}`, (context) => refuse(context, refusal.method()), {
      parse: 'none',
    })
  app.all('/*', (context) => refuse(context, refusal.noPath()), { parse: 'none' })
  return {
    handle: async (request, peer) => {
      if (peer !== undefined) peers.set(request, peer)
      return app.handle(request)
    },
  }
}

async function answer(
  api: IdentityApi,
  request: Request,
  params: Context['params'] & {},
  peer: Peer | undefined,
  handle: IdentityRoute['handle'],
): Promise<Response> {
  const exchange = begin(api, request)
  try {
    const call = await callOf(api, request, params, peer)
    return exchange.end(responseOf(await handle(api, call)))
  } catch (error) {
    return exchange.end(responseOf(answerOfError(error, exchange.log, baseOf(api, request))))
  }
}

async function callOf(
  api: IdentityApi,
  request: Request,
  params: Context['params'] & {},
  peer: Peer | undefined,
): Promise<IdentityCall> {
  const { max_request_body_size } = api.options
  const url = new URL(request.url)
  return {
    params: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, value ?? ''])),
    query: url.searchParams,
    headers: request.headers,
    base: baseOf(api, request),
    body: request.method === 'POST' ? await readJson(request, max_request_body_size) : undefined,
    source: peer?.() ?? 'unknown',
    access: async () => {
      const token = request.headers.get('x-auth-token')
      const access = token === null ? undefined : await api.identity.access(token)
      if (access === undefined) throw refusal.unauthorized()
      return access
    },
  }
}

/** Where this program's APIs are, for whoever sent the request. */
function baseOf({ options }: IdentityApi, request: Request): string {
  return options.api_base_uri?.replace(/\/+$/, '') ?? new URL(request.url).origin
}

/** Keystone takes every body for JSON, whatever its type is said to be. */
function readJson(request: Request, bytesMax: number): Promise<unknown> {
  const asJson = new Request(request, { headers: { 'content-type': 'application/json' } })
  return readBody(asJson, bytesMax)
}

function answerOfError(error: unknown, log: Log, base: string): IdentityAnswer {
  const shown = refusalOf(error, log)
  const { code, message, title, retry_after_s } = shown
  return {
    status: code,
    body: { error: { code, message, title } },
    headers: {
      ...(code === 401 ? { 'www-authenticate': `Keystone uri="${base}${IDENTITY_PREFIX}"` } : {}),
      ...(retry_after_s === null ? {} : { 'retry-after': String(retry_after_s) }),
    },
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
}

function refusalOf(error: unknown, log: Log): Refusal {
  if (error instanceof Refusal) return error
  // Of the edge, which is that of the other API: the text is the same, its wrapping is not.
  if (error instanceof Fault)
    return new Refusal(error.code, TITLES[error.code] ?? 'Error', error.message)
  if (isStoreOutage(error)) {
    log.error('the database refused a request', { error })
    return new Refusal(503, 'Service Unavailable', 'The database is not available.', 1)
  }
  const stack = error instanceof Error ? error.stack : undefined
  log.error('a bug: the request failed unexpectedly', { error, stack })
  return new Refusal(500, 'Internal Server Error', 'Something unknown went wrong')
}

function responseOf({ status, body, headers = {} }: IdentityAnswer): Response {
  if (body === undefined) return new Response(null, { status, headers })
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  })
}
