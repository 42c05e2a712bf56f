/** Lines of haproxy's log on their way to log servers. */
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { LogForwarder, type LogSink, type LogTarget } from '../../src/agent/log-forwarder.ts'
import { kindOf, parseLogLine } from '../../src/agent/log-line.ts'
import { streamSink } from '../../src/agent/log-sink.ts'
import { silentLog } from '../../src/system/log.ts'
import { createFakeClock } from '../fake/clock.ts'

const TIME = 'Nov 29 01:26:49'

test.each([
  [`<134>${TIME} haproxy[1]: hello\n`, `<134>${TIME} amphora haproxy[1]: hello`],
  [`<134>Nov  9 01:26:49 x: a\nb\r\0c`, '<134>Nov  9 01:26:49 amphora x: a b c'],
])('%j becomes %j', (text, expected) => {
  expect(parseLogLine(text, 'amphora')).toEqual({ facility: 16, severity: 6, text: expected })
})

test.each(['', 'no priority', '<134> no time', `<1345>${TIME} x`])('%j is no line', (text) => {
  expect(parseLogLine(text, 'amphora')).toBeUndefined()
})

test.each([
  [16, 6, false, 'tenant'],
  [16, 4, false, undefined],
  [16, 4, true, undefined],
  [17, 5, false, 'admin'],
  [3, 6, false, undefined],
  [3, 6, true, 'admin'],
])('facility %d, severity %d with forward_all_logs %s', (facility, severity, all, expected) => {
  const routing = { user_log_facility: 0, administrative_log_facility: 1, forward_all_logs: all }
  expect(kindOf({ facility, severity, text: '' }, routing)).toBe(expected)
})

const TARGETS = [
  { host: 'one', port: 1 },
  { host: 'two', port: 2 },
]

function createForwarder(over: { log_queue_size?: number; log_retry_count?: number } = {}) {
  const clock = createFakeClock()
  const down = new Set<string>()
  const got: string[] = []
  const open = ({ host }: LogTarget): LogSink => ({
    send: async (lines) => {
      if (down.has(host)) throw new Error('it is down')
      got.push(...lines.map((line) => `${host} ${line}`))
    },
    close: () => {},
  })
  const options = { log_queue_size: 100, log_retry_count: 2, log_retry_interval_s: 5, ...over }
  const forwarder = new LogForwarder(
    { clock, log: silentLog, open },
    { ...options, targets: TARGETS },
  )
  return { clock, down, got, forwarder }
}

test('the first server gets all lines in order, the second those that it does not take', async () => {
  const { clock, down, got, forwarder } = createForwarder()
  for (const line of ['a', 'b']) forwarder.push(line)
  await clock.advance(0)
  down.add('one')
  forwarder.push('c')
  await clock.advance(0)
  expect(got).toEqual(['one a', 'one b', 'two c'])
})

test('lines wait for a server, as many as may wait and as long as it is tried', async () => {
  const { clock, down, got, forwarder } = createForwarder({ log_queue_size: 3 })
  for (const { host } of TARGETS) down.add(host)
  for (const line of ['a', 'b', 'c', 'd']) forwarder.push(line)
  expect(forwarder.dropped).toBe(1)
  await clock.advance(5_000)
  down.clear()
  await clock.advance(5_000)
  expect(got.map((line) => line.split(' ')[1])).toEqual(['a', 'b', 'c'])

  for (const { host } of TARGETS) down.add(host)
  forwarder.push('e')
  for (let n = 0; n < 4; n++) await clock.advance(5_000)
  expect(forwarder.dropped).toBe(2)
  down.clear()
  forwarder.push('f')
  await clock.advance(0)
  expect(got.at(-1)).toMatch(/f$/)
})

test('by TCP lines end with a line feed, and a server that is gone is an error', async () => {
  let text = ''
  const { promise: heard, resolve } = Promise.withResolvers<void>()
  const server = createServer((socket) => {
    socket.on('data', (data) => {
      text += data.toString()
      if (text.includes('three\n')) resolve()
    })
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  onTestFinished(() => {
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const sink = streamSink({ host: '127.0.0.1', port })
  await sink.send(['one', 'two'])
  await sink.send(['three'])
  await heard
  expect(text).toBe('one\ntwo\nthree\n')
  sink.close()
  await expect(streamSink({ host: '127.0.0.1', port: 1 }).send(['x'])).rejects.toThrow()
})
