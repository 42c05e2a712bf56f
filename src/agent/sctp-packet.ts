/** The few SCTP packets that a check needs: INIT, what may answer it, ABORT. RFC 9260. Pure. */

export const CHUNK = { INIT: 1, INIT_ACK: 2, ABORT: 6 } as const
const HEADER_BYTES = 12
const INIT_BYTES = 20
const CHECKSUM_AT = 8

export interface Association {
  readonly source_port: number
  readonly port: number
  /** Ours: answers carry it. */
  readonly tag: number
}

/** Asks for an association. */
export function initPacket(association: Association, first_tsn: number): Uint8Array {
  const { bytes, view } = packet(association, 0, CHUNK.INIT, 0, INIT_BYTES)
  view.setUint32(HEADER_BYTES + 4, association.tag)
  // What we could receive: never used.
  view.setUint32(HEADER_BYTES + 8, 106_496)
  view.setUint16(HEADER_BYTES + 12, 10)
  view.setUint16(HEADER_BYTES + 14, 65_535)
  view.setUint32(HEADER_BYTES + 16, first_tsn)
  return sealed(bytes, view)
}

/** Lets go of what an INIT ACK offered; `their_tag` is the one in it. */
export function abortPacket(association: Association, their_tag: number): Uint8Array {
  const { bytes, view } = packet(association, their_tag, CHUNK.ABORT, 0, 4)
  return sealed(bytes, view)
}

export interface SctpAnswer {
  readonly chunk: number
  /** The tag of an INIT ACK. */
  readonly their_tag: number
}

/** The first chunk of a packet for this association; undefined if it is for another one. */
export function parseAnswer(bytes: Uint8Array, association: Association): SctpAnswer | undefined {
  if (bytes.length < HEADER_BYTES + 4) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint16(0) !== association.port) return undefined
  if (view.getUint16(2) !== association.source_port) return undefined
  if (view.getUint32(4) !== association.tag) return undefined
  const their_tag = bytes.length >= HEADER_BYTES + 8 ? view.getUint32(HEADER_BYTES + 4) : 0
  return { chunk: view.getUint8(HEADER_BYTES), their_tag }
}

/** IPv4 hands raw sockets its own header as well; IPv6 does not. */
export function withoutIpHeader(bytes: Uint8Array, family: 4 | 6): Uint8Array {
  return family === 6 ? bytes : bytes.subarray(((bytes[0] ?? 0) & 15) * 4)
}

function packet(
  { source_port, port }: Association,
  tag: number,
  chunk: number,
  flags: number,
  length: number,
): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(HEADER_BYTES + length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, source_port)
  view.setUint16(2, port)
  view.setUint32(4, tag)
  view.setUint8(HEADER_BYTES, chunk)
  view.setUint8(HEADER_BYTES + 1, flags)
  view.setUint16(HEADER_BYTES + 2, length)
  return { bytes, view }
}

/** The checksum is the one number of SCTP in little-endian order. */
function sealed(bytes: Uint8Array, view: DataView): Uint8Array {
  view.setUint32(CHECKSUM_AT, crc32c(bytes), true)
  return bytes
}

const CRC32C_POLYNOMIAL = 0x82f63b78

/** Bit by bit: the packets are a few words long. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CRC32C_POLYNOMIAL : crc >>> 1
  }
  return ~crc >>> 0
}
