/** Ports of an amphora: made, plugged into its instance, and taken away again. */
import type { VnicType } from '../../model/load-balancer.ts'
import { derivedMac } from '../derived.ts'
import { DriverError } from '../error.ts'
import type { AmphoraOnNetwork, Port, Subnet, Vip } from '../network.ts'
import { memberPortName, OCTAVIA_OWNER, vrrpPortName } from '../port-names.ts'
import { markOf } from './mark.ts'
import { type Doing, type NeutronPort, toNeutronPort, toPort } from './neutron.ts'
import type { NeutronDeps } from './neutron-deps.ts'
import { isTaken } from './vip-port.ts'

export interface PortFilter {
  readonly name: string
  readonly network_id?: string
}

const LOOK_MS = 1_000

/** Finds the amphora's port of that name, wherever its load balancer was made. */
async function findPorts(
  { neutron, projectId }: NeutronDeps,
  filter: PortFilter,
  doing: Doing,
): Promise<readonly NeutronPort[]> {
  const project_id = await projectId()
  const mine = project_id === null ? {} : { project_id }
  const rows = await neutron.list('ports', { ...filter, ...mine }, doing)
  return rows.map(toNeutronPort).toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

export async function plugVip(
  deps: NeutronDeps,
  amphora: AmphoraOnNetwork,
  vip: Vip,
  vnic_type: VnicType,
): Promise<Port> {
  const { neutron } = deps
  const doing = { operation: 'plug-vip', subject: `amphora ${amphora.id}` }
  if (!(await neutron.has('allowed-address-pairs')))
    throw new DriverError({
      ...doing,
      reason: 'Neutron has no allowed address pairs',
      hint: 'enable its extension allowed-address-pairs (port security)',
      retryable: false,
    })
  const all = [vip, ...vip.additional_vips]
  const port = await ensurePort(deps, doing, {
    name: vrrpPortName(amphora.id),
    network_id: vip.network_id,
    subnet_ids: all.map(({ subnet_id }) => subnet_id),
    vnic_type,
    allowed: all.map(({ ip_address }) => ip_address),
    again: amphora.vrrp_ip ?? null,
  })
  return attach(deps, doing, amphora, port)
}

export async function plugMember(
  deps: NeutronDeps,
  amphora: AmphoraOnNetwork,
  subnet: Subnet,
  vnic_type: VnicType,
): Promise<Port> {
  const doing = { operation: 'plug-member', subject: `amphora ${amphora.id}` }
  const { network_id } = subnet
  const [ofVip] = await findPorts(deps, { name: vrrpPortName(amphora.id), network_id }, doing)
  const port = await ensurePort(deps, doing, {
    name: ofVip?.name ?? memberPortName(amphora.id),
    network_id,
    subnet_ids: [subnet.id],
    vnic_type,
    allowed: [],
    again: null,
  })
  return attach(deps, doing, amphora, port)
}

interface Wanted {
  readonly name: string
  readonly network_id: string
  readonly subnet_ids: readonly string[]
  readonly vnic_type: VnicType
  /** Addresses it may use besides its own; a port with any starts with no group that lets in. */
  readonly allowed: readonly string[]
  /** An address that it had before, of the first subnet. */
  readonly again: string | null
}

/** One port per network: a further subnet is a further address of it. */
async function ensurePort(deps: NeutronDeps, doing: Doing, wanted: Wanted): Promise<NeutronPort> {
  const { neutron } = deps
  const { name, network_id, subnet_ids, allowed } = wanted
  const [found] = await findPorts(deps, { name, network_id }, doing)
  if (found === undefined) return create(deps, doing, wanted)
  const missing = subnet_ids.filter((id) => found.fixed_ips.every((ip) => ip.subnet_id !== id))
  const forbidden = allowed.filter((address) => !found.allowed_addresses.includes(address))
  const changes = {
    ...(missing.length === 0
      ? {}
      : { fixed_ips: [...found.fixed_ips, ...missing.map((subnet_id) => ({ subnet_id }))] }),
    ...(forbidden.length === 0 || !found.port_security_enabled
      ? {}
      : { allowed_address_pairs: pairsOf(allowed) }),
  }
  if (Object.keys(changes).length === 0) return found
  const updated = await neutron.update('ports', found.id, changes, doing)
  if (updated !== undefined) return toNeutronPort(updated)
  throw new DriverError({ ...doing, reason: `port ${found.id} is gone`, retryable: true })
}

async function create(deps: NeutronDeps, doing: Doing, wanted: Wanted): Promise<NeutronPort> {
  const { neutron, options } = deps
  const { name, network_id, vnic_type, allowed, again } = wanted
  const subnet_ids = [...new Set(wanted.subnet_ids)]
  const values = {
    name,
    description: markOf(options.deployment),
    network_id,
    admin_state_up: true,
    device_owner: OCTAVIA_OWNER,
    // By this the agent knows the card, also when it was taken out in between.
    mac_address: derivedMac(name, network_id),
    ...(vnic_type === 'normal' ? {} : { 'binding:vnic_type': vnic_type }),
    ...(allowed.length > 0 && (await isSecured(deps, network_id, vnic_type))
      ? { allowed_address_pairs: pairsOf(allowed), ...(await startGroups(deps)) }
      : {}),
  }
  const make = async (first: object): Promise<NeutronPort> => {
    const fixed_ips = subnet_ids.map((subnet_id, at) => ({ subnet_id, ...(at === 0 ? first : {}) }))
    return toNeutronPort(await neutron.create('ports', { ...values, fixed_ips }, doing))
  }
  if (again === null) return make({})
  try {
    return await make({ ip_address: again })
  } catch (error) {
    if (!isTaken(error)) throw error
    return make({})
  }
}

function pairsOf(addresses: readonly string[]): readonly object[] {
  return addresses.map((ip_address) => ({ ip_address }))
}

/** A network, or a card given to the instance as it is, on which nothing is filtered. */
async function isSecured(
  { neutron }: NeutronDeps,
  network_id: string,
  vnic_type: VnicType,
): Promise<boolean> {
  const network = await neutron.find('networks', network_id)
  return vnic_type === 'normal' && network?.port_security_enabled !== false
}

/** No group at all: nothing gets in until the rules of the VIP are set. */
async function startGroups({ neutron }: NeutronDeps): Promise<{ security_groups?: string[] }> {
  return (await neutron.has('security-group')) ? { security_groups: [] } : {}
}

async function attach(
  { neutron, attachments }: NeutronDeps,
  doing: Doing,
  { compute_id }: AmphoraOnNetwork,
  port: NeutronPort,
): Promise<Port> {
  if (port.device_id !== compute_id) await attachments.attach(compute_id, port.id)
  const row = await neutron.find('ports', port.id)
  if (row === undefined)
    throw new DriverError({ ...doing, reason: `port ${port.id} is gone`, retryable: true })
  if (row['binding:vif_type'] !== 'binding_failed') return toPort(row)
  // Nova has written the instance into the port, but nothing is plugged in: from the start.
  await neutron.update('ports', port.id, { device_id: '', device_owner: OCTAVIA_OWNER }, doing)
  throw new DriverError({
    ...doing,
    reason: `Neutron cannot bind port ${port.id} on the host of the amphora`,
    hint: 'openstack network agent list tells whether its agent is alive',
    retryable: true,
  })
}

/**
 * Taken out of the instance first, so that it sees its card go; after a while without it, because
 * the host of an amphora may be dead.
 */
export async function unplug(
  deps: NeutronDeps,
  operation: string,
  amphora_id: string,
  filter: PortFilter,
): Promise<void> {
  const { neutron, attachments, clock, options } = deps
  const doing = { operation, subject: `amphora ${amphora_id}` }
  for (const { id, device_id } of await findPorts(deps, filter, doing)) {
    const going = device_id !== '' && (await attachments.detach(device_id, id))
    const until = clock.now() + options.port_detach_timeout * 1000
    while (going && clock.now() < until) {
      const row = await neutron.find('ports', id)
      if (row === undefined || toPort(row).device_id !== device_id) break
      await clock.sleep(LOOK_MS)
    }
    await neutron.remove('ports', id, doing)
  }
}
