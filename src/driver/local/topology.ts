/**
 * From configured networks to what they are on this machine: ids, bridges, host addresses. Pure.
 */

import {
  type Cidr,
  contains,
  type Ip,
  ipOf,
  lastAddress,
  overlaps,
  parseCidr,
  parseIp,
} from '../../model/address.ts'
import { assert, present } from '../../system/assert.ts'
import { derivedId } from '../derived.ts'
import { DriverError } from '../error.ts'
import type { HostRoute, Network, Subnet } from '../network.ts'
import type { OwnAddress } from './links.ts'
import { bridgeName, markOf } from './naming.ts'

export interface SubnetOptions {
  /** Absent: the name of its network, with a number from the second one on. */
  readonly name?: string
  readonly cidr: string
  /** Absent: the first address. null: none, and then the host has no address either. */
  readonly gateway_ip?: string | null
  /** Where addresses nobody asked for by name are taken from; absent: the whole subnet. */
  readonly allocation?: { readonly first: string; readonly last: string }
  readonly host_routes?: readonly HostRoute[]
}

/** A network and its first subnet, which has its name. */
export interface NetworkOptions extends SubnetOptions {
  readonly name: string
  /** Whether the host gets the gateways' addresses on the bridge, and so reaches the network. */
  readonly host_access: boolean
  readonly mtu?: number
  /** A UUID; absent: derived from the deployment and the name. */
  readonly id?: string
  readonly more_subnets?: readonly SubnetOptions[]
}

export interface ManagementOptions {
  /** `lb-mgmt-net`. */
  readonly name: string
  readonly cidr: string
  /** The controller's own address in it. */
  readonly host_address: string
  /** `o-hm0`, which has that address, and `o-bhm0`, its other end on the bridge. */
  readonly host_interface: string
  readonly bridge_interface: string
}

export interface LocalSubnet extends Subnet {
  readonly range: Cidr
  readonly allocation: { readonly first: bigint; readonly last: bigint }
  /** Addresses no port may have: gateway, host, and IPv4's first and last. */
  readonly reserved: ReadonlySet<string>
}

export interface LocalNetwork extends Network {
  /** At least one, in the order of configuration. */
  readonly subnets: readonly LocalSubnet[]
  readonly bridge: string
  readonly mark: string
  /** The host's addresses on the bridge itself. */
  readonly bridge_addresses: readonly OwnAddress[]
}

export interface Topology {
  /** In the order of configuration, the management network last. */
  readonly networks: readonly LocalNetwork[]
  readonly management: LocalNetwork
  readonly host_interface: string
  readonly bridge_interface: string
  readonly host_address: OwnAddress
}

const MTU_DEFAULT = 1500
const NETWORKS_MAX = 256
const SUBNETS_MAX = 16

/** Throws a DriverError for settings that contradict one another. */
export function createTopology(
  deployment: string,
  networks: readonly NetworkOptions[],
  management: ManagementOptions,
): Topology {
  if (networks.length > NETWORKS_MAX) throw refused('all', `more than ${NETWORKS_MAX} networks`)
  const host = parseIp(management.host_address)
  const managementNetwork = networkOf(
    deployment,
    { name: management.name, cidr: management.cidr, gateway_ip: null, host_access: false },
    host,
  )
  const { range } = firstSubnet(managementNetwork)
  if (host === undefined || !contains(range, host))
    throw refused(management.name, `its host address is not in ${range.text}`)
  const all = [...networks.map((network) => networkOf(deployment, network)), managementNetwork]
  refuseContradictions(all)
  return {
    networks: all,
    management: managementNetwork,
    host_interface: management.host_interface,
    bridge_interface: management.bridge_interface,
    host_address: { address: host.text, prefix: range.prefix, range },
  }
}

/** The only one of the management network. */
export function firstSubnet({ subnets }: LocalNetwork): LocalSubnet {
  return present(subnets[0], 'a network has a subnet')
}

function networkOf(deployment: string, options: NetworkOptions, host?: Ip): LocalNetwork {
  const { name } = options
  const id = options.id ?? derivedId(deployment, 'network', name)
  const more = options.more_subnets ?? []
  if (more.length >= SUBNETS_MAX) throw refused(name, `it has more than ${SUBNETS_MAX} subnets`)
  const subnets = [options, ...more].map((subnet, at) =>
    subnetOf(deployment, { network: name, network_id: id, at }, subnet, host),
  )
  const gateways = subnets.flatMap(({ gateway_ip, range }) =>
    gateway_ip === null ? [] : [{ address: gateway_ip, prefix: range.prefix, range }],
  )
  return {
    id,
    name,
    mtu: options.mtu ?? MTU_DEFAULT,
    subnet_ids: subnets.map((subnet) => subnet.id),
    port_security_enabled: true,
    subnets,
    bridge: bridgeName(id),
    mark: markOf(deployment, 'network', id),
    bridge_addresses: options.host_access ? gateways : [],
  }
}

