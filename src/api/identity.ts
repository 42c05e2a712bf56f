/**
 * Callers who need not prove who they are: `auth_strategy = "noauth"`, where everybody may do
 * everything in the project that he names, and `testing`, where he has the roles that he names.
 */
import type { IdentityDriver } from '../driver/identity.ts'

/** Longer ones are no project ids (octavia/api/v2/types: StringType(max_length=36)). */
const PROJECT_ID = /^[^\0-\x1f\x7f]{1,36}$/

/**
 * `default_project_id` owns what is created by a caller who names no project, like the OpenStack
 * client with `--os-auth-type none`; null refuses such requests, as upstream does.
 */
export function createHeaderIdentity(options: {
  readonly is_admin: boolean
  readonly default_project_id: string | null
}): IdentityDriver {
  return {
    identify: async (headers) => {
      const named = headers.get('x-project-id')
      const roles = headers.get('x-roles') ?? ''
      const domain_id = headers.get('x-domain-id')
      const system_scope = headers.get('openstack-system-scope')
      return {
        user_id: headers.get('x-user-id'),
        project_id: named !== null && PROJECT_ID.test(named) ? named : options.default_project_id,
        roles: roles.split(',').flatMap((role) => role.trim() || []),
        is_admin: options.is_admin,
        ...(domain_id === null ? {} : { domain_id }),
        ...(system_scope === null ? {} : { system_scope }),
      }
    },
  }
}
