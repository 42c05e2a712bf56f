/** From networks, ports and running instances to the links this machine should have. Pure. */
import type { DesiredLink, LinkEnd } from './links.ts'
import { linkMac, managementPortName, markOf, portLinkName, portPeerName } from './naming.ts'
import type { PortRecord } from './state.ts'
import type { LocalNetwork, Topology } from './topology.ts'

/** The management interface in an amphora; the others are found by their MAC address. */
export const MANAGEMENT_INTERFACE = 'eth0'

/** `pidOf` gives the process whose network namespace an instance's ports go to, if it runs. */
export function desiredLinks(
  deployment: string,
  topology: Topology,
  ports: Iterable<PortRecord>,
  pidOf: (amphora_id: string) => number | undefined,
): DesiredLink[] {
  const networks = new Map(topology.networks.map((network) => [network.id, network]))
  const links: DesiredLink[] = topology.networks.map((network) => bridgeOf(deployment, network))
  links.push(hostPair(deployment, topology))
  for (const port of ports) {
    const network = networks.get(port.network_id)
    if (network === undefined || port.link === 'none') continue
    const end = portEnd(deployment, port, network)
    const peer = { mac: port.mac_address, name: portPeerName(port.id) }
    if (port.link === 'given-away') {
      links.push({ kind: 'pair', end, peer: { where: 'given-away', ...peer } })
      continue
    }
    const pid = pidOf(port.device_id)
    // Without a process there is no namespace to put it into; it comes back with the instance.
    if (pid === undefined) continue
    const manages = port.name === managementPortName(port.device_id)
    const name = manages ? MANAGEMENT_INTERFACE : peer.name
    links.push({ kind: 'pair', end, peer: { where: 'process', mac: peer.mac, name, pid } })
  }
  return links
}

function bridgeOf(deployment: string, network: LocalNetwork): DesiredLink {
  return {
    kind: 'bridge',
    end: {
      name: network.bridge,
      mac: linkMac(deployment, network.bridge),
      mark: network.mark,
      mtu: network.mtu,
      master: null,
      addresses: network.bridge_addresses,
    },
  }
}

/**
 * The controller's own way into the management network: `o-hm0` on the host, `o-bhm0` on the
 * bridge.
 */
function hostPair(deployment: string, topology: Topology): DesiredLink {
  const { management, host_interface, bridge_interface, host_address } = topology
  const common = { mtu: management.mtu }
  const endOf = (name: string): Pick<LinkEnd, 'name' | 'mac' | 'mark'> => ({
    name,
    mac: linkMac(deployment, name),
    mark: markOf(deployment, 'management', name),
  })
  return {
    kind: 'pair',
    end: { ...common, ...endOf(bridge_interface), master: management.bridge, addresses: [] },
    peer: {
      where: 'here',
      end: {
        ...common,
        ...endOf(host_interface),
        master: null,
        addresses: [host_address],
      },
    },
  }
}

function portEnd(deployment: string, port: PortRecord, network: LocalNetwork): LinkEnd {
  const name = portLinkName(port.id)
  return {
    name,
    mac: linkMac(deployment, name),
    mark: markOf(deployment, 'port', port.id),
    mtu: network.mtu,
    master: network.bridge,
    addresses: [],
  }
}
