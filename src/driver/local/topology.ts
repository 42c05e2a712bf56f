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
import type { LinkAddress } from '../../system/ip.ts'
import { derivedId } from '../derived.ts'
import { DriverError } from '../error.ts'
import type { Network, Subnet } from '../network.ts'
import { bridgeName, markOf } from './naming.ts'

export interface NetworkOptions {
  readonly name: string
  readonly cidr: string
  /** Absent: the first address. null: none, and then the host has no address either. */
  readonly gateway_ip?: string | null
  /** Whether the host gets the gateway's address on the bridge, and so reaches the network. */
  readonly host_access: boolean
  readonly mtu?: number
  /** A UUID; absent: derived from the deployment and the name. */
  readonly id?: string
  /** Where addresses nobody asked for by name are taken from; absent: the whole subnet. */
  readonly allocation?: { readonly first: string; readonly last: string }
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
  readonly subnet: LocalSubnet
  readonly bridge: string
  readonly mark: string
  /** The host's address on the bridge itself. */
  readonly bridge_address: LinkAddress | null
}

export interface Topology {
  /** In the order of configuration, the management network last. */
  readonly networks: readonly LocalNetwork[]
  readonly management: LocalNetwork
  readonly host_interface: string
  readonly bridge_interface: string
  readonly host_address: LinkAddress
}

const MTU_DEFAULT = 1500
const NETWORKS_MAX = 256

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
  const range = managementNetwork.subnet.range
  if (host === undefined || !contains(range, host))
    throw refused(management.name, `its host address is not in ${range.text}`)
  const all = [...networks.map((network) => networkOf(deployment, network)), managementNetwork]
  refuseContradictions(all)
  return {
    networks: all,
    management: managementNetwork,
    host_interface: management.host_interface,
    bridge_interface: management.bridge_interface,
    host_address: { address: host.text, prefix: range.prefix },
  }
}

function networkOf(deployment: string, options: NetworkOptions, host?: Ip): LocalNetwork {
  const id = options.id ?? derivedId(deployment, 'network', options.name)
  const subnet = subnetOf(deployment, id, options, host)
  const gateway = subnet.gateway_ip
  return {
    id,
    name: options.name,
    mtu: options.mtu ?? MTU_DEFAULT,
    subnet_ids: [subnet.id],
    port_security_enabled: true,
    subnet,
    bridge: bridgeName(id),
    mark: markOf(deployment, 'network', id),
    bridge_address:
      options.host_access && gateway !== null
        ? { address: gateway, prefix: subnet.range.prefix }
        : null,
  }
}

function subnetOf(
  deployment: string,
  network_id: string,
  options: NetworkOptions,
  host: Ip | undefined,
): LocalSubnet {
  const range = parseCidr(options.cidr)
  if (range === undefined) throw refused(options.name, `${options.cidr} is not a CIDR`)
  const first = range.network.value + 1n
  const last = lastAddress(range).value - (range.family === 4 ? 1n : 0n)
  if (last - first < 1n) throw refused(options.name, `${range.text} has no room for ports`)
  const gateway = gatewayOf(options, range, first)
  const outer = [range.network.text, ...(range.family === 4 ? [lastAddress(range).text] : [])]
  const taken = [gateway, host].flatMap((ip) => (ip === undefined ? [] : [ip.text]))
  return {
    id: derivedId(deployment, 'subnet', network_id),
    name: options.name,
    network_id,
    cidr: range.text,
    gateway_ip: gateway?.text ?? null,
    host_routes: [],
    range,
    allocation: allocationOf(options, range, { first, last }),
    reserved: new Set([...outer, ...taken]),
  }
}

function gatewayOf(options: NetworkOptions, range: Cidr, first: bigint): Ip | undefined {
  if (options.gateway_ip === null) return undefined
  if (options.gateway_ip === undefined) return ipOf(range.family, first)
  const gateway = parseIp(options.gateway_ip)
  if (gateway === undefined || !contains(range, gateway))
    throw refused(options.name, `its gateway ${options.gateway_ip} is not in ${range.text}`)
  return gateway
}

function allocationOf(
  options: NetworkOptions,
  range: Cidr,
  whole: { first: bigint; last: bigint },
): { first: bigint; last: bigint } {
  if (options.allocation === undefined) return whole
  const [first, last] = [parseIp(options.allocation.first), parseIp(options.allocation.last)]
  const inside = [first, last].every((ip) => ip !== undefined && contains(range, ip))
  if (!inside || present(first, 'first').value > present(last, 'last').value)
    throw refused(options.name, `its allocation range is not in ${range.text}`)
  return { first: present(first, 'first').value, last: present(last, 'last').value }
}

function refuseContradictions(networks: readonly LocalNetwork[]): void {
  networks.forEach((network, at) => {
    for (const other of networks.slice(0, at)) {
      if (network.name === other.name || network.id === other.id)
        throw refused(network.name, 'two networks have this name or id')
      if (overlaps(network.subnet.range, other.subnet.range))
        throw refused(network.name, `${network.subnet.cidr} overlaps network ${other.name}`)
    }
    assert(network.bridge.length <= 15, 'a link name has at most 15 characters')
  })
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
