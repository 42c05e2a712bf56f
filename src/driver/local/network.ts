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
import {
  memberPortName,
  OCTAVIA_OWNER,
  vipDeviceId,
  vipPortName,
  vrrpPortName,
} from '../port-names.ts'
import { countFree } from './addresses.ts'
import type { LinkKeeper } from './link-keeper.ts'
import { portLinkName } from './naming.ts'
import { type AddressWish, INSTANCE_OWNER, type LocalPorts, wishIn } from './ports.ts'
import type { LocalState, PortRecord } from './state.ts'
import type { LocalNetwork, LocalSubnet } from './topology.ts'

export interface LocalNetworkDeps {
  readonly state: LocalState
  readonly ports: LocalPorts
  readonly keeper: LinkKeeper
}

export function createLocalNetwork(
  deps: LocalNetworkDeps,
): Omit<NetworkDriver, 'seenBy' | 'imaginary'> {
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
      const subnet = ports.findSubnet(id)
      return subnet && toSubnet(subnet)
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
      const taken = state.addressesOf(network_id)
      return network.subnets.map((subnet) => ({
        subnet_id: subnet.id,
        free: countFree(subnet, taken),
      }))
    },

    allocateVip: async (request) => toVip(vipPort(deps, request), request.additional_vips.length),
    deallocateVip: async (load_balancer_id) => {
      const port = ports.find(({ vip_of }) => vip_of === load_balancer_id)
      if (port?.adopted) ports.put({ ...port, vip_of: null, adopted: false })
      else if (port !== undefined) ports.remove(port)
    },

    plugVip: async (amphora, vip) => {
      const network = requireNetwork(deps, 'plug-vip', vip.network_id)
      const of = [vip, ...vip.additional_vips].map(({ subnet_id }) => subnet_id)
      const name = vrrpPortName(amphora.id)
      return plug(deps, amphora, network, { name, subnet_ids: of, again: amphora.vrrp_ip ?? null })
    },
    unplugVip: (amphora) => unplug(({ name }) => name === vrrpPortName(amphora.id)),

    plugMember: async (amphora, subnet) => {
      const network = requireNetwork(deps, 'plug-member', subnet.network_id)
      const ofVip = vrrpPortName(amphora.id)
      const shared = ports.find((p) => p.name === ofVip && p.network_id === network.id)
      const name = shared === undefined ? memberPortName(amphora.id) : ofVip
      return plug(deps, amphora, network, { name, subnet_ids: [subnet.id], again: null })
    },
    unplugMember: (amphora, network_id) =>
      unplug((port) => port.name === memberPortName(amphora.id) && port.network_id === network_id),

    // Nothing stands between a bridge and its ports.
    rulesAreForAmphorae: async () => true,
    setVipRules: async () => {},
  }
}

interface PlugWish {
  readonly name: string
  readonly subnet_ids: readonly string[]
  /** An address it had: its MAC address, which the agent knows it by, follows from that. */
  readonly again: string | null
}

/**
 * Ports are found again by name and network, which hold the id of their user; one which has no
 * address in one of the subnets yet gets it.
 */
async function plug(
  { state, ports, keeper }: LocalNetworkDeps,
  amphora: AmphoraOnNetwork,
  network: LocalNetwork,
  { name, subnet_ids, again }: PlugWish,
): Promise<Port> {
  if (state.findInstance(amphora.compute_id) === undefined)
    throw new DriverError({
      operation: 'plug',
      subject: `amphora ${amphora.id}`,
      reason: 'it has no instance on this host',
      retryable: false,
    })
  const subnets = network.subnets.filter(({ id }) => subnet_ids.includes(id))
  const found = ports.find(
    (p) => p.name === name && p.network_id === network.id && p.link === 'instance',
  )
  const port =
    found === undefined
      ? ports.create({
          name,
          network,
          device_id: amphora.compute_id,
          device_owner: INSTANCE_OWNER,
          link: 'instance',
          addresses: subnets.map((subnet) => ({
            subnet,
            ip_address: ports.isFree(subnet, again) ? again : null,
          })),
        })
      : ports.extend(found, network, subnets)
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
  const { ip_address, subnet_id } = request
  const wish = ({ subnet_id, ip_address }: Wish): AddressWish => {
    const subnet = network.subnets.find(({ id }) => id === subnet_id)
    if (subnet !== undefined) return { subnet, ip_address }
    throw refusedVip(load_balancer_id, `subnet ${subnet_id} is not on network ${network.name}`)
  }
  const first = subnet_id === null ? wishIn(network, ip_address) : wish({ subnet_id, ip_address })
  const addresses = [first, ...request.additional_vips.map(wish)]
  if (request.port_id !== null) return adopt(deps, request, addresses, request.port_id)
  return ports.create({
    name: vipPortName(load_balancer_id),
    network,
    device_id: vipDeviceId(load_balancer_id),
    device_owner: OCTAVIA_OWNER,
    link: 'none',
    vip_of: load_balancer_id,
    addresses,
  })
}

type Wish = VipRequest['additional_vips'][number]

/** The port must have the wanted addresses; the first of them becomes the VIP. */
function adopt(
  { state, ports }: LocalNetworkDeps,
  { load_balancer_id, network_id, subnet_id }: VipRequest,
  wanted: readonly AddressWish[],
  id: string,
): PortRecord {
  const port = state.findPort(id)
  if (port === undefined || port.network_id !== network_id)
    throw refusedVip(load_balancer_id, `there is no port ${id} on network ${network_id}`)
  const has = port.fixed_ips.map(({ ip_address }) => ip_address).join(', ')
  // Something else answers for the addresses of a port with a device or a link.
  if (port.vip_of !== null || port.device_id !== '' || port.link !== 'none')
    throw new AddressInUse(has, network_id)
  const chosen = wanted.map(({ subnet, ip_address }, at) => {
    const anySubnet = at === 0 && subnet_id === null && ip_address === null
    const fixed = port.fixed_ips.find(
      (ip) =>
        (anySubnet || ip.subnet_id === subnet.id) &&
        (ip_address === null || ip.ip_address === ip_address),
    )
    if (fixed !== undefined) return fixed
    const missing = ip_address ?? `one of subnet ${subnet.cidr}`
    throw refusedVip(load_balancer_id, `port ${id} has the address ${has}, not ${missing}`)
  })
  // The VIP comes first, so that asking again gives the same answer.
  const fixed_ips = [...new Set([...chosen, ...port.fixed_ips])]
  const adopted = { ...port, fixed_ips, vip_of: load_balancer_id, adopted: true }
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

/** A port of the user's may have more addresses than are VIPs. */
function toVip(port: PortRecord, additional: number): Vip {
  const [first = { subnet_id: '', ip_address: '' }, ...more] = port.fixed_ips
  return {
    port_id: port.id,
    network_id: port.network_id,
    ...first,
    additional_vips: more.slice(0, additional),
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
