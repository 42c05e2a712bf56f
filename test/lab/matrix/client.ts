/** Clients of the matrix: from a chosen address, on connections of their own. */
import { type Agent, request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Seen } from './place.ts'
import type { ListenerMade } from './row.ts'

const TIMEOUT_MS = 10_000

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

export interface Ask {
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** The client's own address. */
  readonly from?: string
  /** Keeps its connection; absent: one of its own. */
  readonly agent?: Agent
}

/** One request of HTTP. Throws when there is no answer. */
export function ask(listener: ListenerMade, how: Ask = {}): Promise<Reply> {
  const { path = '/', method = 'GET', headers = {}, from, agent } = how
  const { promise, resolve, reject } = Promise.withResolvers<Reply>()
  const request = httpRequest(
    listener.url,
    {
      path,
      method,
      headers,
      agent: agent ?? false,
      timeout: TIMEOUT_MS,
      ...(from === undefined ? {} : { localAddress: from }),
    },
    (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(parts).toString('utf8'),
        }),
      )
    },
  )
  request.on('timeout', () => request.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)))
  request.on('error', reject)
  request.end()
  return promise
}

/** What the server saw of a request; throws when the answer is none of a server. */
export async function seen(listener: ListenerMade, how: Ask = {}): Promise<Seen> {
  const { status, body } = await ask(listener, how)
  if (status !== 200) throw new Error(`the answer is ${status}: ${body.slice(0, 200)}`)
  return JSON.parse(body) as Seen
}

/** How many of `count` requests each server got; an answer that is none counts by its status. */
export async function shares(
  listener: ListenerMade,
  count: number,
  how: Ask = {},
): Promise<Readonly<Record<string, number>>> {
  const out: Record<string, number> = {}
  for (let n = 0; n < count; n++) {
    const { status, body } = await ask(listener, how)
    const name = status === 200 ? (JSON.parse(body) as Seen).server : String(status)
    out[name] = (out[name] ?? 0) + 1
  }
  return out
}

export interface Conversation {
  readonly socket: Socket
  /** All that came so far. */
  text(): string
  /** Resolves when the other side has ended the connection, by whatever means. */
  readonly ended: Promise<void>
  until(text: string): Promise<string>
}

/** A connection of TCP; resolves once it stands. */
export async function converse(host: string, port: number, from?: string): Promise<Conversation> {
  const socket = connect({ host, port, ...(from === undefined ? {} : { localAddress: from }) })
  let text = ''
  const waiting: (() => void)[] = []
  socket.on('data', (data) => {
    text += data.toString('latin1')
    for (const check of waiting) check()
  })
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  socket.on('close', () => end())
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`silent for ${TIMEOUT_MS} ms`)))
  })
  socket.on('error', () => {})
  return {
    socket,
    ended,
    text: () => text,
    until: (wanted) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (text.includes(wanted)) resolve(text)
        }
        waiting.push(check)
        check()
        void ended.then(() => reject(new Error(`the connection ended after '${text}'`)))
      }),
  }
}

/** Whether a connection is refused, dropped or closed before a byte comes. */
export async function isRefused(host: string, port: number, from?: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host, port, ...(from === undefined ? {} : { localAddress: from }) })
  socket.setTimeout(700, () => resolve(true))
  socket.on('connect', () => socket.write('GET / HTTP/1.0\r\n\r\n'))
  socket.on('data', () => resolve(false))
  socket.on('error', () => resolve(true))
  socket.on('close', () => resolve(true))
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}
