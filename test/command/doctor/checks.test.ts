/** What each look says of what it finds: tables, and real files where files are looked at. */
import { Database } from 'bun:sqlite'
import { createPrivateKey } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  checkAmphoraCertificates,
  checkCertificates,
} from '../../../src/command/doctor/certificates.ts'
import { checkDataDirectory } from '../../../src/command/doctor/data-directory.ts'
import { type Finding, fail, findingLines, ok, warn } from '../../../src/command/doctor/finding.ts'
import { checkRows, type Rows } from '../../../src/command/doctor/load-balancers.ts'
import { hasPort, localUrl } from '../../../src/command/doctor/service.ts'
import { openDataFolder } from '../../../src/command/serve/data-folder.ts'
import { configDefaults } from '../../../src/config/load.ts'
import { openStore } from '../../../src/store/store.ts'
import type { JobRow } from '../../../src/store/tables.ts'
import { timestamp } from '../../../src/system/clock.ts'
import { amphoraRow, loadBalancerRow } from '../../fake/rows.ts'

const NOW = Date.parse('2026-06-01T00:00:00Z')
const DAY = 86_400_000
const said = ({ what, state, text }: Finding) => `${state} ${what}: ${text}`

const job = (over: Partial<JobRow>): JobRow => ({
  ...{ sequence: 1, id: 'j', flow: 'pool-create', load_balancer_id: 'l', input: '{}' },
  ...{ status: 'RUNNING', error: null, request_id: null },
  ...{ created_ms: NOW - 1_000, started_ms: null, finished_ms: null, ...over },
})
const rows = (over: Partial<Rows> = {}): Rows => ({
  ...{ failed: [], open: [], stuck: [], inError: 0, silent: [], serving: [], ...over },
})
const silent = { amphora_id: 'a', seq: 1, busy: false, status: 'ALLOCATED' } as const

test.each<[string, Partial<Rows>, RegExp | null]>([
  ['nothing', {}, null],
  ['a job that just began', { open: [job({})] }, null],
  [
    'one that waits',
    { open: [job({ created_ms: NOW - 40 * 60_000 })] },
    /^warn open jobs: 1, .* \(pool-create\) for 40 minutes: octavia-lite jobs show j /,
  ],
  [
    'one that failed',
    { failed: [job({ status: 'FAILED', error: 'no room' })] },
    /a day, 1 of them could not be undone; the last: pool-create of load balancer l: no room; /,
  ],
  [
    'a change without a job',
    { stuck: [loadBalancerRow({ id: 'l', provisioning_status: 'PENDING_UPDATE' })] },
    /^fail changes without a job: l \(PENDING_UPDATE\) will not .* octavia-lite doctor stuck /,
  ],
  ['one in ERROR', { inError: 2 }, /^warn load balancers in ERROR: 2: octavia-lite lb list /],
  [
    'a silent amphora',
    { silent: [{ ...silent, last_update_ms: NOW - 90_000, loadbalancer_id: 'l' }] },
    /^fail silent amphorae: a \(1 minute\): .*octavia-lite amphora failover ID$/,
  ],
])('%s', (_name, over, expected) => {
  const wrong = checkRows(rows(over), NOW, true).filter(({ state }) => state !== 'ok')
  expect(wrong.map(said)).toEqual(expected === null ? [] : [expect.stringMatching(expected)])
})

test('without a serve everybody is silent, and waits', () => {
  const old = { ...silent, last_update_ms: 0, loadbalancer_id: 'l' }
  const waits = job({ created_ms: NOW - DAY })
  const found = checkRows(rows({ silent: [old], open: [waits] }), NOW, false)
  expect(found.filter(({ state }) => state !== 'ok').map(said)).toEqual([
    'warn open jobs: 1, the oldest (pool-create) for 1 day: they go on when octavia-lite serve runs',
  ])
})

test.each<[string, readonly (number | null)[], RegExp]>([
  ['none', [], /^ok .*: none$/],
  ['noop ones', [null], /^ok .*: none$/],
  ['new ones', [30 * DAY, 20 * DAY], /^ok .*: 2, the first ends in 20 days$/],
  ['one about to be renewed', [14 * DAY - 60_000], /^ok /],
  ['one not renewed', [30 * DAY, 10 * DAY], /^warn .*: 1 should have been renewed, .* in 10 days/],
  ['one that ended', [30 * DAY, -DAY], /^fail .*: 1 ended, the first of amphora /],
])('certificates of amphorae: %s', (_name, left, expected) => {
  const amphorae = left.map((ms) =>
    amphoraRow({ cert_expiration: ms === null ? null : timestamp(NOW + ms) }),
  )
  const options = { now: NOW, cert_expiry_buffer: 1_209_600, cert_interval: 3_600 }
  expect(said(checkAmphoraCertificates(amphorae, options))).toMatch(expected)
})

async function dataFolder() {
  const path = mkdtempSync(join(tmpdir(), 'doctor-'))
  const folder = await openDataFolder(path)
  openStore(folder.database).close()
  folder.release()
  return { path, database: folder.database }
}

