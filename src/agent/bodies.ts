/**
 * The bodies of the plug calls, checked at the edge: what comes out has the shape of its type.
 * Pure.
 */
import {
  type HostRoute,
  PACKET_PROTOCOLS,
  type PacketRule,
  type PlugFixedIp,
  type PlugNetworkBody,
  type PlugVipBody,
} from '../contract/routes.ts'
import { parseCidr } from '../model/address.ts'
import { Refused } from './answer.ts'

type Fields = Readonly<Record<string, unknown>>
const LIST_MAX = 256
type Range = readonly [min: number, max: number]
const PORTS: Range = [1, 65_535]
const MTUS: Range = [68, 65_535]

/** Throws what upstream answers for a body it cannot use. */
export function parsePlugVip(text: string): PlugVipBody {
  const wrong = refusal('Invalid subnet information')
  return plugVip(objectIn(text, wrong), wrong)
}

export function parsePlugNetwork(text: string): PlugNetworkBody {
  const wrong = refusal('Invalid port information')
  const body = objectIn(text, wrong)
  const info = optional(body.vip_net_info, (value) => {
    const fields = asObject(value, wrong)
    return { ...plugVip(fields, wrong), vip: asText(fields.vip, wrong) }
  })
  return {
    mac_address: asMac(body.mac_address, wrong),
    ...optionalPart(
      'mtu',
      optional(body.mtu, (value) => asInteger(value, MTUS, wrong)),
    ),
    fixed_ips: asFixedIps(body.fixed_ips, wrong),
    ...optionalPart('vip_net_info', info),
    is_sriov: body.is_sriov === true,
  }
}

export function parseInterfaceRules(text: string): readonly PacketRule[] {
  const wrong = refusal('Invalid rules information')
  return asList(jsonIn(text, wrong) ?? wrong(), wrong).map((item) => {
    const rule = asObject(item, wrong)
    const protocol = PACKET_PROTOCOLS.find((each) => each === rule.protocol) ?? wrong()
    const cidr = optional(rule.cidr, (value) => parseCidr(asText(value, wrong)) ?? wrong())
    const port = optional(rule.port, (value) => asInteger(value, PORTS, wrong))
    if (protocol !== 'vrrp' && port === undefined) return wrong()
    return { protocol, cidr: cidr?.text ?? null, port: port ?? null }
  })
}

function plugVip(body: Fields, wrong: () => never): PlugVipBody {
  if (!('gateway' in body)) wrong()
  const vrrp_ip = optional(body.vrrp_ip, (value) => asText(value, wrong))
  return {
    subnet_cidr: asText(body.subnet_cidr, wrong),
    gateway: optional(body.gateway, (value) => asText(value, wrong)) ?? null,
    mac_address: asMac(body.mac_address, wrong),
    ...optionalPart(
      'mtu',
      optional(body.mtu, (value) => asInteger(value, MTUS, wrong)),
    ),
    ...optionalPart('vrrp_ip', vrrp_ip),
    host_routes: asRoutes(body.host_routes, wrong),
    additional_vips: asList(body.additional_vips, wrong).map((item) => {
      const vip = asObject(item, wrong)
      return {
        ip_address: asText(vip.ip_address, wrong),
        subnet_cidr: asText(vip.subnet_cidr, wrong),
        gateway: optional(vip.gateway, (value) => asText(value, wrong)) ?? null,
        host_routes: asRoutes(vip.host_routes, wrong),
      }
    }),
    is_sriov: body.is_sriov === true,
    fixed_ips: asFixedIps(body.fixed_ips, wrong),
    ...(body.hold_vip === true ? { hold_vip: true } : {}),
  }
}

function refusal(error: string): () => never {
  return () => {
    throw new Refused(400, { error, http_code: 400 })
  }
}

function objectIn(text: string, wrong: () => never): Fields {
  return asObject(jsonIn(text, wrong), wrong)
}

function jsonIn(text: string, wrong: () => never): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return wrong()
  }
}

function asObject(value: unknown, wrong: () => never): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong()
  return value as Fields
}

function asText(value: unknown, wrong: () => never): string {
  return typeof value === 'string' && value.length <= 128 ? value : wrong()
}

/** Goes onto the command line of `ip`. */
function asMac(value: unknown, wrong: () => never): string {
  const mac = asText(value, wrong).toLowerCase()
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) ? mac : wrong()
}

function asInteger(value: unknown, [min, max]: Range, wrong: () => never): number {
  const inside = Number.isInteger(value) && Number(value) >= min && Number(value) <= max
  return inside ? Number(value) : wrong()
}

function asList(value: unknown, wrong: () => never): readonly unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) && value.length <= LIST_MAX ? value : wrong()
}

function asFixedIps(value: unknown, wrong: () => never): readonly PlugFixedIp[] {
  return asList(value, wrong).map((item) => {
    const fixed = asObject(item, wrong)
    return {
      ip_address: asText(fixed.ip_address, wrong),
      subnet_cidr: asText(fixed.subnet_cidr, wrong),
      host_routes: asRoutes(fixed.host_routes, wrong),
      gateway: optional(fixed.gateway, (value) => asText(value, wrong)) ?? null,
    }
  })
}

function asRoutes(value: unknown, wrong: () => never): readonly HostRoute[] {
  return asList(value, wrong).map((item) => {
    const route = asObject(item, wrong)
    return {
      destination: asText(route.destination, wrong),
      nexthop: asText(route.nexthop, wrong),
    }
  })
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value)
}

/** `{ name: value }`, or nothing at all where it is undefined. */
function optionalPart<K extends string, V>(name: K, value: V | undefined) {
  return (value === undefined ? {} : { [name]: value }) as { [P in K]?: V }
}
