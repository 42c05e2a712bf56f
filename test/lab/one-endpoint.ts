/**
 * Clients without a catalog have one address for every service. This is it: it passes requests on
 * to the API, and answers those for the network and identity services as a cloud would, which
 * octavia-lite leaves to others where its drivers are the noop ones.
 */

/** Settings of `serve`. */
export const NOOP_DRIVERS = `[api_settings]
auth_strategy = "noauth"

[controller_worker]
network_driver = "network_noop_driver"
compute_driver = "compute_noop_driver"
amphora_driver = "amphora_noop_driver"
`

export const ENDPOINT = 'http://127.0.0.1:9877'
const PROJECT = { id: 'default', name: 'default', domain_id: 'default', enabled: true }
const SUBNET = {
  id: '22222222-0000-4000-8000-000000000001',
  name: 'vip-subnet',
  network_id: '11111111-0000-4000-8000-000000000001',
  cidr: '10.0.0.0/24',
  ip_version: 4,
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
      return new Response(answer.status === 204 ? null : await answer.arrayBuffer(), {
        status: answer.status,
        headers: answer.headers,
      })
    },
  })
  return { stop: () => server.stop(true) }
}

function answerOf(path: string): object | undefined {
  if (/^\/v2\.0\/subnets(\.json)?$/.test(path)) return { subnets: [SUBNET] }
  if (/^\/v2\.0\/qos\/policies(\.json)?$/.test(path)) return { policies: [QOS_POLICY] }
  if (/\/projects$/.test(path)) return { projects: [PROJECT] }
  if (/\/projects\/[^/]+$/.test(path)) return { project: PROJECT }
  return undefined
}
