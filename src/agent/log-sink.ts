/** Log servers by UDP, a datagram for each line, and by TCP, a line for each line. */
import { connect, type Socket } from 'node:net'
import type { SendDatagram } from './heartbeat.ts'
import type { LogSink, LogTarget } from './log-forwarder.ts'

const TIMEOUT_MS = 5_000

export function datagramSink(send: SendDatagram, { host, port }: LogTarget): LogSink {
  return {
    send: async (lines) => {
      for (const line of lines) await send(Buffer.from(line), host, port)
    },
    close: () => {},
  }
}

/** One connection, made when it is first needed. */
export function streamSink({ host, port }: LogTarget): LogSink {
  let connection: Promise<Socket> | undefined
  return {
    send: async (lines) => {
      connection ??= open(host, port)
      const socket = await connection
      await written(socket, `${lines.join('\n')}\n`)
    },
    close: () => {
      connection?.then((socket) => socket.destroy()).catch(() => {})
    },
  }
}

function open(host: string, port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect({ host, port })
  const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), TIMEOUT_MS)
  socket.once('connect', () => {
    clearTimeout(timer)
    resolve(socket)
  })
  socket.on('error', reject)
  socket.on('close', () => reject(new Error('the connection was closed')))
  // A log server has nothing to say.
  socket.resume()
  return promise
}

/** Until the system has taken all of it, so that a slow log server slows down only its queue. */
function written(socket: Socket, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  if (socket.destroyed) reject(new Error('the connection was closed'))
  const timer = setTimeout(() => socket.destroy(new Error('it takes nothing')), TIMEOUT_MS)
  const closed = (): void => reject(new Error('the connection was closed'))
  socket.once('close', closed)
  socket.write(text, (error) => (error ? reject(error) : resolve()))
  return promise.finally(() => {
    clearTimeout(timer)
    socket.off('close', closed)
  })
}
