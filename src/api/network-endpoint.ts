/**
 * The network service's place in the catalogue. Its clients look for versions at their endpoint and
 * would find those of load balancing at the root, so theirs is a path of its own: the version
 * document here, and everything below it answered as at the root.
 */
import type { App } from './app.ts'

export const NETWORK_PREFIX = '/network'

export function createNetworkEndpoint(
  api: App,
  options: { readonly api_base_uri: string | null },
): App {
  return {
    handle: async (request, peer) => {
      const url = new URL(request.url)
      const base = options.api_base_uri?.replace(/\/+$/, '') ?? url.origin
      const below = url.pathname.slice(NETWORK_PREFIX.length)
      if (below === '' || below === '/') return Response.json(versions(base))
      return await api.handle(new Request(`${url.origin}${below}${url.search}`, request), peer)
    },
  }
}

function versions(base: string) {
  const href = `${base}${NETWORK_PREFIX}/v2.0/`
  return { versions: [{ id: 'v2.0', status: 'CURRENT', links: [{ rel: 'self', href }] }] }
}
