/**
 * Every method of openstacksdk's load balancer proxy, in an order in which each finds what it
 * needs. `$x` is the id that an earlier one kept as x; `$project` is that of a project.
 */

export interface SdkCall {
  readonly method: string
  readonly args?: readonly unknown[]
  readonly named?: Readonly<Record<string, unknown>>
  /** Keeps the id of the object, or of the first of a list. */
  readonly keep?: string
  /** Parts of the result; of a list these are some. */
  readonly gives?: object
  /** What this release lacks for it, so that it may fail. */
  readonly lacks?: string
}

const SUBNET = '22222222-0000-4000-8000-000000000001'
/** Without this the client takes a path that is not there for an object that is gone. */
const STRICT = { ignore_missing: false }

interface Resource {
  /** `listener` of create_listener. */
  readonly one: string
  readonly many: string
  /** Arguments before those of each call: the parent, after the object itself. */
  readonly parent?: string
  readonly create: Readonly<Record<string, unknown>>
  readonly update: Readonly<Record<string, unknown>>
  readonly gives: object
  readonly lacks?: string
}

/** Create, get, find, list, update; what is deleted comes later, children first. */
function lifeOf(resource: Resource): readonly SdkCall[] {
  const { one, many, parent, create, update, gives, lacks } = resource
  const above = parent === undefined ? [] : [parent]
  const id = `$${one}`
  const calls: readonly SdkCall[] = [
    { method: `create_${one}`, args: above, named: create, keep: one },
    { method: `get_${one}`, args: [id, ...above], gives },
    { method: `find_${one}`, args: [id, ...above], gives },
    { method: many, args: above, gives: [gives] },
    { method: `update_${one}`, args: [id, ...above], named: update, gives: update },
  ]
  return calls.map((call) => (lacks === undefined ? call : { ...call, lacks }))
}

function deleteOf({ one, parent, lacks }: Resource): SdkCall {
  const call = {
    method: `delete_${one}`,
    args: [`$${one}`, ...(parent === undefined ? [] : [parent])],
    named: STRICT,
  }
  return lacks === undefined ? call : { ...call, lacks }
}

