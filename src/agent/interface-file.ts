/**
 * What an interface of the namespace must look like: upstream's interface files, planned from the
 * bodies of the plug calls. Pure. They are all that is needed to set the interface up again after a
 * reboot.
 * Source: octavia/amphorae/backends/utils/interface_file.py.
 */
import type { HostRoute, PlugNetworkBody, PlugVipBody } from '../contract/routes.ts'
import { type Cidr, type Ip, parseCidr, parseIp } from '../model/address.ts'
import type { Topology } from '../model/load-balancer.ts'

export interface StaticAddress {
  readonly address: string
  readonly prefixlen: number
  /** false: keepalived adds and removes it. */
  readonly octavia_owned?: boolean
}

/** Whoever serves the network chooses: by DHCP, and by router advertisements. */
export interface AutomaticAddress {
  readonly dhcp?: true
  readonly ipv6auto?: true
}

export type InterfaceAddress = StaticAddress | AutomaticAddress

export interface InterfaceRoute {
  readonly dst: string
  readonly gateway?: string
  readonly prefsrc?: string
  readonly scope?: 'link'
  readonly flags?: readonly 'onlink'[]
  /** Absent: the main table. */
  readonly table?: number
}

export interface InterfaceRule {
  readonly src: string
  readonly src_len: number
  readonly table: number
}

export interface InterfaceFile {
  readonly name: string
  readonly if_type: 'lo' | 'vip' | 'backend'
  readonly mtu?: number
  readonly addresses: readonly InterfaceAddress[]
  readonly routes: readonly InterfaceRoute[]
  readonly rules: readonly InterfaceRule[]
  readonly scripts: { readonly up: readonly object[]; readonly down: readonly object[] }
  readonly is_sriov: boolean
}

/** The caller's body names something that cannot be set up; answered 400. */
export class InvalidPlug extends Error {
  override readonly name = 'InvalidPlug'
}

const VIP_TABLE = 1
const NO_SCRIPTS = { up: [], down: [] } as const

interface PlannedVip {
  readonly ip: Ip
  readonly subnet: Cidr
  readonly gateway: string | null
  readonly host_routes: readonly HostRoute[]
}

/**
 * The interface of the VIPs. With one amphora they are set here, and their traffic leaves by a
 * table of its own, so that answers go out by the VIP's gateway whatever the member networks route.
 */
export function planVipInterface(
  name: string,
  vip: string,
  body: PlugVipBody,
  topology: Topology,
): InterfaceFile {
  const vips = plannedVips(vip, body)
  // Held VIPs stay away like those that keepalived sets.
  const single = topology === 'SINGLE' && body.hold_vip !== true
  const fixed = portAddresses(body.fixed_ips ?? [])
  return {
    name,
    if_type: 'vip',
    ...(body.mtu === undefined ? {} : { mtu: body.mtu }),
    addresses: unique([
      ...ownAddresses(body, vips),
      ...vips.map(({ ip }) => ({
        address: ip.text,
        prefixlen: ip.family === 6 ? 128 : 32,
        octavia_owned: single,
      })),
      ...fixed.addresses,
    ]),
    routes: oneDefaultEach(
      unique([
        ...vips.flatMap((planned) => vipRoutes(planned, single)),
        ...fixed.gateways.flatMap(({ family, gateway }) => defaultRoutes(family, gateway, single)),
        ...fixed.routes,
      ]),
    ),
    rules: single
      ? vips.map(({ ip }) => ({
          src: ip.text,
          src_len: ip.family === 6 ? 128 : 32,
          table: VIP_TABLE,
        }))
      : [],
    scripts: NO_SCRIPTS,
    is_sriov: body.is_sriov ?? false,
  }
}

function ownAddresses(
  { vrrp_ip, subnet_cidr }: PlugVipBody,
  vips: readonly PlannedVip[],
): readonly InterfaceAddress[] {
  const has = (family: 4 | 6): boolean => vips.some(({ ip }) => ip.family === family)
  if (vrrp_ip === undefined)
    return [
      ...(has(4) ? [{ dhcp: true } as const] : []),
      ...(has(6) ? [{ ipv6auto: true } as const] : []),
    ]
  const vrrp = parseIp(vrrp_ip)
  const subnet = parseCidr(subnet_cidr)
  if (vrrp === undefined || subnet === undefined)
    throw new InvalidPlug(`Invalid VRRP Address: '${vrrp_ip}' in '${subnet_cidr}'`)
  return [{ address: vrrp.text, prefixlen: subnet.prefix }]
}

