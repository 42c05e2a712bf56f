/** From POST to ACTIVE without anything real behind it: what the controller itself costs. */
import { type Api, inParallel } from './api.ts'
import { cpuMs } from './processes.ts'
import type { Result } from './result.ts'
import type { Scenario } from './scenario.ts'
import { createPlace, startServe } from './serve.ts'

const POLL_MS = 1
const PARALLEL = 8

/** Listener, pool with five members and health monitor in one request. */
export function populated(): Readonly<Record<string, unknown>> {
  const members = Array.from({ length: 5 }, (_, i) => ({
    address: `192.0.2.${i + 1}`,
    protocol_port: 80,
  }))
  const healthmonitor = { type: 'HTTP', delay: 5, timeout: 3, max_retries: 3 }
  const default_pool = {
    name: 'pool',
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
    members,
    healthmonitor,
  }
  return { listeners: [{ name: 'web', protocol: 'HTTP', protocol_port: 80, default_pool }] }
}

export const create: Scenario = {
  name: 'create',
  run: async ({ quick }) => {
    const place = createPlace('noop')
    const serve = await startServe(place)
    const count = quick ? 20 : 100
    try {
      await timed(serve.api, 20, 1, {})
      const bare = await timed(serve.api, count, 1, {})
      const full = await timed(serve.api, count, 1, populated())
      const before = cpuMs(serve.pid)
      const began = performance.now()
      await timed(serve.api, 5 * count, PARALLEL, {})
      const minutes = (performance.now() - began) / 60_000
      const results: Result[] = [
        { name: 'create to ACTIVE, noop drivers', unit: 'ms', samples: bare, goal: { below: 50 } },
        { name: 'the same with listener, pool, 5 members, monitor', unit: 'ms', samples: full },
        {
          name: `load balancers created, ${PARALLEL} at a time`,
          unit: 'per minute',
          samples: [(5 * count) / minutes],
        },
        {
          name: 'CPU of each of these',
          unit: 'ms',
          samples: [(cpuMs(serve.pid) - before) / (5 * count)],
          note: 'with the polling that waits for ACTIVE',
        },
      ]
      return results
    } finally {
      await serve.stop()
      place.remove()
    }
  },
}

function timed(
  api: Api,
  count: number,
  parallel: number,
  values: Readonly<Record<string, unknown>>,
): Promise<number[]> {
  return inParallel(Array(count).fill(0), parallel, async () => {
    const began = performance.now()
    const lb = await api.createLoadBalancer(values)
    await api.active(lb.id ?? '', parallel === 1 ? POLL_MS : 10)
    return performance.now() - began
  })
}
