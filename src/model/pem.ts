/** PEM (RFC 7468): blocks of base64 between lines that say what they are. Pure. */

export interface PemBlock {
  /** `CERTIFICATE`. */
  readonly label: string
  /** With its first and last line. */
  readonly text: string
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g

/** All blocks in their order; what is between them is comment. */
export function pemBlocks(text: string): readonly PemBlock[] {
  return [...text.matchAll(BLOCK)].map(([block, label = '']) => ({ label, text: block }))
}

/** The bytes of a block without headers. */
export function bytesOfPem(block: PemBlock): Uint8Array {
  return Buffer.from(block.text.replace(/-----[^-]+-----/g, ''), 'base64')
}

export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
