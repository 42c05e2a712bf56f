/**
 * Clients without a catalog have one address for every service. This is it: it passes requests on
 * to the API, and answers those for the network service as a cloud would, which octavia-lite leaves
 * to others where its drivers are the noop ones. So it does for the identity service, unless that
 * is the built-in one, to whose catalog it then adds the network service.
 */

export const ENDPOINT = 'http://127.0.0.1:9877'
const PROJECT = { id: 'default', name: 'default', domain_id: 'default', enabled: true }
const SUBNET = {
  id: '22222222-0000-4000-8000-000000000001',
  name: 'vip-subnet',
  network_id: '11111111-0000-4000-8000-000000000001',
  cidr: '10.0.0.0/24',
  ip_version: 4,
}
const LOGIN = '/identity/v3/auth/tokens'
const NETWORK = '/network'
const NETWORK_VERSIONS = {
  versions: [
    {
      id: 'v2.0',
      status: 'CURRENT',
      links: [{ rel: 'self', href: `${ENDPOINT}${NETWORK}/v2.0/` }],
    },
  ],
}
const QOS_POLICY = { id: '33333333-0000-4000-8000-000000000001', name: 'qos' }

export interface Endpoint {
  stop(): Promise<void>
}

export function startEndpoint(api: string): Endpoint {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: Number(new URL(ENDPOINT).port),
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url)
      const own = answerOf(pathname)
      if (own !== undefined) return Response.json(own)
      const headers = new Headers(request.headers)
      headers.delete('host')
      const body = await request.arrayBuffer()
      const answer = await fetch(`${api}${pathname}${search}`, {
        method: request.method,
        headers,
        ...(body.byteLength === 0 ? {} : { body }),
        proxy: false,
      } as BunFetchRequestInit)
      const { status } = answer
      if (pathname === LOGIN && status === 201)
        return Response.json(withNetwork((await answer.json()) as LoginAnswer), {
          status,
          headers: answer.headers,
        })
      return new Response(status === 204 ? null : await answer.arrayBuffer(), {
        status,
        headers: answer.headers,
      })
    },
  })
  return { stop: () => server.stop(true) }
}

function answerOf(path: string): object | undefined {
  if (path === NETWORK) return NETWORK_VERSIONS
  if (/^(\/network)?\/v2\.0\/subnets(\.json)?$/.test(path)) return { subnets: [SUBNET] }
  if (/^(\/network)?\/v2\.0\/qos\/policies(\.json)?$/.test(path)) return { policies: [QOS_POLICY] }
  if (path.startsWith('/identity/')) return undefined
  if (/\/projects$/.test(path)) return { projects: [PROJECT] }
  if (/\/projects\/[^/]+$/.test(path)) return { project: PROJECT }
  return undefined
}

interface LoginAnswer {
  readonly token: { readonly catalog: readonly object[] }
}

/** The network service is where the load balancer service is. */
function withNetwork({ token }: LoginAnswer): LoginAnswer {
  const region = 'RegionOne'
  const endpoint = { interface: 'public', region, region_id: region, url: `${ENDPOINT}${NETWORK}` }
  const network = { type: 'network', name: 'neutron', endpoints: [endpoint] }
  return { token: { ...token, catalog: [...token.catalog, network] } }
}
