/** Certificates made by openssl, handed over in every form and order that stores know. */
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CertificateMaterial } from '../../src/driver/certificate-manager.ts'
import {
  readAuthority,
  readCertificate,
  readRevocations,
} from '../../src/driver/read-certificate.ts'
import { pemBlocks } from '../../src/model/pem.ts'

const OPENSSL = Bun.which('openssl')
const why = OPENSSL === null ? ' (needs openssl)' : ''
const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-chain-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string): string => join(folder, name)
const bytes = (name: string): Buffer => readFileSync(at(name))

function openssl(...args: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([OPENSSL ?? '', ...args], { cwd: folder })
  if (exitCode !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`)
}

const CA = 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n'

function issue(name: string, newKey: readonly string[], issuer: string, extensions: string): void {
  writeFileSync(at(`${name}.ext`), extensions)
  openssl(
    ...['req', ...newKey, '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`],
    ...['-subj', `/CN=${name}`],
  )
  const by =
    issuer === name
      ? ['-signkey', `${name}.key`]
      : ['-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`]
  openssl(
    ...['x509', '-req', '-in', `${name}.csr`, ...by, '-days', '30', '-extfile', `${name}.ext`],
    ...['-set_serial', String(name.length * 7919), '-out', `${name}.crt`],
  )
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
const RSA = ['-newkey', 'rsa:2048']
const LEAF = 'subjectAltName=DNS:www.example.org\n'

beforeAll(() => {
  if (OPENSSL === null) return
  issue('root', EC, 'root', CA)
  issue('middle', EC, 'root', CA)
  issue('lower', RSA, 'middle', CA)
  issue('ec', EC, 'lower', LEAF)
  issue('rsa', RSA, 'lower', LEAF)
  issue('stranger', EC, 'stranger', CA)
  openssl('ec', '-in', 'ec.key', '-aes256', '-passout', 'pass:pass word', '-out', 'ec.old.key')
  openssl('pkcs8', '-topk8', '-in', 'rsa.key', '-passout', 'pass:pass word', '-out', 'rsa.enc.key')
  openssl('pkcs8', '-topk8', '-nocrypt', '-in', 'ec.key', '-outform', 'DER', '-out', 'ec.key.der')
  openssl('x509', '-in', 'ec.crt', '-outform', 'DER', '-out', 'ec.der')
  const chain = ['-nocrl', '-certfile', 'middle.crt', '-certfile', 'lower.crt']
  openssl('crl2pkcs7', ...chain, '-out', 'chain.p7b')
  openssl('crl2pkcs7', ...chain, '-outform', 'DER', '-out', 'chain.p7c')
  writeFileSync(at('bundle.crt'), Buffer.concat([bytes('middle.crt'), bytes('lower.crt')]))
  for (const name of ['ec', 'rsa'])
    for (const [form, options] of [
      ['new', []],
      ['old', ['-legacy']],
      ['plain', ['-keypbe', 'NONE', '-certpbe', 'NONE']],
    ] as const)
      openssl(
        ...['pkcs12', '-export', '-inkey', `${name}.key`, '-in', `${name}.crt`],
        ...['-certfile', 'bundle.crt', '-passout', 'pass:', ...options],
        ...['-out', `${name}.${form}.p12`],
      )
  writeFileSync(at('index'), '')
  writeFileSync(at('crl.cnf'), '[ca]\ndefault_ca=d\n[d]\ndatabase=index\ndefault_md=sha256\n')
  openssl(
    ...['ca', '-config', 'crl.cnf', '-gencrl', '-crldays', '3', '-keyfile', 'root.key'],
    ...['-cert', 'root.crt', '-out', 'root.crl'],
  )
})

function parts(
  certificate: readonly string[],
  key: string,
  more: { readonly passphrase?: string; readonly intermediates?: readonly string[] } = {},
): CertificateMaterial {
  return {
    form: 'parts',
    certificate: Buffer.concat(certificate.map(bytes)),
    private_key: bytes(key),
    passphrase: more.passphrase ?? null,
    intermediates: more.intermediates ? Buffer.concat(more.intermediates.map(bytes)) : null,
  }
}

const p12 = (name: string): CertificateMaterial => ({ form: 'pkcs12', content: bytes(name) })

function namesIn(pem: string): string[] {
  return pemBlocks(pem).map(({ label, text }) =>
    label === 'CERTIFICATE' ? new X509Certificate(text).subject.replace('CN=', '') : label,
  )
}

const READABLE: readonly (readonly [string, () => CertificateMaterial, readonly string[]])[] = [
  ['a certificate alone', () => parts(['ec.crt'], 'ec.key'), ['ec', 'PRIVATE KEY']],
  [
    'a chain upside down, with its root',
    () => parts(['root.crt', 'middle.crt', 'lower.crt', 'rsa.crt'], 'rsa.key'),
    ['rsa', 'PRIVATE KEY', 'lower', 'middle', 'root'],
  ],
  [
    'the certificate among its intermediates, twice',
    () => parts(['ec.crt'], 'ec.key', { intermediates: ['bundle.crt', 'ec.crt'] }),
    ['ec', 'PRIVATE KEY', 'lower', 'middle'],
  ],
  [
    'certificates that do not belong to the chain',
    () => parts(['stranger.crt', 'ec.crt', 'lower.crt'], 'ec.key'),
    ['ec', 'PRIVATE KEY', 'lower', 'stranger'],
  ],
  [
    'intermediates as PKCS#7, PEM',
    () => parts(['ec.crt'], 'ec.key', { intermediates: ['chain.p7b'] }),
    ['ec', 'PRIVATE KEY', 'lower', 'middle'],
  ],
  [
    'intermediates as PKCS#7, DER',
    () => parts(['ec.crt'], 'ec.key', { intermediates: ['chain.p7c'] }),
    ['ec', 'PRIVATE KEY', 'lower', 'middle'],
  ],
  ['certificate and key as DER', () => parts(['ec.der'], 'ec.key.der'), ['ec', 'PRIVATE KEY']],
  [
    'an encrypted key, traditional',
    () => parts(['ec.crt'], 'ec.old.key', { passphrase: 'pass word' }),
    ['ec', 'PRIVATE KEY'],
  ],
  [
    'an encrypted key, PKCS#8',
    () => parts(['rsa.crt'], 'rsa.enc.key', { passphrase: 'pass word' }),
    ['rsa', 'PRIVATE KEY'],
  ],
  ...['ec', 'rsa'].flatMap((name) =>
    ['new', 'old', 'plain'].map(
      (form) =>
        [
          `PKCS#12, ${name}, ${form}`,
          () => p12(`${name}.${form}.p12`),
          [name, 'PRIVATE KEY', 'lower', 'middle'],
        ] as const,
    ),
  ),
]

describe.skipIf(OPENSSL === null)(`certificates${why}`, () => {
  test.each(READABLE)('%s', (_, material, names) => {
    const reading = readCertificate(material())
    expect(reading).toMatchObject({ ok: true })
    if (!reading.ok) return
    expect(namesIn(reading.pem)).toEqual([...names])
    const days = (reading.valid_until_ms - Date.now()) / 86_400_000
    expect(days).toBeGreaterThan(29)
    expect(days).toBeLessThan(31)
  })

  test.each([
    ['of another certificate', () => parts(['rsa.crt'], 'ec.key'), 'of another certificate'],
    ['without passphrase', () => parts(['rsa.crt'], 'rsa.enc.key'), 'and no passphrase for it'],
    [
      'with another passphrase',
      () => parts(['ec.crt'], 'ec.old.key', { passphrase: 'other' }),
      'and another passphrase',
    ],
    ['that is none', () => parts(['ec.crt'], 'ec.crt'), 'private key that cannot be read'],
    ['where the certificate should be', () => parts(['ec.key'], 'ec.key'), 'has no certificate'],
    [
      'with a broken certificate',
      () => ({ ...parts(['ec.crt'], 'ec.key'), certificate: Buffer.from('nonsense') }),
      'has a certificate that cannot be read',
    ],
    ['in a broken PKCS#12', () => ({ form: 'pkcs12', content: bytes('ec.crt') }), 'cannot be read'],
  ] satisfies [string, () => CertificateMaterial, string][])('a key %s', (_, material, problem) => {
    const reading = readCertificate(material())
    expect(reading).toMatchObject({ ok: false, problem: expect.stringContaining(problem) })
    expect(JSON.stringify(reading)).not.toMatch(/BEGIN|MI[GI]/)
  })

  test('authorities and lists', () => {
    const text = `junk\n${bytes('root.crt')}${bytes('middle.crt')}`
    const authority = readAuthority(text)
    expect(authority.ok && namesIn(authority.pem)).toEqual(['root', 'middle'])
    expect(readAuthority('junk')).toMatchObject({ ok: false })
    expect(readAuthority(bytes('root.key').toString())).toMatchObject({ ok: false })
    const list = readRevocations(bytes('root.crl').toString())
    const days = list.ok ? (list.valid_until_ms - Date.now()) / 86_400_000 : 0
    expect(days).toBeGreaterThan(2.9)
    expect(days).toBeLessThan(3.1)
    expect(readRevocations(text)).toMatchObject({ ok: false })
  })
})
