/** What no option can know by itself: values that contradict one another. Pure. */
import {
  type Cidr,
  contains,
  type Ip,
  lastAddress,
  overlaps,
  parseCidr,
  parseIp,
} from '../model/address.ts'
import { TLS_VERSIONS } from '../model/tls.ts'
import { NO_GATEWAY } from './options/local-cloud.ts'
import type { Config } from './options.ts'

export interface Contradiction {
  /** `section.option`: the one to change, most likely. */
  readonly where: string
  readonly message: string
}

/** All contradictions of a configuration whose values are each right by itself. */
export function crossCheck(config: Config): readonly Contradiction[] {
  return [
    ...checkIdentity(config),
    ...checkDrivers(config),
    ...checkHeartbeats(config),
    ...checkTls(config),
    ...checkProvider(config),
    ...checkKeystone(config),
    ...checkBarbican(config),
    ...checkOpenStack(config),
    ...(config.controller_worker.network_driver === 'local' ? checkLocalCloud(config) : []),
  ]
}

/**
 * Two services that say who is who would be one too many, and it would not be clear which was
 * meant.
 */
function checkIdentity({
  api_settings: api,
  keystone_authtoken: keystone,
}: Config): Contradiction[] {
  const set = (['auth_url', 'www_authenticate_uri'] as const).find(
    (name) => keystone[name] !== null,
  )
  if (api.auth_strategy !== 'local' || set === undefined) return []
  const message =
    `[keystone_authtoken] ${set} names a Keystone, and auth_strategy local is an identity ` +
    'service of our own: remove one of them'
  return [{ where: 'api_settings.auth_strategy', message }]
}

function checkDrivers({ controller_worker: drivers }: Config): Contradiction[] {
  const found: Contradiction[] = []
  const nova = drivers.compute_driver === 'compute_nova_driver'
  if (nova && drivers.network_driver === 'local')
    found.push({
      where: 'controller_worker.network_driver',
      message:
        'compute_nova_driver needs allowed_address_pairs_driver: servers are plugged into Neutron',
    })
  const compute = drivers.compute_driver === 'local'
  if (compute && drivers.network_driver !== 'local')
    found.push({
      where: 'controller_worker.network_driver',
      message:
        'compute_driver local needs network_driver local: amphorae are plugged into its bridges',
    })
  const none = drivers.compute_driver === 'compute_noop_driver'
  if (none && drivers.amphora_driver === 'amphora_haproxy_rest_driver')
    found.push({
      where: 'controller_worker.amphora_driver',
      message: `compute_driver ${drivers.compute_driver} makes no agent to talk to; use amphora_noop_driver`,
    })
  return found
}

