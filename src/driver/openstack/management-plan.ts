/**
 * The controller's interface on the management network: what has to be done on this host so that
 * it is there as its port in Neutron says. Pure. What is ours carries the port's id, so that
 * neither an interface of somebody else is touched nor one of a former port forgotten.
 */
import { DriverError } from '../error.ts'

export const PLUGGINGS = ['linuxbridge', 'openvswitch'] as const
/** How a card gets onto the network; OVN is told as Open vSwitch is. */
export type Plugging = (typeof PLUGGINGS)[number]

export interface ManagementPort {
  readonly id: string
  readonly mac_address: string
  readonly mtu: number
  /** With prefix length. */
  readonly addresses: readonly string[]
}

/** An interface as the host has it. */
export interface HostLink {
  readonly name: string
  readonly kind: string
  readonly mac_address: string
  readonly mtu: number
  readonly up: boolean
  /** Its alias. */
  readonly owner: string
  /** The name of its other end, of a veth. */
  readonly peer: string | null
  /** With prefix length; those of the link itself are left out. */
  readonly addresses: readonly string[]
}

export interface Found {
  /** The interface by its name, if there is one. */
  readonly link: HostLink | undefined
  /** The end of the veth that the bridge's agent looks after, if there is one. */
  readonly tap: { readonly up: boolean; readonly bridged: boolean } | undefined
  /** Of Open vSwitch: the port that an interface of that name stands for. */
  readonly ovs_iface_id: string | undefined
}

const OWNER = 'octavia-lite:'

/** By this name Neutron's Linux bridge agent knows a port, and puts it into the bridge itself. */
export function tapName(port_id: string): string {
  return `tap${port_id.slice(0, 11)}`
}

export function isOurs(link: HostLink): boolean {
  return link.owner.startsWith(OWNER)
}

/** Commands, in order; each is an argument list. Empty when all is as it should be. */
export function planInterface(
  name: string,
  plugging: Plugging,
  port: ManagementPort,
  found: Found,
): readonly (readonly string[])[] {
  const { link } = found
  if (link !== undefined && !isOurs(link) && found.ovs_iface_id === undefined)
    throw new DriverError({
      operation: 'make-management-interface',
      subject: `interface ${name}`,
      reason: 'it is there and was not made by octavia-lite',
      hint: 'remove it, name another by [haproxy_amphora] lb_network_interface, or set [health_manager] management_port = "none"',
      retryable: false,
    })
  const fresh =
    plugging === 'linuxbridge' ? planVeth(name, port, found) : planOvs(name, port, found)
  const there = fresh.length === 0 ? link : undefined
  return [...fresh, ...planLink(name, port, there), ...planTap(plugging, port, found, fresh)]
}

function planVeth(name: string, port: ManagementPort, { link, tap }: Found): string[][] {
  const peer = tapName(port.id)
  const right = link?.kind === 'veth' && link.peer === peer && link.owner === OWNER + port.id
  if (right) return []
  return [
    ...(link === undefined ? [] : [['ip', 'link', 'delete', 'dev', name]]),
    // The other end goes with it, unless it is one of a port that was ours under another name.
    ...(tap === undefined || link?.peer === peer ? [] : [['ip', 'link', 'delete', 'dev', peer]]),
    ['ip', 'link', 'add', 'name', name, 'type', 'veth', 'peer', 'name', peer],
  ]
}

function planOvs(name: string, port: ManagementPort, { link, ovs_iface_id }: Found): string[][] {
  if (link !== undefined && ovs_iface_id === port.id) return []
  const ids = {
    'iface-status': 'active',
    'attached-mac': port.mac_address,
    'iface-id': port.id,
    skip_cleanup: 'true',
  }
  const settings = Object.entries(ids).map(([key, value]) => `external-ids:${key}="${value}"`)
  return [
    [
      ...['ovs-vsctl', '--timeout=10', '--', '--if-exists', 'del-port', 'br-int', name],
      ...['--', 'add-port', 'br-int', name],
      ...['--', 'set', 'Interface', name, 'type=internal', ...settings],
    ],
  ]
}

function planLink(name: string, port: ManagementPort, link: HostLink | undefined): string[][] {
  const set = (...what: string[]): string[] => ['ip', 'link', 'set', 'dev', name, ...what]
  const wrong = link?.addresses.filter((address) => !port.addresses.includes(address)) ?? []
  const missing = port.addresses.filter((address) => link?.addresses.includes(address) !== true)
  return [
    ...(link?.owner === OWNER + port.id ? [] : [set('alias', OWNER + port.id)]),
    ...(link?.mac_address === port.mac_address ? [] : [set('address', port.mac_address)]),
    ...(link?.mtu === port.mtu ? [] : [set('mtu', String(port.mtu))]),
    ...wrong.map((address) => ['ip', 'address', 'delete', address, 'dev', name]),
    ...missing.map((address) => [
      ...['ip', 'address', 'replace', address, 'dev', name],
      ...(address.includes(':') ? ['nodad'] : []),
    ]),
    ...(link?.up === true ? [] : [set('up')]),
  ]
}

function planTap(
  plugging: Plugging,
  port: ManagementPort,
  { tap }: Found,
  fresh: readonly unknown[],
): string[][] {
  if (plugging !== 'linuxbridge' || (tap?.up === true && fresh.length === 0)) return []
  const set = ['ip', 'link', 'set', 'dev', tapName(port.id)]
  return [[...set, 'mtu', String(port.mtu), 'up']]
}

/** Takes the interface away, if it is ours. */
export function planRemoval(
  name: string,
  plugging: Plugging,
  { link, ovs_iface_id }: Found,
): readonly (readonly string[])[] {
  if (plugging === 'openvswitch' && ovs_iface_id !== undefined)
    return [['ovs-vsctl', '--timeout=10', '--', '--if-exists', 'del-port', 'br-int', name]]
  return link !== undefined && isOurs(link) ? [['ip', 'link', 'delete', 'dev', name]] : []
}

/** The rule of the host's own packet filter that lets heartbeats in. */
export function firewallRule(name: string, port: number): readonly string[] {
  const comment = ['-m', 'comment', '--comment', 'octavia-lite']
  return ['INPUT', '-i', name, '-p', 'udp', '--dport', String(port), ...comment, '-j', 'ACCEPT']
}