const LOAD_BALANCER: Resource = {
  one: 'load_balancer',
  many: 'load_balancers',
  create: { name: 'lb', vip_subnet_id: SUBNET, tags: ['t'] },
  update: { description: 'd' },
  gives: { name: 'lb', project_id: '$project' },
}
const LISTENER: Resource = {
  one: 'listener',
  many: 'listeners',
  create: {
    name: 'li',
    protocol: 'HTTP',
    protocol_port: 80,
    load_balancer_id: '$load_balancer',
    allowed_cidrs: ['10.0.0.0/8'],
    insert_headers: { 'X-Forwarded-For': 'true' },
  },
  update: { connection_limit: 10 },
  gives: { name: 'li', protocol: 'HTTP' },
}
const POOL: Resource = {
  one: 'pool',
  many: 'pools',
  create: {
    name: 'po',
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
    listener_id: '$listener',
    session_persistence: { type: 'SOURCE_IP' },
  },
  update: { lb_algorithm: 'SOURCE_IP' },
  gives: { name: 'po', protocol: 'HTTP' },
}
const MEMBER: Resource = {
  one: 'member',
  many: 'members',
  parent: '$pool',
  create: { name: 'm', address: '10.0.0.11', protocol_port: 80, subnet_id: SUBNET },
  update: { weight: 5 },
  gives: { name: 'm', address: '10.0.0.11' },
}
const MONITOR: Resource = {
  one: 'health_monitor',
  many: 'health_monitors',
  create: {
    name: 'h',
    type: 'HTTP',
    delay: 5,
    timeout: 3,
    max_retries: 2,
    pool_id: '$pool',
    url_path: '/health',
  },
  update: { delay: 6 },
  gives: { name: 'h', type: 'HTTP' },
}
const POLICY: Resource = {
  one: 'l7_policy',
  many: 'l7_policies',
  create: {
    name: 'p',
    action: 'REDIRECT_TO_URL',
    redirect_url: 'http://example.org/',
    listener_id: '$listener',
  },
  update: { description: 'd' },
  gives: { name: 'p', position: 1 },
}
const RULE: Resource = {
  one: 'l7_rule',
  many: 'l7_rules',
  parent: '$l7_policy',
  create: { type: 'PATH', compare_type: 'STARTS_WITH', value: '/a' },
  update: { invert: true },
  gives: { type: 'PATH', rule_value: '/a' },
}
const FLAVOR_PROFILE: Resource = {
  one: 'flavor_profile',
  many: 'flavor_profiles',
  create: {
    name: 'fp',
    provider_name: 'amphora',
    flavor_data: '{"loadbalancer_topology":"SINGLE"}',
  },
  update: { provider_name: 'amphora' },
  gives: { name: 'fp' },
}
const FLAVOR: Resource = {
  one: 'flavor',
  many: 'flavors',
  create: { name: 'fl', flavor_profile_id: '$flavor_profile' },
  update: { description: 'd' },
  gives: { name: 'fl' },
}
const ZONE_PROFILE: Resource = {
  one: 'availability_zone_profile',
  many: 'availability_zone_profiles',
  create: {
    name: 'zp',
    provider_name: 'amphora',
    availability_zone_data: '{"compute_zone":"nova"}',
  },
  update: { provider_name: 'amphora' },
  gives: { name: 'zp' },
}
const ZONE: Resource = {
  one: 'availability_zone',
  many: 'availability_zones',
  create: { name: 'zone', availability_zone_profile_id: '$availability_zone_profile' },
  update: { description: 'd' },
  gives: { name: 'zone' },
}
/** What load balancers may be made of: they go after those. */
const OFFERS: readonly Resource[] = [FLAVOR, FLAVOR_PROFILE, ZONE, ZONE_PROFILE]
const RESOURCES: readonly Resource[] = [
  FLAVOR_PROFILE,
  FLAVOR,
  ZONE_PROFILE,
  ZONE,
  LOAD_BALANCER,
  LISTENER,
  POOL,
  MEMBER,
  MONITOR,
  POLICY,
  RULE,
]

export const CALLS: readonly SdkCall[] = [
  { method: 'providers', gives: [{ name: 'amphora' }] },
  {
    method: 'provider_flavor_capabilities',
    args: ['amphora'],
    gives: [{ name: 'loadbalancer_topology' }],
  },
  ...RESOURCES.flatMap(lifeOf),
  { method: 'get_load_balancer_statistics', args: ['$load_balancer'] },
  { method: 'get_listener_statistics', args: ['$listener'] },
  { method: 'amphorae', named: { loadbalancer_id: '$load_balancer' }, keep: 'amphora' },
  { method: 'get_amphora', args: ['$amphora'], gives: { role: 'STANDALONE' } },
  { method: 'find_amphora', args: ['$amphora'], gives: { role: 'STANDALONE' } },
  { method: 'configure_amphora', args: ['$amphora'] },
  { method: 'failover_amphora', args: ['$amphora'] },
  { method: 'failover_load_balancer', args: ['$load_balancer'] },
  { method: 'get_quota_default' },
  {
    method: 'update_quota',
    args: ['$project'],
    named: { load_balancers: 10 },
  },
  {
    method: 'get_quota',
    args: ['$project'],
    gives: { load_balancers: 10 },
  },
  { method: 'quotas', gives: [{ load_balancers: 10 }] },
  { method: 'delete_quota', args: ['$project'], named: STRICT },
  { method: 'wait_for_load_balancer', args: ['$load_balancer'] },
  ...RESOURCES.toReversed()
    .filter((resource) => resource !== LOAD_BALANCER)
    .filter((resource) => !OFFERS.includes(resource))
    .map(deleteOf),
  { method: 'delete_load_balancer', args: ['$load_balancer'], named: { ...STRICT, cascade: true } },
  ...OFFERS.map(deleteOf),
]
