/**
 * What a certificate store handed out, as haproxy can use it: the one place that judges it,
 * whichever store it came from. The certificate is the one that belongs to the key, wherever in the
 * material it is; its chain is put into order; the key is decrypted. Pure. Nothing of the material
 * is in a problem's text.
 * Source of what is accepted: octavia/common/tls_utils/cert_parser.py.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import forge from 'node-forge'
import { elementsOf, hexOf, TAG } from '../model/der.ts'
import { bytesOfPem, type PemBlock, pemBlocks, toPem } from '../model/pem.ts'
import { nextUpdateOf, parseRevocationList } from '../model/revocation-list.ts'
import { timestamp } from '../system/clock.ts'
import type { CertificateMaterial } from './certificate-manager.ts'

/** A `problem` continues a sentence that begins with the reference. */
export type Reading =
  | {
      readonly ok: true
      /** Certificate, key and chain, or what else was to be read. Secret where there is a key. */
      readonly pem: string
      readonly valid_from_ms: number
      readonly valid_until_ms: number
    }
  | { readonly ok: false; readonly problem: string }

/** The problem of one that is not valid any more. */
export function expiredText(valid_until_ms: number): string {
  return `expired on ${timestamp(valid_until_ms)} UTC`
}

const CERTIFICATE_LABELS = ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE']
const PKCS7_LABELS = ['PKCS7', 'PKCS #7 SIGNED DATA', 'CMS']
const SIGNED_DATA = '2a864886f70d010702'
/** More than any chain has; what comes after is left out. */
const CHAIN_MAX = 32

class Unreadable extends Error {}

/** A certificate with its private key and chain. */
export function readCertificate(material: CertificateMaterial): Reading {
  return reading(() => {
    const { certificates, key } = material.form === 'pkcs12' ? unpack(material) : parse(material)
    if (certificates.length === 0) throw new Unreadable('has no certificate that can be read')
    const leaf = certificates.find((certificate) => certificate.checkPrivateKey(key))
    if (leaf === undefined) throw new Unreadable('has a private key of another certificate')
    const [own, ...chain] = inOrder(leaf, certificates).map(pemOf)
    const pem = [own, key.export({ type: 'pkcs8', format: 'pem' }).toString(), ...chain].join('')
    return { ok: true, pem, ...validity(leaf) }
  })
}

/** Certificates of authorities; they are valid as long as all of them are. */
export function readAuthority(text: string): Reading {
  return reading(() => {
    const certificates = certificatesIn(Buffer.from(text))
    if (certificates.length === 0) throw new Unreadable('has no certificate that can be read')
    const spans = certificates.map(validity)
    return {
      ok: true,
      pem: certificates.map(pemOf).join(''),
      valid_from_ms: Math.max(...spans.map((span) => span.valid_from_ms)),
      valid_until_ms: Math.min(...spans.map((span) => span.valid_until_ms)),
    }
  })
}

export function readRevocations(text: string): Reading {
  const blocks = pemBlocks(text).filter(({ label }) => label === 'X509 CRL')
  const parsed = blocks.map((block) => parseRevocationList(block.text))
  const lists = parsed.filter((list) => list !== undefined)
  if (lists.length === 0 || lists.length < blocks.length)
    return { ok: false, problem: 'has no revocation list that can be read' }
  return {
    ok: true,
    pem: blocks.map((block) => `${block.text}\n`).join(''),
    valid_from_ms: Number.NEGATIVE_INFINITY,
    valid_until_ms: Math.min(...lists.map((list) => nextUpdateOf(list) ?? Infinity)),
  }
}

function reading(read: () => Reading): Reading {
  try {
    return read()
  } catch (error) {
    // OpenSSL's own texts can hold parts of what it read.
    const problem = error instanceof Unreadable ? error.message : 'cannot be read'
    return { ok: false, problem }
  }
}

interface Parsed {
  readonly certificates: readonly X509Certificate[]
  readonly key: KeyObject
}

function parse(material: CertificateMaterial & { readonly form: 'parts' }): Parsed {
  const certificates = [
    ...certificatesIn(material.certificate),
    ...certificatesIn(material.intermediates ?? new Uint8Array()),
  ]
  return { certificates, key: keyIn(material.private_key, material.passphrase) }
}

function certificatesIn(content: Uint8Array): readonly X509Certificate[] {
  if (content.length === 0) return []
  const blocks = pemBlocks(Buffer.from(content).toString('latin1'))
  if (blocks.length > 0) return blocks.flatMap(certificatesOfBlock)
  const inside = certificatesOfPkcs7(content)
  return (inside.length > 0 ? inside : [content]).map(certificateOf)
}