test('a data directory as serve makes it, and what is done to it', async () => {
  const { path, database } = await dataFolder()
  const look = async () => (await checkDataDirectory(path)).map(said)
  const withConfig = {
    ...configDefaults(),
    DEFAULT: { ...configDefaults().DEFAULT, data_dir: path },
  }
  const certificates = async (now: number) => (await checkCertificates(withConfig, now)).map(said)

  expect((await look()).map((line) => line.split(' ')[0])).toEqual(['ok', 'ok', 'ok'])
  const now = Date.now()
  expect((await certificates(now)).map((line) => line.split(' ')[0])).toEqual(Array(5).fill('ok'))
  expect((await certificates(now + 3_600 * DAY))[0]).toMatch(/^warn CA of amphorae: .* ends in/)
  expect((await certificates(now + 4_000 * DAY))[3]).toMatch(/^fail controller's .* expired 3/)

  chmodSync(join(path, 'token.key'), 0o640)
  writeFileSync(join(path, 'certs', 'client.pem'), 'something')
  writeFileSync(join(path, 'heartbeat.key'), '')
  expect((await look())[0]).toBe(
    `fail ${path}: others can read secrets in it: chmod go= ${join(path, 'token.key')}`,
  )
  const now2 = await certificates(now)
  expect(now2[3]).toMatch(/^fail controller's certificate: .*client.pem is no certificate; restore/)
  expect(now2[4]).toMatch(/^fail key of heartbeats: .* holds no key: restore it/)

  const raw = new Database(database)
  raw.run('PRAGMA user_version = 99')
  raw.close()
  expect((await look())[2]).toMatch(/^fail database: a newer octavia-lite wrote it/)
  writeFileSync(database, 'not a database, but long enough to be looked at as if it were one')
  expect((await look())[2]).toMatch(/^fail database: .* cannot be read: file is not a database/)
})

test("an operator's CA, its key sealed or of another", async () => {
  const { path } = await dataFolder()
  const plain = configDefaults()
  const key = join(path, 'sealed.pem')
  const ca = readFileSync(join(path, 'certs', 'server_ca.pem'), 'utf8')
  const sealed = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'serverca' }
  writeFileSync(key, createPrivateKey(ca).export(sealed as never))
  const look = async (name: string, ca_private_key_passphrase: string | null) => {
    const certificates = {
      ...{ ...plain.certificates, ca_private_key: key },
      ...{ ca_certificate: join(path, 'certs', name), ca_private_key_passphrase },
    }
    const DEFAULT = { ...plain.DEFAULT, data_dir: path }
    const found = await checkCertificates({ ...plain, DEFAULT, certificates }, Date.now())
    return said(found[1] ?? ok(''))
  }
  expect(await look('server_ca.pem', 'serverca')).toBe('ok key of that CA: ')
  for (const wrong of ['other', null])
    expect(await look('server_ca.pem', wrong)).toMatch(/^fail .*see .* ca_private_key_passphrase$/)
  expect(await look('client_ca.pem', 'serverca')).toMatch(/^fail .* is the key of another /)
})

test('a database with a damaged page', async () => {
  const { path, database } = await dataFolder()
  const bytes = Buffer.from(await Bun.file(database).bytes())
  bytes.fill(0x5a, 4096 * 3, 4096 * 4)
  writeFileSync(database, bytes)
  expect(said((await checkDataDirectory(path))[2] ?? ok(''))).toMatch(
    /^fail database: .*(damaged|cannot be read).*(restore a backup|as root)/,
  )
})

test('a data directory that is not there', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'doctor-')), 'data')
  expect((await checkDataDirectory(path)).map(said)).toEqual([
    `fail ${path}: it is not there yet; start octavia-lite serve once`,
  ])
  mkdirSync(path, { mode: 0o700 })
  expect((await checkDataDirectory(path)).map(said)[2]).toMatch(/^fail database: .* not there yet/)
})

const UDP = `  sl  local_address rem_address   st
  110: 0200A8C0:15B3 00000000:0000 07 00000000:00000000 00:00000000 00000000
  111: 00000000000000000000000000000000:0044 00000000:0000 07`

test('a port in the table of the kernel', () => {
  expect([5555, 68, 0, 21].map((port) => hasPort(UDP, port))).toEqual([true, true, false, false])
})

test.each([
  ['0.0.0.0', 'http://127.0.0.1:9876'],
  ['::', 'http://[::1]:9876'],
  ['10.0.0.5', 'http://10.0.0.5:9876'],
])('an API at %s is asked at %s', (bind_host, url) => {
  const config = configDefaults()
  const api_settings = { ...config.api_settings, bind_host }
  expect(localUrl({ ...config, api_settings })).toBe(url)
})

test('colour only on a terminal, and lines stay lines', () => {
  const findings = [ok('one', 'fine'), warn('two', 'a\nb'), fail('three', 'broken')]
  const io = { out: () => {}, err: () => {}, env: {} }
  expect(findingLines(findings, { ...io, terminal: false })).toBe(
    'ok    one    fine\nwarn  two    a b\nfail  three  broken\n',
  )
  expect(findingLines(findings, { ...io, terminal: true })).toContain('\x1b[31mfail\x1b[0m  three')
  const plain = { ...io, terminal: true, env: { NO_COLOR: '1' } }
  expect(findingLines(findings, plain)).not.toContain('\x1b')
})
