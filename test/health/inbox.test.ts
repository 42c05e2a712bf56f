import { expect, test } from 'vitest'
import { Inbox } from '../../src/health/inbox.ts'
import { type Heartbeat, parseHeartbeat } from '../../src/health/message.ts'
import { present } from '../../src/system/assert.ts'
import { heartbeatMessage, listenerReport } from '../fake/heartbeats.ts'

function message(id: string, ver: number, rx: number, conns = 0): Heartbeat {
  const listeners = { l: listenerReport({ stats: { rx, conns } }) }
  return present(parseHeartbeat(heartbeatMessage({ id, ver, listeners })), 'heartbeat')
}

test.each<[string, [ver: number, rx: number, conns: number][], string, number, number]>([
  ['one with deltas', [[3, 10, 1]], 'add', 10, 1],
  [
    'deltas are summed, connections are not',
    [
      [3, 10, 5],
      [3, 20, 2],
    ],
    'add',
    30,
    2,
  ],
  [
    'the last absolute one counts',
    [
      [2, 10, 5],
      [2, 20, 2],
    ],
    'replace',
    20,
    2,
  ],
  [
    'a delta upon an absolute value',
    [
      [2, 10, 5],
      [3, 20, 2],
    ],
    'replace',
    30,
    2,
  ],
  [
    'an absolute value overtakes deltas',
    [
      [3, 10, 5],
      [2, 20, 2],
    ],
    'replace',
    20,
    2,
  ],
  [
    'a sum stays an exact number',
    [
      [3, 2 ** 53 - 1, 0],
      [3, 2 ** 53 - 1, 0],
    ],
    'add',
    2 ** 53 - 1,
    0,
  ],
])('%s', (_name, messages, mode, bytes_in, active_connections) => {
  const inbox = new Inbox(5)
  messages.forEach(([ver, rx, conns], i) => {
    expect(inbox.put(message('a', ver, rx, conns), 100 + i)).toBe(true)
  })
  const [arrival, ...more] = inbox.take()
  expect(more).toEqual([])
  expect(arrival?.received_ms).toBe(99 + messages.length)
  expect(arrival?.tallies.get('l')).toMatchObject({
    mode,
    counters: { bytes_in, active_connections },
  })
  expect(inbox.size).toBe(0)
})

test('a full inbox still takes messages of those who are in it', () => {
  const inbox = new Inbox(2)
  expect(['a', 'b', 'c', 'a'].map((id) => inbox.put(message(id, 3, 1), 0))).toEqual([
    true,
    true,
    false,
    true,
  ])
  expect(inbox.take().map((arrival) => arrival.heartbeat.amphora_id)).toEqual(['a', 'b'])
})
