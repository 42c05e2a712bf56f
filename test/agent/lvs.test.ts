/** The service with programs that only pretend; the real ones are in the lab's virtual machine. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RunResult } from '../../src/system/process.ts'
import { createFixture } from './fixture.ts'

const ID = 'c5f4c1de-1f0a-4a51-8a5e-0a7c8f1d9e02'
const CONF = readFileSync(join(import.meta.dirname, '../dataplane/lvs-cases/udp.conf'), 'utf8')
const EMPTY = readFileSync(join(import.meta.dirname, '../dataplane/lvs-cases/no-pool.conf'), 'utf8')

function createLvs() {
  const fixture = createFixture()
  const failing = new Map<string, RunResult>()
  fixture.answers.unshift((argv) => failing.get(argv.find((word) => failing.has(word)) ?? ''))
  return { ...fixture, failing }
}

test('a configuration is kept when keepalived accepts it, and the check programs are there', async () => {
  const { lvs, paths } = createLvs()
  expect(await lvs.upload(ID, CONF)).toEqual({ ok: true, details: '' })
  expect(lvs.list()).toEqual([ID])
  expect(lvs.read(ID)).toBe(CONF)
  const script = join(paths.lvsChecks, 'udp_check.sh')
  expect(statSync(script).mode & 0o777).toBe(0o755)
  expect(readFileSync(script, 'utf8')).toBe(
    `#!/bin/sh\nexec '/bin/octavia-lite' 'agent' check udp "$@"\n`,
  )
  expect(readFileSync(join(paths.lvsChecks, 'amphora-health-checker'), 'utf8')).toContain(
    'check "$@"',
  )
})

test('a refused one is not kept', async () => {
  const { lvs, failing } = createLvs()
  await lvs.upload(ID, CONF)
  failing.set('keepalived', { code: 5, stdout: '', stderr: '' })
  expect(await lvs.upload(ID, EMPTY)).toEqual({ ok: false, details: 'keepalived ended with 5' })
  expect(lvs.read(ID)).toBe(CONF)
})

test.each([
  ['SECURITY VIOLATION - check scripts are being executed', undefined],
  [
    'SECURITY VIOLATION - check scripts\n(a: Line 1) Unknown keyword',
    '(a: Line 1) Unknown keyword',
  ],
])('that programs of checks are not settled is no fault: %j', async (said, fault) => {
  const { lvs, answers } = createLvs()
  answers.unshift((argv) => {
    const log = argv.find((word) => word.startsWith('--config-test='))?.split('=')[1]
    if (log === undefined) return undefined
    writeFileSync(log, `${said}\n`)
    return { code: 6, stdout: '', stderr: '' }
  })
  const outcome = await lvs.upload(ID, CONF)
  expect(outcome).toEqual({ ok: fault === undefined, details: fault ?? '' })
})

test('without IPVS in the kernel the answer is one sentence, and nothing is kept', async () => {
  const { lvs, failing } = createLvs()
  const stderr = 'modprobe: FATAL: Module ip_vs not found in directory /lib/modules/6\n'
  failing.set('sh', { code: 1, stdout: '', stderr })
  const { ok, details } = await lvs.upload(ID, CONF)
  expect(ok).toBe(false)
  expect(details).toBe(
    'the kernel below this amphora has no IPVS, which UDP and SCTP listeners need (modprobe: ' +
      'FATAL: Module ip_vs not found in directory /lib/modules/6); listeners of other protocols ' +
      'go on',
  )
  expect(lvs.list()).toEqual([])
})

test('a listener without servers needs no keepalived, and reports all the same', async () => {
  const { lvs, calls } = createLvs()
  await lvs.upload(ID, EMPTY)
  calls.splice(0)
  expect(await lvs.control(ID, 'reload')).toMatchObject({ ok: true })
  expect(calls.filter((argv) => argv.includes('keepalived'))).toEqual([])
  expect(lvs.statusOf(ID)).toBe('OFFLINE')
  expect((await lvs.rows()).map((row) => row.pxname)).toEqual([ID])
})

test('what a keepalived that was killed left in the kernel is cleared before a start', async () => {
  const { lvs, calls, failing } = createLvs()
  await lvs.upload(ID, CONF)
  failing.set('--pid', { code: 1, stdout: '', stderr: 'why it did not start' })
  expect(await lvs.control(ID, 'reload')).toEqual({ ok: false, details: 'why it did not start' })
  const cleared = calls.findIndex((argv) => argv.includes('--delete-service'))
  expect(calls[cleared]?.slice(-3)).toEqual(['--delete-service', '--udp-service', '10.0.0.2:53'])
  expect(calls.findIndex((argv) => argv.includes('--pid'))).toBeGreaterThan(cleared)
})

test('one that does not run reports nothing, and is started ever more seldom until stopped', async () => {
  const { lvs, calls, clock, failing } = createLvs()
  await lvs.upload(ID, CONF)
  expect(await lvs.rows()).toEqual([])
  expect(lvs.statusOf(ID)).toBe('ERROR')
  failing.set('--pid', { code: 1, stdout: '', stderr: '' })
  const starts = () => calls.filter((argv) => argv.includes('--pid')).length
  for (let second = 0; second < 100; second++) {
    await lvs.supervise()
    await clock.advance(1_000)
  }
  expect(starts()).toBe(8)
  await lvs.control(ID, 'stop')
  await clock.advance(3_600_000)
  await lvs.supervise()
  expect(starts()).toBe(8)
  expect(lvs.statusOf(ID)).toBe('OFFLINE')
})

describe('removal', () => {
  test('takes every file of the listener, and the rules with the last one', async () => {
    const { lvs, paths, stdins } = createLvs()
    const other = `${ID}0`
    await lvs.upload(ID, EMPTY)
    await lvs.upload(other, EMPTY)
    for (const id of [ID, other]) await lvs.control(id, 'reload')
    stdins.splice(0)
    expect(await lvs.remove(ID)).toMatchObject({ ok: true })
    expect(lvs.list()).toEqual([other])
    expect(existsSync(paths.lvsFile(ID, 'conf.good'))).toBe(false)
    expect(stdins.at(-1)).toContain('masquerade')
    await lvs.remove(other)
    expect(stdins.at(-1)).not.toContain('masquerade')
    expect(stdins.at(-1)).toContain('delete table inet octavia_lvs')
  })
})
