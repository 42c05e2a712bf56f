/**
 * Certificate revocation lists (RFC 5280, section 5), as far as it takes to know whose they are.
 * node:crypto reads certificates only. Pure.
 */
import { type KeyObject, verify, X509Certificate } from 'node:crypto'
import { type Element, elementsOf, hexOf, TAG } from './der.ts'
import { bytesOfPem, pemBlocks } from './pem.ts'

/** A list as it was signed. */
export interface RevocationList {
  readonly signed: Uint8Array
  readonly signature: Uint8Array
  /** As node:crypto names it; null where the key implies it. */
  readonly digest: string | null
}

/** DER of the object identifiers of signature algorithms. */
const DIGESTS: Readonly<Record<string, string | null>> = {
  '2a864886f70d010105': 'sha1',
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '2b6570': null,
}

/** The first certificate in a PEM text; undefined if there is none. */
export function parseCertificate(pem: string): X509Certificate | undefined {
  const block = pemBlocks(pem).find(({ label }) => label === 'CERTIFICATE')
  if (block === undefined) return undefined
  try {
    return new X509Certificate(block.text)
  } catch {
    return undefined
  }
}

/** The first revocation list in a PEM text; undefined if there is none that is understood. */
export function parseRevocationList(pem: string): RevocationList | undefined {
  const block = pemBlocks(pem).find(({ label }) => label === 'X509 CRL')
  if (block === undefined) return undefined
  const [whole] = elementsOf(bytesOfPem(block))
  if (whole?.tag !== TAG.sequence) return undefined
  const [signed, algorithm, signature] = elementsOf(whole.content)
  if (signed?.tag !== TAG.sequence || algorithm?.tag !== TAG.sequence) return undefined
  const [identifier] = elementsOf(algorithm.content)
  if (identifier?.tag !== TAG.objectIdentifier || signature?.tag !== TAG.bitString) return undefined
  const digest = DIGESTS[hexOf(identifier.content)]
  if (digest === undefined) return undefined
  // The first byte of a bit string counts unused bits.
  return { signed: signed.whole, signature: signature.content.subarray(1), digest }
}

/** When the next list is due, after which no client that is held against this one is let in. */
export function nextUpdateOf(list: RevocationList): number | undefined {
  const [fields] = elementsOf(list.signed)
  const times = elementsOf(fields?.content ?? new Uint8Array()).filter(
    ({ tag }) => tag === TAG.utcTime || tag === TAG.generalizedTime,
  )
  const [, next] = times
  return next === undefined ? undefined : timeOf(next)
}

/** `YYMMDDHHMMSSZ` and `YYYYMMDDHHMMSSZ` (RFC 5280, 4.1.2.5). */
function timeOf({ tag, content }: Element): number | undefined {
  const text = Buffer.from(content).toString('latin1')
  const century = Number(text.slice(0, 2)) < 50 ? '20' : '19'
  const full = tag === TAG.utcTime ? `${century}${text}` : text
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full) ?? []
  const [year, month, day, hour, minute, second] = parts.map(Number)
  if (year === undefined || month === undefined) return undefined
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

export function isSignedBy(list: RevocationList, key: KeyObject): boolean {
  try {
    return verify(list.digest, list.signed, key, list.signature)
  } catch {
    // The key is of another kind than the signature.
    return false
  }
}
