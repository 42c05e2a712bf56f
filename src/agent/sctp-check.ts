/**
 * Whether somebody serves SCTP at an address: the first packet of an association by a raw socket,
 * so that it works without SCTP in the kernel. Neither Bun nor Node.js has such sockets.
 */
import { dlopen, FFIType, ptr } from 'bun:ffi'
import { randomInt } from 'node:crypto'
import { parseIp } from '../model/address.ts'
import {
  type Association,
  abortPacket,
  CHUNK,
  initPacket,
  parseAnswer,
  withoutIpHeader,
} from './sctp-packet.ts'

const AF = { 4: 2, 6: 10 } as const
const SOCK_RAW = 3
const IPPROTO_SCTP = 132
const POLLIN = 1
const PACKET_MAX_BYTES = 65_536
/** That of glibc and that of musl. */
const LIBRARIES = [
  'libc.so.6',
  'libc.so',
  `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`,
]
const { i32, ptr: pointer, u64, i64, u32 } = FFIType
const FUNCTIONS = {
  socket: { args: [i32, i32, i32], returns: i32 },
  connect: { args: [i32, pointer, u32], returns: i32 },
  send: { args: [i32, pointer, u64, i32], returns: i64 },
  recv: { args: [i32, pointer, u64, i32], returns: i64 },
  poll: { args: [pointer, u64, i32], returns: i32 },
  close: { args: [i32], returns: i32 },
} as const

/** What is wrong; undefined when the other side would take an association. It is not made. */
export function checkSctp(address: string, port: number, timeout_ms: number): string | undefined {
  const ip = parseIp(address)
  if (ip === undefined) return `${address} is no address`
  const libc = openLibc()
  const fd = libc.socket(AF[ip.family], SOCK_RAW, IPPROTO_SCTP)
  if (fd < 0) return 'no raw socket can be opened'
  try {
    const to = socketAddress(ip.family, ip.value)
    if (libc.connect(fd, ptr(to), to.length) !== 0) return 'the address cannot be reached'
    const association = {
      source_port: randomInt(1024, 65_536),
      port,
      tag: randomInt(1, 2 ** 32),
    }
    const send = (bytes: Uint8Array) => libc.send(fd, ptr(bytes), bytes.length, 0)
    if (send(initPacket(association, randomInt(1, 2 ** 32))) < 0) return 'nothing can be sent'
    const answer = awaitAnswer(libc, fd, ip.family, association, timeout_ms)
    if (answer === undefined) return `no answer within ${timeout_ms} ms`
    if (answer.chunk === CHUNK.ABORT) return 'the port is closed'
    // A kernel with SCTP does so itself; a second one is harmless.
    send(abortPacket(association, answer.their_tag))
    return answer.chunk === CHUNK.INIT_ACK ? undefined : `an answer of type ${answer.chunk}`
  } finally {
    libc.close(fd)
  }
}

type Libc = ReturnType<typeof openLibc>

function openLibc() {
  for (const name of LIBRARIES)
    try {
      return dlopen(name, FUNCTIONS).symbols
    } catch {
      // The next one.
    }
  throw new Error('no C library was found')
}

/** Raw sockets get every SCTP packet from that address, so what is for others is passed over. */
function awaitAnswer(
  libc: Libc,
  fd: number,
  family: 4 | 6,
  association: Association,
  timeout_ms: number,
) {
  const deadline = performance.now() + timeout_ms
  const buffer = new Uint8Array(PACKET_MAX_BYTES)
  const polled = new Uint8Array(8)
  const view = new DataView(polled.buffer)
  for (;;) {
    const left_ms = Math.ceil(deadline - performance.now())
    if (left_ms <= 0) return undefined
    view.setInt32(0, fd, true)
    view.setInt16(4, POLLIN, true)
    if (libc.poll(ptr(polled), 1, left_ms) <= 0) continue
    const length = Number(libc.recv(fd, ptr(buffer), buffer.length, 0))
    // An ICMP error: nobody speaks SCTP there.
    if (length < 0) return { chunk: CHUNK.ABORT, their_tag: 0 }
    const answer = parseAnswer(withoutIpHeader(buffer.subarray(0, length), family), association)
    if (answer !== undefined) return answer
  }
}

/** `struct sockaddr_in` or `sockaddr_in6`; a raw socket has no port. */
function socketAddress(family: 4 | 6, value: bigint): Uint8Array {
  const bytes = new Uint8Array(family === 4 ? 16 : 28)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, AF[family], true)
  if (family === 4) view.setUint32(4, Number(value))
  else {
    view.setBigUint64(8, value >> 64n)
    view.setBigUint64(16, value & (2n ** 64n - 1n))
  }
  return bytes
}
