/** `octavia-lite secret` with the built-in store in place of the network. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createHeaderIdentity } from '../../src/api/identity.ts'
import { secretCommand } from '../../src/command/secret.ts'
import { listener } from '../../src/model/listener.ts'
import { loadBalancer } from '../../src/model/load-balancer.ts'
import { insertRow } from '../../src/store/repository.ts'
import { createKeyManager, type KeyManagerHarness } from '../api/key-manager-harness.ts'
import { listenerRow, loadBalancerRow } from '../fake/rows.ts'
import { NO_LOGIN } from './client/harness.ts'

const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-secret-'))
const at = (name: string) => join(folder, name)

/** RSA, EC, an encrypted key, PKCS#12 without a password and with one, all of one name. */
beforeAll(() => {
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const self = ['req', '-x509', '-nodes', '-subj', '/CN=web.example', '-keyout', 'key.pem']
  openssl(...self, '-newkey', 'rsa:2048', '-out', 'cert.pem', '-days', '400')
  openssl(...self.with(-1, 'ec-key.pem'), '-newkey', 'ec', ...CURVE, '-out', 'ec.pem')
  openssl('rsa', '-in', 'key.pem', '-aes256', '-passout', 'pass:sesame', '-out', 'enc.pem')
  const pair = ['pkcs12', '-export', '-in', 'cert.pem', '-inkey', 'key.pem']
  openssl(...pair, '-passout', 'pass:', '-out', 'all.p12')
  openssl(...pair, '-passout', 'pass:x', '-out', 'locked.p12')
  writeFileSync(at('pass'), 'sesame\n')
  writeFileSync(at('wrong'), 'open\n')
  writeFileSync(at('empty'), '')
})
afterAll(() => rmSync(folder, { recursive: true }))
const CURVE = ['-pkeyopt', 'ec_paramgen_curve:prime256v1', '-days', '5']

let keys: KeyManagerHarness
beforeEach(async () => {
  keys = await createKeyManager(createHeaderIdentity({ is_admin: true, default_project_id: 'p' }))
})

async function run(line: string): Promise<{ out: string; err: string; failed: string | null }> {
  let [out, err] = ['', '']
  const io = {
    out: (text: string) => {
      out += text
    },
    err: (text: string) => {
      err += text
    },
    ...{ terminal: false, env: NO_LOGIN },
  }
  const words = line.split(' ').map((word) => word.replace('@', `${folder}/`))
  const send = (url: string, init: RequestInit) => keys.app.handle(new Request(url, init))
  try {
    await secretCommand(send).run(words, io)
    return { out, err, failed: null }
  } catch (error) {
    return { out, err, failed: (error as Error).message.replaceAll(`${folder}/`, '@') }
  }
}

const refs = async (): Promise<readonly { name: string; type: string; ref: string }[]> =>
  JSON.parse((await run('list --json')).out)

test.each([
  ['of RSA', '--certificate @cert.pem --private-key @key.pem', ''],
  ['of EC, soon over', '--certificate @ec.pem --private-key @ec-key.pem', 'it expires in 4 days'],
  [
    'with an encrypted key',
    '--certificate @cert.pem --private-key @enc.pem --passphrase-file @pass',
    '',
  ],
  ['with a chain', '--certificate @cert.pem --private-key @key.pem --intermediates @ec.pem', ''],
  ['in PKCS#12', '--pkcs12 @all.p12', ''],
])('a certificate %s is stored, and its reference leads to it', async (_, files, note) => {
  const { out, err, failed } = await run(`store --name web ${files}`)
  expect([failed, err.includes(note)]).toEqual([null, true])
  expect(err === '').toBe(note === '')
  expect(out).toMatch(/^http:\/\/lb\.example\/key-manager\/v1\/(secrets|containers)\/[0-9a-f-]+\n$/)
  expect(await keys.certificateManager.findCertificate(out.trim(), null)).toBeDefined()
  expect(await refs()).toMatchObject([{ name: 'web', ref: out.trim() }])
})

test('a CA is stored and read as it was', async () => {
  const { out } = await run('store --name ca --file @cert.pem --json')
  const { ref, expires } = JSON.parse(out)
  expect(Date.parse(expires)).toBeGreaterThan(Date.now())
  expect(await keys.certificateManager.findSecret(ref, null)).toMatch(/^-----BEGIN CERTIFICATE/)
})

test.each([
  ['the key of another', '--certificate @cert.pem --private-key @ec-key.pem', 'of another'],
  ['no passphrase', '--certificate @cert.pem --private-key @enc.pem', 'no passphrase'],
  [
    'another passphrase',
    '--certificate @cert.pem --private-key @enc.pem --passphrase-file @wrong',
    'another passphrase',
  ],
  ['no key', '--certificate @cert.pem', '--private-key FILE'],
  ['no certificate in it', '--certificate @pass --private-key @key.pem', '@pass with @key.pem'],
  ['a file that is not there', '--file @nope', '@nope cannot be read (ENOENT)'],
  ['an empty file', '--file @empty', '@empty is empty'],
  ['a key instead of a CA', '--file @pass', '@pass has'],
  ['a PKCS#12 with a password', '--pkcs12 @locked.p12', 'openssl pkcs12 -in @locked.p12'],
  ['nothing', '', 'is needed'],
])('with %s nothing is stored', async (_, files, reason) => {
  const { failed, out } = await run(`store --name web ${files}`.trim())
  expect([failed?.includes(reason), out]).toEqual([true, ''])
  expect(failed).not.toMatch(/sesame|PRIVATE KEY/)
  expect(await refs()).toEqual([])
})

test('show prints no private key unless asked', async () => {
  await run('store --name web --certificate @cert.pem --private-key @key.pem')
  await run('store --name all --pkcs12 @all.p12')
  for (const name of ['web', 'all']) {
    for (const line of [`show ${name}`, `show ${name} --json`, `show ${name} --certificate`])
      expect((await run(line)).out.match(/name|BEGIN CERTIFICATE|PRIVATE KEY/g)).not.toContain(
        'PRIVATE KEY',
      )
    const { out } = await run(`show ${name} --private-key`)
    expect(out).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
  }
  const [web] = await refs()
  expect((await run(`show ${web?.ref}`)).out).toContain('certificate, private_key')
  expect((await run('show other')).failed).toBe("there is no secret 'other'")
})

test('what is in use is not deleted, by name and reference it goes with its parts', async () => {
  const ref = (
    await run('store --name web --certificate @cert.pem --private-key @key.pem')
  ).out.trim()
  await run('store --name all --pkcs12 @all.p12')
  const lb = loadBalancerRow({})
  const front = listenerRow({
    ...{ name: 'front', default_tls_container_ref: ref, loadbalancer_id: lb.id },
  })
  await keys.store.transaction(async (tx) => {
    await insertRow(tx, loadBalancer, lb)
    await insertRow(tx, listener, front)
  })
  expect((await run('show web')).out).toContain(`used by    listener front (${front.id})`)
  expect((await run('delete web')).failed).toBe(
    `It is in use by listener front (${front.id}). (HTTP 409)`,
  )
  await keys.store.transaction((tx) => tx.deleteFrom('listener').execute())
  expect((await run(`delete ${ref}`)).failed).toBeNull()
  expect((await run('delete all')).failed).toBeNull()
  expect(await keys.store.read.selectFrom('secret').selectAll().execute()).toEqual([])
})

test('two of one name need a reference', async () => {
  for (const _ of [1, 2]) await run('store --name all --pkcs12 @all.p12')
  expect((await run('delete all')).failed).toBe("several secrets are named 'all'; use a reference")
  expect(await refs()).toHaveLength(2)
})
