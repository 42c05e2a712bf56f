/**
 * Who may do what: upstream's policy as one table, in the language of oslo.policy (language.ts). A
 * route names its rule; compile.ts makes predicates of the table and of an operator's overrides.
 * Source: octavia/policies/*.py. Pure.
 */

/** What the rules of the API are made of. */
export interface BaseRule {
  readonly check: string
  /** Holds too where `enforce_new_defaults` is off: the roles of before Wallaby. */
  readonly deprecated?: string
  /** Only tokens of a project can pass it, where `enforce_scope` is on and it is asked directly. */
  readonly scope?: 'project'
}

export const BASE_RULES = {
  context_is_admin: {
    check: 'role:admin',
    deprecated: 'role:admin or role:load-balancer_admin',
    scope: 'project',
  },
  'project-member': { check: 'role:member and project_id:%(project_id)s' },
  'project-reader': { check: 'role:reader and project_id:%(project_id)s' },
  service: { check: 'role:service' },
  'load-balancer:owner': { check: 'project_id:%(project_id)s' },
  'load-balancer:admin': {
    check: 'is_admin:True or role:admin',
    deprecated: 'is_admin:True or role:admin or role:load-balancer_admin',
  },
  'load-balancer:global_observer': {
    check: 'role:admin',
    deprecated: 'role:load-balancer_global_observer',
  },
  'load-balancer:member_and_owner': {
    check: 'rule:project-member',
    deprecated: 'role:load-balancer_member and rule:load-balancer:owner',
  },
  'load-balancer:observer_and_owner': {
    check: 'rule:project-reader',
    deprecated: 'role:load-balancer_observer and rule:load-balancer:owner',
  },
  'load-balancer:quota-admin': {
    check: 'role:admin',
    deprecated: 'role:load-balancer_quota_admin',
  },
  'load-balancer:read': {
    check:
      'rule:load-balancer:observer_and_owner or rule:load-balancer:global_observer or ' +
      'rule:load-balancer:member_and_owner or rule:load-balancer:admin',
  },
  'load-balancer:read-global': {
    check: 'rule:load-balancer:global_observer or rule:load-balancer:admin',
  },
  'load-balancer:write': {
    check: 'rule:load-balancer:member_and_owner or rule:load-balancer:admin',
  },
  'load-balancer:read-quota': {
    check:
      'rule:load-balancer:observer_and_owner or rule:load-balancer:global_observer or ' +
      'rule:load-balancer:member_and_owner or rule:load-balancer:quota-admin or ' +
      'rule:load-balancer:admin',
  },
  'load-balancer:read-quota-global': {
    check:
      'rule:load-balancer:global_observer or rule:load-balancer:quota-admin or ' +
      'rule:load-balancer:admin',
  },
  'load-balancer:write-quota': {
    check: 'rule:load-balancer:quota-admin or rule:load-balancer:admin',
  },
} as const satisfies Readonly<Record<string, BaseRule>>

/** What a rule of the API asks of the caller. */
export const METHOD_RULES = {
  read: 'rule:load-balancer:read',
  'read-or-service': 'rule:load-balancer:read or rule:service',
  'read-global': 'rule:load-balancer:read-global',
  write: 'rule:load-balancer:write',
  'read-quota': 'rule:load-balancer:read-quota',
  'read-quota-global': 'rule:load-balancer:read-quota-global',
  'write-quota': 'rule:load-balancer:write-quota',
  admin: 'rule:load-balancer:admin',
  anyone: '@',
} as const
export type MethodRule = keyof typeof METHOD_RULES

