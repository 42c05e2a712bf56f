/** Rows of the matrix: which member gets a connection. */
import { Agent } from 'node:http'
import { expect } from 'vitest'
import { until } from '../harness.ts'
import { ask, type Conversation, converse, type Reply, seen, shares } from './client.ts'
import { members, type Place, type Seen } from './place.ts'
import { poolOf, webListener } from './protocols.ts'
import { type MatrixRow, only, type Run, type Wish } from './row.ts'

const CHECK = { type: 'TCP', delay: 1, timeout: 1, max_retries: 1, max_retries_down: 1 } as const

interface MemberRow {
  readonly id: string
  readonly name: string
}

async function memberNamed(run: Run, name: string): Promise<string> {
  const path = `pools/${only(run).default_pool_id}/members`
  const rows = (await run.client.call('GET', path)) as unknown as readonly MemberRow[]
  const found = rows.find((row) => row.name === name)
  if (found === undefined) throw new Error(`the pool has no member ${name}`)
  return `${path}/${found.id}`
}

async function change(run: Run, method: string, path: string, body?: Wish): Promise<void> {
  await run.client.call(method, path, body)
  await run.client.active(run.load_balancer_id)
}

/** Reads the cookie which an answer sets, as a client sends it back. */
function cookieOf(reply: Reply): string {
  const [set = ''] = [reply.headers['set-cookie'] ?? []].flat()
  return set.split(';')[0] ?? ''
}

function sticky(place: Place, session_persistence: Wish): Wish {
  return webListener(place, ['a', 'b', 'c'], { pool: { session_persistence } })
}

