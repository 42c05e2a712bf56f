/**
 * A member that takes SCTP associations without SCTP in this machine's kernel: it answers the first
 * packet of each, which shows that the packet came and lets a client and a check see an answer.
 *     sctp-member.ts PORT    until it is killed
 */
import { ptr } from 'bun:ffi'
import { CHUNK, crc32c, withoutIpHeader } from '../../../src/agent/sctp-packet.ts'
import { AF, lastError, libc, socketAddress } from '../../../src/system/libc.ts'

const SOCK_RAW = 3
const IPPROTO_SCTP = 132
const PACKET_MAX_BYTES = 65_536
/** Header and chunk INIT ACK, and a state cookie, without which it would be none. */
const ANSWER_BYTES = 12 + 20 + 8

/** The answer to an INIT; its fields are in the same places. */
function answerTo(init: DataView): Uint8Array {
  const bytes = new Uint8Array(ANSWER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, init.getUint16(2))
  view.setUint16(2, init.getUint16(0))
  // Their tag.
  view.setUint32(4, init.getUint32(16))
  view.setUint8(12, CHUNK.INIT_ACK)
  view.setUint16(14, ANSWER_BYTES - 12)
  view.setUint32(16, 0x0c7a71a0)
  view.setUint32(20, 106_496)
  view.setUint16(24, 10)
  view.setUint16(26, 65_535)
  view.setUint32(28, 1)
  const STATE_COOKIE = 7
  view.setUint16(32, STATE_COOKIE)
  view.setUint16(34, 8)
  view.setUint32(8, crc32c(bytes), true)
  return bytes
}

function serve(port: number): never {
  const { socket, recv, connect, send, close } = libc()
  const listening = socket(AF[4], SOCK_RAW, IPPROTO_SCTP)
  if (listening < 0) throw lastError('socket')
  const buffer = new Uint8Array(PACKET_MAX_BYTES)
  for (;;) {
    const length = recv(listening, ptr(buffer), buffer.length, 0)
    if (length < 0) continue
    const packet = withoutIpHeader(buffer.subarray(0, length), 4)
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length)
    if (packet.length < 32 || view.getUint16(2) !== port || view.getUint8(12) !== CHUNK.INIT)
      continue
    const [a, b, c, d] = buffer.subarray(12, 16)
    const to = socketAddress(`${a}.${b}.${c}.${d}`, 0)
    const answering = socket(AF[4], SOCK_RAW, IPPROTO_SCTP)
    const answer = answerTo(view)
    if (connect(answering, ptr(to), to.length) === 0) send(answering, ptr(answer), answer.length, 0)
    close(answering)
  }
}

serve(Number(process.argv[2]))
