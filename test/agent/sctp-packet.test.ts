import { expect, test } from 'vitest'
import {
  abortPacket,
  CHUNK,
  crc32c,
  initPacket,
  parseAnswer,
  withoutIpHeader,
} from '../../src/agent/sctp-packet.ts'

const ASSOCIATION = { source_port: 0x1234, port: 3868, tag: 0xdeadbeef }

/** RFC 3720, B.4: the same checksum. */
test.each([
  ['zeros', new Uint8Array(32), 0x8a9136aa],
  ['ones', new Uint8Array(32).fill(255), 0x62a8ab43],
  ['ascending', Uint8Array.from({ length: 32 }, (_, n) => n), 0x46dd794e],
  ['digits', new TextEncoder().encode('123456789'), 0xe3069283],
])('crc32c of %s', (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected)
})

function checksumHolds(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.slice().buffer)
  const said = view.getUint32(8, true)
  view.setUint32(8, 0)
  return crc32c(new Uint8Array(view.buffer)) === said
}

test('an INIT asks, with our tag in it and none in front', () => {
  const bytes = initPacket(ASSOCIATION, 7)
  expect(
    Buffer.from(bytes)
      .toString('hex')
      .replace(/^(.{16})(.{8})/, '$1'),
  ).toBe('12340f1c00000000' + '01000014' + 'deadbeef' + '0001a000' + '000affff' + '00000007')
  expect(checksumHolds(bytes)).toBe(true)
})

test('an ABORT carries the tag of the other side', () => {
  const bytes = abortPacket(ASSOCIATION, 0x01020304)
  expect(Buffer.from(bytes).subarray(4, 8).toString('hex')).toBe('01020304')
  expect(Buffer.from(bytes).subarray(12).toString('hex')).toBe('06000004')
  expect(checksumHolds(bytes)).toBe(true)
})

const answer = (over: Partial<Record<'from' | 'to' | 'tag', number>>, length = 20) => {
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  if (length < 16) return bytes
  view.setUint16(0, over.from ?? 3868)
  view.setUint16(2, over.to ?? 0x1234)
  view.setUint32(4, over.tag ?? 0xdeadbeef)
  view.setUint8(12, CHUNK.INIT_ACK)
  if (length >= 20) view.setUint32(16, 99)
  return bytes
}

test.each([
  ['for us', answer({}), { chunk: CHUNK.INIT_ACK, their_tag: 99 }],
  ['without a tag', answer({}, 16), { chunk: CHUNK.INIT_ACK, their_tag: 0 }],
  ['of another association', answer({ tag: 1 }), undefined],
  ['from another port', answer({ from: 1 }), undefined],
  ['to another port', answer({ to: 1 }), undefined],
  ['cut short', answer({}, 15), undefined],
  ['empty', answer({}, 0), undefined],
])('an answer %s', (_, bytes, expected) => {
  expect(parseAnswer(bytes, ASSOCIATION)).toEqual(expected)
})

test('IPv4 comes with its header, options included', () => {
  const bytes = Uint8Array.from([0x46, ...new Array(23).fill(0), 7, 8])
  expect([...withoutIpHeader(bytes, 4)]).toEqual([7, 8])
  expect(withoutIpHeader(bytes, 6)).toBe(bytes)
  expect(withoutIpHeader(new Uint8Array(0), 4).length).toBe(0)
})
