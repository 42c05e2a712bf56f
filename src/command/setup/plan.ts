/** What setup makes, in order, and what it decides by looking at the cloud. */
import { join } from 'node:path'
import { parseCidr, parseIp } from '../../model/address.ts'
import type { Topology } from '../../model/load-balancer.ts'
import { ensureSshKey } from '../amphora/ssh-key.ts'
import { CommandFailure, EXIT } from '../io.ts'
import { managementPortIn } from '../serve/data-folder.ts'
import type { Cloud } from './cloud.ts'
import { computeThings } from './compute-things.ts'
import { localThings, type Sections } from './configuration.ts'
import { identityThings, setPassword } from './identity-things.ts'
import { managementThing } from './management-thing.ts'
import { networkThings } from './network-things.ts'
import type { Ids, Thing } from './thing.ts'

export interface SetupChoices {
  readonly config_file: string
  readonly data_dir: string
  readonly host: string
  readonly url: string
  readonly username: string
  readonly project_name: string
  /** Secret. */
  readonly password: string
  /** Whether it is that of a user who is there. */
  readonly password_given: boolean
  readonly network: string
  readonly cidr: string
  readonly pool: string | null
  readonly provider: Readonly<
    Record<'network_type' | 'physical_network' | 'segmentation_id', string | null>
  >
  readonly flavor: string
  readonly image: string | null
  readonly image_tag: string
  readonly keypair: string
  readonly topology: Topology | null
  readonly interface: string
  readonly agent_port: number
  readonly heartbeat_port: number
}

export interface SetupPlan {
  readonly things: readonly Thing[]
  readonly notes: readonly string[]
}

export async function planSetup(cloud: Cloud, asked: SetupChoices): Promise<SetupPlan> {
  // Others are shown nothing of much that is there, which would be taken for missing.
  await cloud.keystone.list('/services', 'services', 'the cloud by its administrator')
  const choices = { ...asked, host: await agentHost(cloud, asked.host) }
  const { url, host, data_dir, config_file } = choices
  if (!/^https?:\/\/[^\s/]+/.test(url))
    throw new CommandFailure(`--url takes an http or https URL, not '${url}'`, EXIT.usage)
  const region = cloud.region ?? (await firstRegion(cloud))
  const { topology, note } = await chooseTopology(cloud, choices.topology)
  const identity = identityThings(cloud, { ...choices, region, url: url.replace(/\/+$/, '') })
  const network = networkThings(cloud, {
    ...choices,
    pool: parsePool(choices),
    provider: providerOf(choices.provider),
  })
  const compute = computeThings(cloud, {
    ...choices,
    publicKey: () => ensureSshKey(data_dir).public_key,
    image: { tag: choices.image_tag, name: 'octavia-lite-amphora', file: choices.image },
  })
  const management = managementThing(cloud, {
    interface: choices.interface,
    heartbeat_port: choices.heartbeat_port,
    host,
    file: managementPortIn(data_dir),
  })
  const local = localThings({
    file: config_file,
    data_dir,
    sections: async (ids) => {
      await ensurePassword(cloud, choices, ids)
      return sectionsOf(cloud, choices, { region, topology }, ids)
    },
  })
  return { things: [...identity, ...network, management, ...compute, ...local], notes: [note] }
}

const LAYER_2 = /^(Linux bridge|Open vSwitch|OVN Controller)/

/**
 * This host as Neutron's agents call it: a port bound to another name is plugged in nowhere. With
 * or without its domain it is the same.
 */
async function agentHost(cloud: Cloud, wanted: string): Promise<string> {
  const rows = await cloud.neutron.list('/agents', 'agents', 'agents of Neutron')
  const agents = rows.filter((row) => LAYER_2.test(String(row.agent_type)))
  const hosts = [...new Set(agents.map((row) => String(row.host)))]
  const short = (name: string): string => name.split('.')[0] ?? name
  const same = hosts.filter((host) => short(host) === short(wanted))
  const found = hosts.find((host) => host === wanted) ?? (same.length === 1 ? same[0] : undefined)
  if (found !== undefined) return found
  throw new CommandFailure(
    hosts.length === 0
      ? 'Neutron has no agent that plugs ports in; install one on this host first'
      : `no agent of Neutron is on a host called ${wanted}: say by --host which of ${hosts.join(', ')} this machine is`,
  )
}

