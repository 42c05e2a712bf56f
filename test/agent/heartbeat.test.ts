import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Heartbeat } from '../../src/agent/heartbeat.ts'
import { type HeartbeatMessage, openHeartbeat } from '../../src/contract/heartbeat.ts'
import type { StatRow } from '../../src/dataplane/haproxy/statistics.ts'
import { silentLog } from '../../src/system/log.ts'
import { FAKE_START_MS } from '../fake/clock.ts'
import { createFixture, LB } from './fixture.ts'

/** Of an agent which has no memory. */
const FIRST_SEQ = FAKE_START_MS / 1000

function statistics(bin: number): string {
  return `# pxname,svname,status,weight,scur,bin,bout,ereq,stot,
l,FRONTEND,OPEN,,3,${bin},200,0,7,
p:l,m,UP,1,0,0,0,0,0,
p:l,BACKEND,UP,1,0,0,0,0,0,

`
}

async function createSender() {
  const fixture = createFixture()
  const { clock, paths, config } = fixture
  const sent: { message: HeartbeatMessage; to: string }[] = []
  const keys = { current: config.heartbeat_key }
  const haproxy = { running: true, bin: 100 }
  const lvs: { rows: () => readonly StatRow[] } = { rows: () => [] }
  const keepalived = { configured: false, running: false }
  const commands: string[] = []
  const socket = createServer((connection) => {
    connection.on('data', (data) => {
      commands.push(data.toString())
      connection.end(statistics(haproxy.bin))
    })
  })
  await new Promise<void>((resolve) => socket.listen(paths.statsSocket(LB), resolve))
  onTestFinished(() => {
    socket.close()
  })
  const start = () =>
    new Heartbeat(
      {
        clock,
        log: silentLog,
        paths,
        haproxy: { list: () => [LB], isRunning: () => haproxy.running, leaving: () => new Set() },
        lvs: { rows: async () => lvs.rows() },
        keepalived: {
          isConfigured: () => keepalived.configured,
          isRunning: () => keepalived.running,
        },
        send: async (data, host, port) => {
          const opened = openHeartbeat(data, keys.current)
          if (!opened.ok) throw new Error(opened.why)
          sent.push({ message: opened.message as HeartbeatMessage, to: `${host} ${port}` })
        },
      },
      config,
    )
  return { ...fixture, start, sent, haproxy, lvs, keepalived, keys, commands, socket }
}

test('what a message says', async () => {
  const { start, sent, config, commands } = await createSender()
  await start().beat()
  expect(commands).toEqual(['show stat -1 -1 -1\n'])
  expect(sent[0]?.message).toEqual({
    id: config.amphora_id,
    seq: FIRST_SEQ,
    listeners: {
      l: { status: 'OPEN', stats: { tx: 200, rx: 100, conns: 3, totconns: 7, ereq: 0 } },
    },
    pools: { 'p:l': { status: 'UP', members: { m: 'UP' } } },
    ver: 3,
  })
})

test('controllers take turns', async () => {
  const { start, sent } = await createSender()
  const heartbeat = start()
  for (let n = 0; n < 3; n++) await heartbeat.beat()
  expect(sent.map(({ to }) => to)).toEqual(['192.0.2.1 5555', '2001:db8::1 5556', '192.0.2.1 5555'])
})

test('a new agent goes on counting where the last one stopped', async () => {
  const { start, sent, haproxy } = await createSender()
  await start().beat()
  haproxy.bin = 150
  await start().beat()
  expect(sent.map(({ message }) => message.seq)).toEqual([FIRST_SEQ, FIRST_SEQ + 1])
  expect(sent[1]?.message.listeners.l?.stats).toMatchObject({ rx: 50, tx: 0, conns: 3 })
})

test('traffic during a failed query is not lost', async () => {
  const { start, sent, haproxy } = await createSender()
  const heartbeat = start()
  await heartbeat.beat()
  haproxy.running = false
  await heartbeat.beat()
  haproxy.running = true
  haproxy.bin = 130
  await heartbeat.beat()
  expect(sent[1]?.message).toMatchObject({ listeners: {}, pools: {} })
  expect(sent[2]?.message.listeners.l?.stats.rx).toBe(30)
})

test('a haproxy that cannot be asked is reported by its absence', async () => {
  const { start, sent, socket } = await createSender()
  socket.close()
  await start().beat()
  expect(sent[0]?.message.listeners).toEqual({})
})

