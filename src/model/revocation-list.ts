/**
 * Certificate revocation lists (RFC 5280, section 5), as far as it takes to know whose they are.
 * node:crypto reads certificates only. Pure.
 */
import { type KeyObject, verify, X509Certificate } from 'node:crypto'

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

const SEQUENCE = 0x30
const OBJECT_IDENTIFIER = 0x06
const BIT_STRING = 0x03

/** The first certificate in a PEM text; undefined if there is none. */
export function parseCertificate(pem: string): X509Certificate | undefined {
  const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(pem)?.[0]
  if (block === undefined) return undefined
  try {
    return new X509Certificate(block)
  } catch {
    return undefined
  }
}

/** The first revocation list in a PEM text; undefined if there is none that is understood. */
export function parseRevocationList(pem: string): RevocationList | undefined {
  const base64 = /-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/.exec(pem)?.[1]
  if (base64 === undefined) return undefined
  const [whole] = elementsOf(Buffer.from(base64, 'base64'))
  if (whole?.tag !== SEQUENCE) return undefined
  const [signed, algorithm, signature] = elementsOf(whole.content)
  if (signed?.tag !== SEQUENCE || algorithm?.tag !== SEQUENCE) return undefined
  const [identifier] = elementsOf(algorithm.content)
  if (identifier?.tag !== OBJECT_IDENTIFIER || signature?.tag !== BIT_STRING) return undefined
  const digest = DIGESTS[Buffer.from(identifier.content).toString('hex')]
  if (digest === undefined) return undefined
  // The first byte of a bit string counts unused bits.
  return { signed: signed.whole, signature: signature.content.subarray(1), digest }
}

export function isSignedBy(list: RevocationList, key: KeyObject): boolean {
  try {
    return verify(list.digest, list.signed, key, list.signature)
  } catch {
    // The key is of another kind than the signature.
    return false
  }
}

interface Element {
  readonly tag: number
  readonly content: Uint8Array
  /** With tag and length. */
  readonly whole: Uint8Array
}

/** The elements of DER one after the other; what is cut off is left out. */
function elementsOf(der: Uint8Array): readonly Element[] {
  const out: Element[] = []
  let at = 0
  while (at + 2 <= der.length) {
    const [tag = 0, short = 0] = der.subarray(at, at + 2)
    const lengthBytes = short < 0x80 ? 0 : short & 0x7f
    const start = at + 2 + lengthBytes
    if (lengthBytes > 4 || start > der.length) return out
    const length =
      lengthBytes === 0 ? short : der.subarray(at + 2, start).reduce((n, b) => n * 256 + b, 0)
    const end = start + length
    if (end > der.length) return out
    out.push({ tag, content: der.subarray(start, end), whole: der.subarray(at, end) })
    at = end
  }
  return out
}
