/** `auth_strategy = "noauth"`: every caller may do everything, in the project that it names. */
import type { IdentityDriver } from '../driver/identity.ts'

/** Longer ones are no project ids (octavia/api/v2/types: StringType(max_length=36)). */
const PROJECT_ID = /^[^\0-\x1f\x7f]{1,36}$/

/**
 * `default_project_id` owns what is created by a caller who names no project, like the OpenStack
 * client with `--os-auth-type none`; null refuses such requests, as upstream does.
 */
export function createNoauthIdentity(options: {
  readonly default_project_id: string | null
}): IdentityDriver {
  return {
    identify: async (headers) => {
      const named = headers.get('x-project-id')
      return {
        user_id: headers.get('x-user-id'),
        project_id: named !== null && PROJECT_ID.test(named) ? named : options.default_project_id,
        roles: [],
        is_admin: true,
      }
    },
  }
}
