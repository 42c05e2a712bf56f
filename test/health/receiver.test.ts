import { createHmac } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { sealHeartbeat } from '../../src/contract/heartbeat.ts'
import { Inbox } from '../../src/health/inbox.ts'
import { OUTCOMES, Receiver } from '../../src/health/receiver.ts'
import { HEARTBEAT_KEY, heartbeatMessage } from '../fake/heartbeats.ts'

function setup(
  over: {
    inbox_max?: number
    tracks_max?: number
    key?: () => string
    accept_replayed?: () => boolean
  } = {},
) {
  const inbox = new Inbox(over.inbox_max ?? 10)
  const options = {
    heartbeat_key: over.key ?? (() => HEARTBEAT_KEY),
    tracks_max: over.tracks_max ?? 10,
    accept_replayed: over.accept_replayed ?? (() => false),
  }
  const receiver = new Receiver({ clock: { now: () => 5 }, inbox }, options)
  return { inbox, receiver }
}

const seal = (over: { id?: string; seq?: number } = {}, key = HEARTBEAT_KEY): Buffer =>
  sealHeartbeat(heartbeatMessage({ id: 'a', ...over }), key)

function sealBytes(packed: Buffer, form: 'hex' | 'raw'): Buffer {
  const hmac = createHmac('sha256', HEARTBEAT_KEY).update(packed).digest()
  return Buffer.concat([packed, form === 'raw' ? hmac : Buffer.from(hmac.toString('hex'))])
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

const whole = seal()
test.each<[string, Uint8Array, string]>([
  ['a genuine one', whole, 'accepted'],
  [
    'a genuine one of an old agent, raw digest',
    sealBytes(whole.subarray(0, -64), 'raw'),
    'accepted',
  ],
  ['another key', seal({}, 'another key'), 'forged'],
  ['an empty key', seal({}, ''), 'forged'],
  ['a changed first byte', flipped(whole, 0), 'forged'],
  ['a changed digest', flipped(whole, whole.length - 1), 'forged'],
  ['one that was cut', whole.subarray(0, -1), 'forged'],
  ['nothing', new Uint8Array(0), 'truncated'],
  ['less than a digest', whole.subarray(0, 32), 'truncated'],
  ['noise', Buffer.alloc(1400, 0xa5), 'forged'],
  ['longer than any heartbeat', Buffer.alloc(65_537), 'oversized'],
  [
    'authentic bytes which are not packed',
    sealBytes(Buffer.from('{"id":"a"}'), 'hex'),
    'malformed',
  ],
  ['authentic text which is no JSON', sealBytes(deflateSync('{'), 'hex'), 'malformed'],
  ['authentic JSON which is no heartbeat', sealBytes(deflateSync('[]'), 'hex'), 'malformed'],
  ['a bomb', sealBytes(deflateSync(Buffer.alloc(16 << 20, 0x20)), 'hex'), 'malformed'],
])('%s', (_name, datagram, outcome) => {
  const { receiver, inbox } = setup()
  expect(receiver.receive(datagram)).toBe(outcome)
  const zero = Object.fromEntries(OUTCOMES.map((name) => [name, 0]))
  expect(receiver.counts()).toEqual({ ...zero, [outcome]: 1 })
  expect(inbox.size).toBe(outcome === 'accepted' ? 1 : 0)
})

test('a replay in the other form of digest is a replay', () => {
  const { receiver } = setup()
  expect(receiver.receive(whole)).toBe('accepted')
  expect(receiver.receive(sealBytes(whole.subarray(0, -64), 'raw'))).toBe('replayed')
})

test('every single changed bit of a heartbeat is noticed', () => {
  const { receiver } = setup()
  for (let at = 0; at < whole.length; at++)
    expect(receiver.receive(flipped(whole, at))).toBe('forged')
})

test('the key can change while it runs', () => {
  let key = HEARTBEAT_KEY
  const { receiver } = setup({ key: () => key })
  expect(receiver.receive(seal({ seq: 10 }))).toBe('accepted')
  key = 'the next key'
  expect(receiver.receive(seal({ seq: 11 }))).toBe('forged')
  expect(receiver.receive(seal({ seq: 11 }, key))).toBe('accepted')
})

test('what was known before the start protects from old recordings', () => {
  const { receiver } = setup()
  receiver.remember('a', 20)
  expect(receiver.receive(seal({ seq: 20 }))).toBe('replayed')
  expect(receiver.receive(seal({ seq: 21 }))).toBe('accepted')
})

test('of too many amphorae the one not heard for longest is forgotten', () => {
  const { receiver } = setup({ tracks_max: 2 })
  const heard = (id: string, seq: number) => receiver.receive(seal({ id, seq }))
  expect([heard('a', 10), heard('b', 10), heard('a', 11), heard('c', 10)]).toEqual(
    Array(4).fill('accepted'),
  )
  expect([heard('a', 10), heard('c', 10)]).toEqual(['replayed', 'replayed'])
  expect(heard('b', 10)).toBe('accepted')
})

test('more amphorae than the inbox holds', () => {
  const { receiver } = setup({ inbox_max: 1 })
  expect(receiver.receive(seal({ id: 'a' }))).toBe('accepted')
  expect(receiver.receive(seal({ id: 'b' }))).toBe('overflow')
})

test('a repeated message counts while that is configured, and only then', () => {
  let accept = true
  const { inbox, receiver } = setup({ accept_replayed: () => accept })
  const same = seal({ seq: 100 })
  expect(['first', 'again'].map(() => receiver.receive(same))).toEqual(['accepted', 'accepted'])
  expect(inbox.size).toBe(1)
  expect(receiver.receive(seal({ seq: 100 }, 'another key'))).toBe('forged')
  accept = false
  expect(receiver.receive(same)).toBe('replayed')
})