interface Place {
  readonly network: string
  readonly network_id: string
  /** Which one of its network it is, from 0. */
  readonly at: number
}

function subnetOf(
  deployment: string,
  { network, network_id, at }: Place,
  options: SubnetOptions,
  host: Ip | undefined,
): LocalSubnet {
  const range = parseCidr(options.cidr)
  if (range === undefined) throw refused(network, `${options.cidr} is not a CIDR`)
  const first = range.network.value + 1n
  const last = lastAddress(range).value - (range.family === 4 ? 1n : 0n)
  if (last - first < 1n) throw refused(network, `${range.text} has no room for ports`)
  const gateway = gatewayOf(network, options, range, first)
  const outer = [range.network.text, ...(range.family === 4 ? [lastAddress(range).text] : [])]
  const taken = [gateway, host].flatMap((ip) => (ip === undefined ? [] : [ip.text]))
  return {
    // The first one keeps the id which it had when a network had no others.
    id: derivedId(deployment, 'subnet', ...(at === 0 ? [network_id] : [network_id, range.text])),
    name: options.name ?? (at === 0 ? network : `${network}-${at + 1}`),
    network_id,
    cidr: range.text,
    gateway_ip: gateway?.text ?? null,
    host_routes: (options.host_routes ?? []).map((route) => checkedRoute(network, range, route)),
    range,
    allocation: allocationOf(network, options, range, { first, last }),
    reserved: new Set([...outer, ...taken]),
  }
}

function checkedRoute(network: string, range: Cidr, route: HostRoute): HostRoute {
  const [destination, nexthop] = [parseCidr(route.destination), parseIp(route.nexthop)]
  if (nexthop === undefined || !contains(range, nexthop) || destination === undefined)
    throw refused(
      network,
      `its host route to ${route.destination} has no next hop in ${range.text}`,
    )
  if (destination.family !== nexthop.family)
    throw refused(network, `its host route to ${route.destination} is of two families`)
  return { destination: destination.text, nexthop: nexthop.text }
}

function gatewayOf(
  network: string,
  options: SubnetOptions,
  range: Cidr,
  first: bigint,
): Ip | undefined {
  if (options.gateway_ip === null) return undefined
  if (options.gateway_ip === undefined) return ipOf(range.family, first)
  const gateway = parseIp(options.gateway_ip)
  if (gateway === undefined || !contains(range, gateway))
    throw refused(network, `its gateway ${options.gateway_ip} is not in ${range.text}`)
  return gateway
}

function allocationOf(
  network: string,
  options: SubnetOptions,
  range: Cidr,
  whole: { first: bigint; last: bigint },
): { first: bigint; last: bigint } {
  if (options.allocation === undefined) return whole
  const [first, last] = [parseIp(options.allocation.first), parseIp(options.allocation.last)]
  const inside = [first, last].every((ip) => ip !== undefined && contains(range, ip))
  if (!inside || present(first, 'first').value > present(last, 'last').value)
    throw refused(network, `its allocation range is not in ${range.text}`)
  return { first: present(first, 'first').value, last: present(last, 'last').value }
}

function refuseContradictions(networks: readonly LocalNetwork[]): void {
  const names = new Set<string>()
  const earlier: { readonly network: string; readonly range: Cidr }[] = []
  for (const network of networks) {
    for (const name of new Set([network.name, network.id])) {
      if (names.has(name)) throw refused(network.name, 'two networks have this name or id')
      names.add(name)
    }
    for (const { range } of network.subnets) {
      const other = earlier.find((each) => overlaps(each.range, range))
      if (other !== undefined)
        throw refused(network.name, `${range.text} overlaps network ${other.network}`)
      earlier.push({ network: network.name, range })
    }
    assert(network.bridge.length <= 15, 'a link name has at most 15 characters')
  }
}

function refused(name: string, reason: string): DriverError {
  return new DriverError({
    operation: 'configure',
    subject: `network ${name}`,
    reason,
    hint: 'correct the networks of the local cloud',
    retryable: false,
  })
}
