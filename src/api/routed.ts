/** An application of a table of routes below a prefix, beside the API. */
import { Elysia } from 'elysia'
import type { App, Peer } from './app.ts'

/** What Elysia hands to a handler, as far as it is used. */
interface Context {
  readonly request: Request
  readonly params?: Readonly<Record<string, string | null | undefined>>
}

/** One request at a route, or at none. */
export interface Arrival {
  readonly request: Request
  readonly params: Readonly<Record<string, string>>
  readonly peer: Peer | undefined
}

export interface PlainRoute<H> {
  readonly method: string
  /** Below the prefix. */
  readonly path: string
  readonly handle: H
}

/** `refuse` answers what no route takes: another method at a path, or another path. */
export function createRoutedApp<H>(
  prefix: string,
  routes: readonly PlainRoute<H>[],
  serve: (arrival: Arrival, handle: H) => Promise<Response>,
  refuse: (arrival: Arrival, what: 'method' | 'path') => Promise<Response>,
): App {
  const app = new Elysia({
    normalize: false,
    strictPath: true,
    handler: { standardHostname: false },
  })
  const peers = new WeakMap<Request, Peer>()
  const arrival = ({ request, params = {} }: Context): Arrival => ({
    request,
    params: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, value ?? ''])),
    peer: peers.get(request),
  })
  for (const { method, path, handle } of routes)
    app.route(method, `${prefix}${path}`, (context: Context) => serve(arrival(context), handle), {
      parse: 'none',
    })
  for (const path of new Set(routes.map((route) => route.path)))
    app.all(`${prefix}${path}`, (context) => refuse(arrival(context), 'method'), { parse: 'none' })
  app.all('/*', (context) => refuse(arrival(context), 'path'), { parse: 'none' })
  return {
    handle: async (request, peer) => {
      if (peer !== undefined) peers.set(request, peer)
      return app.handle(request)
    },
  }
}

/** Where this program's APIs are, for whoever sent the request: no slash at the end. */
export function baseOf(
  options: { readonly api_base_uri: string | null },
  request: Request,
): string {
  return options.api_base_uri?.replace(/\/+$/, '') ?? new URL(request.url).origin
}