/** The interface of a member network. */
export function planPortInterface(name: string, body: PlugNetworkBody): InterfaceFile {
  const { addresses, routes } = portAddresses(body.fixed_ips ?? [])
  return {
    name,
    if_type: 'backend',
    ...(body.mtu === undefined ? {} : { mtu: body.mtu }),
    addresses: addresses.length > 0 ? addresses : [{ dhcp: true, ipv6auto: true }],
    routes,
    rules: [],
    scripts: NO_SCRIPTS,
    is_sriov: body.is_sriov ?? false,
  }
}

function plannedVips(vip: string, body: PlugVipBody): readonly PlannedVip[] {
  const first = { ...body, ip_address: vip, host_routes: body.host_routes ?? [] }
  return [first, ...(body.additional_vips ?? [])].map((each) => {
    const ip = parseIp(each.ip_address)
    const subnet = parseCidr(each.subnet_cidr)
    if (ip === undefined || subnet === undefined || subnet.family !== ip.family)
      throw new InvalidPlug(`Invalid VIP: '${each.ip_address}' in '${each.subnet_cidr}'`)
    return { ip, subnet, gateway: gatewayOf(each.gateway), host_routes: each.host_routes }
  })
}

function gatewayOf(text: string | null | undefined): string | null {
  if (text === null || text === undefined || text === '') return null
  const ip = parseIp(text)
  if (ip === undefined) throw new InvalidPlug(`Invalid VIP: gateway '${text}'`)
  return ip.text
}

function vipRoutes({ ip, subnet, gateway, host_routes }: PlannedVip, single: boolean) {
  const routes: InterfaceRoute[] = []
  if (gateway !== null) routes.push(...defaultRoutes(ip.family, gateway, single))
  routes.push({ dst: subnet.text, scope: 'link' })
  if (single) routes.push({ dst: subnet.text, prefsrc: ip.text, scope: 'link', table: VIP_TABLE })
  routes.push(...hostRoutes(host_routes), ...hostRoutes(host_routes, { table: VIP_TABLE }))
  return routes
}

function defaultRoutes(family: 4 | 6, gateway: string, single: boolean): InterfaceRoute[] {
  const dst = family === 6 ? '::/0' : '0.0.0.0/0'
  const route: InterfaceRoute = { dst, gateway, flags: ['onlink'] }
  return single ? [route, { ...route, table: VIP_TABLE }] : [route]
}

/** Subnets of one network have gateways each, of which a table takes one of a family. */
function oneDefaultEach(routes: readonly InterfaceRoute[]): readonly InterfaceRoute[] {
  const seen = new Set<string>()
  return routes.filter(({ dst, table }) => {
    if (!dst.endsWith('/0')) return true
    const place = `${dst} ${table}`
    return !seen.has(place) && seen.add(place)
  })
}

function hostRoutes(
  routes: readonly HostRoute[],
  where: { readonly table?: number } = {},
): readonly InterfaceRoute[] {
  return routes.map(({ destination, nexthop }) => {
    const dst = parseCidr(destination)
    const gateway = parseIp(nexthop)
    if (dst === undefined || gateway === undefined || dst.family !== gateway.family)
      throw new InvalidPlug(`Invalid host route: '${destination}' via '${nexthop}'`)
    return { dst: dst.text, gateway: gateway.text, flags: ['onlink'], ...where }
  })
}

function portAddresses(fixed_ips: NonNullable<PlugNetworkBody['fixed_ips']>) {
  const addresses: StaticAddress[] = []
  const routes: InterfaceRoute[] = []
  const gateways: { readonly family: 4 | 6; readonly gateway: string }[] = []
  for (const fixed of fixed_ips) {
    const ip = parseIp(fixed.ip_address)
    const subnet = parseCidr(fixed.subnet_cidr)
    if (ip === undefined || subnet === undefined) throw new InvalidPlug('Invalid network port')
    addresses.push({ address: ip.text, prefixlen: subnet.prefix })
    routes.push(...hostRoutes(fixed.host_routes ?? []))
    const gateway = gatewayOf(fixed.gateway)
    if (gateway !== null) gateways.push({ family: ip.family, gateway })
  }
  return { addresses, routes, gateways }
}

export function staticAddresses({ addresses }: InterfaceFile): readonly StaticAddress[] {
  return addresses.filter((each): each is StaticAddress => 'address' in each)
}

export function isAutomatic({ addresses }: InterfaceFile, kind: keyof AutomaticAddress): boolean {
  return addresses.some((each) => kind in each)
}

/** Several VIPs of one subnet share their routes. */
function unique<T>(items: readonly T[]): readonly T[] {
  const seen = new Map(items.map((item) => [JSON.stringify(item), item]))
  return [...seen.values()]
}
