/**
 * Names and marks of what the local cloud makes, derived from ids, so that a repeated call finds
 * what an interrupted one left. Pure.
 */

import type { Link } from '../../system/ip.ts'
import { derivedMac } from '../derived.ts'

/** Every link we make carries it as its alias: `octavia-lite:<deployment>:<kind>:<id>`. */
export const MARK_PREFIX = 'octavia-lite'
export type MarkKind = 'network' | 'port' | 'management'

export function markOf(deployment: string, kind: MarkKind, id: string): string {
  return `${MARK_PREFIX}:${deployment}:${kind}:${id}`
}

/** The MAC address of a link that we make on this machine. */
export function linkMac(deployment: string, name: string): string {
  return derivedMac(deployment, 'link', name)
}

/**
 * Whether this deployment made the link: its alias says so. `ip` cannot set an alias while it makes
 * a link, so one without any alias which has the MAC address derived from its name is ours as well:
 * made, not yet marked.
 */
export function isOurs(deployment: string, link: Link): boolean {
  if (link.alias === null) return link.mac === linkMac(deployment, link.name)
  return link.alias.startsWith(`${MARK_PREFIX}:${deployment}:`)
}

export const BRIDGE_PREFIX = 'obr-'
export const bridgeName = (network_id: string): string => BRIDGE_PREFIX + shortOf(network_id)
/** The end of a port that is on the bridge. */
export const portLinkName = (port_id: string): string => `opt-${shortOf(port_id)}`
/** The end of a port that its user has. */
export const portPeerName = (port_id: string): string => `opi-${shortOf(port_id)}`

/** The port by which the controller reaches an amphora; others of it may be on that network too. */
export const managementPortName = (amphora_id: string): string => `octavia-mgmt-${amphora_id}`

/** Link names have at most 15 characters: four of prefix, eleven of the id. */
function shortOf(id: string): string {
  return id.replaceAll('-', '').slice(0, 11)
}
