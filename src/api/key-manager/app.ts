/** The routes of the store of secrets as an application, and what happens around each of them. */
import { Unauthenticated } from '../../driver/identity.ts'
import { Fault } from '../../model/fault.ts'
import { VaultRefusal } from '../../secret/vault.ts'
import { type App, begin } from '../app.ts'
import { readBody, readBytes } from '../edge.ts'
import { answerOfError, faultOf } from '../faults.ts'
import { type Arrival, baseOf, createRoutedApp } from '../routed.ts'
import { CONTAINER_ROUTES } from './containers.ts'
import {
  KEY_MANAGER_PREFIX,
  type KeyManagerAnswer,
  type KeyManagerApi,
  type KeyManagerCall,
  type KeyManagerRoute,
} from './route.ts'
import { SECRET_ROUTES } from './secrets.ts'

const VERSION_ROUTES: readonly KeyManagerRoute[] = [
  {
    method: 'GET',
    path: '',
    rule: 'public',
    open: true,
    handle: async (_api, { base }) => ({
      status: 200,
      body: { versions: { values: [versionView(base)] } },
    }),
  },
  {
    method: 'GET',
    path: '/v1',
    rule: 'public',
    open: true,
    handle: async (_api, { base }) => ({ status: 200, body: { version: versionView(base) } }),
  },
]

const ROUTES = [...VERSION_ROUTES, ...SECRET_ROUTES, ...CONTAINER_ROUTES].map((route) => ({
  method: route.method,
  path: route.path,
  handle: route,
}))

type Called = Pick<KeyManagerRoute, 'rule' | 'open' | 'handle'>

/** Microversion 1.1 has the consumers of secrets, which are answered to 1.0 too. */
function versionView(base: string) {
  return {
    id: 'v1',
    status: 'CURRENT',
    min_version: '1.0',
    max_version: '1.1',
    links: [{ rel: 'self', href: `${base}/` }],
    'media-types': [
      { base: 'application/json', type: 'application/vnd.openstack.key-manager-v1+json' },
    ],
  }
}

export function createKeyManagerApp(api: KeyManagerApi): App {
  const app = createRoutedApp<Called>(
    KEY_MANAGER_PREFIX,
    ROUTES,
    (arrival, route) => answer(api, arrival, route),
    (arrival, what) => answer(api, arrival, refusing(REFUSED[what])),
  )
  return { handle: (request, peer) => app.handle(withoutLastSlash(request), peer) }
}

const REFUSED = {
  path: { code: 404, message: 'There is nothing at this path.' },
  method: { code: 405, message: 'The method is not allowed for this path.' },
} as const

/** Only who may come in is told what there is not. */
function refusing({ code, message }: { code: number; message: string }): Called {
  return {
    rule: 'version',
    handle: async () => {
      throw new Fault(code, message)
    },
  }
}

/** `/v1/secrets/` is `/v1/secrets`: some clients write it so. */
function withoutLastSlash(request: Request): Request {
  const [path = '', query] = request.url.split('?', 2)
  if (!path.endsWith('/')) return request
  return new Request(`${path.slice(0, -1)}${query === undefined ? '' : `?${query}`}`, request)
}

async function answer(api: KeyManagerApi, arrival: Arrival, route: Called): Promise<Response> {
  const exchange = begin(api, arrival.request)
  try {
    return exchange.end(responseOf(await route.handle(api, await callOf(api, arrival, route))))
  } catch (error) {
    if (error instanceof Unauthenticated) return exchange.end(answerOfError(error, exchange.log))
    const told = error instanceof VaultRefusal ? faultOfRefusal(error) : error
    const { code, message } = faultOf(told, exchange.log)
    const body = { code, title: TITLES[code] ?? 'Error', description: message }
    return exchange.end(responseOf({ status: code, body }))
  }
}

async function callOf(
  { identity, options }: KeyManagerApi,
  { request, params }: Arrival,
  { rule, open }: Called,
): Promise<KeyManagerCall> {
  const url = new URL(request.url)
  const asked = { method: request.method, path: url.pathname }
  return {
    caller: open === true ? NOBODY : await identity.identify(request.headers, asked),
    rule,
    params,
    query: url.searchParams,
    headers: request.headers,
    base: `${baseOf(options, request)}${KEY_MANAGER_PREFIX}/v1`,
    json: () => readBody(request, options.max_request_body_size),
    bytes: () => readBytes(request, options.max_request_body_size),
  }
}

const NOBODY = { user_id: null, project_id: null, roles: [], is_admin: false } as const

const STATUS = { full: 403, 'in-use': 409, taken: 409, missing: 404 } as const

function faultOfRefusal({ why, message }: VaultRefusal): Fault {
  return new Fault(STATUS[why], message)
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

function responseOf({ status, body, content, headers = {} }: KeyManagerAnswer): Response {
  if (content !== undefined) {
    const { bytes, type } = content
    return new Response(Buffer.from(bytes), {
      status,
      headers: { ...headers, 'content-type': type },
    })
  }
  if (body === undefined) return new Response(null, { status, headers })
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  })
}
