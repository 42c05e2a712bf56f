/** The roles there are, and what having one implies. Pure. */
import { createHash } from 'node:crypto'

/** Keystone's own roles and those which upstream's policy knows (octavia/policies/base.py). */
export const ROLES = [
  'admin',
  'member',
  'reader',
  'load-balancer_observer',
  'load-balancer_global_observer',
  'load-balancer_member',
  'load-balancer_quota_admin',
  'load-balancer_admin',
] as const
export type Role = (typeof ROLES)[number]

/** As `keystone-manage bootstrap` sets them up; upstream's roles imply nothing by themselves. */
const IMPLIED: Readonly<Record<string, readonly string[]>> = {
  admin: ['member', 'reader'],
  member: ['reader'],
}

export function isRole(name: string): name is Role {
  return (ROLES as readonly string[]).includes(name)
}

/** The roles with what they imply, each once. */
export function expandRoles(roles: readonly string[]): readonly string[] {
  return [...new Set(roles.flatMap((role) => [role, ...(IMPLIED[role] ?? [])]))]
}

/** Keystone's roles have ids: the same one for a name on every installation. */
export function roleId(name: string): string {
  return createHash('sha256').update(`octavia-lite role ${name}`).digest('hex').slice(0, 32)
}

export function roleOfId(id: string): Role | undefined {
  return ROLES.find((role) => roleId(role) === id)
}
