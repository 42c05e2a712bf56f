import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { createFixture } from './fixture.ts'

test('a checked configuration is kept, unreadable to others, with the check it names', async () => {
  const { keepalived, paths } = createFixture()
  expect(keepalived.isConfigured()).toBe(false)
  expect(await keepalived.upload('good')).toMatchObject({ ok: true })
  expect(keepalived.isConfigured()).toBe(true)
  expect(statSync(paths.vrrpConfig).mode & 0o777).toBe(0o600)
  expect(statSync(paths.vrrpCheckScript).mode & 0o777).toBe(0o755)
})

test('a refused one changes nothing', async () => {
  const { keepalived, paths } = createFixture()
  await keepalived.upload('good')
  expect(await keepalived.upload('bad')).toEqual({ ok: false, details: 'bad' })
  expect(readFileSync(paths.vrrpConfig, 'utf8')).toBe('good')
  expect(existsSync(paths.newVrrpConfig)).toBe(false)
})

test('what should run is started, ever more seldom, until it was told to stop', async () => {
  const { keepalived, clock, calls, behaviour } = createFixture()
  behaviour.startCode = 1
  await keepalived.upload('good').catch(() => {})
  behaviour.startCode = 0
  await keepalived.upload('good')
  behaviour.startCode = 1
  const starts = () => calls.filter((argv) => argv.includes('--vrrp')).length
  for (let second = 0; second < 40; second++) {
    await keepalived.supervise()
    await clock.advance(1_000)
  }
  // At 0, 1, 3, 7, 15 and 31 seconds.
  expect(starts()).toBe(6)
  await keepalived.control('stop')
  await clock.advance(3_600_000)
  await keepalived.supervise()
  expect(starts()).toBe(6)
})

test('a running one reads what is new, once', async () => {
  const { keepalived, paths } = createFixture()
  await keepalived.upload('good')
  const script = "trap 'echo hup' HUP; echo up; while :; do sleep 0.01; done"
  const daemon = Bun.spawn(['sh', '-c', script, paths.vrrpConfig], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onTestFinished(() => daemon.kill('SIGKILL'))
  const reader = daemon.stdout.getReader()
  const said = async () => new TextDecoder().decode((await reader.read()).value)
  expect(await said()).toBe('up\n')
  writeFileSync(paths.vrrpPid, `${daemon.pid}\n`)
  expect(keepalived.isRunning()).toBe(true)
  expect(await keepalived.control('start')).toEqual({ ok: true, details: 'keepalived started' })
  expect(await said()).toBe('hup\n')
  expect(await keepalived.control('reload')).toEqual({ ok: true, details: 'keepalived reloaded' })
  // Had it been told again, this would be one line more.
  await keepalived.upload('good and new')
  await keepalived.control('reload')
  expect(await said()).toBe('hup\n')
  expect(readFileSync(paths.goodVrrpConfig, 'utf8')).toBe('good and new')
})
