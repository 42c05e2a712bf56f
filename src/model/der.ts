/** DER (X.690), as far as it takes to walk through certificates and what surrounds them. Pure. */

export const TAG = {
  sequence: 0x30,
  integer: 0x02,
  bitString: 0x03,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  /** `[0]`, constructed: explicit, or instead of the tag of a set. */
  context0: 0xa0,
} as const

export interface Element {
  readonly tag: number
  readonly content: Uint8Array
  /** With tag and length. */
  readonly whole: Uint8Array
}

/** The elements of DER one after the other; what is cut off is left out. */
export function elementsOf(der: Uint8Array): readonly Element[] {
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

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
