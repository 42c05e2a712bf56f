/**
 * Whether somebody serves SCTP at an address: the first packet of an association by a raw socket,
 * so that it works without SCTP in the kernel. Neither Bun nor Node.js has such sockets.
 */
import { ptr } from 'bun:ffi'
import { randomInt } from 'node:crypto'
import { parseIp } from '../model/address.ts'
import { AF, libc, socketAddress } from '../system/libc.ts'
import {
  type Association,
  abortPacket,
  CHUNK,
  initPacket,
  parseAnswer,
  withoutIpHeader,
} from './sctp-packet.ts'

const SOCK_RAW = 3
const IPPROTO_SCTP = 132
const POLLIN = 1
const PACKET_MAX_BYTES = 65_536
/** What is wrong; undefined when the other side would take an association. It is not made. */
export function checkSctp(address: string, port: number, timeout_ms: number): string | undefined {
  const ip = parseIp(address)
  if (ip === undefined) return `${address} is no address`
  const { socket, connect, send: write, close } = libc()
  const fd = socket(AF[ip.family], SOCK_RAW, IPPROTO_SCTP)
  if (fd < 0) return 'no raw socket can be opened'
  try {
    // A raw socket has no port.
    const to = socketAddress(address, 0)
    if (connect(fd, ptr(to), to.length) !== 0) return 'the address cannot be reached'
    const association = {
      source_port: randomInt(1024, 65_536),
      port,
      tag: randomInt(1, 2 ** 32),
    }
    const send = (bytes: Uint8Array) => write(fd, ptr(bytes), bytes.length, 0)
    if (send(initPacket(association, randomInt(1, 2 ** 32))) < 0) return 'nothing can be sent'
    const answer = awaitAnswer(fd, ip.family, association, timeout_ms)
    if (answer === undefined) return `no answer within ${timeout_ms} ms`
    if (answer.chunk === CHUNK.ABORT) return 'the port is closed'
    // A kernel with SCTP does so itself; a second one is harmless.
    send(abortPacket(association, answer.their_tag))
    return answer.chunk === CHUNK.INIT_ACK ? undefined : `an answer of type ${answer.chunk}`
  } finally {
    close(fd)
  }
}

/** Raw sockets get every SCTP packet from that address, so what is for others is passed over. */
function awaitAnswer(fd: number, family: 4 | 6, association: Association, timeout_ms: number) {
  const { poll, recv } = libc()
  const deadline = performance.now() + timeout_ms
  const buffer = new Uint8Array(PACKET_MAX_BYTES)
  const polled = new Uint8Array(8)
  const view = new DataView(polled.buffer)
  for (;;) {
    const left_ms = Math.ceil(deadline - performance.now())
    if (left_ms <= 0) return undefined
    view.setInt32(0, fd, true)
    view.setInt16(4, POLLIN, true)
    if (poll(ptr(polled), 1, left_ms) <= 0) continue
    const length = recv(fd, ptr(buffer), buffer.length, 0)
    // An ICMP error: nobody speaks SCTP there.
    if (length < 0) return { chunk: CHUNK.ABORT, their_tag: 0 }
    const answer = parseAnswer(withoutIpHeader(buffer.subarray(0, length), family), association)
    if (answer !== undefined) return answer
  }
}
