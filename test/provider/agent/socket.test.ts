import { existsSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Json } from '../../../src/model/field.ts'
import { openAgentSocket, type SocketOptions } from '../../../src/provider/agent/socket.ts'
import { createLog, silentLog } from '../../../src/system/log.ts'
import { createFakeClock } from '../../fake/clock.ts'
import { ask, exchange, parseAnswer, temporaryFolder } from './client.ts'

async function open(
  answer: (request: Json) => Promise<unknown>,
  over: Partial<SocketOptions> & { log?: typeof silentLog } = {},
) {
  const path = join(temporaryFolder(), 'deep', 'test.sock')
  const clock = createFakeClock()
  const { log = silentLog, ...options } = over
  const limits = { request_timeout_ms: 5000, concurrency: 2, warning_share: 0.75 }
  const socket = await openAgentSocket({ clock, log }, { path, ...limits, ...options }, answer)
  onTestFinished(() => socket.stop())
  return { path, clock, socket }
}

const echo = async (request: Json) => ({ request })

test('a request is answered; the file is for owner and group, and goes at the end', async () => {
  const { path, socket } = await open(echo)
  expect(await ask(path, { a: ['ü', 1] })).toEqual({ request: { a: ['ü', 1] } })
  expect(statSync(path).mode & 0o777).toBe(0o660)
  await socket.stop()
  expect(existsSync(path)).toBe(false)
})

test('an answer longer than what the kernel buffers arrives whole', async () => {
  const text = 'x'.repeat(3_000_000)
  const { path } = await open(async () => ({ text }))
  expect(await ask(path, {})).toEqual({ text })
})

test.each([
  ['no length', 'GET / HTTP/1.1\r\n\r\n'],
  ['too long', '99999999\n{}'],
  ['no JSON', '2\nab'],
])('a malformed request is answered 500: %s', async (_, bytes) => {
  const { path } = await open(echo)
  expect(parseAnswer(await exchange(path, bytes))).toMatchObject({ status_code: 500 })
  expect(await ask(path, 1)).toEqual({ request: 1 })
})

test('a failure is answered 500 without its text', async () => {
  const { path } = await open(async () => {
    throw new Error('the secret')
  })
  const answer = await ask(path, {})
  expect(answer).toMatchObject({ status_code: 500 })
  expect(JSON.stringify(answer)).not.toContain('secret')
})

test('who does not send in time is cut off, and so is who closes early', async () => {
  const { path, clock } = await open(echo)
  const silent = exchange(path, '10\n{')
  await clock.sleepers(1)
  await clock.advance(5000)
  expect(await silent).toBe('')
  await new Promise<void>((resolve) => {
    const socket = connect(path, () => socket.end('10\n{'))
    socket.on('close', () => resolve())
    socket.resume()
  })
  expect(await ask(path, 1)).toEqual({ request: 1 })
})

test('so many are served at a time, as many wait, and one more is turned away', async () => {
  const lines: string[] = []
  const log = createLog({
    format: 'json',
    level: () => 'info',
    write: (line) => lines.push(line),
    now: () => 0,
  })
  const gate = Promise.withResolvers<void>()
  const twoServed = Promise.withResolvers<void>()
  let served = 0
  const { path } = await open(
    async (request) => {
      if (++served === 2) twoServed.resolve()
      await gate.promise
      return request
    },
    { log },
  )
  const first = [ask(path, 1), ask(path, 2)]
  await twoServed.promise
  const others = [3, 4, 5].map((n) => exchange(path, `1\n${n}`).catch(() => ''))
  // Whoever is turned away is told at once; the others only after the gate.
  expect(await Promise.race(others)).toBe('')
  expect(served).toBe(2)
  gate.resolve()
  expect(await Promise.all(first)).toEqual([1, 2])
  const answers = (await Promise.all(others)).filter((text) => text !== '')
  expect(answers.map(parseAnswer).sort()).toEqual([3, 4])
  expect(lines.join()).toContain('turned away')
  expect(lines.join()).toContain('many requests')
})

test('a stop answers who was heard and cuts off who is still sending', async () => {
  const gate = Promise.withResolvers<void>()
  const heard = Promise.withResolvers<void>()
  const { path, clock, socket } = await open(async (request) => {
    heard.resolve()
    await gate.promise
    return request
  })
  const early = ask(path, 1)
  await heard.promise
  const sleeping = clock.slept.length
  const late = exchange(path, '10\n')
  while (clock.slept.length === sleeping) await new Promise((resolve) => setImmediate(resolve))
  const stopped = socket.stop()
  expect(await late).toBe('')
  gate.resolve()
  expect(await early).toBe(1)
  await stopped
  await expect(exchange(path, '1\n1')).rejects.toThrow()
})

test('a socket nobody listens to is replaced; one in use, a file and a long path are not', async () => {
  const folder = temporaryFolder()
  const limits = { request_timeout_ms: 5000, concurrency: 2, warning_share: 0.75 }
  const openAt = (path: string) =>
    openAgentSocket({ clock: createFakeClock(), log: silentLog }, { path, ...limits }, echo)
  const path = join(folder, 'a.sock')
  const child = Bun.spawnSync([
    'python3',
    '-c',
    `import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])`,
    path,
  ])
  expect(child.exitCode).toBe(0)
  expect(existsSync(path)).toBe(true)
  const socket = await openAt(path)
  expect(await ask(path, 1)).toEqual({ request: 1 })
  await expect(openAt(path)).rejects.toThrow('another process listens there')
  expect(await ask(path, 2)).toEqual({ request: 2 })
  await socket.stop()
  const file = join(folder, 'file')
  writeFileSync(file, 'mine')
  await expect(openAt(file)).rejects.toThrow('no socket')
  expect(existsSync(file)).toBe(true)
  await expect(openAt(join(folder, 'x'.repeat(120)))).rejects.toThrow('107 bytes')
})