function certificatesOfBlock(block: PemBlock): readonly X509Certificate[] {
  if (CERTIFICATE_LABELS.includes(block.label)) return [certificateOf(bytesOfPem(block))]
  if (!PKCS7_LABELS.includes(block.label)) return []
  return certificatesOfPkcs7(bytesOfPem(block)).map(certificateOf)
}

function certificateOf(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch {
    throw new Unreadable('has a certificate that cannot be read')
  }
}

/** The certificates of signed data (RFC 2315, 9.1), which may sign nothing and only carry them. */
function certificatesOfPkcs7(der: Uint8Array): readonly Uint8Array[] {
  const [whole] = elementsOf(der)
  const [type, explicit] = elementsOf(whole?.content ?? new Uint8Array())
  if (type?.tag !== TAG.objectIdentifier || hexOf(type.content) !== SIGNED_DATA) return []
  const [signed] = elementsOf(explicit?.content ?? new Uint8Array())
  const carried = elementsOf(signed?.content ?? new Uint8Array()).find(
    ({ tag }) => tag === TAG.context0,
  )
  return elementsOf(carried?.content ?? new Uint8Array())
    .filter(({ tag }) => tag === TAG.sequence)
    .map((element) => element.whole)
}

function keyIn(content: Uint8Array, passphrase: string | null): KeyObject {
  if (content.length === 0) throw new Unreadable('has no private key')
  const text = Buffer.from(content).toString('latin1')
  const block = pemBlocks(text).find(({ label }) => label.endsWith('PRIVATE KEY'))
  try {
    if (block === undefined)
      return createPrivateKey({ key: Buffer.from(content), format: 'der', type: 'pkcs8' })
    return createPrivateKey({ key: block.text, ...(passphrase === null ? {} : { passphrase }) })
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (code === 'ERR_MISSING_PASSPHRASE')
      throw new Unreadable('has an encrypted private key and no passphrase for it')
    if (code === 'ERR_OSSL_BAD_DECRYPT')
      throw new Unreadable('has an encrypted private key and another passphrase')
    throw new Unreadable('has a private key that cannot be read')
  }
}

/** Keys that forge does not know (it knows RSA) stay DER, which node:crypto reads. */
function unpack({ content }: { readonly content: Uint8Array }): Parsed {
  const { pki, pkcs12, asn1 } = forge
  const toBytes = (node: forge.asn1.Asn1): Buffer =>
    Buffer.from(asn1.toDer(node).getBytes(), 'binary')
  // Without "" as the password the checksum of files without one is not tried.
  const file = pkcs12.pkcs12FromAsn1(asn1.fromDer(Buffer.from(content).toString('binary')), '')
  const bagsOf = (type: string | undefined): forge.pkcs12.Bag[] =>
    type === undefined ? [] : (file.getBags({ bagType: type })[type] ?? [])
  const certificates = bagsOf(pki.oids.certBag).map((bag) =>
    certificateOf(toBytes(bag.cert ? pki.certificateToAsn1(bag.cert) : bag.asn1)),
  )
  const [bag] = [...bagsOf(pki.oids.pkcs8ShroudedKeyBag), ...bagsOf(pki.oids.keyBag)]
  if (bag === undefined) throw new Unreadable('has no private key')
  const key = bag.key
    ? keyIn(Buffer.from(pki.privateKeyToPem(bag.key as forge.pki.PrivateKey)), null)
    : keyIn(toBytes(bag.asn1), null)
  return { certificates, key }
}

/** The chain upwards from the leaf, then what else was there: it may be another way to a root. */
function inOrder(
  leaf: X509Certificate,
  all: readonly X509Certificate[],
): readonly X509Certificate[] {
  const distinct = new Map(all.map((certificate) => [certificate.fingerprint256, certificate]))
  const chain = [leaf]
  distinct.delete(leaf.fingerprint256)
  for (let at: X509Certificate | undefined = leaf; at !== undefined; ) {
    const below: X509Certificate = at
    at = [...distinct.values()].find(
      (above) => below.checkIssued(above) && below.verify(above.publicKey),
    )
    if (at === undefined) break
    chain.push(at)
    distinct.delete(at.fingerprint256)
  }
  return [...chain, ...distinct.values()].slice(0, CHAIN_MAX)
}

function validity(certificate: X509Certificate) {
  return {
    valid_from_ms: Date.parse(certificate.validFrom),
    valid_until_ms: Date.parse(certificate.validTo),
  }
}

function pemOf(certificate: X509Certificate): string {
  return toPem('CERTIFICATE', certificate.raw)
}
