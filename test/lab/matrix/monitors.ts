/**
 * Rows of the matrix: how members are checked. A pool has good and bad members; that only the good
 * ones answer, and the API says so of each, shows that the check tells them apart.
 */
import { expect } from 'vitest'
import { until } from '../harness.ts'
import { shares } from './client.ts'
import { CHECKED, members, type Place, type ServerName } from './place.ts'
import { poolOf } from './protocols.ts'
import { type MatrixRow, only, type Run, type Wish } from './row.ts'

const OFTEN = { delay: 1, timeout: 1, max_retries: 1, max_retries_down: 1 } as const

/** Waits until the API reports these statuses of the members. */
export async function memberStatuses(
  run: Run,
  expected: Readonly<Record<string, string>>,
): Promise<void> {
  const path = `pools/${only(run).default_pool_id}/members`
  let last = ''
  const look = async (): Promise<boolean> => {
    const rows = (await run.client.call('GET', path)) as unknown as readonly {
      name: string
      operating_status: string
    }[]
    const now = Object.fromEntries(rows.map((row) => [row.name, row.operating_status]))
    last = JSON.stringify(now)
    return Object.entries(expected).every(([name, status]) => now[name] === status)
  }
  try {
    await until(`members to be ${JSON.stringify(expected)}`, look, 30_000)
  } catch (cause) {
    throw new Error(`members are ${last}`, { cause })
  }
}

interface Checked {
  readonly feature: number
  readonly shows: string
  readonly monitor: Wish
  readonly good: readonly ServerName[]
  readonly bad: readonly ServerName[]
  /** Of the pool; the listener is of the same, or TCP. */
  readonly protocol?: string
  readonly pool?: Wish
  readonly over?: (place: Place, name: ServerName) => Wish
}

function checkRow({
  feature,
  shows,
  monitor,
  good,
  bad,
  protocol = 'HTTP',
  pool,
  over,
}: Checked): MatrixRow {
  const status = (names: readonly string[], text: string) => names.map((name) => [name, text])
  return {
    features: [feature],
    shows: `health monitor: ${shows}`,
    listeners: (place) => [
      {
        protocol: protocol === 'HTTP' ? 'HTTP' : 'TCP',
        default_pool: poolOf(
          protocol,
          members(place, [...good, ...bad], (name) => over?.(place, name) ?? {}),
          { healthmonitor: { ...OFTEN, ...monitor }, ...pool },
        ),
      },
    ],
    check: async (run) => {
      const all = [...status(good, 'ONLINE'), ...status(bad, 'ERROR')]
      await memberStatuses(run, Object.fromEntries(all))
      if (protocol === 'HTTP') {
        const got = await shares(only(run), good.length * 3)
        expect(Object.keys(got).sort()).toEqual([...good].sort())
      }
    },
  }
}

/** Members of the network that does not answer. */
const nowhere = (place: Place, name: ServerName): Wish =>
  name === 'b' ? { address: place.nowhere } : {}

export const monitorRows: readonly MatrixRow[] = [
  checkRow({
    feature: 261,
    shows: 'HTTP with version 1.1, domain, path and code',
    monitor: {
      type: 'HTTP',
      http_version: 1.1,
      domain_name: CHECKED.host,
      url_path: CHECKED.path,
      expected_codes: String(CHECKED.code),
    },
    good: ['checked'],
    bad: ['a'],
  }),
  checkRow({
    feature: 261,
    shows: 'HTTP with its defaults, and a member that answers 500',
    monitor: { type: 'HTTP' },
    good: ['a'],
    bad: ['failing'],
  }),
  checkRow({
    feature: 261,
    shows: 'HTTP by HEAD and a range of codes',
    monitor: { type: 'HTTP', http_method: 'HEAD', expected_codes: '200-204' },
    good: ['a', 'b'],
    bad: ['failing'],
  }),
  checkRow({
    feature: 262,
    shows: 'HTTPS',
    monitor: { type: 'HTTPS', url_path: '/health' },
    good: ['tlsA'],
    bad: ['a'],
    protocol: 'HTTPS',
  }),
  checkRow({
    feature: 263,
    shows: 'TLS-HELLO: a handshake, not only a connection',
    monitor: { type: 'TLS-HELLO' },
    good: ['tlsA'],
    bad: ['banner'],
    protocol: 'HTTPS',
  }),
  checkRow({
    feature: 264,
    shows: 'PING: an echo, whatever the port does',
    monitor: { type: 'PING' },
    good: ['a'],
    bad: ['b'],
    over: nowhere,
  }),
  checkRow({
    feature: 261,
    shows: 'TCP: a connection',
    monitor: { type: 'TCP' },
    good: ['a'],
    bad: ['b'],
    over: nowhere,
  }),
  checkRow({
    feature: 265,
    shows: 'a member is asked at its monitor_address and monitor_port',
    monitor: { type: 'TCP' },
    good: ['a'],
    bad: ['b', 'c'],
    over: (place, name) => {
      if (name === 'b') return { monitor_address: place.nowhere }
      if (name === 'c') return { monitor_port: 1 }
      return { monitor_address: place.host, monitor_port: place.ports.c }
    },
  }),
  {
    features: [243],
    shows: 'a member that is down stays down over a reload: no request waits for it',
    listeners: (place) => [
      {
        protocol: 'HTTP',
        timeout_member_connect: 1_000,
        default_pool: poolOf(
          'HTTP',
          members(place, ['a', 'b'], (name) => nowhere(place, name)),
          { healthmonitor: { ...OFTEN, type: 'TCP', delay: 3, timeout: 2 } },
        ),
      },
    ],
    check: async (run) => {
      await memberStatuses(run, { a: 'ONLINE', b: 'ERROR' })
      const listener = { timeout_client_data: 60_000 }
      await run.client.call('PUT', `listeners/${only(run).id}`, { listener })
      await run.client.active(run.load_balancer_id)
      expect(await shares(only(run), 8)).toEqual({ a: 8 })
    },
  },
  {
    features: [261],
    shows: 'a monitor that is added, switched off and deleted',
    listeners: (place) => [
      { protocol: 'HTTP', default_pool: poolOf('HTTP', members(place, ['a', 'failing'])) },
    ],
    check: async (run) => {
      const pool_id = only(run).default_pool_id
      const healthmonitor = { ...OFTEN, type: 'HTTP', pool_id }
      const id = await run.client.create('healthmonitors', { healthmonitor }, run.load_balancer_id)
      await memberStatuses(run, { a: 'ONLINE', failing: 'ERROR' })
      expect(await shares(only(run), 4)).toEqual({ a: 4 })
      const off = { healthmonitor: { admin_state_up: false } }
      await run.client.call('PUT', `healthmonitors/${id}`, off)
      await run.client.active(run.load_balancer_id)
      expect(await shares(only(run), 4)).toEqual({ a: 2, 500: 2 })
      await run.client.call('DELETE', `healthmonitors/${id}`)
      await run.client.active(run.load_balancer_id)
      await memberStatuses(run, { a: 'NO_MONITOR', failing: 'NO_MONITOR' })
    },
  },
]
