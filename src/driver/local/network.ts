/**
 * Networks of this machine: what a port is and where its address comes from; links follow in
 * `keeper`.
 */
import { DriverError } from '../error.ts'
import {
  AddressInUse,
  type AmphoraOnNetwork,
  type Network,
  type NetworkDriver,
  type Port,
  type Subnet,
  type Vip,
  type VipRequest,
} from '../network.ts'
import { countFree } from './addresses.ts'
import type { LinkKeeper } from './link-keeper.ts'
import { portLinkName } from './naming.ts'
import { INSTANCE_OWNER, type LocalPorts } from './ports.ts'
import type { LocalState, PortRecord } from './state.ts'
import type { LocalNetwork, LocalSubnet } from './topology.ts'

export interface LocalNetworkDeps {
  readonly state: LocalState
  readonly ports: LocalPorts
  readonly keeper: LinkKeeper
}

const OCTAVIA_OWNER = 'Octavia'
const vrrpName = (amphora_id: string): string => `octavia-lb-vrrp-${amphora_id}`
const memberName = (amphora_id: string): string => `octavia-lb-member-${amphora_id}`

export function createLocalNetwork(deps: LocalNetworkDeps): NetworkDriver {
  const { state, ports, keeper } = deps
  const unplug = async (matches: (port: PortRecord) => boolean): Promise<void> => {
    const port = ports.find(matches)
    if (port !== undefined) ports.remove(port)
    // Also without a port: a call that was cut short may have left its link.
    await keeper.reconcile()
  }
  return {
    findNetwork: async (id) => {
      const network = ports.findNetwork(id)
      return network && toNetwork(network)
    },
    findSubnet: async (id) => {
      const network = ports.findNetworkOfSubnet(id)
      return network && toSubnet(network.subnet)
    },
    findPort: async (id) => {
      const port = state.findPort(id)
      return port && toPort(port)
    },
    // Bridges and nftables: no QoS, no groups.
    hasQosPolicy: async () => undefined,
    hasSecurityGroup: async () => false,
    listFreeAddresses: async (network_id) => {
      const network = ports.findNetwork(network_id)
      if (network === undefined) return []
      const free = countFree(network.subnet, state.addressesOf(network_id))
      return [{ subnet_id: network.subnet.id, free }]
    },

    allocateVip: async (request) => toVip(vipPort(deps, request)),
    deallocateVip: async (load_balancer_id) => {
      const port = ports.find(({ vip_of }) => vip_of === load_balancer_id)
      if (port?.adopted) ports.put({ ...port, vip_of: null, adopted: false })
      else if (port !== undefined) ports.remove(port)
    },

    plugVip: async (amphora, vip) => {
      const network = requireNetwork(deps, 'plug-vip', vip.network_id)
      return plug(deps, amphora, network, vrrpName(amphora.id))
    },
    unplugVip: (amphora) => unplug(({ name }) => name === vrrpName(amphora.id)),

    plugMember: async (amphora, subnet) => {
      const network = requireNetwork(deps, 'plug-member', subnet.network_id)
      return plug(deps, amphora, network, memberName(amphora.id))
    },
    unplugMember: (amphora, network_id) =>
      unplug((port) => port.name === memberName(amphora.id) && port.network_id === network_id),

    // Nothing stands between a bridge and its ports, so there is nothing to open: only haproxy
    // listens on the VIP, on the ports of its listeners, and it is haproxy that refuses what
    // allowed_cidrs leave out.
    setVipRules: async () => {},
  }
}

/** Ports are found again by name and network, which hold the id of their user. */
async function plug(
  { state, ports, keeper }: LocalNetworkDeps,
  amphora: AmphoraOnNetwork,
  network: LocalNetwork,
  name: string,
): Promise<Port> {
  if (state.findInstance(amphora.compute_id) === undefined)
    throw new DriverError({
      operation: 'plug',
      subject: `amphora ${amphora.id}`,
      reason: 'it has no instance on this host',
      retryable: false,
    })
  const port =
    ports.find((p) => p.name === name && p.network_id === network.id && p.link === 'instance') ??
    ports.create({
      name,
      network,
      device_id: amphora.compute_id,
      device_owner: INSTANCE_OWNER,
      link: 'instance',
      ip_addresses: [null],
    })
  await keeper.ensure('plug', portLinkName(port.id))
  return toPort(port)
}

