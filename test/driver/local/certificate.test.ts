import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DriverError } from '../../../src/driver/error.ts'
import {
  type CertificateAndKey,
  createCa,
  createLocalCertificateGenerator,
  issueClientCertificate,
} from '../../../src/driver/local/certificate.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { newId } from '../../../src/system/ids.ts'

let folder: string
let ca: CertificateAndKey
let otherCa: CertificateAndKey

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'octavia-lite-ca-'))
  ;[ca, otherCa] = await Promise.all([createCa('test CA', 30), createCa('other CA', 30)])
})
afterAll(() => rmSync(folder, { recursive: true }))

function openssl(...args: readonly string[]): string {
  return execFileSync('openssl', [...args], { encoding: 'utf8', stdio: 'pipe' })
}

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

/** Certificate and key of an agent's `server.pem`, which are one text. */
function split(pem: string): CertificateAndKey {
  const at = pem.indexOf('-----BEGIN PRIVATE KEY-----')
  return { certificate: pem.slice(0, at), key: pem.slice(at) }
}

test('openssl accepts a server certificate for both usages and its host name, from our CA only', async () => {
  const amphora_id = newId()
  const generator = createLocalCertificateGenerator(
    { clock: systemClock },
    { ca, validity_s: 3600 },
  )
  const { pem, expiration } = await generator.issueServerCertificate(amphora_id)
  const [root, other, leaf] = [
    file('ca.pem', ca.certificate),
    file('other.pem', otherCa.certificate),
    file('leaf.pem', pem),
  ]
  for (const purpose of ['sslserver', 'sslclient'])
    expect(
      openssl(
        ...['verify', '-x509_strict', '-purpose', purpose, '-verify_hostname', amphora_id],
        ...['-CAfile', root, leaf],
      ),
    ).toContain('OK')
  expect(() => openssl('verify', '-CAfile', other, leaf)).toThrow()
  expect(() => openssl('verify', '-verify_hostname', newId(), '-CAfile', root, leaf)).toThrow()
  const text = openssl('x509', '-in', leaf, '-noout', '-text')
  expect(text).toMatch(new RegExp(`Subject: CN = ${amphora_id}`))
  expect(text).toMatch(new RegExp(`DNS:${amphora_id}`))
  expect(text).toContain('CA:FALSE')
  expect(text).toContain('Authority Key Identifier')
  const { certificate, key } = split(pem)
  const parsed = new X509Certificate(certificate)
  expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true)
  expect(new Date(parsed.validTo).toISOString().slice(0, 19)).toBe(expiration)
  const left_s = (Date.parse(parsed.validTo) - Date.now()) / 1000
  expect(left_s).toBeGreaterThan(3590)
  expect(left_s).toBeLessThanOrEqual(3600)
})

test('a client certificate proves who calls; a server certificate of another CA does not', async () => {
  const client = await issueClientCertificate(ca, 'controller', 30)
  const root = file('root.pem', ca.certificate)
  const leaf = file('client.pem', client.certificate)
  expect(openssl('verify', '-purpose', 'sslclient', '-CAfile', root, leaf)).toContain('OK')
  expect(() => openssl('verify', '-purpose', 'sslserver', '-CAfile', root, leaf)).toThrow()
})

test('two parties that trust the CAs shake hands', async () => {
  const generator = createLocalCertificateGenerator(
    { clock: systemClock },
    { ca, validity_s: 3600 },
  )
  const amphora_id = newId()
  const own = split((await generator.issueServerCertificate(amphora_id)).pem)
  const client = await issueClientCertificate(otherCa, 'controller', 30)
  const server = createServer({
    ...{ cert: own.certificate, key: own.key, ca: otherCa.certificate },
    ...{ requestCert: true, rejectUnauthorized: true },
  })
  server.on('secureConnection', (socket) => socket.end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const said = await new Promise<string>((resolve, reject) => {
    const socket: TLSSocket = connect({
      ...{ host: '127.0.0.1', port, servername: amphora_id },
      ...{ cert: client.certificate, key: client.key, ca: ca.certificate },
    })
    socket.on('data', (data) => resolve(String(data)))
    socket.on('error', reject)
  })
  expect(said).toBe('hello')
  server.close()
})

test('every certificate has a serial number and a key of its own', async () => {
  const generator = createLocalCertificateGenerator(
    { clock: systemClock },
    { ca, validity_s: 3600 },
  )
  const amphora_id = newId()
  const [a, b] = await Promise.all([
    generator.issueServerCertificate(amphora_id),
    generator.issueServerCertificate(amphora_id),
  ])
  const [first, second] = [a, b].map(({ pem }) => new X509Certificate(split(pem).certificate))
  expect(first?.serialNumber).not.toBe(second?.serialNumber)
  expect(first?.publicKey.equals(second?.publicKey ?? first.publicKey)).toBe(false)
})

test('a CA made by openssl, its key encrypted, is used with the passphrase and refused without', async () => {
  const [key, cert] = [join(folder, 'enc.key'), join(folder, 'enc.pem')]
  openssl('genrsa', '-aes256', '-passout', 'pass:foobar', '-out', key, '2048')
  openssl(
    ...['req', '-x509', '-new', '-key', key, '-passin', 'pass:foobar', '-days', '2'],
    ...['-subj', '/C=US/O=Example/CN=legacy CA', '-out', cert],
  )
  const files = {
    certificate: openssl('x509', '-in', cert),
    key: openssl('rsa', '-in', key, '-passin', 'pass:foobar', '-aes256', '-passout', 'pass:foobar'),
  }
  const generator = createLocalCertificateGenerator(
    { clock: systemClock },
    { ca: { ...files, passphrase: 'foobar' }, validity_s: 60 },
  )
  const leaf = file('legacy.pem', (await generator.issueServerCertificate(newId())).pem)
  expect(openssl('verify', '-CAfile', cert, leaf)).toContain('OK')
  for (const passphrase of [undefined, 'wrong'])
    expect(() =>
      createLocalCertificateGenerator(
        { clock: systemClock },
        {
          ca: { ...files, ...(passphrase === undefined ? {} : { passphrase }) },
          validity_s: 60,
        },
      ),
    ).toThrow(/passphrase is missing or wrong/)
})

test.each([
  ['the key of another CA', () => ({ certificate: ca.certificate, key: otherCa.key })],
  ['no PEM at all', () => ({ certificate: 'hello', key: 'world' })],
  ['an empty key', () => ({ certificate: ca.certificate, key: '' })],
])('%s is refused without quoting it', (_, files) => {
  let caught: unknown
  try {
    createLocalCertificateGenerator({ clock: systemClock }, { ca: files(), validity_s: 60 })
  } catch (error) {
    caught = error
  }
  expect(caught).toBeInstanceOf(DriverError)
  expect(String(caught)).not.toMatch(/world|BEGIN/)
})
