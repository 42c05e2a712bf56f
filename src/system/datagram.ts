/**
 * UDP as a dependency. node:dgram rather than Bun.udpSocket: that one cannot set its receive
 * buffer, and an unreachable peer kills the process through it when no error handler is given.
 */
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'

export interface DatagramAddress {
  readonly address: string
  readonly port: number
}

export interface DatagramHandlers {
  /** The bytes are valid during the call only. */
  datagram(bytes: Uint8Array): void
  /** The socket failed after it was bound and receives nothing more; it has been closed. */
  failed(error: Error): void
}

export interface DatagramListenOptions extends DatagramAddress {
  /** What the kernel may hold for us while we are busy; it caps the value at net.core.rmem_max. */
  readonly receive_buffer_bytes: number
}

export interface DatagramListener extends DatagramAddress {
  /** What the kernel granted, its own bookkeeping included: it doubles what is asked for. */
  readonly receive_buffer_bytes: number
  close(): Promise<void>
}

export interface Datagrams {
  /** Port 0 is any free one. Rejects when the address cannot be bound. `::` receives IPv4 too. */
  listen(options: DatagramListenOptions, handlers: DatagramHandlers): Promise<DatagramListener>
}

export const systemDatagrams: Datagrams = {
  async listen(options, handlers) {
    const socket = createSocket({ type: isIPv6(options.address) ? 'udp6' : 'udp4' })
    await bound(socket, options)
    const receive_buffer_bytes = setReceiveBuffer(socket, options.receive_buffer_bytes)
    let open = true
    socket.on('message', (bytes) => handlers.datagram(bytes))
    socket.on('error', (error) => {
      if (!open) return
      open = false
      socket.close()
      handlers.failed(error)
    })
    const { address, port } = socket.address()
    return {
      address,
      port,
      receive_buffer_bytes,
      close: () =>
        new Promise((resolve) => {
          if (!open) return resolve()
          open = false
          socket.close(() => resolve())
        }),
    }
  },
}

function bound(socket: Socket, { address, port }: DatagramAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      socket.close()
      reject(error)
    }
    socket.once('error', fail)
    socket.bind({ address, port }, () => {
      socket.off('error', fail)
      resolve()
    })
  })
}

/** A smaller buffer than asked for loses bursts, but is no reason to receive nothing. */
function setReceiveBuffer(socket: Socket, bytes: number): number {
  try {
    socket.setRecvBufferSize(bytes)
  } catch {
    // The size the kernel gave at first stays; the caller sees it below and can say so.
  }
  return socket.getRecvBufferSize()
}
