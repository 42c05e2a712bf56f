import { expect, test } from 'vitest'
import { parseHeartbeat, REPORTS_MAX } from '../../src/health/message.ts'
import { heartbeatMessage, listenerReport } from '../fake/heartbeats.ts'

const stats = { tx: 1, rx: 2, conns: 3, totconns: 4, ereq: 5 }
const counters = {
  bytes_out: 1,
  bytes_in: 2,
  active_connections: 3,
  total_connections: 4,
  request_errors: 5,
}
const pools = {
  'pool-a:listener': { status: 'UP', members: { m1: 'UP 1/3', m2: 'no check' } },
  'pool-b': { status: 'DOWN', members: {} },
}
const parsedPools = new Map([
  [
    'pool-a',
    {
      status: 'UP',
      members: new Map([
        ['m1', 'UP 1/3'],
        ['m2', 'no check'],
      ]),
    },
  ],
  ['pool-b', { status: 'DOWN', members: new Map() }],
])
const listeners = new Map([['listener', { status: 'OPEN', counters }]])

test.each([
  ['version 3', { ver: 3, pools }, { deltas: true, unversioned: false }],
  ['version 2', { ver: 2, pools }, { deltas: false, unversioned: false }],
  ['a later version', { ver: 4, pools }, { deltas: true, unversioned: false }],
])('%s', (_name, over, expected) => {
  const message = { id: 'amphora', seq: 7, listeners: { listener: { status: 'OPEN', stats } } }
  expect(parseHeartbeat({ ...message, ...over, more: [1] })).toEqual({
    amphora_id: 'amphora',
    seq: 7,
    listeners,
    pools: parsedPools,
    ...expected,
  })
})

test.each([
  ['without a version', {}, true],
  ['version 1', { ver: 1 }, false],
])(
  '%s, pools are inside listeners and the first report of a pool counts',
  (_name, over, unversioned) => {
    const again = { 'pool-b:other': { status: 'UP', members: {} } }
    const message = {
      id: 'amphora',
      listeners: {
        listener: { status: 'OPEN', stats, pools },
        other: { status: 'OPEN', stats, pools: again },
      },
    }
    const parsed = parseHeartbeat({ ...message, ...over })
    expect(parsed).toMatchObject({ seq: 0, deltas: false, unversioned })
    expect(parsed?.pools).toEqual(parsedPools)
  },
)

const good = heartbeatMessage({
  id: 'amphora',
  listeners: { l: listenerReport({}) },
  pools: { p: { status: 'UP', members: { m: 'UP' } } },
})
const many = (value: unknown): Record<string, unknown> =>
  Object.fromEntries(Array.from({ length: REPORTS_MAX + 1 }, (_, i) => [`id-${i}`, value]))
const withStats = (over: object) => ({
  ...good,
  listeners: { l: { status: 'OPEN', stats: { ...stats, ...over } } },
})

test.each<[string, unknown]>([
  ['no object', 'text'],
  ['null', null],
  ['a list', [good]],
  ['no id', { ...good, id: undefined }],
  ['an empty id', { ...good, id: '' }],
  ['an id that is no text', { ...good, id: 5 }],
  ['an id of absurd length', { ...good, id: 'x'.repeat(65) }],
  ['a seq below zero', { ...good, seq: -1 }],
  ['a seq with a fraction', { ...good, seq: 1.5 }],
  ['a seq beyond exact numbers', { ...good, seq: 2 ** 53 }],
  ['a version that is text', { ...good, ver: '3' }],
  ['no listeners', { ...good, listeners: undefined }],
  ['a list of listeners', { ...good, listeners: [] }],
  ['a listener that is null', { ...good, listeners: { l: null } }],
  ['a listener without statistics', { ...good, listeners: { l: { status: 'OPEN' } } }],
  ['a listener without status', { ...good, listeners: { l: { stats } } }],
  ['a status of absurd length', { ...good, listeners: { l: { status: 'O'.repeat(65), stats } } }],
  ['a counter below zero', withStats({ rx: -1 })],
  ['a counter that is text', withStats({ tx: '1' })],
  ['a counter beyond exact numbers', withStats({ totconns: 1e300 })],
  ['a missing counter', withStats({ ereq: undefined })],
  ['more listeners than fit a datagram', { ...good, listeners: many(listenerReport({})) }],
  ['no pools', { ...good, pools: undefined }],
  ['a pool that is text', { ...good, pools: { p: 'UP' } }],
  ['a pool without members', { ...good, pools: { p: { status: 'UP' } } }],
  ['a pool without an id', { ...good, pools: { ':l': { status: 'UP', members: {} } } }],
  ['a member that is no text', { ...good, pools: { p: { status: 'UP', members: { m: 1 } } } }],
  ['more members than fit', { ...good, pools: { p: { status: 'UP', members: many('UP') } } }],
  ['version 1 without pools', { ...good, ver: 1 }],
])('%s is malformed', (_name, value) => {
  expect(parseHeartbeat(good)).toBeDefined()
  expect(parseHeartbeat(value)).toBeUndefined()
})
