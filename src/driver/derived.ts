/**
 * Values that follow from others, so that a repeated call arrives at what an earlier one made.
 * Pure.
 */
import { createHash } from 'node:crypto'

/** The same UUID for the same parts: name-based as in RFC 9562, 5.5. */
export function derivedId(...parts: readonly string[]): string {
  const hash = digest(parts)
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = hash.toString('hex', 0, 16)
  return [0, 8, 12, 16, 20].map((from, i, cuts) => hex.slice(from, cuts[i + 1] ?? 32)).join('-')
}

/** A locally administered unicast MAC address, the same for the same parts. */
export function derivedMac(...parts: readonly string[]): string {
  const hex = digest(parts).toString('hex', 0, 5)
  return `02:${[0, 2, 4, 6, 8].map((at) => hex.slice(at, at + 2)).join(':')}`
}

/**
 * An address in 10.0.0.0/8, the same for the same parts; neither a network's nor a broadcast
 * address.
 */
export function derivedAddress(...parts: readonly string[]): string {
  const hash = digest(parts)
  return `10.${hash.readUInt8(0)}.${hash.readUInt8(1)}.${1 + (hash.readUInt8(2) % 254)}`
}

function digest(parts: readonly string[]): Buffer {
  return createHash('sha1').update(parts.join('\0')).digest()
}
