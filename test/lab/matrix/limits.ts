/** Rows of the matrix: limits, timeouts, and members that behave badly. */
import { expect } from 'vitest'
import { ask, converse, isRefused, shares } from './client.ts'
import { members, type ServerName } from './place.ts'
import { poolOf, webListener } from './protocols.ts'
import { type MatrixRow, only } from './row.ts'

/** What a client of a bad member gets, while its neighbour on the same haproxy is well. */
function badMember(shows: string, name: ServerName | 'nowhere', status: number): MatrixRow {
  return {
    features: [254],
    shows: `${shows}: ${status}, and the next listener is not harmed`,
    listeners: (place) => {
      const bad = name === 'nowhere' ? 'b' : name
      const over = name === 'nowhere' ? { address: place.nowhere } : {}
      return [
        {
          ...{ protocol: 'HTTP', timeout_member_connect: 300, timeout_member_data: 500 },
          default_pool: poolOf(
            'HTTP',
            members(place, [bad], () => over),
          ),
        },
        webListener(place, ['a']),
      ]
    },
    check: async (run) => {
      const bad = Promise.all([1, 2, 3].map(() => ask(only(run, 0))))
      expect(await shares(only(run, 1), 20)).toEqual({ a: 20 })
      expect((await bad).map((reply) => reply.status)).toEqual([status, status, status])
      expect(await shares(only(run, 1), 5)).toEqual({ a: 5 })
    },
  }
}

export const limitRows: readonly MatrixRow[] = [
  {
    features: [254],
    shows: 'connection_limit: one more client waits until another has gone',
    listeners: (place) => [
      {
        protocol: 'TCP',
        connection_limit: 2,
        default_pool: poolOf('TCP', members(place, ['tcpA'])),
      },
    ],
    check: async (run) => {
      const { port } = only(run)
      const [one, two] = [await converse(run.vip, port), await converse(run.vip, port)]
      await Promise.all([one.until('tcpA'), two.until('tcpA')])
      const three = await converse(run.vip, port)
      const answered = three.until('tcpA')
      two.socket.write('still there')
      await two.until('still there')
      expect(three.text()).toBe('')
      one.socket.destroy()
      await answered
      for (const each of [two, three]) each.socket.destroy()
    },
  },
  {
    features: [254],
    shows: 'timeout_client_data ends an idle client',
    listeners: (place) => [
      {
        ...{ protocol: 'TCP', timeout_client_data: 400, timeout_member_data: 60_000 },
        default_pool: poolOf('TCP', members(place, ['tcpA'])),
      },
    ],
    check: async (run) => {
      const talk = await converse(run.vip, only(run).port)
      await talk.until('tcpA')
      await talk.ended
    },
  },
  badMember('a member that answers slowly, timeout_member_data', 'slow', 504),
  badMember('a member that is nowhere, timeout_member_connect', 'nowhere', 503),
  badMember('a member that ends connections at once', 'reset', 502),
  badMember('a member that floods', 'flood', 502),
  {
    features: [255],
    shows: 'timeout_tcp_inspect: a client that talks is served',
    listeners: (place) => [
      {
        ...{ protocol: 'TCP', timeout_tcp_inspect: 1_000 },
        default_pool: poolOf('TCP', members(place, ['preamble'])),
      },
    ],
    check: async (run) => {
      const { body } = await ask(only(run), { path: '/inspected' })
      expect(Buffer.from(body, 'hex').toString('latin1')).toContain('GET /inspected')
    },
  },
  {
    features: [339],
    shows: 'allowed_cidrs let in whom they name and nobody else, and change',
    listeners: (place) => [
      webListener(place, ['a'], { listener: { allowed_cidrs: [wholeOf(place.clients[0])] } }),
    ],
    check: async (run) => {
      const { port, id } = only(run)
      const [friend, stranger] = run.place.clients
      expect((await ask(only(run), { from: friend })).status).toBe(200)
      expect(await isRefused(run.vip, port, stranger)).toBe(true)
      const listener = { allowed_cidrs: [wholeOf(stranger)] }
      await run.client.call('PUT', `listeners/${id}`, { listener })
      await run.client.active(run.load_balancer_id)
      expect((await ask(only(run), { from: stranger })).status).toBe(200)
      expect(await isRefused(run.vip, port, friend)).toBe(true)
    },
  },
]

function wholeOf(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`
}