export const balancingRows: readonly MatrixRow[] = [
  {
    features: [258],
    shows: 'weights share the load',
    listeners: (place) => [
      {
        protocol: 'HTTP',
        default_pool: poolOf(
          'HTTP',
          members(place, ['a', 'b'], (name) => ({ weight: name === 'a' ? 3 : 1 })),
        ),
      },
    ],
    check: async (run) => {
      expect(await shares(only(run), 20)).toEqual({ a: 15, b: 5 })
    },
  },
  {
    features: [258],
    shows: 'LEAST_CONNECTIONS passes by the member that is busy',
    listeners: (place) => [
      {
        protocol: 'TCP',
        default_pool: poolOf('TCP', members(place, ['tcpA', 'tcpB']), {
          lb_algorithm: 'LEAST_CONNECTIONS',
        }),
      },
    ],
    check: async (run) => {
      const open = async (): Promise<readonly [string, Conversation]> => {
        const talk = await converse(run.vip, only(run).port)
        return [(await talk.until('\n')).trim(), talk]
      }
      const all = [await open(), await open(), await open(), await open()]
      await until('four connections', async () => (await openConnections(run)) === 4)
      for (const [name, talk] of all) if (name === 'tcpA') talk.socket.destroy()
      await until('two connections', async () => (await openConnections(run)) === 2)
      const next = [await open(), await open()]
      expect(next.map(([name]) => name)).toEqual(['tcpA', 'tcpA'])
      for (const [, talk] of [...all, ...next]) talk.socket.destroy()
    },
  },
  {
    features: [258],
    shows: 'SOURCE_IP sends each client to one member',
    listeners: (place) => [
      webListener(place, ['a', 'b', 'c'], { pool: { lb_algorithm: 'SOURCE_IP' } }),
    ],
    check: async (run) => {
      for (const from of run.place.clients)
        expect(Object.values(await shares(only(run), 6, { from }))).toEqual([6])
    },
  },
  {
    features: [260],
    shows: 'SOURCE_IP persistence keeps a client on its member',
    listeners: (place) => [sticky(place, { type: 'SOURCE_IP' })],
    check: async (run) => {
      const [one, two] = run.place.clients
      const first = await seen(only(run), { from: one })
      const second = await seen(only(run), { from: two })
      // In turn for new clients, then always the same.
      expect(second.server).not.toBe(first.server)
      expect(await shares(only(run), 5, { from: one })).toEqual({ [first.server]: 5 })
      expect(await shares(only(run), 5, { from: two })).toEqual({ [second.server]: 5 })
    },
  },
  {
    features: [260],
    shows: 'HTTP_COOKIE persistence sets a cookie and follows it',
    listeners: (place) => [sticky(place, { type: 'HTTP_COOKIE' })],
    check: async (run) => {
      const reply = await ask(only(run))
      const { server } = JSON.parse(reply.body) as Seen
      const headers = { cookie: cookieOf(reply) }
      expect(headers.cookie).toMatch(/^SRV=/)
      expect(await shares(only(run), 6, { headers })).toEqual({ [server]: 6 })
      expect(Object.keys(await shares(only(run), 6))).toHaveLength(3)
      // `indirect`: the member sees nothing of it.
      expect((await seen(only(run), { headers })).headers.cookie).toBeUndefined()
    },
  },
  {
    features: [260],
    shows: 'APP_COOKIE persistence follows the cookie which the member sets',
    listeners: (place) => [sticky(place, { type: 'APP_COOKIE', cookie_name: 'session' })],
    check: async (run) => {
      const reply = await ask(only(run), { path: '/login' })
      const { server } = JSON.parse(reply.body) as Seen
      const headers = { cookie: cookieOf(reply) }
      expect(headers.cookie).toMatch(/^session=/)
      expect(await shares(only(run), 6, { headers })).toEqual({ [server]: 6 })
      const other = { cookie: 'session=unknown' }
      expect(Object.keys(await shares(only(run), 6, { headers: other })).length).toBeGreaterThan(1)
    },
  },
  {
    features: [259],
    shows: 'requests of one client connection go to each member in turn',
    listeners: (place) => [webListener(place, ['a', 'b'])],
    check: async (run) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      expect(await shares(only(run), 10, { agent })).toEqual({ a: 5, b: 5 })
      agent.destroy()
    },
  },
  {
    features: [266],
    shows: 'backup members serve, all of them, once no other can',
    listeners: (place) => [
      {
        protocol: 'HTTP',
        default_pool: poolOf(
          'HTTP',
          members(place, ['a', 'b', 'c'], (name) => ({ backup: name !== 'a' })),
          { healthmonitor: CHECK },
        ),
      },
    ],
    check: async (run) => {
      expect(await shares(only(run), 6)).toEqual({ a: 6 })
      await change(run, 'PUT', await memberNamed(run, 'a'), { member: { admin_state_up: false } })
      expect(await shares(only(run), 6)).toEqual({ b: 3, c: 3 })
    },
  },
  {
    features: [267],
    shows: 'a disabled member gets nothing, and its share again once enabled',
    listeners: (place) => [webListener(place)],
    check: async (run) => {
      const path = await memberNamed(run, 'a')
      await change(run, 'PUT', path, { member: { admin_state_up: false } })
      expect(await shares(only(run), 6)).toEqual({ b: 6 })
      await change(run, 'PUT', path, { member: { admin_state_up: true } })
      expect(await shares(only(run), 6)).toEqual({ a: 3, b: 3 })
    },
  },
  {
    features: [267],
    shows: 'weight 0 drains: who has a cookie stays, nobody new comes',
    listeners: (place) => [
      webListener(place, ['a', 'b'], { pool: { session_persistence: { type: 'HTTP_COOKIE' } } }),
    ],
    check: async (run) => {
      const cookies = new Map<string, string>()
      for (let n = 0; n < 2; n++) {
        const reply = await ask(only(run))
        cookies.set((JSON.parse(reply.body) as Seen).server, cookieOf(reply))
      }
      await change(run, 'PUT', await memberNamed(run, 'a'), { member: { weight: 0 } })
      expect(await shares(only(run), 6)).toEqual({ b: 6 })
      const headers = { cookie: cookies.get('a') ?? '' }
      expect(await shares(only(run), 6, { headers })).toEqual({ a: 6 })
    },
  },
  {
    features: [242],
    shows: 'members that are added and deleted get their share and lose it',
    listeners: (place) => [webListener(place, ['a'])],
    check: async (run) => {
      const path = `pools/${only(run).default_pool_id}/members`
      const [member] = members(run.place, ['c'])
      await change(run, 'POST', path, { member })
      expect(await shares(only(run), 6)).toEqual({ a: 3, c: 3 })
      await change(run, 'DELETE', await memberNamed(run, 'a'))
      expect(await shares(only(run), 6)).toEqual({ c: 6 })
    },
  },
  {
    features: [242],
    shows: 'a disabled pool serves nobody',
    listeners: (place) => [webListener(place)],
    check: async (run) => {
      const path = `pools/${only(run).default_pool_id}`
      await change(run, 'PUT', path, { pool: { admin_state_up: false } })
      expect(await shares(only(run), 2)).toEqual({ 503: 2 })
      await change(run, 'PUT', path, { pool: { admin_state_up: true } })
      expect(await shares(only(run), 2)).toEqual({ a: 1, b: 1 })
    },
  },
]

/** Connections that a listener has open, by the API's statistics of the heartbeats. */
async function openConnections(run: Run): Promise<number> {
  const stats = await run.client.call('GET', `listeners/${only(run).id}/stats`)
  return Number(stats.active_connections)
}
