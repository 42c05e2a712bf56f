import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { daemonPid, signalDaemon, stopDaemon } from '../../src/agent/daemon.ts'
import { systemClock } from '../../src/system/clock.ts'

const ARGUMENT = 'the-configuration'

function pidFile(pid: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-daemon-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'pid')
  writeFileSync(path, `${pid}\n`)
  return path
}

/** A shell that ends itself with its parent's pipe, and may be deaf to SIGTERM. */
async function started(trap: string): Promise<number> {
  const child = spawn('sh', ['-c', `${trap} echo up; read line`, ARGUMENT])
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  return child.pid ?? 0
}

test('it is known by its pid file and an argument, and stopped', async () => {
  const pid = await started('')
  const daemon = { pidFiles: [`${pidFile(pid)}.none`, pidFile(pid)], argument: ARGUMENT }
  expect(daemonPid(daemon)).toBe(pid)
  expect(daemonPid({ ...daemon, argument: 'another' })).toBeUndefined()
  expect(await stopDaemon(systemClock, daemon)).toBe(true)
  expect(daemonPid(daemon)).toBeUndefined()
  expect(signalDaemon(daemon, 'SIGHUP')).toBe(false)
})

test('a pid file from before a reboot may name a thread of the kernel, or nobody', () => {
  for (const pid of [2, 2 ** 30])
    expect(daemonPid({ pidFiles: [pidFile(pid)], argument: ARGUMENT })).toBeUndefined()
})

test('one which is deaf to SIGTERM is ended by force', async () => {
  const pid = await started("trap '' TERM;")
  const daemon = { pidFiles: [pidFile(pid)], argument: ARGUMENT }
  const jumping = {
    now: () => now,
    sleep: (ms: number) => {
      now += ms * 100
      return systemClock.sleep(1)
    },
  }
  let now = 0
  expect(await stopDaemon({ ...systemClock, ...jumping }, daemon)).toBe(true)
})
