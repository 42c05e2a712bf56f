/**
 * Clients without a catalog have one address for every service. This is it: it passes requests on
 * to the API, and answers those for the network service as a cloud would, which octavia-lite leaves
 * to others where its drivers are the noop ones. So it does for the identity service, unless that
 * is the built-in one or a Keystone, to whose catalog it then adds the network service.
 */
import { IDENTITY_PREFIX } from '../../src/api/identity-v3/route.ts'
import { NETWORK_PREFIX } from '../../src/api/network-endpoint.ts'

export const ENDPOINT = 'http://127.0.0.1:9877'
const PROJECT = { id: 'default', name: 'default', domain_id: 'default', enabled: true }
const SUBNET = {
  id: '22222222-0000-4000-8000-000000000001',
  name: 'vip-subnet',
  network_id: '11111111-0000-4000-8000-000000000001',
  cidr: '10.0.0.0/24',
  ip_version: 4,
}
const LOGIN = `${IDENTITY_PREFIX}/v3/auth/tokens`
const NETWORK_VERSIONS = {
  versions: [
    {
      id: 'v2.0',
      status: 'CURRENT',
      links: [{ rel: 'self', href: `${ENDPOINT}${NETWORK_PREFIX}/v2.0/` }],
    },
  ],
}
const QOS_POLICY = { id: '33333333-0000-4000-8000-000000000001', name: 'qos' }

export interface Endpoint {
  stop(): Promise<void>
}

/** With a Keystone, that is the identity service. Both are addresses without a slash at the end. */
export function startEndpoint(api: string, keystone = `${api}${IDENTITY_PREFIX}`): Endpoint {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: Number(new URL(ENDPOINT).port),
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url)
      const own = answerOf(pathname)
      if (own !== undefined) return Response.json(own)
      const target = pathname.startsWith(IDENTITY_PREFIX)
        ? `${keystone}${pathname.slice(IDENTITY_PREFIX.length)}`
        : `${api}${pathname}`
      const headers = new Headers(request.headers)
      headers.delete('host')
      const body = await request.arrayBuffer()
      const answer = await fetch(`${target}${search}`, {
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
      // Addresses in the answers of a Keystone lead here too.
      const text = (await answer.text()).replaceAll(keystone, `${ENDPOINT}${IDENTITY_PREFIX}`)
      return new Response(status === 204 ? null : text, {
        status,
        headers: answer.headers,
      })
    },
  })
  return { stop: () => server.stop(true) }
}

function answerOf(path: string): object | undefined {
  if (path === NETWORK_PREFIX) return NETWORK_VERSIONS
  if (/^(\/network)?\/v2(\.0)?\/subnets(\.json)?$/.test(path)) return { subnets: [SUBNET] }
  if (/^(\/network)?\/v2(\.0)?\/qos\/policies(\.json)?$/.test(path))
    return { policies: [QOS_POLICY] }
  if (path.startsWith(IDENTITY_PREFIX)) return undefined
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
  const endpoint = {
    interface: 'public',
    region,
    region_id: region,
    url: `${ENDPOINT}${NETWORK_PREFIX}`,
  }
  const network = { type: 'network', name: 'neutron', endpoints: [endpoint] }
  return { token: { ...token, catalog: [...token.catalog, network] } }
}
