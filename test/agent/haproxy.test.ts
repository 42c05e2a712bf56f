import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { frontendsOf } from '../../src/agent/haproxy.ts'
import { runningPid } from '../../src/agent/haproxy-process.ts'
import { parseMaster } from '../../src/agent/haproxy-socket.ts'
import { renderUserGroup } from '../../src/agent/user-group.ts'
import { createFixture, LB } from './fixture.ts'

test('a checked configuration is kept, unreadable to others', async () => {
  const { haproxy, paths } = createFixture()
  expect(await haproxy.upload(LB, 'good')).toMatchObject({ ok: true })
  expect(haproxy.read(LB)).toBe('good')
  expect(statSync(paths.haproxyConfig(LB)).mode & 0o777).toBe(0o600)
  expect(haproxy.list()).toEqual([LB])
})

test('a refused one is set aside, and the last good one stays', async () => {
  const { haproxy, paths } = createFixture()
  await haproxy.upload(LB, 'good')
  expect(await haproxy.upload(LB, 'bad')).toEqual({ ok: false, details: '[ALERT] bad' })
  expect(haproxy.read(LB)).toBe('good')
  expect(readFileSync(paths.failedConfig(LB), 'utf8')).toBe('bad')
  expect(existsSync(paths.newConfig(LB))).toBe(false)
})

test('a reload of what does not run is a start', async () => {
  const { haproxy, calls, paths } = createFixture()
  await haproxy.upload(LB, 'good')
  expect(await haproxy.control(LB, 'reload')).toMatchObject({ ok: true })
  const argv = calls.at(-1) ?? []
  expect(argv[0]).toBe('nsenter')
  expect(argv).toEqual(expect.arrayContaining(['-W', '-D', '-p', paths.pid(LB)]))
  expect(readFileSync(paths.goodConfig(LB), 'utf8')).toBe('good')
})

test('a failed start says why', async () => {
  const { haproxy, behaviour } = createFixture()
  await haproxy.upload(LB, 'good')
  behaviour.startCode = 1
  expect(await haproxy.control(LB, 'start')).toEqual({ ok: false, details: 'why it did not start' })
})

test('what should run is started, ever more seldom, until it was told to stop', async () => {
  const { haproxy, clock, starts } = createFixture()
  await haproxy.upload(LB, 'good')
  // The pretended haproxy is never found running, so that each look is a death.
  for (let second = 0; second < 100; second++) {
    await haproxy.supervise()
    await clock.advance(1_000)
  }
  // At 0, 1, 3, 7, 15, 31, 61 and 91 seconds.
  expect(starts()).toBe(8)
  await haproxy.control(LB, 'stop')
  await clock.advance(3_600_000)
  await haproxy.supervise()
  expect(starts()).toBe(8)
})

test('a death after an hour is no crash loop', async () => {
  const { haproxy, clock, starts } = createFixture()
  await haproxy.upload(LB, 'good')
  for (let n = 0; n < 5; n++) {
    await haproxy.supervise()
    await clock.advance(3_600_000)
  }
  const before = starts()
  await haproxy.supervise()
  await clock.advance(1_000)
  await haproxy.supervise()
  expect(starts()).toBe(before + 2)
})

test('removing takes everything away, also what is not there', async () => {
  const { haproxy, paths } = createFixture()
  await haproxy.upload(LB, 'good')
  haproxy.noteCertificates(LB)
  expect(await haproxy.remove(LB)).toMatchObject({ ok: true })
  expect(existsSync(paths.folder(LB))).toBe(false)
  expect(await haproxy.remove(LB)).toMatchObject({ ok: true })
})

test('more requests than can wait are refused', async () => {
  const { haproxy } = createFixture()
  const all = Array.from({ length: 100 }, () => haproxy.upload(LB, 'good'))
  const refused = (await Promise.allSettled(all)).filter((each) => each.status === 'rejected')
  expect(refused).toHaveLength(36)
})

test('the master is known while haproxy rewrites its own pid file, and when only that is there', () => {
  const { paths, haproxy } = createFixture()
  haproxy.noteCertificates(LB)
  const argv = ['sh', '-c', 'read line', paths.haproxyConfig(LB)]
  const master = Bun.spawn(argv, { stdio: ['pipe', 'ignore', 'ignore'] })
  onTestFinished(() => master.kill('SIGKILL'))
  writeFileSync(paths.pid(LB), `${master.pid}\n`)
  expect(runningPid(paths, LB)).toBe(master.pid)
  writeFileSync(paths.masterPid(LB), `${master.pid}\n`)
  writeFileSync(paths.pid(LB), '')
  expect(runningPid(paths, LB)).toBe(master.pid)
})

test.each([
  ['another process', String(process.pid)],
  ['PID 1', '1'],
  ['nothing', ''],
  ['nonsense', 'x'],
  ['a negative number, which would be a group', '-1'],
])('a pid file with %s is not ours', (_, text) => {
  const { paths, haproxy } = createFixture()
  haproxy.noteCertificates(LB)
  for (const path of [paths.pid(LB), paths.masterPid(LB)]) writeFileSync(path, `${text}\n`)
  expect(runningPid(paths, LB)).toBeUndefined()
})

const OLD =
  '#<PID>  <type>  <relative PID>  <reloads>  <uptime>  <version>\n69  master  0  2  0d00h01m  2.4\n'

test.each([
  [
    '5               master          2 [failed: 1]   0d00h00m04s     2.6',
    { reloads: 2, failed: 1 },
  ],
  ['#<PID> <type>\n1162  master  5 [failed: 0]  0d', { reloads: 5, failed: 0 }],
  ['1162            master          3               0d00h02m07s', { reloads: 3, failed: 0 }],
  ['', undefined],
  ['Unknown command', undefined],
  // As 2.4 says it, after a good reload and after one that failed.
  [
    `${OLD}# workers\n70  worker  1  0  0d00h00m04s  2.4.0\n# old workers\n`,
    { reloads: 2, failed: 0 },
  ],
  [
    `${OLD}# workers\n# old workers\n70  worker  [was: 1]  1  0d00h00m04s  2.4.0\n`,
    { reloads: 2, failed: 1 },
  ],
])('show proc: %s', (text, expected) => {
  expect(parseMaster(text)).toEqual(expected)
})

test('frontends of a configuration', () => {
  const text =
    'global\n    maxconn 5\n\nfrontend a\n    bind :1\n    mode http\n\nbackend p:a\n    mode http\nfrontend b\n    mode tcp\n'
  expect(frontendsOf(text)).toEqual([
    { id: 'a', mode: 'HTTP' },
    { id: 'b', mode: 'TCP' },
  ])
})

test.each([
  ['root:x:0:\nnogroup:x:65534:\n', 'group nogroup'],
  ['root:x:0:\nnobody:x:65534:\n', 'group nobody'],
])('the group of nobody', (groups, expected) => {
  expect(renderUserGroup(groups)).toContain(expected)
})
