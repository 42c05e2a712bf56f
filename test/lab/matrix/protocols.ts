/** Rows of the matrix: how clients and members are spoken to. */
import { expect } from 'vitest'
import { runOk, systemProcesses } from '../../../src/system/process.ts'
import { until } from '../harness.ts'
import { ask, converse, isRefused, seen, shares } from './client.ts'
import { socketsAt } from './haproxy.ts'
import { urlOf } from './made.ts'
import { members, type Place } from './place.ts'
import { type MatrixRow, only, type Wish } from './row.ts'

/** A pool with these servers; `over` is what a row is about. */
export function poolOf(protocol: string, list: readonly Wish[], over: Wish = {}): Wish {
  return { protocol, lb_algorithm: 'ROUND_ROBIN', members: list, ...over }
}

/** The usual listener of a row: HTTP, with these members. */
export function webListener(
  place: Place,
  names: Parameters<typeof members>[1] = ['a', 'b'],
  over: { listener?: Wish; pool?: Wish } = {},
): Wish {
  const default_pool = poolOf('HTTP', members(place, names), over.pool)
  return { protocol: 'HTTP', default_pool, ...over.listener }
}

export const protocolRows: readonly MatrixRow[] = [
  {
    features: [242, 243],
    shows: 'TCP: bytes go both ways, connections to each member in turn',
    listeners: (place) => [
      { protocol: 'TCP', default_pool: poolOf('TCP', members(place, ['tcpA', 'tcpB'])) },
    ],
    check: async (run) => {
      const { port } = only(run)
      const names = new Set<string>()
      for (let n = 0; n < 4; n++) {
        const talk = await converse(run.vip, port)
        names.add((await talk.until('\n')).trim())
        talk.socket.write('how are you')
        await talk.until('how are you')
        talk.socket.destroy()
      }
      expect([...names].sort()).toEqual(['tcpA', 'tcpB'])
    },
  },
  {
    features: [242, 258],
    shows: 'HTTP: requests to each member in turn, all listeners in one haproxy',
    listeners: (place) => [webListener(place)],
    check: async (run) => {
      expect(await shares(only(run), 10)).toEqual({ a: 5, b: 5 })
      const { stdout } = await runOk(systemProcesses, ['pgrep', '-fc', run.load_balancer_id])
      // The master and its worker; pgrep does not count itself.
      expect(Number(stdout)).toBe(2)
    },
  },
  {
    features: [242],
    shows: 'HTTPS: TLS passes through to the member, which shows its own certificate',
    listeners: (place) => [
      { protocol: 'HTTPS', default_pool: poolOf('HTTPS', members(place, ['tlsA', 'tlsB'])) },
    ],
    check: async (run) => {
      const url = only(run).url.replace('http:', 'https:')
      const argv = ['curl', '--silent', '--insecure', '--show-error', '--verbose', url]
      const { stdout, stderr } = await runOk(systemProcesses, argv)
      expect(stdout).toMatch(/"server":"tls[AB]"/)
      expect(stderr).toContain('CN=members.example')
    },
  },
  {
    features: [268],
    shows: 'PROXY protocol version 1 from a TCP listener names the client',
    listeners: (place) => [
      { protocol: 'TCP', default_pool: poolOf('PROXY', members(place, ['preamble'])) },
    ],
    check: async (run) => {
      const [from] = run.place.clients
      const { body } = await ask(only(run), { from })
      const text = Buffer.from(body, 'hex').toString('latin1')
      const kind = run.place.family === 'IPv4' ? 'TCP4' : 'TCP6'
      expect(text.split('\r\n')[0]).toMatch(
        new RegExp(`^PROXY ${kind} ${from} ${run.vip} \\d+ ${only(run).port}$`),
      )
    },
  },
  {
    features: [268, 259],
    shows: 'PROXY protocol version 2 from an HTTP listener, before a request of HTTP',
    listeners: (place) => [
      { protocol: 'HTTP', default_pool: poolOf('PROXYV2', members(place, ['preamble'])) },
    ],
    check: async (run) => {
      const { body } = await ask(only(run), { path: '/v2' })
      const bytes = Buffer.from(body, 'hex')
      expect(bytes.subarray(0, 12).toString('hex')).toBe('0d0a0d0a000d0a515549540a')
      // Version 2, PROXY; TCP over IPv4 or IPv6.
      expect(bytes[12]).toBe(0x21)
      expect(bytes[13]).toBe(run.place.family === 'IPv4' ? 0x11 : 0x21)
      expect(bytes.toString('latin1')).toContain('GET /v2 HTTP/1.1')
    },
  },
  {
    features: [271],
    shows: 'insert_headers: address, port and protocol, the address also under its other names',
    listeners: (place) => [
      webListener(place, ['a'], {
        listener: {
          insert_headers: {
            'X-Forwarded-For': 'true',
            'X-Forwarded-Port': 'true',
            'X-Forwarded-Proto': 'true',
            'X-Forwarded-IP': 'true',
            'X-Client-IP': 'true',
            'X-Real-IP': 'true',
          },
        },
      }),
    ],
    check: async (run) => {
      const [from] = run.place.clients
      // What a client pretends to be is overwritten, but for the list which is added to.
      const headers = { 'x-real-ip': '192.0.2.1', 'x-forwarded-port': '1' }
      const got = (await seen(only(run), { from, headers })).headers
      expect(got).toMatchObject({
        'x-forwarded-for': from,
        'x-forwarded-port': String(only(run).port),
        'x-forwarded-proto': 'http',
        'x-forwarded-ip': from,
        'x-client-ip': from,
        'x-real-ip': from,
      })
    },
  },
  {
    features: [271],
    shows: 'no header is inserted unasked, nor where it is asked for with false',
    listeners: (place) => [
      webListener(place, ['a'], { listener: { insert_headers: { 'X-Forwarded-For': 'false' } } }),
    ],
    check: async (run) => {
      const got = Object.keys((await seen(only(run))).headers)
      expect(got.filter((name) => name.startsWith('x-'))).toEqual([])
    },
  },
  {
    features: [276],
    shows: 'a listener that is deleted, disabled or enabled again: its port follows',
    listeners: (place) => [webListener(place, ['a']), webListener(place, ['b'])],
    check: async (run) => {
      const [kept, gone] = [only(run, 0), only(run, 1)]
      const set = async (admin_state_up: boolean): Promise<void> => {
        await run.client.call('PUT', `listeners/${kept.id}`, { listener: { admin_state_up } })
        await run.client.active(run.load_balancer_id)
      }
      await run.client.call('DELETE', `listeners/${gone.id}`)
      await run.client.active(run.load_balancer_id)
      expect(await isRefused(run.vip, gone.port)).toBe(true)
      await set(false)
      expect(await isRefused(run.vip, kept.port)).toBe(true)
      await set(true)
      await until('the listener to answer', async () => (await ask(kept)).status === 200)
    },
  },
  {
    features: [243],
    shows: 'what waits at the sockets of a listener outlives a reload: the sockets do',
    listeners: (place) => [webListener(place)],
    check: async (run) => {
      const { id, port } = only(run)
      const before = await socketsAt(run, port)
      expect(before).toHaveLength(2)
      await run.client.call('PUT', `listeners/${id}`, { listener: { timeout_client_data: 4321 } })
      await run.client.active(run.load_balancer_id)
      expect(await socketsAt(run, port)).toEqual(before)
    },
  },
  {
    features: [248],
    shows: 'every listener is bound to the additional VIP, of the other family',
    listeners: (place) => [webListener(place)],
    check: async (run) => {
      const { port } = only(run)
      const other = { ...only(run), url: urlOf(run.additional_vip, port) }
      expect(await shares(other, 4)).toEqual({ a: 2, b: 2 })
    },
  },
  {
    features: [278],
    shows: 'one pool with members of both families',
    listeners: (place) => [
      {
        protocol: 'HTTP',
        default_pool: poolOf(
          'HTTP',
          members(place, ['a', 'other'], (name) =>
            name === 'other' ? { address: place.otherHost } : {},
          ),
        ),
      },
    ],
    check: async (run) => {
      expect(await shares(only(run), 4)).toEqual({ a: 2, other: 2 })
    },
  },
]
