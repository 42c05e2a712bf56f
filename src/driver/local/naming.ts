/**
 * Names and marks of what the local cloud makes, derived from ids, so that a repeated call finds what an
 * interrupted one left. Pure.
 */

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

export const bridgeName = (network_id: string): string => `obr-${shortOf(network_id)}`
/** The end of a port that is on the bridge. */
export const portLinkName = (port_id: string): string => `opt-${shortOf(port_id)}`
/** The end of a port that its user has. */
export const portPeerName = (port_id: string): string => `opi-${shortOf(port_id)}`

/** Link names have at most 15 characters: four of prefix, eleven of the id. */
function shortOf(id: string): string {
  return id.replaceAll('-', '').slice(0, 11)
}
