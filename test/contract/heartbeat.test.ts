import { createHmac } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import {
  DATAGRAM_MAX_BYTES,
  MESSAGE_MAX_BYTES,
  openHeartbeat,
  sealHeartbeat,
} from '../../src/contract/heartbeat.ts'

const KEY = 'samplekey1'
const MESSAGE = {
  id: '7c4f6d2e-5b1c-4a53-9a1e-0d7f3c1b2a10',
  seq: 67,
  listeners: {
    'b5f4c1de-1f0a-4a51-8a5e-0a7c8f1d9e01': {
      status: 'OPEN',
      stats: { tx: 1, rx: 2, conns: 3, totconns: 4, ereq: 5 },
    },
  },
  pools: {},
  ver: 3,
}
/** MESSAGE as Python's json, zlib and hmac pack it, which is all that upstream's agent does. */
const PACKED =
  '78da358ec10ac32010447f2578aee0261a93de7b6dfb0b46570884d8aa2d85e0bf77b5f4b433b3b38f3dd8ead8b963da4a3fba1eb95ac07269d4c06703c885d37eb0b0f406043b752ce193eaa326b9ad29e38e315170b0457969c121072f4c05009f8c2280d176f2e06614d08a299bfcaa37ec76bf5c1b93921f247f680045b18a9e840dfb5e7703e91cf2df4ab218db2faa9442ee11c2d620d5bc31d69bf205932a3df0'
const HEX_DIGEST = '62efe849b3b1765373776d467d064267c6ff9d3e2b51372a30a69cad3fed9e1f'

test('a datagram of upstream, with a hex digest and with a raw one', () => {
  const packed = Buffer.from(PACKED, 'hex')
  const modern = Buffer.concat([packed, Buffer.from(HEX_DIGEST, 'ascii')])
  expect(openHeartbeat(modern, KEY)).toMatchObject({ ok: true, message: MESSAGE })
  const old = Buffer.concat([packed, Buffer.from(HEX_DIGEST, 'hex')])
  expect(openHeartbeat(old, KEY)).toMatchObject({ ok: true, message: MESSAGE })
})

test('what is sealed has the form of upstream and opens again', () => {
  const datagram = sealHeartbeat(MESSAGE, KEY)
  expect(datagram.subarray(0, 2).toString('hex')).toBe('78da')
  const digest = createHmac('sha256', KEY).update(datagram.subarray(0, -64)).digest('hex')
  expect(datagram.subarray(-64).toString('ascii')).toBe(digest)
  expect(openHeartbeat(datagram, KEY)).toMatchObject({ ok: true, message: MESSAGE })
})

test('a message may come out of a larger buffer', () => {
  const datagram = sealHeartbeat(MESSAGE, KEY)
  const large = Buffer.concat([Buffer.alloc(7), datagram, Buffer.alloc(9)])
  expect(openHeartbeat(large.subarray(7, 7 + datagram.length), KEY).ok).toBe(true)
})

describe('refused', () => {
  const good = sealHeartbeat(MESSAGE, KEY)
  const sealed = (packed: Buffer): Buffer =>
    Buffer.concat([packed, Buffer.from(createHmac('sha256', KEY).update(packed).digest('hex'))])
  const flipped = (at: number): Buffer => {
    const copy = Buffer.from(good)
    copy.writeUInt8(copy.readUInt8(at) ^ 1, at)
    return copy
  }
  test.each([
    ['another key', sealHeartbeat(MESSAGE, 'other'), 'forged'],
    ['a changed message', flipped(5), 'forged'],
    ['a changed digest', flipped(good.length - 1), 'forged'],
    ['a message cut off', good.subarray(0, good.length - 10), 'forged'],
    ['hardly anything', Buffer.alloc(32), 'truncated'],
    ['nothing', Buffer.alloc(0), 'truncated'],
    ['a huge datagram', Buffer.alloc(DATAGRAM_MAX_BYTES + 1), 'oversized'],
    ['no zlib', sealed(Buffer.from('plain text')), 'malformed'],
    ['no JSON', sealed(deflateSync('{"id":')), 'malformed'],
    ['a bomb', sealed(deflateSync(Buffer.alloc(MESSAGE_MAX_BYTES + 1, 32))), 'malformed'],
  ])('%s', (_, datagram, why) => {
    expect(openHeartbeat(datagram, KEY)).toEqual({ ok: false, why })
  })
})
