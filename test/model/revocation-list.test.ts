/** Authorities with their (empty) lists, made by openssl; the EC one is the noop driver's. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createNoopCertificateManager } from '../../src/driver/noop/certificate-manager.ts'
import {
  isSignedBy,
  parseCertificate,
  parseRevocationList,
} from '../../src/model/revocation-list.ts'
import { present } from '../../src/system/assert.ts'

const read = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'revocation', `${name}.pem`), 'utf8')
const TEXTS = {
  ec: present(await createNoopCertificateManager().findSecret('any', null), 'the noop secret'),
  rsa: read('rsa'),
  ed25519: read('ed25519'),
}
const NAMES = ['ec', 'rsa', 'ed25519'] as const
const keyOf = (name: keyof typeof TEXTS) =>
  present(parseCertificate(TEXTS[name]), 'a certificate').publicKey
const listOf = (name: keyof typeof TEXTS) => present(parseRevocationList(TEXTS[name]), 'a list')

test.each(NAMES)('a list of %s is signed by its authority and by no other', (name) => {
  for (const other of NAMES) expect(isSignedBy(listOf(name), keyOf(other))).toBe(name === other)
})

test('a changed list is signed by nobody', () => {
  const list = listOf('rsa')
  const signed = Uint8Array.from(list.signed)
  signed[signed.length - 1] = (signed.at(-1) ?? 0) ^ 1
  expect(isSignedBy({ ...list, signed }, keyOf('rsa'))).toBe(false)
})

test('what is cut off or something else is no list', () => {
  const base64 = present(/CRL-----([^-]+)/.exec(TEXTS.rsa)?.[1], 'a body')
  const pem = (bytes: Uint8Array) =>
    `-----BEGIN X509 CRL-----\n${Buffer.from(bytes).toString('base64')}\n-----END X509 CRL-----`
  const der = Buffer.from(base64, 'base64')
  expect(parseRevocationList(pem(der))).toBeDefined()
  for (let length = 0; length < der.length; length += 7)
    expect(parseRevocationList(pem(der.subarray(0, length)))).toBeUndefined()
  for (const text of ['', 'x', TEXTS.rsa.replaceAll('X509 CRL', 'CERTIFICATE REQUEST')])
    expect(parseRevocationList(text)).toBeUndefined()
  expect(parseCertificate('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')).toBe(
    undefined,
  )
})
