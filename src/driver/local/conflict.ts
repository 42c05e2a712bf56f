/** What of this machine stands in the way of our networks. Pure. */
import { contains, overlaps, parseCidr, parseIp } from '../../model/address.ts'
import type { NetworkState } from '../../system/ip.ts'
import { DriverError } from '../error.ts'
import { isOurs, MARK_PREFIX } from './naming.ts'
import type { PortRecord } from './state.ts'
import type { Topology } from './topology.ts'

/**
 * Refuses subnets in which the host is to have an address while it has another one, or a route,
 * that overlaps: traffic would go astray. Networks the host has no address in may overlap anything.
 */
export function refuseOverlaps(deployment: string, topology: Topology, state: NetworkState): void {
  const ours = new Set(
    state.links.filter((link) => isOurs(deployment, link)).map((link) => link.name),
  )
  const uses = [
    ...state.links.flatMap((link) =>
      ours.has(link.name)
        ? []
        : link.addresses.map((a) => ({
            cidr: `${a.address}/${a.prefix}`,
            what: `address ${a.address}/${a.prefix} of ${link.name}${ownerOf(link.alias)}`,
          })),
    ),
    ...state.routes.flatMap((route) =>
      route.destination === 'default' || (route.device !== null && ours.has(route.device))
        ? []
        : [{ cidr: cidrOf(route.destination), what: `route ${route.destination}` }],
    ),
  ]
  for (const { name, addresses } of hostAddresses(topology))
    for (const { range } of addresses) {
      const use = uses.find(({ cidr }) => {
        const other = parseCidr(cidr)
        return other !== undefined && overlaps(other, range)
      })
      if (use === undefined) continue
      throw new DriverError({
        operation: 'start',
        subject: `network ${name}`,
        reason: `its subnet ${range.text} overlaps ${use.what} on this host`,
        hint: 'give the network another cidr in the configuration, or remove what overlaps',
        retryable: false,
      })
    }
}

/** The networks in which the host has addresses. */
function hostAddresses({ networks, management, host_address }: Topology) {
  return networks.map(({ id, name, bridge_addresses }) => ({
    name,
    addresses: id === management.id ? [host_address] : bridge_addresses,
  }))
}

/** Refuses IPv6 addresses for a host which has IPv6 switched off for new links. */
export function refuseWithoutIpv6(topology: Topology, disable_ipv6: string | undefined): void {
  if (disable_ipv6?.trim() === '0') return
  for (const { name, addresses } of hostAddresses(topology)) {
    const six = addresses.find(({ range }) => range.family === 6)
    if (six === undefined) continue
    throw new DriverError({
      operation: 'start',
      subject: `network ${name}`,
      reason: `this host is to have ${six.address}, and IPv6 is disabled on it`,
      hint: 'sysctl -w net.ipv6.conf.default.disable_ipv6=0, or host_access = false',
      retryable: false,
    })
  }
}

/**
 * Refuses a configuration in which the networks of existing ports are missing or have other
 * addresses.
 */
export function refuseLostPorts(topology: Topology, ports: Iterable<PortRecord>): void {
  const networks = new Map(topology.networks.map((network) => [network.id, network]))
  for (const port of ports) {
    const subnets = networks.get(port.network_id)?.subnets ?? []
    const fits = port.fixed_ips.every(({ subnet_id, ip_address }) => {
      const range = subnets.find(({ id }) => id === subnet_id)?.range
      const ip = parseIp(ip_address)
      return range !== undefined && ip !== undefined && contains(range, ip)
    })
    if (fits) continue
    const addresses = port.fixed_ips.map(({ ip_address }) => ip_address).join(', ')
    throw new DriverError({
      operation: 'start',
      subject: `port ${port.name} (${addresses})`,
      reason: 'no configured network has its addresses any more',
      hint: 'put its network back into the configuration until what uses it is deleted',
      retryable: false,
    })
  }
}

/** Refuses a link that has one of our names but was made by somebody else. */
export function foreignLink(name: string, alias: string | null): DriverError {
  return new DriverError({
    operation: 'start',
    subject: `link ${name}`,
    reason: `a link of this name exists and is not ours${ownerOf(alias)}`,
    hint: `rename it, or remove it with: ip link delete ${name}`,
    retryable: false,
  })
}

/** Says so when the owner is another octavia-lite: two on one host are a common mistake. */
function ownerOf(alias: string | null): string {
  const [prefix, deployment] = alias?.split(':') ?? []
  return prefix === MARK_PREFIX ? ` (it belongs to the octavia-lite deployment ${deployment})` : ''
}

function cidrOf(destination: string): string {
  if (destination.includes('/')) return destination
  return `${destination}/${destination.includes(':') ? 128 : 32}`
}
