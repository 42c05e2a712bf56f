/** A log server by UDP that keeps all it gets. */
import { createSocket } from 'node:dgram'

export interface LogServer {
  readonly lines: readonly string[]
  close(): void
}

export async function openLogServer(port: number): Promise<LogServer> {
  const lines: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (datagram) => lines.push(datagram.toString('utf8')))
  await new Promise<void>((resolve) => socket.bind(port, '0.0.0.0', resolve))
  return { lines, close: () => socket.close() }
}
