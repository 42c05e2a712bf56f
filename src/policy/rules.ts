/**
 * Who may do what: the rules of upstream's policy as one table. A route names its rule; check.ts
 * decides. Source: octavia/policies/*.py. Pure.
 */

/** What a rule asks of the caller; composed of the base rules in check.ts. */
export const METHOD_RULES = ['read', 'read-global', 'write', 'admin', 'anyone'] as const
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

  'amphora:get_all': 'admin',
  'amphora:get_one': 'admin',

  'provider:get_all': 'read',

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
