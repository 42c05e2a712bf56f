/**
 * Names, marks and addresses of what the local cloud makes, all derived from ids, so that a repeated call
 * finds what an interrupted one left. Pure.
 */
import { createHash } from 'node:crypto'

/** Every link we make carries it as its alias: `octavia-lite:<deployment>:<kind>:<id>`. */
export const MARK_PREFIX = 'octavia-lite'
export type MarkKind = 'network' | 'port' | 'management'

export function markOf(deployment: string, kind: MarkKind, id: string): string {
  return `${MARK_PREFIX}:${deployment}:${kind}:${id}`
}

/** Whether an alias says that this deployment made the link. */
export function isMarkOf(deployment: string, alias: string | null): boolean {
  return alias?.startsWith(`${MARK_PREFIX}:${deployment}:`) ?? false
}

/** The same id for the same parts: name-based as in RFC 9562, 5.5. */
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

export const bridgeName = (network_id: string): string => `obr-${shortOf(network_id)}`
/** The end of a port that is on the bridge. */
export const portLinkName = (port_id: string): string => `opt-${shortOf(port_id)}`
/** The end of a port that its user has. */
export const portPeerName = (port_id: string): string => `opi-${shortOf(port_id)}`

/** Link names have at most 15 characters: four of prefix, eleven of the id. */
function shortOf(id: string): string {
  return id.replaceAll('-', '').slice(0, 11)
}

function digest(parts: readonly string[]): Buffer {
  return createHash('sha1').update(parts.join('\0')).digest()
}
