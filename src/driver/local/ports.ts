/** Making ports: addresses chosen, recorded before they count. Nothing here touches a link. */

import { newId } from '../../system/ids.ts'
import { derivedMac } from '../derived.ts'
import { DriverError } from '../error.ts'
import { AddressInUse, type FixedIp } from '../network.ts'
import { chooseAddress } from './addresses.ts'
import type { LocalState, PortRecord } from './state.ts'
import type { LocalNetwork, Topology } from './topology.ts'

export interface PortWish {
  readonly name: string
  readonly network: LocalNetwork
  readonly device_id: string
  readonly device_owner: string
  readonly link: PortRecord['link']
  readonly vip_of?: string
  /** null for any free address. */
  readonly ip_addresses: readonly (string | null)[]
}

export const INSTANCE_OWNER = 'compute:octavia-lite'

export class LocalPorts {
  readonly #state: LocalState
  readonly #topology: Topology
  /** Network to the address given out last. */
  readonly #last = new Map<string, string>()

  constructor(state: LocalState, topology: Topology) {
    this.#state = state
    this.#topology = topology
  }

  findNetwork(id: string): LocalNetwork | undefined {
    return this.#topology.networks.find((network) => network.id === id)
  }

  findNetworkOfSubnet(subnet_id: string): LocalNetwork | undefined {
    return this.#topology.networks.find(({ subnet }) => subnet.id === subnet_id)
  }

  find(matches: (port: PortRecord) => boolean): PortRecord | undefined {
    for (const port of this.#state.ports) if (matches(port)) return port
    return undefined
  }

  /** Throws AddressInUse, or a DriverError for an address outside the subnet or a full subnet. */
  create(wish: PortWish): PortRecord {
    const { network } = wish
    const id = newId()
    const fixed_ips = this.#choose(wish)
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

  #choose({ network, ip_addresses }: PortWish): FixedIp[] {
    const { subnet } = network
    const taken = this.#state.addressesOf(network.id)
    return ip_addresses.map((wanted) => {
      const choice = chooseAddress(subnet, taken, wanted, this.#last.get(network.id) ?? null)
      if (!choice.ok && choice.why === 'in-use') throw new AddressInUse(wanted ?? '', network.id)
      if (!choice.ok) throw noAddress(network, wanted)
      if (wanted === null) this.#last.set(network.id, choice.ip_address)
      taken.add(choice.ip_address)
      return { subnet_id: subnet.id, ip_address: choice.ip_address }
    })
  }
}

function noAddress({ name, subnet }: LocalNetwork, wanted: string | null): DriverError {
  return new DriverError({
    operation: 'create-port',
    subject: `network ${name}`,
    reason:
      wanted === null
        ? `its subnet ${subnet.cidr} has no free address`
        : `${wanted} is not an address of its subnet ${subnet.cidr}`,
    retryable: false,
  })
}