/**
 * No await from looking for a free address to recording it: two calls cannot choose the same one.
 */
function vipPort(deps: LocalNetworkDeps, request: VipRequest): PortRecord {
  const { ports } = deps
  const { load_balancer_id } = request
  const made = ports.find(({ vip_of }) => vip_of === load_balancer_id)
  if (made !== undefined) return made
  const network = requireNetwork(deps, 'allocate-vip', request.network_id)
  const subnets = [request.subnet_id, ...request.additional_vips.map((vip) => vip.subnet_id)]
  const elsewhere = subnets.find((id) => id !== null && id !== network.subnet.id)
  if (elsewhere !== undefined)
    throw refusedVip(load_balancer_id, `subnet ${elsewhere} is not on network ${network.name}`)
  if (request.port_id !== null) return adopt(deps, request, request.port_id)
  return ports.create({
    name: `octavia-lb-${load_balancer_id}`,
    network,
    device_id: `lb-${load_balancer_id}`,
    device_owner: OCTAVIA_OWNER,
    link: 'none',
    vip_of: load_balancer_id,
    ip_addresses: [request.ip_address, ...request.additional_vips.map((vip) => vip.ip_address)],
  })
}

function adopt({ state, ports }: LocalNetworkDeps, request: VipRequest, id: string): PortRecord {
  const { load_balancer_id, network_id, ip_address } = request
  const port = state.findPort(id)
  if (port === undefined || port.network_id !== network_id)
    throw refusedVip(load_balancer_id, `there is no port ${id} on network ${network_id}`)
  const first = port.fixed_ips[0]?.ip_address ?? ''
  // Something else answers for the addresses of a port with a device or a link.
  if (port.vip_of !== null || port.device_id !== '' || port.link !== 'none')
    throw new AddressInUse(first, network_id)
  if (ip_address !== null && ip_address !== first)
    throw refusedVip(load_balancer_id, `port ${id} has the address ${first}, not ${ip_address}`)
  const adopted = { ...port, vip_of: load_balancer_id, adopted: true }
  ports.put(adopted)
  return adopted
}

function requireNetwork(deps: LocalNetworkDeps, operation: string, id: string): LocalNetwork {
  const network = deps.ports.findNetwork(id)
  if (network !== undefined) return network
  const reason = 'there is no such network on this host'
  throw new DriverError({ operation, subject: `network ${id}`, reason, retryable: false })
}

function refusedVip(load_balancer_id: string, reason: string): DriverError {
  const subject = `load balancer ${load_balancer_id}`
  return new DriverError({ operation: 'allocate-vip', subject, reason, retryable: false })
}

function toVip(port: PortRecord): Vip {
  const [first = { subnet_id: '', ip_address: '' }, ...more] = port.fixed_ips
  return {
    port_id: port.id,
    network_id: port.network_id,
    ...first,
    additional_vips: more,
  }
}

export function toNetwork(network: LocalNetwork): Network {
  const { id, name, mtu, subnet_ids, port_security_enabled } = network
  return { id, name, mtu, subnet_ids, port_security_enabled }
}

export function toSubnet(subnet: LocalSubnet): Subnet {
  const { id, name, network_id, cidr, gateway_ip, host_routes } = subnet
  return { id, name, network_id, cidr, gateway_ip, host_routes }
}

export function toPort(port: PortRecord): Port {
  const { id, name, network_id, mac_address, device_id, device_owner, fixed_ips } = port
  return { id, name, network_id, mac_address, device_id, device_owner, fixed_ips }
}
