/** Barbican's secrets as certificates: in every form, with whose right, and what is shared. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CertificateManager } from '../../../src/driver/certificate-manager.ts'
import { createBarbicanCertificateManager } from '../../../src/driver/openstack/certificate-manager.ts'
import { createService } from '../../../src/driver/openstack/service.ts'
import { createSession } from '../../../src/driver/openstack/session.ts'
import { silentLog } from '../../../src/system/log.ts'
import { createFakeBarbican, type FakeBarbican } from '../../fake/barbican.ts'
import { createFakeClock } from '../../fake/clock.ts'
import { createFakeKeystone, type FakeKeystone, SERVICE_PASSWORD } from '../../fake/keystone.ts'

const NAMED = { id: null, name: 'octavia', domain_id: 'default', domain_name: null }
/** The user of the service. */
const OURS = 'octavia'

let keystone: FakeKeystone
let barbican: FakeBarbican
let manager: CertificateManager

beforeEach(() => {
  const clock = createFakeClock({ jump: true })
  keystone = createFakeKeystone({ now: clock.now })
  barbican = createFakeBarbican(keystone)
  const transport = {
    tls: { ca: null, cert: null, key: null, insecure: false },
    timeout_ms: 5_000,
    connect_retries: 0,
  }
  const scope = { kind: 'project', project: { ...NAMED, name: 'service' } } as const
  const credentials = { kind: 'password', user: NAMED, password: SERVICE_PASSWORD, scope } as const
  const session = createSession({ clock }, { auth_url: keystone.url, credentials, ...transport })
  const endpoint = {
    ...{ type: 'key-manager', interfaces: ['publicURL'], region: null, name: null, override: null },
  }
  const named = { title: 'Barbican', endpoint, version: 'v1', transport, status_retries: 0 }
  manager = createBarbicanCertificateManager({
    barbican: createService({ clock, log: silentLog, session }, named),
    userId: () => session.userId(),
  })
})
afterEach(async () => {
  await barbican.stop()
  await keystone.stop()
})

/** Somebody with a token of that project. */
function reader(project_id: string) {
  const caller = { user_id: 'ann', project_id, roles: ['member'], is_admin: false }
  return { caller, token: keystone.issue({ user_id: 'ann', project_id }) }
}

const PARTS = { certificate: 'CERT', private_key: 'KEY' }
function addCertificate(over: Readonly<Record<string, string | Uint8Array>> = {}) {
  const refs = Object.entries({ ...PARTS, ...over }).map(([name, content]) => [
    name,
    barbican.addSecret('shop', content),
  ])
  const parts: Record<string, string> = Object.fromEntries(refs)
  return { ref: barbican.addContainer('shop', parts), parts }
}

test('a container is a certificate, and readable by us from then on', async () => {
  const chain = Buffer.from([0x30, 0x80, 0xff])
  const { ref, parts } = addCertificate({ private_key_passphrase: 'sesame', intermediates: chain })
  const found = {
    form: 'parts',
    certificate: Buffer.from('CERT'),
    private_key: Buffer.from('KEY'),
    passphrase: 'sesame',
    intermediates: chain,
  }
  expect(await manager.findCertificate(ref, null)).toBeUndefined()
  expect(await manager.findCertificate(ref, reader('shop'))).toEqual(found)
  for (const each of [ref, ...Object.values(parts)])
    expect(barbican.sharedWith(each)).toEqual([OURS])
  expect(await manager.findCertificate(ref, null)).toEqual(found)
  const before = barbican.requests.length
  await manager.findCertificate(ref, reader('shop'))
  expect(barbican.requests.slice(before).filter((one) => one.startsWith('PUT'))).toEqual([])
})

test('a secret is PKCS#12 where a certificate is meant, and text elsewhere', async () => {
  const content = Buffer.from([0x30, 0x82, 0, 1, 255])
  const bundle = barbican.addSecret('shop', content)
  expect(await manager.findCertificate(bundle, reader('shop'))).toEqual({ form: 'pkcs12', content })
  const ca = barbican.addSecret('shop', '-----BEGIN CERTIFICATE-----')
  expect(await manager.findSecret(ca, reader('shop'))).toBe('-----BEGIN CERTIFICATE-----')
  expect(await manager.findSecret(ca, null)).toBe('-----BEGIN CERTIFICATE-----')
})

test('what the caller may not read is not found, and shared with nobody', async () => {
  const { ref, parts } = addCertificate()
  for (const each of [ref, parts.certificate ?? '']) {
    expect(await manager.findCertificate(each, reader('other'))).toBeUndefined()
    expect(await manager.findSecret(each, reader('other'))).toBeUndefined()
    expect(barbican.sharedWith(each)).toEqual([])
  }
  // Not even when we may read it by now.
  await manager.findCertificate(ref, reader('shop'))
  expect(await manager.findCertificate(ref, reader('other'))).toBeUndefined()
})

test.each<[string, () => string]>([
  ['no reference', () => 'web'],
  ['nothing', () => `http://h/v1/secrets/${crypto.randomUUID()}`],
  ['a secret with nothing in it', () => barbican.addSecret('shop', null)],
  ['a container of another type', () => barbican.addContainer('shop', {}, 'generic')],
  ['a container without a key', () => barbican.addContainer('shop', {})],
  [
    'a container whose secret is gone',
    () =>
      barbican.addContainer('shop', {
        certificate: `http://h/v1/secrets/${crypto.randomUUID()}`,
        private_key: barbican.addSecret('shop', 'KEY'),
      }),
  ],
])('%s is no certificate', async (_, add) => {
  expect(await manager.findCertificate(add(), reader('shop'))).toBeUndefined()
})

test.each([500, 503])('a Barbican that answers %d is no missing certificate', async (status) => {
  const { ref } = addCertificate()
  await manager.findCertificate(ref, reader('shop'))
  barbican.fail({ on: /payload/, status, body: {} })
  await expect(manager.findCertificate(ref, null)).rejects.toMatchObject({
    ...{ name: 'DriverError', operation: 'read-secret', retryable: true },
  })
  await barbican.goDown()
  await expect(manager.findCertificate(ref, null)).rejects.toThrow('Barbican at')
})
