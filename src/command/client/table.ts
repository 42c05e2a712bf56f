/**
 * The vocabulary in which the commands of a resource are written. A table says what differs from
 * the rule; names, types and choices of options come from the fields of the resource. The names are
 * those of `openstack loadbalancer`.
 */
import type { Fields } from '../../model/field.ts'

/** What a name on the command line can stand for, and where it is looked up. */
export type Kind = keyof typeof KINDS

interface Place {
  readonly service: 'load-balancer' | 'network' | 'identity'
  /** The collection; `:parent` is the id of the resource around it. */
  readonly path: string
  /** The wrapper of a list. */
  readonly plural: string
  /** The part of a found resource that requests name it by. */
  readonly key: 'id' | 'name'
}

const octavia = (plural: string, over: Partial<Place> = {}): Place => ({
  service: 'load-balancer',
  path: `/v2.0/lbaas/${over.path ?? plural}`,
  plural,
  key: over.key ?? 'id',
})
const neutron = (path: string, plural: string): Place => ({
  service: 'network',
  path: `/v2.0/${path}`,
  plural,
  key: 'id',
})

export const KINDS = {
  loadbalancer: octavia('loadbalancers'),
  listener: octavia('listeners'),
  pool: octavia('pools'),
  member: octavia('members', { path: 'pools/:parent/members' }),
  healthmonitor: octavia('healthmonitors'),
  l7policy: octavia('l7policies'),
  l7rule: octavia('rules', { path: 'l7policies/:parent/rules' }),
  flavor: octavia('flavors'),
  flavorprofile: octavia('flavorprofiles'),
  availabilityzone: octavia('availability_zones', { path: 'availabilityzones', key: 'name' }),
  availabilityzoneprofile: octavia('availability_zone_profiles', {
    path: 'availabilityzoneprofiles',
  }),
  quota: octavia('quotas'),
  provider: octavia('providers', { key: 'name' }),
  amphora: {
    service: 'load-balancer',
    path: '/v2.0/octavia/amphorae',
    plural: 'amphorae',
    key: 'id',
  },
  subnet: neutron('subnets', 'subnets'),
  network: neutron('networks', 'networks'),
  port: neutron('ports', 'ports'),
  policy: neutron('qos/policies', 'policies'),
  security_group: neutron('security-groups', 'security_groups'),
  project: { service: 'identity', path: '/v3/projects', plural: 'projects', key: 'id' },
} as const satisfies Readonly<Record<string, Place>>

/** How a value that is a list or a map is written in a table; machines get it as it is. */
export type Shape = 'ids' | 'lines' | 'pairs'

export interface VerbTable {
  /** Resources named by position: `[pool, member]`. */
  readonly on?: readonly Kind[]
  /** Fields that are not options of this verb although they could be. */
  readonly without?: readonly string[]
  /** Of these options exactly one is needed. */
  readonly exactlyOne?: readonly string[]
  /** Of these options at least one is needed. */
  readonly atLeastOne?: readonly string[]
}

export interface ClientTable {
  /** The word after `octavia-lite`. */
  readonly command: string
  readonly kind: Kind
  /** As in a sentence: `health monitor`. */
  readonly noun: string
  readonly nouns: string
  /** The wrapper of one. */
  readonly singular: string
  readonly fields: Fields
  /** How an option is called where that is not the field with dashes; in a list, in singular. */
  readonly names: Readonly<Record<string, string>>
  /** Second names of options. */
  readonly aliases?: Readonly<Record<string, string>>
  /** Fields that name other resources. */
  readonly references: Readonly<Record<string, Kind>>
  /** Two flags instead of a value: `tls_enabled: 'tls'` is --enable-tls and --disable-tls. */
  readonly switches: Readonly<Record<string, string>>
  /** Keys of values that are objects which the server fills in. */
  readonly answered?: readonly string[]
  /** Lists given as words after one option instead of by repeating it. */
  readonly wordLists?: readonly string[]
  /** Which resource is above, for members and rules. */
  readonly parent?: Kind
  readonly columns: readonly string[]
  readonly longColumns?: readonly string[]
  readonly rows: readonly string[]
  readonly shapes: Readonly<Record<string, Shape>>
  /** Whether its changes take time, so that --wait makes sense. */
  readonly waits: boolean
  readonly tags: boolean
  readonly list?: VerbTable & { readonly filters: readonly string[] }
  readonly show?: VerbTable
  readonly create?: VerbTable & {
    /** The field which the positional fills. */
    readonly fills?: string
  }
  readonly set?: VerbTable & { readonly prints?: boolean }
  readonly unset?: VerbTable
  readonly delete?: VerbTable & { readonly cascade?: boolean }
  readonly extra?: readonly ExtraVerb[]
}

/** What can be done besides, each by one request. */
export type ExtraVerb =
  | 'stats show'
  | 'status show'
  | 'failover'
  | 'configure'
  | 'reset'
  | 'defaults show'
  | 'capability list'

export const STATISTICS = [
  'active_connections',
  'bytes_in',
  'bytes_out',
  'request_errors',
  'total_connections',
] as const
