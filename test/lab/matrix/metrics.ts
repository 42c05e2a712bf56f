/** Rows of the matrix: what a PROMETHEUS listener tells. */
import { Agent } from 'node:http'
import { totalmem } from 'node:os'
import { expect } from 'vitest'
import { ask, shares } from './client.ts'
import { webListener } from './protocols.ts'
import { type MatrixRow, only, type Run } from './row.ts'

async function metricsOf(run: Run): Promise<string> {
  const { status, headers, body } = await ask(only(run, 0), { path: '/metrics' })
  expect(status).toBe(200)
  expect(headers['content-type']).toBe('text/plain; version=0.0.4')
  expect(headers['cache-control']).toBe('no-cache')
  return body
}

/** The value of a metric with these labels; labels of haproxy's own may stand behind. */
function metric(metrics: string, name: string, labels = ''): number {
  const line = metrics.split('\n').find((each) => each.startsWith(`${name}${labels}`))
  if (line === undefined) throw new Error(`no metric ${name}${labels}`)
  return Number(line.slice(line.lastIndexOf(' ') + 1))
}

export const metricsRows: readonly MatrixRow[] = [
  {
    features: [274, 275],
    shows: 'PROMETHEUS: traffic of listeners, pools and members in words of Octavia',
    listeners: (place) => [{ protocol: 'PROMETHEUS' }, webListener(place, ['a'])],
    check: async (run) => {
      const web = only(run, 1)
      await shares(web, 5)
      const metrics = await metricsOf(run)
      const pool = `${web.default_pool_id}:${web.id}`
      const name = 'octavia_listener_http_requests_total'
      expect(metric(metrics, name, `{listener="${web.id}"}`)).toBe(5)
      expect(metric(metrics, 'octavia_pool_active_members', `{pool="${pool}"}`)).toBe(1)
      expect(metrics).toContain(`octavia_member_weight{pool="${pool}",member="`)
      expect(metric(metrics, 'octavia_loadbalancer_cpu')).toBeGreaterThanOrEqual(0)
      const memory = metric(metrics, 'octavia_loadbalancer_memory')
      expect(memory).toBeGreaterThan(0)
      expect(metrics).not.toMatch(/haproxy_|prometheus-exporter/)
    },
  },
  {
    features: [274],
    shows: 'PROMETHEUS: other paths are not answered with metrics',
    listeners: () => [{ protocol: 'PROMETHEUS' }],
    check: async (run) => {
      const { status, body } = await ask(only(run), { path: '/' })
      expect(status).toBe(404)
      expect(body).not.toContain('octavia')
    },
  },
  {
    features: [244],
    shows: 'the limit of the process is the sum of those of its listeners, or what memory holds',
    listeners: (place) => [{ protocol: 'PROMETHEUS' }, webListener(place, ['a'])],
    check: async (run) => {
      const listed = (await run.client.call(
        'GET',
        `listeners?load_balancer_id=${run.load_balancer_id}`,
      )) as unknown as readonly { connection_limit: number; admin_state_up: boolean }[]
      const sum = listed
        .filter((listener) => listener.admin_state_up)
        .reduce((all, { connection_limit: n }) => all + (n === -1 ? 50_000 : n), 0)
      // One for 16 KiB, in a sixteenth of a machine that many amphorae share.
      const holds = Math.floor(totalmem() / 16 / (16 << 10))
      const expected = Math.min(sum > 999_999 ? 1_000_000 : sum, holds)
      const name = 'octavia_loadbalancer_max_connections'
      expect(metric(await metricsOf(run), name)).toBe(expected)
    },
  },
  {
    features: [259],
    shows: 'a connection to a member is used for requests of other clients',
    listeners: (place) => [{ protocol: 'PROMETHEUS' }, webListener(place, ['a'])],
    check: async (run) => {
      // A connection is shared once it has proved to stay open, and never for a first request.
      for (let n = 0; n < 5; n++) {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        await shares(only(run, 1), 4, { agent })
        agent.destroy()
      }
      const metrics = await metricsOf(run)
      const pool = `{pool="${only(run, 1).default_pool_id}:${only(run, 1).id}"}`
      expect(metric(metrics, 'octavia_pool_connection_attempts_total', pool)).toBeLessThan(20)
      expect(metric(metrics, 'octavia_pool_connection_reuses_total', pool)).toBeGreaterThan(0)
    },
  },
]
