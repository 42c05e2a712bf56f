/**
 * What profiles of flavors and availability zones may say, by provider: the settings with their
 * types and descriptions. Texts of refusals are those of Python's jsonschema, which upstream passes
 * on. Source: octavia/api/drivers/amphora_driver/{flavor,availability_zone}_schema.py. Pure.
 */
import { fault, pythonish } from './fault.ts'
import { isObject, type Json } from './field.ts'
import { TOPOLOGIES } from './load-balancer.ts'

export interface Capability {
  readonly type: 'string' | 'boolean' | 'array'
  readonly description: string
  readonly choices?: readonly string[]
}
export type CapabilityTable = Readonly<Record<string, Capability>>
/** The two kinds of profile. */
export type ProfileKind = 'flavor' | 'availability_zone'
export type ProfileData = Readonly<Record<string, Json>>

export interface ProviderCapabilities {
  readonly tables: Readonly<Record<ProfileKind, CapabilityTable>>
  /** Whether profiles are held against the tables; a provider may accept anything. */
  readonly strict: boolean
}

/** A setting of a profile which the drivers in use cannot fulfil; without `value`: any. */
export interface Lack {
  readonly name: string
  readonly value?: Json
  /** Why, as the caller reads it. */
  readonly reason: string
}

const text = (description: string): Capability => ({ type: 'string', description })
const flag = (description: string): Capability => ({ type: 'boolean', description })

const AMPHORA: ProviderCapabilities = {
  strict: true,
  tables: {
    flavor: {
      loadbalancer_topology: {
        type: 'string',
        description:
          'The load balancer topology. One of: SINGLE - One amphora per load balancer. ' +
          'ACTIVE_STANDBY - Two amphora per load balancer.',
        choices: [...TOPOLOGIES].sort(),
      },
      compute_flavor: text('The compute driver flavor ID.'),
      amp_image_tag: text('The amphora image tag.'),
      sriov_vip: flag('When true, the VIP port will be created using an SR-IOV VF port.'),
      allow_member_sriov: flag(
        'When true, users can request a member port be SR-IOV enabled at member creation time.',
      ),
    },
    availability_zone: {
      compute_zone: text('The compute availability zone.'),
      volume_zone: text('The volume availability zone.'),
      management_network: text('The management network ID for the amphora.'),
      valid_vip_networks: {
        type: 'array',
        description:
          'List of network IDs that are allowed for VIP use. This overrides/replaces the list of ' +
          'allowed networks configured in `octavia.conf`.',
      },
    },
  },
}

const NOOP: ProviderCapabilities = {
  strict: false,
  tables: {
    flavor: { amp_image_tag: text('The glance image tag to use for this load balancer.') },
    availability_zone: {
      compute_zone: text('The compute availability zone to use for this loadbalancer.'),
      volume_zone: text('The volume availability zone to use for this loadbalancer.'),
    },
  },
}

const BY_PROVIDER: Readonly<Record<string, ProviderCapabilities>> = {
  amphora: AMPHORA,
  octavia: AMPHORA,
  noop_driver: NOOP,
  'noop_driver-alt': NOOP,
}

/** Throws 400 for a provider which is not enabled, 501 for one which this program does not have. */
export function getCapabilities(
  enabled: Readonly<Record<string, string>>,
  provider: string,
): ProviderCapabilities {
  if (!Object.hasOwn(enabled, provider)) throw fault.providerNotEnabled(provider)
  const found = Object.hasOwn(BY_PROVIDER, provider) ? BY_PROVIDER[provider] : undefined
  if (found === undefined) throw fault.providerNotFound(provider)
  return found
}

/** The text of a profile, which must be JSON; `field` is named in the fault. */
export function parseProfileData(text: string, field: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw fault.invalidOption(text, field)
  }
}

/**
 * Throws 501 for what the provider does not know, naming the first thing wrong. Settings that are
 * read here, whatever the provider, must be of their types for all of them.
 */
export function checkProfile(
  provider: string,
  kind: ProfileKind,
  { strict, tables }: ProviderCapabilities,
  data: unknown,
): asserts data is ProfileData {
  const problem = isObject(data)
    ? ((strict ? findUnknown(tables[kind], data) : undefined) ??
      findWrong(AMPHORA.tables[kind], data))
    : `${printed(data)} is not of type 'object'`
  if (problem !== undefined) throw fault.providerUnsupported(provider, problem)
}

function findUnknown(table: CapabilityTable, data: object): string | undefined {
  const unknown = Object.keys(data).filter((name) => !Object.hasOwn(table, name))
  if (unknown.length === 0) return undefined
  const verb = unknown.length > 1 ? 'were' : 'was'
  const names = unknown.map(printed).join(', ')
  return `Additional properties are not allowed (${names} ${verb} unexpected)`
}

function findWrong(
  table: CapabilityTable,
  data: Readonly<Record<string, unknown>>,
): string | undefined {
  for (const [name, capability] of Object.entries(table)) {
    const problem = Object.hasOwn(data, name) ? findMistake(capability, data[name]) : undefined
    if (problem !== undefined) return `${name} ${problem}`
  }
  return undefined
}

function findMistake({ type, choices }: Capability, value: unknown): string | undefined {
  const is = Array.isArray(value) ? 'array' : typeof value
  if (is !== type) return `${printed(value)} is not of type '${type}'`
  if (choices !== undefined && !choices.includes(String(value)))
    return `${printed(value)} is not one of ${pythonish(choices)}`
  // Upstream looks for any item as a network, and answers 500 when that cannot be one.
  const stray = Array.isArray(value) ? value.find((item) => typeof item !== 'string') : undefined
  return stray === undefined ? undefined : `${printed(stray)} is not of type 'string'`
}

function printed(value: unknown): string {
  return pythonish(value)
    .slice(0, 300)
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f]/g, '?')
}
