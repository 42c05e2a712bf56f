/**
 * What a compute service tells a server by its config drive, as far as an amphora needs it. Pure.
 * Source: the metadata formats of Nova (openstack/latest/{meta_data,network_data}.json), and of
 * cloud-init's `#cloud-config` what upstream's controller puts into user data.
 */
export interface GuestFile {
  readonly path: string
  /** Base64 where cloud-config says so; decoded here. */
  readonly content: string
}

export interface GuestLink {
  /** Lower case. */
  readonly mac: string
  readonly mtu: number | null
  readonly networks: readonly GuestNetwork[]
}

export type GuestNetwork =
  | { readonly kind: 'dhcp4' }
  /** Addresses of routers' advertisements, whether stateless or not. */
  | { readonly kind: 'ra6' }
  | {
      readonly kind: 'static'
      /** With prefix length. */
      readonly address: string
      readonly routes: readonly { readonly destination: string; readonly gateway: string }[]
    }

export interface GuestConfig {
  readonly instance_id: string
  readonly hostname: string | null
  readonly ssh_keys: readonly string[]
  readonly files: readonly GuestFile[]
  /** The management network first; null where the drive does not tell. */
  readonly links: readonly GuestLink[] | null
  readonly nameservers: readonly string[]
  readonly timezone: string | null
}

/** Files of the drive, relative to `openstack/latest`; undefined where there is none. */
export type ReadDrive = (name: string) => string | undefined

/** The drive cannot be understood; the message names the file, never what is in it. */
export class ConfigDriveError extends Error {
  override readonly name = 'ConfigDriveError'
}

export function parseConfigDrive(read: ReadDrive): GuestConfig {
  const meta = record(parseJson('meta_data.json', read('meta_data.json')))
  const network = read('network_data.json')
  const user = parseCloudConfig(read('user_data'))
  const instance_id = text(meta.uuid)
  if (instance_id === null) throw new ConfigDriveError('meta_data.json has no uuid')
  const data = network === undefined ? undefined : record(parseJson('network_data.json', network))
  return {
    instance_id,
    hostname: text(meta.hostname)?.split('.')[0] ?? null,
    ssh_keys: Object.values(record(meta.public_keys)).flatMap((key) => text(key)?.trim() ?? []),
    files: [...listFiles(meta, read), ...user.files],
    links: data === undefined ? null : parseLinks(data),
    nameservers: data === undefined ? [] : parseNameservers(data),
    timezone: user.timezone,
  }
}

function parseJson(name: string, json: string | undefined): unknown {
  if (json === undefined) throw new ConfigDriveError(`${name} is missing`)
  try {
    return JSON.parse(json)
  } catch {
    throw new ConfigDriveError(`${name} is no JSON`)
  }
}

/** Files that were given to the compute service with the server, as its `personality`. */
function listFiles(meta: Unknowns, read: ReadDrive): readonly GuestFile[] {
  return list(meta.files).map((each) => {
    const path = text(each.path)
    const from = text(each.content_path)
    const content = from === null ? undefined : read(`..${from}`)
    if (path === null || content === undefined)
      throw new ConfigDriveError(`meta_data.json names a file that is not there: ${path}`)
    return { path, content }
  })
}

function parseCloudConfig(data: string | undefined): {
  readonly files: readonly GuestFile[]
  readonly timezone: string | null
} {
  if (data?.startsWith('#cloud-config') !== true) return { files: [], timezone: null }
  let user: Unknowns
  try {
    user = record(Bun.YAML.parse(data))
  } catch {
    throw new ConfigDriveError('user_data is no YAML')
  }
  const files = list(user.write_files).map((each) => {
    const path = text(each.path)
    if (path === null) throw new ConfigDriveError('user_data has a file without path')
    const content = text(each.content) ?? ''
    const encoded = /^(b64|base64)$/.test(text(each.encoding) ?? '')
    return { path, content: encoded ? Buffer.from(content, 'base64').toString() : content }
  })
  return { files, timezone: text(user.timezone) }
}

function parseLinks(data: Unknowns): readonly GuestLink[] {
  const networks = list(data.networks)
  return list(data.links).flatMap((link) => {
    const mac = text(link.ethernet_mac_address)?.toLowerCase()
    if (mac === undefined) return []
    const mtu = typeof link.mtu === 'number' ? link.mtu : null
    const mine = networks.filter((network) => network.link === link.id)
    return [{ mac, mtu, networks: mine.flatMap(parseNetwork) }]
  })
}

function parseNetwork(network: Unknowns): readonly GuestNetwork[] {
  const type = text(network.type) ?? ''
  if (type === 'ipv4_dhcp') return [{ kind: 'dhcp4' }]
  if (type !== 'ipv4' && type !== 'ipv6') return type.startsWith('ipv6') ? [{ kind: 'ra6' }] : []
  const address = withPrefix(text(network.ip_address), text(network.netmask))
  if (address === null)
    throw new ConfigDriveError('network_data.json has a network without address')
  const routes = list(network.routes).flatMap((route) => {
    const destination = withPrefix(text(route.network), text(route.netmask))
    const gateway = text(route.gateway)
    return destination === null || gateway === null ? [] : [{ destination, gateway }]
  })
  return [{ kind: 'static', address, routes }]
}

/** `10.0.0.5` and `255.255.255.0`, or `fd00::5` and `ffff:ffff::` or `64`, to `address/length`. */
function withPrefix(address: string | null, netmask: string | null): string | null {
  if (address === null) return null
  if (address.includes('/')) return address
  if (netmask === null) return null
  if (/^\d{1,3}$/.test(netmask)) return `${address}/${netmask}`
  const groups = netmask.includes(':')
    ? netmask.split(':').map((group) => Number.parseInt(group || '0', 16).toString(2))
    : netmask.split('.').map((byte) => Number(byte).toString(2))
  const bits = groups.join('').replaceAll('0', '').length
  return `${address}/${bits}`
}

function parseNameservers(data: Unknowns): readonly string[] {
  return list(data.services).flatMap((service) =>
    service.type === 'dns' ? (text(service.address) ?? []) : [],
  )
}

type Unknowns = Readonly<Record<string, unknown>>

function record(value: unknown): Unknowns {
  return typeof value === 'object' && value !== null ? (value as Unknowns) : {}
}

function list(value: unknown): readonly Unknowns[] {
  return Array.isArray(value) ? value.map(record) : []
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
