/** The routes of the built-in identity as an application, and what happens around each of them. */
import { Refusal, refusal } from '../../identity/refusal.ts'
import { Fault } from '../../model/fault.ts'
import { isStoreOutage } from '../../store/failure.ts'
import type { Log } from '../../system/log.ts'
import { type App, begin } from '../app.ts'
import { readBody } from '../edge.ts'
import { type Arrival, baseOf, createRoutedApp } from '../routed.ts'
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

export function createIdentityApp(api: IdentityApi): App {
  const refused = (arrival: Arrival, why: Refusal): Promise<Response> =>
    answer(api, arrival, async () => {
      throw why
    })
  return createRoutedApp<IdentityRoute['handle']>(
    IDENTITY_PREFIX,
    ROUTES,
    (arrival, handle) => answer(api, arrival, handle),
    (arrival, what) => refused(arrival, what === 'path' ? refusal.noPath() : refusal.method()),
  )
}

async function answer(
  api: IdentityApi,
  arrival: Arrival,
  handle: IdentityRoute['handle'],
): Promise<Response> {
  const { request } = arrival
  const exchange = begin(api, request)
  try {
    return exchange.end(responseOf(await handle(api, await callOf(api, arrival))))
  } catch (error) {
    const base = baseOf(api.options, request)
    return exchange.end(responseOf(answerOfError(error, exchange.log, base)))
  }
}

async function callOf(api: IdentityApi, { request, params, peer }: Arrival): Promise<IdentityCall> {
  const { max_request_body_size } = api.options
  const url = new URL(request.url)
  return {
    params,
    query: url.searchParams,
    headers: request.headers,
    base: baseOf(api.options, request),
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
