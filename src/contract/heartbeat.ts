/**
 * The heartbeat of an amphora: a JSON message (version 3), deflated, followed by the lower-case hex
 * of its HMAC-SHA256. Source:
 * octavia/amphorae/backends/health_daemon/{status_message,health_daemon}.py.
 */
import { timingSafeEqual } from 'node:crypto'
import { deflateSync, inflateSync } from 'node:zlib'

/** Upstream's receive buffer; nothing longer is looked at. */
export const DATAGRAM_MAX_BYTES = 65_536
/** What a message may inflate to: 1,000 pools with 50 members each stay under it. */
export const MESSAGE_MAX_BYTES = 8 << 20
/**
 * An agent which counts from 0 again after a restart, as upstream's does, begins its life with a
 * lower `seq` than this. One which keeps its seq begins far above it, so that no recording of its
 * first messages can pass for a restart (health/replay.ts).
 */
export const FIRST_SEQS = 8
/** Deflate has nothing that stands for more: 258 bytes take two bits. */
const INFLATION_MAX = 1032
/** Asks for zlib's header and checksum, which Bun leaves out otherwise. */
const ZLIB_WINDOW_BITS = 15
const HEX_DIGEST_BYTES = 64
const RAW_DIGEST_BYTES = 32

export interface ListenerReport {
  readonly status: string
  readonly stats: {
    readonly tx: number
    readonly rx: number
    readonly conns: number
    readonly totconns: number
    readonly ereq: number
  }
}

export interface PoolReport {
  readonly status: string
  /** Member id to haproxy's word, `UP 1/3` included. */
  readonly members: Readonly<Record<string, string>>
}

/** Version 3: rx, tx, totconns and ereq are deltas since the last message; conns is absolute. */
export interface HeartbeatMessage {
  readonly id: string
  readonly seq: number
  readonly ver: number
  readonly listeners: Readonly<Record<string, ListenerReport>>
  /** Key `<pool>:<listener>`, or `<pool>` for LVS. */
  readonly pools: Readonly<Record<string, PoolReport>>
}

/** The datagram of a message: what `zlib.compress(json, 9)` and a hex digest give upstream. */
export function sealHeartbeat(message: HeartbeatMessage, key: string): Buffer {
  const packed = deflateSync(Buffer.from(JSON.stringify(message)), { level: 9 })
  return Buffer.concat([packed, Buffer.from(hexDigest(packed, key), 'ascii')])
}

/** `digest` is the HMAC in hex, the same for both ways of writing it behind the message. */
export type OpenedHeartbeat =
  | { readonly ok: true; readonly message: unknown; readonly digest: string }
  | { readonly ok: false; readonly why: 'oversized' | 'truncated' | 'forged' | 'malformed' }

/** Checks size and digest before anything is inflated; the message still has to be parsed. */
export function openHeartbeat(datagram: Uint8Array, key: string): OpenedHeartbeat {
  if (datagram.length > DATAGRAM_MAX_BYTES) return { ok: false, why: 'oversized' }
  const { buffer, byteOffset, length } = datagram as Uint8Array<ArrayBuffer>
  const bytes = Buffer.from(buffer, byteOffset, length)
  const envelope = authenticated(bytes, key)
  if (typeof envelope === 'string') return { ok: false, why: envelope }
  try {
    const message: unknown = JSON.parse(inflate(envelope.packed))
    return { ok: true, message, digest: envelope.digest }
  } catch {
    // An authentic sender that packs badly: nothing more can be said of the bytes.
    return { ok: false, why: 'malformed' }
  }
}

/** What is too short to come out too long needs no limit, without which Bun is 8 times faster. */
function inflate(packed: Buffer<ArrayBuffer>): string {
  if (packed.length * INFLATION_MAX <= MESSAGE_MAX_BYTES)
    return Buffer.from(Bun.inflateSync(packed, { windowBits: ZLIB_WINDOW_BITS })).toString('utf8')
  return inflateSync(packed, { maxOutputLength: MESSAGE_MAX_BYTES }).toString('utf8')
}

interface Envelope {
  readonly packed: Buffer<ArrayBuffer>
  readonly digest: string
}

/** The hex form first, then the raw digest of agents before Rocky, as upstream does. */
function authenticated(bytes: Buffer<ArrayBuffer>, key: string): Envelope | 'truncated' | 'forged' {
  if (bytes.length <= RAW_DIGEST_BYTES) return 'truncated'
  if (bytes.length > HEX_DIGEST_BYTES) {
    const packed = bytes.subarray(0, -HEX_DIGEST_BYTES)
    const hex = hexDigest(packed, key)
    const expected = Buffer.from(hex, 'latin1')
    if (timingSafeEqual(expected, bytes.subarray(-HEX_DIGEST_BYTES))) return { packed, digest: hex }
  }
  const packed = bytes.subarray(0, -RAW_DIGEST_BYTES)
  const hex = hexDigest(packed, key)
  if (!timingSafeEqual(Buffer.from(hex, 'hex'), bytes.subarray(-RAW_DIGEST_BYTES))) return 'forged'
  return { packed, digest: hex }
}

/** Bun's own hasher: that of node:crypto is a stream, which costs more than the hash. */
function hexDigest(packed: Uint8Array, key: string): string {
  return new Bun.CryptoHasher('sha256', key).update(packed).digest('hex')
}
