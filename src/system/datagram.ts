/**
 * UDP as a dependency, for a receiver of many small messages none of which is urgent: the socket is
 * looked at once a second and emptied. Node's and Bun's sockets wake the process for each datagram,
 * which at 100 per second costs 90 us of CPU each before a byte is read, most of what a heartbeat
 * costs. The faster they arrive, the sooner comes the next look, so that the kernel's buffer is not
 * overrun.
 */
import { ptr } from 'bun:ffi'
import { isIPv6 } from 'node:net'
import { AF, lastError, libc, socketAddress } from './libc.ts'

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
  /**
   * What the kernel may hold for us while we are busy; without CAP_NET_ADMIN it caps the value at
   * net.core.rmem_max.
   */
  readonly receive_buffer_bytes: number
}

export interface DatagramListener extends DatagramAddress {
  /** What the kernel granted, its own bookkeeping included: it doubles what is asked for. */
  readonly receive_buffer_bytes: number
  /** What has arrived is handed over before this resolves. */
  close(): Promise<void>
}

export interface Datagrams {
  /** Port 0 is any free one. Rejects when the address cannot be bound. `::` receives IPv4 too. */
  listen(options: DatagramListenOptions, handlers: DatagramHandlers): Promise<DatagramListener>
}

/** Between two looks when little arrives. */
const LOOK_MS = 1000
/** What the kernel counts for a small datagram at most: whole buffers of the network card. */
const BUFFERED_BYTES = 2304
/** The part of the receive buffer that may fill between two looks; the rest is for bursts. */
const FILLED = 0.25
/** Read in one go; other work of the process has its turn after that. */
const LOOK_DATAGRAMS_MAX = 1000
const DATAGRAM_MAX_BYTES = 65_536

const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const SOL_SOCKET = 1
const SO_RCVBUF = 8
const SO_RCVBUFFORCE = 33
const MSG_DONTWAIT = 0x40

export const systemDatagrams: Datagrams = {
  async listen(options, handlers) {
    const fd = openBound(options)
    const receive_buffer_bytes = setReceiveBuffer(fd, options.receive_buffer_bytes)
    const { close } = libc()
    const buffer = new Uint8Array(DATAGRAM_MAX_BYTES)
    let timer: ReturnType<typeof setTimeout> | undefined
    const end = (): void => {
      clearTimeout(timer)
      timer = undefined
      close(fd)
    }
    const found_max = (FILLED * receive_buffer_bytes) / BUFFERED_BYTES
    let looked_ms = performance.now()
    const look = (): void => {
      const now_ms = performance.now()
      try {
        const found = emptied(fd, buffer, handlers)
        timer = setTimeout(look, nextLookMs(found, now_ms - looked_ms, found_max))
        looked_ms = now_ms
      } catch (error) {
        end()
        handlers.failed(error as Error)
      }
    }
    timer = setTimeout(look, LOOK_MS)
    return {
      address: options.address,
      port: options.port === 0 ? boundPort(fd) : options.port,
      receive_buffer_bytes,
      close: async () => {
        if (timer === undefined) return
        emptied(fd, buffer, handlers)
        end()
      },
    }
  },
}

/** When `found_max` will have arrived if it goes on as since the last look; at once for the rest. */
export function nextLookMs(found: number, elapsed_ms: number, found_max: number): number {
  if (found >= LOOK_DATAGRAMS_MAX) return 0
  return found === 0 ? LOOK_MS : Math.min(LOOK_MS, (elapsed_ms * found_max) / found)
}

/** Hands over what has arrived; returns how many. */
function emptied(fd: number, buffer: Uint8Array, handlers: DatagramHandlers): number {
  const { recv } = libc()
  const into = ptr(buffer)
  for (let found = 0; ; found++) {
    if (found === LOOK_DATAGRAMS_MAX) return found
    const length = recv(fd, into, buffer.length, MSG_DONTWAIT)
    if (length < 0) {
      const error = lastError('recv')
      if (error.code === 'EAGAIN' || error.code === 'EINTR') return found
      throw error
    }
    handlers.datagram(buffer.subarray(0, length))
  }
}

function openBound({ address, port }: DatagramAddress): number {
  const { socket, bind, close } = libc()
  const to = socketAddress(address, port)
  const family = isIPv6(address) ? AF[6] : AF[4]
  const fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  if (fd < 0) throw lastError('socket')
  if (family === AF[6]) setNumber(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)
  if (bind(fd, ptr(to), to.length) === 0) return fd
  const error = lastError(`bind ${address}:${port}`)
  close(fd)
  throw error
}

/** A smaller buffer than asked for loses bursts, but is no reason to receive nothing. */
function setReceiveBuffer(fd: number, bytes: number): number {
  if (setNumber(fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes) !== 0)
    setNumber(fd, SOL_SOCKET, SO_RCVBUF, bytes)
  const [value, length] = [new Int32Array(1), new Uint32Array([4])]
  libc().getsockopt(fd, SOL_SOCKET, SO_RCVBUF, ptr(value), ptr(length))
  return value[0] ?? 0
}

function setNumber(fd: number, level: number, option: number, value: number): number {
  return libc().setsockopt(fd, level, option, ptr(new Int32Array([value])), 4)
}

function boundPort(fd: number): number {
  const bytes = new Uint8Array(28)
  libc().getsockname(fd, ptr(bytes), ptr(new Uint32Array([bytes.length])))
  return new DataView(bytes.buffer).getUint16(2)
}
