/**
 * A service of a cloud on loopback: takes requests with a token that Keystone knows, and fails in
 * the ways services fail when it is told to.
 */
import type { FakeKeystone } from './keystone.ts'

/** Body or, with a status, an answer; undefined is 404. */
export type Handler = (request: FakeRequest) => object | Response | undefined

export interface FakeRequest {
  readonly method: string
  /** Below the version. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: what a client sent is looked at
  readonly body: any
}

/** What to answer instead of the service, to requests that `on` fits (`POST /ports`). */
export interface Fault {
  readonly on: RegExp
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** How often; without end if absent. */
  readonly times?: number
  /** The service does what is asked, and then answers this. */
  readonly after?: boolean
}

export interface FakeService {
  readonly url: string
  /** `GET /ports?name=x`, oldest first. */
  readonly requests: readonly string[]
  fail(fault: Fault): void
  /** Once, before the first request that fits (`POST /ports`) is answered. */
  when(on: RegExp, act: () => unknown): void
  heal(): void
  goDown(): Promise<void>
  comeUp(): void
  stop(): Promise<void>
}

export function createFakeService(options: {
  readonly keystone: FakeKeystone
  readonly type: string
  readonly name: string
  /** `/v2.0`: part of every path. */
  readonly version: string
  /** Whether the catalogue tells the version too. */
  readonly versionInCatalog?: boolean
  readonly handle: Handler
}): FakeService {
  const { keystone, type, name, version } = options
  const requests: string[] = []
  let faults: { left: number; readonly fault: Fault }[] = []
  let hooks: { readonly on: RegExp; readonly act: () => unknown }[] = []

  const answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url)
    if (!url.pathname.startsWith(version)) return json(404, { message: 'no such version' })
    const path = url.pathname.slice(version.length)
    requests.push(`${request.method} ${path}${url.search}`)
    const text = await request.text()
    const hook = hooks.find(({ on }) => on.test(`${request.method} ${path}`))
    hooks = hooks.filter((each) => each !== hook)
    await hook?.act()
    const found = faults.find(
      ({ left, fault }) => left > 0 && fault.on.test(`${request.method} ${path}`),
    )
    if (found !== undefined) found.left--
    if (found !== undefined && found.fault.after !== true) return failed(found.fault)
    if (!keystone.accepts(request.headers.get('x-auth-token') ?? ''))
      return json(401, {
        error: { code: 401, message: 'The request you have made requires authentication.' },
      })
    const type = request.headers.get('content-type') ?? ''
    const result = options.handle({
      method: request.method,
      path,
      query: url.searchParams,
      headers: request.headers,
      body: type.includes('json') && text !== '' ? JSON.parse(text) : text,
    })
    if (found !== undefined) return failed(found.fault)
    if (result === undefined) return json(404, { message: `${path} could not be found` })
    return result instanceof Response ? result : json(200, result)
  }

  const open = (port: number) => Bun.serve({ port, hostname: '127.0.0.1', fetch: answer })
  let server = open(0)
  const port = server.port ?? 0
  const url = `http://127.0.0.1:${port}`
  keystone.register({ type, name, url: options.versionInCatalog ? `${url}${version}` : url })
  return {
    url,
    requests,
    fail: (fault) => {
      faults.push({ left: fault.times ?? Number.POSITIVE_INFINITY, fault })
    },
    when: (on, act) => {
      hooks.push({ on, act })
    },
    heal: () => {
      faults = []
    },
    goDown: () => server.stop(true),
    comeUp: () => {
      server = open(port)
    },
    stop: () => server.stop(true),
  }
}

let count = 0
export function json(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Response {
  const id = { 'x-openstack-request-id': `req-${++count}` }
  return status === 204
    ? new Response(null, { status, headers: { ...id, ...headers } })
    : Response.json(body, { status, headers: { ...id, ...headers } })
}

function failed({ status, body = {}, headers = {} }: Fault): Response {
  return json(status, body, headers)
}

/** Answers are thrown where that is shorter. */
export function thrownToo<A, R>(handle: (argument: A) => R): (argument: A) => R | Response {
  return (argument) => {
    try {
      return handle(argument)
    } catch (thrown) {
      if (thrown instanceof Response) return thrown
      throw thrown
    }
  }
}
