/** The C library, for sockets that neither Bun nor Node.js has. Nothing checks its arguments. */
import { dlopen, type FFIFunction, FFIType, ptr, read } from 'bun:ffi'
import { isIPv6 } from 'node:net'
import { getSystemErrorName } from 'node:util'

/** That of glibc and that of musl. */
const LIBRARIES = [
  'libc.so.6',
  'libc.so',
  `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`,
]
const { i32, u32, ptr: pointer, u64_fast: size } = FFIType
/** Of at most what a datagram holds, so half of the register is enough, and no bigint. */
const length = i32
const FUNCTIONS = {
  socket: { args: [i32, i32, i32], returns: i32 },
  bind: { args: [i32, pointer, u32], returns: i32 },
  connect: { args: [i32, pointer, u32], returns: i32 },
  getsockname: { args: [i32, pointer, pointer], returns: i32 },
  setsockopt: { args: [i32, i32, i32, pointer, u32], returns: i32 },
  getsockopt: { args: [i32, i32, i32, pointer, pointer], returns: i32 },
  send: { args: [i32, pointer, size, i32], returns: length },
  recv: { args: [i32, pointer, size, i32], returns: length },
  poll: { args: [pointer, size, i32], returns: i32 },
  close: { args: [i32], returns: i32 },
  inet_pton: { args: [i32, pointer, pointer], returns: i32 },
  if_nametoindex: { args: [pointer], returns: u32 },
  __errno_location: { args: [], returns: pointer },
} as const satisfies Record<string, FFIFunction>

export const AF = { 4: 2, 6: 10 } as const
const SOCKADDR_BYTES = { 4: 16, 6: 28 } as const

export type Libc = ReturnType<typeof open>
let opened: Libc | undefined

/** Opened once, when it is first needed: that takes some milliseconds. */
export function libc(): Libc {
  opened ??= open()
  return opened
}

function open() {
  for (const name of LIBRARIES)
    try {
      return dlopen(name, FUNCTIONS).symbols
    } catch {
      // The next one.
    }
  throw new Error('no C library was found')
}

/** Why the last call failed; to be asked before anything else is done. */
export function lastError(call: string): NodeJS.ErrnoException {
  const location = libc().__errno_location()
  const errno = location === null ? 0 : read.i32(location)
  const code = getSystemErrorName(-errno)
  return Object.assign(new Error(`${call}: ${code}`), { code, errno, syscall: call })
}

/** `struct sockaddr_in` or `sockaddr_in6`, of an address which may have a zone (`fe80::1%eth0`). */
export function socketAddress(address: string, port: number): Uint8Array {
  const family = isIPv6(address) ? 6 : 4
  const [ip = '', zone] = address.split('%')
  const bytes = new Uint8Array(SOCKADDR_BYTES[family])
  const view = new DataView(bytes.buffer)
  view.setUint16(0, AF[family], true)
  view.setUint16(2, port)
  const place = bytes.subarray(family === 6 ? 8 : 4)
  if (libc().inet_pton(AF[family], ptr(cString(ip)), ptr(place)) !== 1)
    throw new Error(`${address} is no address`)
  if (zone !== undefined) view.setUint32(24, libc().if_nametoindex(ptr(cString(zone))), true)
  return bytes
}

function cString(text: string): Uint8Array {
  return Buffer.from(`${text}\0`)
}
