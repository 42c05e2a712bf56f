/**
 * Who may do what: the rules of upstream's policy as one table. A route names its rule; check.ts
 * decides. Source: octavia/policies/*.py. Pure.
 */

/** What a rule asks of the caller; composed of the base rules in check.ts. */
export const METHOD_RULES = [
  'read',
  'read-global',
  'write',
  'read-quota',
  'read-quota-global',
  'write-quota',
  'admin',
  'anyone',
] as const
export type MethodRule = (typeof METHOD_RULES)[number]

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

  'member:get_all': 'read',
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

  'amphora:get_all': 'admin',
  'amphora:get_one': 'admin',
  'amphora:get_stats': 'admin',
  'amphora:delete': 'admin',
  'amphora:put_config': 'admin',
  'amphora:put_failover': 'admin',

  'quota:get_all': 'read-quota',
  'quota:get_all-global': 'read-quota-global',
  'quota:get_one': 'read-quota',
  'quota:get_defaults': 'read-quota',
  'quota:put': 'write-quota',
  'quota:delete': 'write-quota',

  'flavor:get_all': 'read',
  'flavor:get_one': 'read',
  'flavor:post': 'admin',
  'flavor:put': 'admin',
  'flavor:delete': 'admin',
  'flavor-profile:get_all': 'admin',
  'flavor-profile:get_one': 'admin',
  'flavor-profile:post': 'admin',
  'flavor-profile:put': 'admin',
  'flavor-profile:delete': 'admin',

  'availability-zone:get_all': 'read',
  'availability-zone:get_one': 'read',
  'availability-zone:post': 'admin',
  'availability-zone:put': 'admin',
  'availability-zone:delete': 'admin',
  'availability-zone-profile:get_all': 'admin',
  'availability-zone-profile:get_one': 'admin',
  'availability-zone-profile:post': 'admin',
  'availability-zone-profile:put': 'admin',
  'availability-zone-profile:delete': 'admin',

  'provider:get_all': 'read',
  'provider-flavor:get_all': 'admin',
  'provider-availability-zone:get_all': 'admin',

  // octavia-lite's own: what the engine did and does.
  'job:get_all': 'admin',
  'job:get_one': 'admin',

  // The local cloud's networks are everybody's.
  'network:get_all': 'anyone',

  // What needs no caller: the version document and the description of the API.
  public: 'anyone',
  // Needs a caller, no role: the string that names the version.
  version: 'anyone',
} as const satisfies Readonly<Record<string, MethodRule>>
export type RuleName = keyof typeof RULES
