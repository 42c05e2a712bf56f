/**
 * What stands around the load balancer of the matrix: servers of every kind behind it, on the
 * host's own address in the VIP network, and addresses for clients in front of it.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { findInterface } from '../../../src/command/demo/web-server.ts'
import { createTestCa } from '../certificates.ts'
import { ip } from '../harness.ts'
import type { Family, Wish } from './row.ts'
import { openTlsPlace, type TlsPlace } from './tls-place.ts'

export interface Place {
  readonly family: Family
  /** The address of every server. */
  readonly host: string
  /** Of the other family, where only `other` is. */
  readonly otherHost: string
  /** An address of the network which nobody has. */
  readonly nowhere: string
  /** Two addresses from which clients ask. */
  readonly clients: readonly [string, string]
  readonly ports: Readonly<Record<ServerName, number>>
  readonly tls: TlsPlace
  close(): Promise<void>
}

export interface NetworkPlan {
  readonly family: Family
  readonly host: string
  readonly nowhere: string
  readonly clients: readonly [string, string]
}

/** What a server of HTTP says of a request that reached it. */
export interface Seen {
  readonly server: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

const WEB = ['a', 'b', 'c'] as const
const SECURE = ['tlsA', 'tlsB'] as const
const TCP = ['tcpA', 'tcpB', 'preamble', 'slow', 'reset', 'flood', 'banner'] as const
const SERVERS = [...WEB, ...SECURE, 'checked', 'failing', 'other', ...TCP] as const
export type ServerName = (typeof SERVERS)[number]

/** What `checked` answers with 204, and nothing else. */
export const CHECKED = { host: 'check.example', path: '/health', code: 204 } as const

/** `store` is the folder where the controller finds certificates. */
export async function openPlace(
  plan: NetworkPlan,
  otherHost: string,
  store: string,
): Promise<Place> {
  const { family, host, nowhere, clients } = plan
  const ca = createTestCa('matrix')
  const closings: (() => Promise<unknown>)[] = [async () => ca.remove()]
  closings.push(await plugClients(await findInterface(host), clients))
  const ports = {} as Record<ServerName, number>
  const serve = (
    name: ServerName,
    fetch: (request: Request) => Response,
    more: { tls?: { cert: string; key: string }; hostname?: string } = {},
  ): void => {
    const server = Bun.serve({ hostname: host, port: 0, fetch, ...more })
    closings.push(() => server.stop(true))
    ports[name] = server.port ?? 0
  }
  for (const name of WEB) serve(name, (request) => web(name, request))
  const tls = ca.issue('members.example', 'serverAuth')
  for (const name of SECURE) serve(name, (request) => web(name, request), { tls })
  serve('other', (request) => web('other', request), { hostname: otherHost })
  serve('failing', () => new Response('failing', { status: 500 }))
  serve('checked', checked)
  for (const name of TCP) {
    const server = createServer(BEHAVIOUR[name])
    await new Promise<void>((resolve) => server.listen(0, host, resolve))
    closings.push(async () => server.close())
    ports[name] = portOf(server)
  }
  const secure = await openTlsPlace(host, store)
  closings.push(secure.close)
  return {
    ...{ family, host, otherHost, nowhere, clients, ports, tls: secure },
    close: async () => {
      for (const close of closings) await close()
    },
  }
}

/** A card of its own: the bridge loses addresses which the local cloud does not know. */
async function plugClients(
  bridge: string,
  clients: readonly string[],
): Promise<() => Promise<unknown>> {
  await ip('link', 'add', 'clients', 'type', 'veth', 'peer', 'name', 'clients-port')
  await ip('link', 'set', 'clients-port', 'master', bridge, 'up')
  await ip('link', 'set', 'clients', 'up')
  for (const address of clients) {
    const only = address.includes(':') ? [`${address}/128`, 'nodad'] : [`${address}/32`]
    await ip('addr', 'add', ...only, 'dev', 'clients')
  }
  return () => ip('link', 'delete', 'clients')
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Says what it saw; a login gives a session. */
function web(name: string, request: Request): Response {
  const session = request.url.endsWith('/login') ? { 'set-cookie': `session=of-${name}` } : {}
  return Response.json(seenBy(name, request), { headers: session })
}

function seenBy(server: string, request: Request): Seen {
  const { pathname, search } = urlOf(request)
  const headers = Object.fromEntries(request.headers)
  return { server, method: request.method, path: `${pathname}${search}`, headers }
}

/** A check of HTTP/1.0 names no host. */
function urlOf(request: Request): URL {
  return new URL(request.url, 'http://nobody')
}

function checked(request: Request): Response {
  const { pathname } = urlOf(request)
  const isCheck = pathname === CHECKED.path && request.headers.get('host') === CHECKED.host
  if (isCheck) return new Response(null, { status: CHECKED.code })
  if (pathname === CHECKED.path) return new Response('who?', { status: 404 })
  return web('checked', request)
}

/** How a server of TCP treats a connection. */
const BEHAVIOUR: Readonly<Record<(typeof TCP)[number], (socket: Socket) => void>> = {
  tcpA: greeting('tcpA'),
  tcpB: greeting('tcpB'),
  /** Answers with all it got up to the end of a request of HTTP, as hexadecimal text. */
  preamble: (socket) => {
    const parts: Buffer[] = []
    quietly(socket).on('data', (data) => {
      parts.push(Buffer.from(data))
      const all = Buffer.concat(parts)
      // The signature of version 2 has empty lines, too.
      if (!/ HTTP\/1\.\d\r\n[\s\S]*\r\n\r\n$/.test(all.toString('latin1'))) return
      const body = all.toString('hex')
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    })
  },
  slow: (socket) => {
    quietly(socket).resume()
  },
  reset: (socket) => {
    quietly(socket).resetAndDestroy()
  },
  /** Sends without end, whatever it is asked. */
  flood: (socket) => {
    const more = (): void => {
      while (!socket.destroyed && socket.write('x'.repeat(65_536)));
    }
    quietly(socket).on('drain', more)
    more()
  },
  /** Talks first, and no TLS. */
  banner: (socket) => {
    quietly(socket).end('220 no TLS here\r\n')
  },
}

/** Says who it is, and then everything that it hears. */
function greeting(name: string): (socket: Socket) => void {
  return (socket) => {
    quietly(socket).write(`${name}\n`)
    socket.on('data', (data) => socket.write(data))
  }
}

/** Clients of the tests and checks of haproxy end connections as they like. */
function quietly(socket: Socket): Socket {
  return socket.on('error', () => {})
}

/** Members of a pool by the names of their servers; more can be said of each. */
export function members(
  place: Place,
  names: readonly ServerName[],
  over: (name: ServerName) => Wish = () => ({}),
): readonly Wish[] {
  return names.map((name) => ({
    name,
    address: place.host,
    protocol_port: place.ports[name],
    ...over(name),
  }))
}
