/**
 * Which octavia-lite made a thing. Names and owners are upstream's, and another controller, upstream's
 * too, may use the same project: only by this is a thing without a row known to be ours. Pure.
 */

/** In the metadata of servers and volumes. */
export const DEPLOYMENT_KEY = 'octavia_deployment'

/** In the description of ports and security groups. */
export const markOf = (deployment: string): string => `octavia-lite:${deployment}`

/** The deployment in a description; null where there is none. */
export function deploymentIn(description: string | undefined): string | null {
  return /\boctavia-lite:([0-9a-f]{16})\b/.exec(description ?? '')?.[1] ?? null
}
