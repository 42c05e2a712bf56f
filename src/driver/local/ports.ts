/** Making ports: addresses chosen, recorded before they count. Nothing here touches a link. */
import { contains, parseIp } from '../../model/address.ts'
import { newId } from '../../system/ids.ts'
import { derivedMac } from '../derived.ts'
import { DriverError } from '../error.ts'
import { AddressInUse, type FixedIp } from '../network.ts'
import { chooseAddress } from './addresses.ts'
import type { LocalState, PortRecord } from './state.ts'
import { firstSubnet, type LocalNetwork, type LocalSubnet, type Topology } from './topology.ts'

export interface PortWish {
  readonly name: string
  readonly network: LocalNetwork
  readonly device_id: string
  readonly device_owner: string
  readonly link: PortRecord['link']
  readonly vip_of?: string
  /** At least one. */
  readonly addresses: readonly AddressWish[]
}

export interface AddressWish {
  readonly subnet: LocalSubnet
  /** null for any free address. */
  readonly ip_address: string | null
}

export const INSTANCE_OWNER = 'compute:octavia-lite'

export class LocalPorts {
  readonly #state: LocalState
  readonly #topology: Topology
  /** Subnet to the address given out last. */
  readonly #last = new Map<string, string>()

  constructor(state: LocalState, topology: Topology) {
    this.#state = state
    this.#topology = topology
  }

  findNetwork(id: string): LocalNetwork | undefined {
    return this.#topology.networks.find((network) => network.id === id)
  }

  findSubnet(id: string): LocalSubnet | undefined {
    for (const { subnets } of this.#topology.networks) {
      const subnet = subnets.find((each) => each.id === id)
      if (subnet !== undefined) return subnet
    }
    return undefined
  }

  find(matches: (port: PortRecord) => boolean): PortRecord | undefined {
    for (const port of this.#state.ports) if (matches(port)) return port
    return undefined
  }

  /** Throws AddressInUse, or a DriverError for an address outside the subnet or a full subnet. */
  create(wish: PortWish): PortRecord {
    const { network, addresses } = wish
    const id = newId()
    const fixed_ips = this.#choose(network, addresses)
    const port: PortRecord = {
      id,
      name: wish.name,
      network_id: network.id,
      // Derived from the address: who still knows the address from an earlier port is right by
      // chance.
      mac_address: derivedMac(network.mark, fixed_ips[0]?.ip_address ?? id),
      device_id: wish.device_id,
      device_owner: wish.device_owner,
      fixed_ips,
      vip_of: wish.vip_of ?? null,
      adopted: false,
      link: wish.link,
    }
    this.#state.putPort(port)
    return port
  }

  put(port: PortRecord): void {
    this.#state.putPort(port)
  }

  remove(port: PortRecord): void {
    this.#state.removePort(port.id)
  }

  /** The port with an address in each of these subnets, which it may have already. */
  extend(port: PortRecord, network: LocalNetwork, subnets: readonly LocalSubnet[]): PortRecord {
    const missing = subnets.filter(({ id }) => port.fixed_ips.every((ip) => ip.subnet_id !== id))
    if (missing.length === 0) return port
    const more = this.#choose(
      network,
      missing.map((subnet) => ({ subnet, ip_address: null })),
    )
    const extended = { ...port, fixed_ips: [...port.fixed_ips, ...more] }
    this.#state.putPort(extended)
    return extended
  }

  isFree(subnet: LocalSubnet, ip_address: string | null): boolean {
    if (ip_address === null) return false
    const taken = this.#state.addressesOf(subnet.network_id)
    return chooseAddress(subnet, taken, ip_address, null).ok
  }

  #choose(network: LocalNetwork, addresses: readonly AddressWish[]): FixedIp[] {
    const taken = this.#state.addressesOf(network.id)
    return addresses.map(({ subnet, ip_address: wanted }) => {
      const choice = chooseAddress(subnet, taken, wanted, this.#last.get(subnet.id) ?? null)
      if (!choice.ok && choice.why === 'in-use') throw new AddressInUse(wanted ?? '', network.id)
      if (!choice.ok) throw noAddress(network, subnet, wanted)
      if (wanted === null) this.#last.set(subnet.id, choice.ip_address)
      taken.add(choice.ip_address)
      return { subnet_id: subnet.id, ip_address: choice.ip_address }
    })
  }
}

/**
 * A wish for this address, in the subnet it is of; without one, for any of the network's first
 * subnet. An address of no subnet is refused when it is looked for.
 */
export function wishIn(network: LocalNetwork, ip_address: string | null): AddressWish {
  const ip = parseIp(ip_address ?? '')
  const of = network.subnets.find(({ range }) => ip !== undefined && contains(range, ip))
  return { subnet: of ?? firstSubnet(network), ip_address }
}

function noAddress(
  { name }: LocalNetwork,
  { cidr }: LocalSubnet,
  wanted: string | null,
): DriverError {
  return new DriverError({
    operation: 'create-port',
    subject: `network ${name}`,
    reason:
      wanted === null
        ? `its subnet ${cidr} has no free address`
        : `${wanted} is not an address of its subnet ${cidr}`,
    retryable: false,
  })
}
