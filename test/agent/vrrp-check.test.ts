/** The check that keepalived runs, by a real shell, over processes that are called haproxy. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createFixture, LB } from './fixture.ts'

async function createChecked() {
  const fixture = createFixture()
  const { keepalived, haproxy, paths, folder } = fixture
  await keepalived.upload('good')
  const run = (): number => Bun.spawnSync(['sh', paths.vrrpCheckScript]).exitCode
  /** A process of that name; the pid file says it is the one meant. */
  const pretend = async (name: string, pidFile: string) => {
    const program = join(folder, name)
    copyFileSync(Bun.which('sleep') ?? '/bin/sleep', program)
    const child = Bun.spawn([program, '60'], { stdio: ['ignore', 'ignore', 'ignore'] })
    onTestFinished(() => child.kill('SIGKILL'))
    writeFileSync(pidFile, `${child.pid}\n`)
    return async () => {
      child.kill('SIGKILL')
      await child.exited
    }
  }
  return { ...fixture, haproxy, run, pretend }
}

test('nothing to serve is nothing amiss', async () => {
  const { run } = await createChecked()
  expect(run()).toBe(0)
})

test('haproxy must run and answer, unless it was told to stop', async () => {
  const { haproxy, paths, run, pretend } = await createChecked()
  await haproxy.upload(LB, 'good')
  expect(run()).toBe(1)
  const end = await pretend('haproxy', paths.masterPid(LB))
  expect(run()).toBe(0)
  writeFileSync(paths.unresponsive(LB), '')
  expect(run()).toBe(1)
  writeFileSync(paths.stopped(LB), '')
  expect(run()).toBe(0)
  await haproxy.control(LB, 'start')
  await end()
  expect(run()).toBe(1)
})

test('a process which only has the number of haproxy is not haproxy', async () => {
  const { haproxy, paths, run } = await createChecked()
  await haproxy.upload(LB, 'good')
  for (const text of [`${process.pid}`, '', 'nonsense', '../self', '0']) {
    writeFileSync(paths.masterPid(LB), `${text}\n`)
    expect(run()).toBe(1)
  }
})

test('a dead LVS process fails as well', async () => {
  const { paths, run, pretend } = await createChecked()
  mkdirSync(join(paths.base, 'lvs'))
  const file = join(paths.base, 'lvs/octavia-keepalivedlvs-l1.pid')
  const end = await pretend('keepalived', file)
  expect(run()).toBe(0)
  await end()
  expect(run()).toBe(1)
})