/** A policy file names these with PREFIX in front. */
export const RULES = {
  'loadbalancer:get_all': 'read',
  'loadbalancer:get_all-global': 'read-global',
  'loadbalancer:post': 'write',
  'loadbalancer:post:vip_sg_ids': 'write',
  'loadbalancer:get_one': 'read',
  'loadbalancer:put': 'write',
  'loadbalancer:put:vip_sg_ids': 'write',
  'loadbalancer:delete': 'write',
  'loadbalancer:get_stats': 'read',
  'loadbalancer:get_status': 'read',
  'loadbalancer:put_failover': 'admin',

  'listener:get_all': 'read',
  'listener:get_all-global': 'read-global',
  'listener:post': 'write',
  'listener:get_one': 'read',
  'listener:put': 'write',
  'listener:delete': 'write',
  'listener:get_stats': 'read',

  'pool:get_all': 'read',
  'pool:get_all-global': 'read-global',
  'pool:post': 'write',
  'pool:get_one': 'read',
  'pool:put': 'write',
  'pool:delete': 'write',

  // Other services look up where a load balancer sends its traffic.
  'member:get_all': 'read-or-service',
  'member:post': 'write',
  'member:get_one': 'read',
  'member:put': 'write',
  'member:delete': 'write',

  'healthmonitor:get_all': 'read',
  'healthmonitor:get_all-global': 'read-global',
  'healthmonitor:post': 'write',
  'healthmonitor:get_one': 'read',
  'healthmonitor:put': 'write',
  'healthmonitor:delete': 'write',

  'l7policy:get_all': 'read',
  'l7policy:get_all-global': 'read-global',
  'l7policy:post': 'write',
  'l7policy:get_one': 'read',
  'l7policy:put': 'write',
  'l7policy:delete': 'write',

  'l7rule:get_all': 'read',
  'l7rule:post': 'write',
  'l7rule:get_one': 'read',
  'l7rule:put': 'write',
  'l7rule:delete': 'write',

  'quota:get_all': 'read-quota',
  'quota:get_all-global': 'read-quota-global',
  'quota:get_one': 'read-quota',
  'quota:put': 'write-quota',
  'quota:delete': 'write-quota',
  'quota:get_defaults': 'read-quota',

  'amphora:get_all': 'admin',
  'amphora:get_one': 'admin',
  'amphora:delete': 'admin',
  'amphora:put_config': 'admin',
  'amphora:put_failover': 'admin',
  'amphora:get_stats': 'admin',

  'provider:get_all': 'read',
  'provider-flavor:get_all': 'admin',
  'provider-availability-zone:get_all': 'admin',

  'flavor:get_all': 'read',
  'flavor:post': 'admin',
  'flavor:put': 'admin',
  'flavor:get_one': 'read',
  'flavor:delete': 'admin',

  'flavor-profile:get_all': 'admin',
  'flavor-profile:post': 'admin',
  'flavor-profile:put': 'admin',
  'flavor-profile:get_one': 'admin',
  'flavor-profile:delete': 'admin',

  'availability-zone:get_all': 'read',
  'availability-zone:post': 'admin',
  'availability-zone:put': 'admin',
  'availability-zone:get_one': 'read',
  'availability-zone:delete': 'admin',

  'availability-zone-profile:get_all': 'admin',
  'availability-zone-profile:post': 'admin',
  'availability-zone-profile:put': 'admin',
  'availability-zone-profile:get_one': 'admin',
  'availability-zone-profile:delete': 'admin',

  // octavia-lite's own: what the engine did and does.
  'job:get_all': 'admin',
  'job:get_one': 'admin',

  // The built-in store of secrets, containers included. Whoever only reads sees no private key.
  'secret:get_all': 'read',
  'secret:get_one': 'read',
  'secret:get_payload': 'write',
  'secret:post': 'write',
  'secret:put': 'write',
  'secret:delete': 'write',

  // The local cloud's networks are everybody's.
  'network:get_all': 'anyone',

  // What needs no caller: the version document and the description of the API.
  public: 'anyone',
  // Needs a caller, no role: the string that names the version.
  version: 'anyone',
} as const satisfies Readonly<Record<string, MethodRule>>
export type RuleName = keyof typeof RULES

export const PREFIX = 'os_load-balancer_api:'

/** The name of a rule in a policy file. */
export function fullName(rule: RuleName): string {
  return `${PREFIX}${rule}`
}
