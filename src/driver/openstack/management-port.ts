/**
 * The controller's port on the management network: one per host, bound to it, so that Neutron's
 * agent there plugs it in. Source: upstream's installation guide, whose
 * `octavia-health-manager-listen-port` is made by hand.
 */
import { DriverError } from '../error.ts'
import { type JsonRecord, text } from './json.ts'
import type { ManagementPort, Plugging } from './management-plan.ts'
import { type Neutron, toNetwork, toNeutronPort, toSubnet } from './neutron.ts'

export interface ManagementPortWish {
  readonly network_id: string
  /** As Neutron's agents call this machine. */
  readonly host: string
  readonly security_groups: readonly string[]
  /** null: as Neutron bound it. */
  readonly plugging: Plugging | null
}

export interface PluggedPort extends ManagementPort {
  readonly plugging: Plugging
}

const OWNER = 'Octavia:health-mgr'
/** Upstream's guide has one for all hosts; a name per host finds the right one again. */
const nameOn = (host: string): string => `octavia-health-manager-${host}-listen-port`

/** What is remembered of a port: which one, and its addresses with prefix lengths. */
export type KnownPort = Pick<ManagementPort, 'id' | 'addresses'>

/**
 * The port as it should be: the one that is known, or of this host, or a new one. A new one has the
 * addresses of the one that is known, because amphorae send their heartbeats there.
 */
export async function ensureManagementPort(
  neutron: Neutron,
  wish: ManagementPortWish,
  known: KnownPort | null,
): Promise<PluggedPort> {
  const doing = { operation: 'ensure-management-port', subject: `host ${wish.host}` }
  const row =
    (await findPort(neutron, wish, known?.id ?? null)) ??
    (await makePort(neutron, wish, known?.addresses ?? []))
  const changes = planChanges(row, wish)
  const id = text(row.id) ?? ''
  const right =
    Object.keys(changes).length === 0 ? row : await neutron.update('ports', id, changes, doing)
  if (right === undefined)
    throw new DriverError({ ...doing, reason: `port ${id} is gone`, retryable: true })
  return await describe(neutron, wish, right)
}

/** The id of the port, if it is there. */
export async function findManagementPort(
  neutron: Neutron,
  wish: ManagementPortWish,
): Promise<string | undefined> {
  return text((await findPort(neutron, wish, null))?.id)
}

/** By its id even when the host was renamed; on another network it is not the one. */
async function findPort(
  neutron: Neutron,
  { network_id, host }: ManagementPortWish,
  known_id: string | null,
): Promise<JsonRecord | undefined> {
  const known = known_id === null ? undefined : await neutron.find('ports', known_id)
  if (known?.network_id === network_id) return known
  const doing = { operation: 'look-up', subject: `port of host ${host}` }
  const rows = await neutron.list('ports', { name: nameOn(host), network_id }, doing)
  return rows.toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1))[0]
}

async function makePort(
  neutron: Neutron,
  wish: ManagementPortWish,
  addresses: readonly string[],
): Promise<JsonRecord> {
  const { host, network_id, security_groups } = wish
  const values = {
    name: nameOn(host),
    network_id,
    device_owner: OWNER,
    device_id: host,
    'binding:host_id': host,
    ...(security_groups.length === 0 ? {} : { security_groups }),
  }
  const doing = { operation: 'make-management-port', subject: `host ${host}` }
  if (addresses.length === 0) return neutron.create('ports', values, doing)
  const fixed_ips = addresses.map((address) => ({ ip_address: address.split('/')[0] }))
  try {
    return await neutron.create('ports', { ...values, fixed_ips }, doing)
  } catch (error) {
    // Somebody else has one of them, or the subnet is another.
    if (!(error instanceof DriverError) || error.retryable) throw error
    return neutron.create('ports', values, doing)
  }
}

function planChanges(row: JsonRecord, { host, security_groups }: ManagementPortWish): JsonRecord {
  const port = toNeutronPort(row)
  const groups = new Set(port.security_groups)
  const missing = security_groups.some((id) => !groups.has(id))
  return {
    ...(port.admin_state_up ? {} : { admin_state_up: true }),
    ...(port.name === nameOn(host) ? {} : { name: nameOn(host) }),
    // Neutron tries to bind again at any change, so one that failed is asked for again.
    ...(row['binding:host_id'] === host && row['binding:vif_type'] !== 'binding_failed'
      ? {}
      : { 'binding:host_id': host }),
    ...(missing ? { security_groups } : {}),
  }
}

async function describe(
  neutron: Neutron,
  wish: ManagementPortWish,
  row: JsonRecord,
): Promise<PluggedPort> {
  const { id, mac_address, fixed_ips } = toNeutronPort(row)
  const network = await neutron.find('networks', wish.network_id)
  const addresses: string[] = []
  for (const { subnet_id, ip_address } of fixed_ips) {
    const subnet = await neutron.find('subnets', subnet_id)
    const prefix = subnet === undefined ? undefined : toSubnet(subnet).cidr.split('/')[1]
    if (prefix !== undefined) addresses.push(`${ip_address}/${prefix}`)
  }
  const mtu = network === undefined ? 1500 : toNetwork(network).mtu
  const plugging = wish.plugging ?? pluggingOf(row, wish.host)
  return { id, mac_address, mtu, addresses, plugging }
}

function pluggingOf(row: JsonRecord, host: string): Plugging {
  const type = text(row['binding:vif_type']) ?? ''
  if (type === 'bridge') return 'linuxbridge'
  if (type === 'ovs') return 'openvswitch'
  throw new DriverError({
    operation: 'ensure-management-port',
    subject: `host ${host}`,
    reason:
      type === 'binding_failed'
        ? 'no agent of Neutron on this host plugs ports of the management network in'
        : `Neutron does not say how its port is plugged in (binding:vif_type '${type}')`,
    hint: "compare [DEFAULT] host with 'openstack network agent list', or set [health_manager] management_port",
    retryable: type === 'binding_failed',
  })
}