test.each(['', '{', '{"seq":', 'null', '[]'])('a damaged memory is no end: %j', async (text) => {
  const { start, sent, paths } = await createSender()
  writeFileSync(paths.counters, text)
  await start().beat()
  expect(sent[0]?.message.seq).toBe(FIRST_SEQ)
})

test('what cannot be kept on disk is not said twice, nor taken for a replay', async () => {
  const { start, sent, paths, haproxy } = await createSender()
  // A folder in its place: the file can be neither read nor replaced.
  mkdirSync(paths.counters)
  const heartbeat = start()
  await heartbeat.beat()
  haproxy.bin = 130
  await heartbeat.beat()
  expect(sent.map(({ message }) => message.seq)).toEqual([FIRST_SEQ, FIRST_SEQ + 1])
  expect(sent.map(({ message }) => message.listeners.l?.stats.rx)).toEqual([100, 30])
})

test('one at once, then one per interval; a change counts from the next on', async () => {
  const { start, sent, clock, config, keys } = await createSender()
  const heartbeat = start()
  const until = async (count: number): Promise<void> => {
    while (sent.length < count) await new Promise((resolve) => setImmediate(resolve))
  }
  heartbeat.start()
  await until(1)
  await clock.advance(10_000)
  await until(2)
  keys.current = 'another key'
  heartbeat.reconfigure({
    ...config,
    heartbeat_key: 'another key',
    heartbeat_interval_s: 1,
    controller_ip_port_list: ['192.0.2.9:1'],
  })
  await until(3)
  await clock.advance(1_000)
  await until(4)
  expect(sent.slice(2).map(({ to }) => to)).toEqual(['192.0.2.9 1', '192.0.2.9 1'])
  heartbeat.stop()
  await clock.advance(60_000)
  expect(sent).toHaveLength(4)
})

test('without a controller nothing is sent, and nothing fails', async () => {
  const { start, sent, config } = await createSender()
  const heartbeat = start()
  heartbeat.reconfigure({ ...config, controller_ip_port_list: [] })
  heartbeat.stop()
  await heartbeat.beat()
  expect(sent).toEqual([])
})

test('an amphora of a pair whose keepalived is dead is silent', async () => {
  const { start, sent, keepalived } = await createSender()
  const heartbeat = start()
  keepalived.configured = true
  await heartbeat.beat()
  expect(sent).toEqual([])
  keepalived.running = true
  await heartbeat.beat()
  expect(sent).toHaveLength(1)
})

test('listeners of LVS report beside those of haproxy', async () => {
  const { start, sent, lvs } = await createSender()
  const row = { weight: '1', scur: 2, bin: 50, bout: 60, ereq: 0, stot: 4 }
  lvs.rows = () => [
    { ...row, pxname: 'u', svname: 'FRONTEND', status: 'OPEN' },
    { ...row, pxname: 'q', svname: 'BACKEND', status: 'UP' },
    { ...row, pxname: 'q', svname: 'n', status: 'no check' },
  ]
  const heartbeat = start()
  await heartbeat.beat()
  await heartbeat.beat()
  const [first, second] = sent.map(({ message }) => message)
  expect(Object.keys(first?.listeners ?? {}).sort()).toEqual(['l', 'u'])
  expect(first?.listeners.u?.stats).toMatchObject({ rx: 50, tx: 60, conns: 2, totconns: 4 })
  expect(first?.pools.q).toEqual({ status: 'UP', members: { n: 'no check' } })
  expect(second?.listeners.u?.stats).toMatchObject({ rx: 0, tx: 0, conns: 2, totconns: 0 })
})

test('who could not be asked is not counted twice when it answers again', async () => {
  const { start, sent, haproxy, lvs } = await createSender()
  const heartbeat = start()
  const row = { pxname: 'u', svname: 'FRONTEND', status: 'OPEN', weight: '', scur: 0, ereq: 0 }
  const counting = (bin: number) => () => [{ ...row, bin, bout: 0, stot: 0 }]
  lvs.rows = counting(50)
  await heartbeat.beat()
  lvs.rows = () => {
    throw new Error('no kernel')
  }
  haproxy.bin = 150
  await heartbeat.beat()
  lvs.rows = counting(70)
  await heartbeat.beat()
  const rx = (id: string) => sent.map(({ message }) => message.listeners[id]?.stats.rx)
  expect(rx('u')).toEqual([50, undefined, 20])
  expect(rx('l')).toEqual([100, 50, 0])
})