function checkHeartbeats(config: Config): Contradiction[] {
  const found: Contradiction[] = []
  const health = config.health_manager
  if (health.heartbeat_timeout <= health.heartbeat_interval)
    found.push({
      where: 'health_manager.heartbeat_timeout',
      message: `${health.heartbeat_timeout} s pass before the next heartbeat, due after ${health.heartbeat_interval} s`,
    })
  for (const target of health.controller_ip_port_list) {
    const [, host = '', portText = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(target) ?? []
    const port = Number(portText)
    if (port < 1 || port > 65_535 || (/^[\d.]+$|:/.test(host) && parseIp(host) === undefined))
      found.push({
        where: 'health_manager.controller_ip_port_list',
        message: `${target} is no address and port`,
      })
  }
  const address = config.local_cloud.management_host_ip
  const local = config.controller_worker.network_driver === 'local'
  if (local && !['0.0.0.0', '::', address].includes(health.bind_ip))
    found.push({
      where: 'health_manager.bind_ip',
      message: `amphorae of the local cloud send heartbeats to ${address}: use that, 0.0.0.0 or ::`,
    })
  return found
}

/** As upstream refuses to start: octavia/common/validate.py. */
function checkTls({ api_settings: api }: Config): Contradiction[] {
  const found: Contradiction[] = []
  const least = api.minimum_tls_version === null ? 0 : TLS_VERSIONS.indexOf(api.minimum_tls_version)
  const prohibited = new Set(api.tls_cipher_prohibit_list.split(':'))
  for (const kind of ['listener', 'pool'] as const) {
    const versions = api[`default_${kind}_tls_versions`]
    const old = versions.filter(
      (version) => (TLS_VERSIONS as readonly string[]).indexOf(version) < least,
    )
    if (old.length > 0)
      found.push({
        where: `api_settings.default_${kind}_tls_versions`,
        message: `${old.join(', ')} is older than minimum_tls_version ${api.minimum_tls_version}`,
      })
    const ciphers = api[`default_${kind}_ciphers`].split(':')
    const refused = ciphers.filter((cipher) => cipher !== '' && prohibited.has(cipher))
    if (refused.length > 0)
      found.push({
        where: `api_settings.default_${kind}_ciphers`,
        message: `${refused.join(', ')} is in tls_cipher_prohibit_list`,
      })
  }
  return found
}

function checkProvider({ api_settings: api }: Config): Contradiction[] {
  if (Object.hasOwn(api.enabled_provider_drivers, api.default_provider_driver)) return []
  const message = `${api.default_provider_driver} is not one of enabled_provider_drivers`
  return [{ where: 'api_settings.default_provider_driver', message }]
}

/** What the start would fail at, or worse, every login to Keystone. */
function checkKeystone(config: Config): Contradiction[] {
  if (config.api_settings.auth_strategy !== 'keystone') return []
  const { auth_section } = config.keystone_authtoken
  const named = auth_section ?? 'keystone_authtoken'
  if (named !== 'keystone_authtoken' && named !== 'service_auth')
    return [
      {
        where: 'keystone_authtoken.auth_section',
        message: `${named} is not a section that says who we are: use service_auth`,
      },
    ]
  return checkOurUser(config, named, 'auth_strategy keystone')
}

/** Barbican is asked as the user of [service_auth], and callers by their own tokens. */
function checkBarbican(config: Config): Contradiction[] {
  const { cert_manager } = config.certificates
  if (cert_manager !== 'barbican_cert_manager') return []
  const { auth_strategy } = config.api_settings
  if (auth_strategy !== 'keystone') {
    const message = `${cert_manager} needs auth_strategy keystone, not ${auth_strategy}`
    return [{ where: 'certificates.cert_manager', message }]
  }
  return checkOurUser(config, 'service_auth', `cert_manager ${cert_manager}`)
}

/** Options without which no amphora boots, and what they name. */
const NOVA_NEEDS = {
  amp_flavor_id: 'the flavor of amphorae, which octavia-lite setup makes',
  amp_image_tag: 'the tag of the image of amphorae, "amphora" as octavia-lite image upload sets it',
  amp_boot_network_list: 'the management network, which octavia-lite setup makes',
} as const

/** What drivers of an OpenStack cloud cannot do without. */
function checkOpenStack(config: Config): Contradiction[] {
  const { controller_worker: worker, health_manager } = config
  const nova = worker.compute_driver === 'compute_nova_driver'
  const user = nova ? 'compute_nova_driver' : worker.network_driver
  if (user !== 'compute_nova_driver' && user !== 'allowed_address_pairs_driver') return []
  const found = checkOurUser(config, 'service_auth', user)
  if (!nova) return found
  for (const [name, what] of Object.entries(NOVA_NEEDS))
    if (worker[name as keyof typeof NOVA_NEEDS].length === 0)
      found.push({
        where: `controller_worker.${name}`,
        message: `compute_nova_driver needs ${name}: ${what}`,
      })
  const { controller_ip_port_list, management_port } = health_manager
  if (controller_ip_port_list.length === 0 && management_port === 'none')
    found.push({
      where: 'health_manager.controller_ip_port_list',
      message: 'amphorae in Nova need the address and port where this controller hears heartbeats',
    })
  return found
}

/** What is missing in the section that says who we are. */
function checkOurUser(
  config: Config,
  named: 'keystone_authtoken' | 'service_auth',
  why: string,
): Contradiction[] {
  const auth = config[named]
  const missing: string[] = []
  if (auth.auth_type === null) missing.push('auth_type')
  if (auth.auth_url === null) missing.push('auth_url')
  if (auth.auth_type === 'v3applicationcredential') {
    if ((auth.application_credential_id ?? auth.application_credential_name) === null)
      missing.push('application_credential_id')
    if (auth.application_credential_secret === null) missing.push('application_credential_secret')
  } else {
    if ((auth.username ?? auth.user_id) === null) missing.push('username')
    if (auth.password === null) missing.push('password')
  }
  return missing.map((name) => ({
    where: `${named}.${name}`,
    message: `${why} needs ${name} in [${named}]`,
  }))
}

interface NamedRange {
  readonly where: string
  readonly name: string
  readonly range: Cidr
}

function checkLocalCloud({ local_cloud: cloud }: Config): Contradiction[] {
  const where = 'local_cloud.networks'
  const found: Contradiction[] = []
  const management = parseCidr(cloud.management_cidr)
  const ranges: NamedRange[] = []
  if (management !== undefined) {
    ranges.push({
      where: 'local_cloud.management_cidr',
      name: 'the management network',
      range: management,
    })
    const problem = hostProblem(management, cloud.management_host_ip)
    if (problem !== undefined)
      found.push({
        where: 'local_cloud.management_host_ip',
        message: `${cloud.management_host_ip} ${problem}`,
      })
  }
  const seen = new Set<string>()
  for (const network of cloud.networks) {
    for (const key of network.id === null ? [network.name] : [network.name, network.id]) {
      if (seen.has(key)) found.push({ where, message: `two networks are called ${key}` })
      seen.add(key)
    }
    for (const subnet of [network, ...network.subnets]) {
      const range = parseCidr(subnet.cidr)
      if (range === undefined) continue
      const problems = subnetProblems(range, network.name, subnet)
      found.push(...problems.map((message) => ({ where, message })))
      ranges.push({ where, name: `network ${network.name}`, range })
    }
  }
  return [...found, ...findOverlaps(ranges)]
}

type Subnet = Config['local_cloud']['networks'][number]['subnets'][number]

function subnetProblems(range: Cidr, name: string, subnet: Omit<Subnet, 'name'>): string[] {
  const { allocation_start, allocation_end } = subnet
  const gateway_ip = subnet.gateway_ip === NO_GATEWAY ? null : subnet.gateway_ip
  const found: string[] = []
  const addresses = { gateway_ip, allocation_start, allocation_end }
  for (const [field, address] of Object.entries(addresses)) {
    const problem = address === null ? undefined : hostProblem(range, address)
    if (problem !== undefined) found.push(`${field} ${address} of network ${name} ${problem}`)
  }
  if ((allocation_start === null) !== (allocation_end === null))
    found.push(`network ${name}: allocation_start and allocation_end go together`)
  if (isAfter(allocation_start, allocation_end))
    found.push(`network ${name}: allocation_end is before allocation_start`)
  if (range.prefix > (range.family === 4 ? 30 : 126))
    found.push(`network ${name}: ${range.text} has no room for ports`)
  for (const { destination, nexthop } of subnet.host_routes) {
    const problem = hostProblem(range, nexthop)
    if (problem !== undefined)
      found.push(`network ${name}: nexthop ${nexthop} of the route to ${destination} ${problem}`)
    else if (parseCidr(destination)?.family !== range.family)
      found.push(`network ${name}: the route to ${destination} is of two families`)
  }
  return found
}

/** Why a host cannot have that address, or undefined when it can. */
function hostProblem(range: Cidr, text: string): string | undefined {
  const address: Ip | undefined = parseIp(text)
  if (address === undefined || !contains(range, address)) return `is not in ${range.text}`
  const reserved = range.family === 4 && range.prefix < 31
  if (reserved && address.value === lastAddress(range).value)
    return `is the broadcast address of ${range.text}`
  if (address.value === range.network.value && (range.family === 6 || reserved))
    return `is the address of ${range.text} itself`
  return undefined
}

function isAfter(first: string | null, last: string | null): boolean {
  const [from, to] = [parseIp(first ?? ''), parseIp(last ?? '')]
  return from !== undefined && to !== undefined && from.value > to.value
}

function findOverlaps(ranges: readonly NamedRange[]): Contradiction[] {
  return ranges.flatMap((one, index) =>
    ranges
      .slice(index + 1)
      .filter((other) => overlaps(one.range, other.range))
      .map((other) => ({
        where: other.where,
        message: `${other.name} (${other.range.text}) overlaps ${one.name} (${one.range.text})`,
      })),
  )
}