async function firstRegion(cloud: Cloud): Promise<string> {
  const [row] = await cloud.keystone.list('/regions', 'regions', 'regions')
  return typeof row?.id === 'string' ? row.id : 'RegionOne'
}

/** A pair on one host dies with it, so it is not made unless somebody wants it. */
async function chooseTopology(
  cloud: Cloud,
  wanted: Topology | null,
): Promise<{ readonly topology: Topology; readonly note: string }> {
  const path = '/os-services?binary=nova-compute'
  const rows = await cloud.nova.list(path, 'services', 'compute hosts')
  const hosts = rows.filter((row) => row.status === 'enabled' && row.state === 'up').length
  const topology = wanted ?? (hosts > 1 ? 'ACTIVE_STANDBY' : 'SINGLE')
  const why =
    wanted === null
      ? `there ${hosts === 1 ? 'is one compute host' : `are ${hosts} compute hosts`}`
      : 'as asked for'
  return { topology, note: `topology ${topology}: ${why}` }
}

function parsePool({ pool, cidr }: SetupChoices): readonly [string, string] | null {
  if (parseCidr(cidr) === undefined)
    throw new CommandFailure(
      `--cidr takes a subnet such as 172.16.0.0/12, not '${cidr}'`,
      EXIT.usage,
    )
  if (pool === null) return null
  const [first = '', last = '', ...more] = pool.split(',').map((text) => text.trim())
  if (more.length > 0 || parseIp(first) === undefined || parseIp(last) === undefined)
    throw new CommandFailure('--pool takes the first and the last address: A,B', EXIT.usage)
  return [first, last]
}

function providerOf(given: SetupChoices['provider']): Readonly<Record<string, string>> {
  const entries = Object.entries(given).filter(([, value]) => value !== null)
  return Object.fromEntries(entries.map(([name, value]) => [`provider:${name}`, String(value)]))
}

/**
 * The configuration is where the password is kept. A user whom an interrupted run has made gets a
 * new one; that of another user is not changed.
 */
async function ensurePassword(cloud: Cloud, choices: SetupChoices, ids: Ids): Promise<void> {
  const { username, password, password_given, config_file, data_dir } = choices
  if (password_given) return
  const { Record } = await import('./thing.ts')
  if (!new Record(join(data_dir, 'setup.json')).has('user'))
    throw new CommandFailure(
      `user ${username} is there and ${config_file} is not: give its password by --service-password-stdin, or name another by --username`,
    )
  await setPassword(cloud, ids.get('user'), password)
}

function sectionsOf(
  cloud: Cloud,
  choices: SetupChoices,
  decided: { readonly region: string; readonly topology: Topology },
  ids: Ids,
): Sections {
  const auth = {
    auth_type: 'password',
    auth_url: cloud.auth_url,
    username: choices.username,
    password: choices.password,
    user_domain_name: 'Default',
    project_name: choices.project_name,
    project_domain_name: 'Default',
  }
  const { region, topology } = decided
  const region_name = region
  return {
    DEFAULT: { data_dir: choices.data_dir, host: choices.host },
    api_settings: { bind_host: '0.0.0.0', auth_strategy: 'keystone' },
    keystone_authtoken: { ...auth, www_authenticate_uri: cloud.auth_url, region_name },
    service_auth: auth,
    nova: {
      region_name,
      enable_anti_affinity: topology === 'ACTIVE_STANDBY',
      anti_affinity_policy: 'soft-anti-affinity',
    },
    neutron: { region_name },
    glance: { region_name },
    controller_worker: {
      compute_driver: 'compute_nova_driver',
      network_driver: 'allowed_address_pairs_driver',
      loadbalancer_topology: topology,
      amp_flavor_id: ids.get('flavor'),
      amp_image_tag: choices.image_tag,
      amp_ssh_key_name: choices.keypair,
      amp_boot_network_list: [ids.get('network')],
      amp_secgroup_list: [ids.get('group-amphora')],
    },
    health_manager: {
      management_port: 'auto',
      management_port_security_groups: [ids.get('group-controller')],
    },
  }
}
