/**
 * The VIP which a create request asks for: which network and subnet, whose port, which address.
 * Asks the network, changes nothing. Order of checks and texts:
 * octavia/api/v2/controllers/load_balancer.py, _validate_vip_request_object.
 */
import {
  type FixedIp,
  type Network,
  type NetworkView,
  type Port,
  type Subnet,
  seenBy,
  type VipRequest,
} from '../driver/network.ts'
import { contains, lastAddress, parseCidr, parseIp } from '../model/address.ts'
import { fault } from '../model/fault.ts'
import type { Create } from '../model/field.ts'
import type { loadBalancer, Topology } from '../model/load-balancer.ts'
import type { OperationDependencies, OperationSettings, Origin } from './change.ts'

type Wanted = Pick<
  Create<typeof loadBalancer.fields>,
  | 'vip_port_id'
  | 'vip_network_id'
  | 'vip_subnet_id'
  | 'vip_address'
  | 'vip_qos_policy_id'
  | 'additional_vips'
  | 'vip_sg_ids'
>

export type VipPlan = Pick<
  VipRequest,
  'network_id' | 'port_id' | 'ip_address' | 'additional_vips'
> & {
  readonly subnet_id: string
}

interface Place {
  readonly network_id: string
  readonly subnet: Subnet
  readonly ip_address: string | null
}

/** The VIP and an address of each amphora. */
const ADDRESSES_NEEDED: Readonly<Record<Topology, number>> = { SINGLE: 2, ACTIVE_STANDBY: 3 }

export async function planVip(
  network: NetworkView,
  settings: OperationSettings,
  wanted: Wanted,
): Promise<VipPlan> {
  checkSwitches(settings, wanted)
  const place = await findPlace(network, settings, wanted)
  await checkQosPolicy(network, wanted.vip_qos_policy_id)
  const additional_vips = await checkAdditional(network, place, wanted.additional_vips)
  await checkSecurityGroupsExist(network, wanted.vip_sg_ids)
  return {
    network_id: place.network_id,
    subnet_id: place.subnet.id,
    port_id: wanted.vip_port_id,
    ip_address: place.ip_address,
    additional_vips,
  }
}

/** A network without such a thing as a QoS policy refuses all of them. */
export async function checkQosPolicy(network: NetworkView, id: string | null): Promise<void> {
  if (id === null) return
  const known = await network.hasQosPolicy(id)
  if (known === undefined)
    throw fault.validation('VIP QoS policy is not allowed in this deployment.')
  if (!known) throw fault.referenceNotFound('qos_policy', id)
}

export async function checkSecurityGroupsExist(
  network: NetworkView,
  ids: readonly string[],
): Promise<void> {
  for (const id of ids)
    if (!(await network.hasSecurityGroup(id))) throw fault.referenceNotFound('Security Group', id)
}

function checkSwitches(settings: OperationSettings, wanted: Wanted): void {
  const sources = [
    ['vip_port_id', settings.allow_vip_port_id],
    ['vip_network_id', settings.allow_vip_network_id],
    ['vip_subnet_id', settings.allow_vip_subnet_id],
  ] as const
  for (const [name, allowed] of sources)
    if (wanted[name] !== null && !allowed)
      throw fault.validation(`use of ${name} is disallowed by this deployment's configuration.`)
  if (sources.every(([name]) => wanted[name] === null))
    throw fault.vipMissing(sources.filter(([, allowed]) => allowed).map(([name]) => name))
}

async function findPlace(
  network: NetworkView,
  settings: OperationSettings,
  wanted: Wanted,
): Promise<Place> {
  if (wanted.vip_port_id !== null) return placeOfPort(network, wanted.vip_port_id, wanted)
  if (wanted.vip_network_id !== null)
    return placeInNetwork(network, settings.topology, wanted.vip_network_id, wanted)
  return placeInSubnet(network, wanted.vip_subnet_id ?? '', wanted)
}

async function placeInSubnet(network: NetworkView, id: string, wanted: Wanted): Promise<Place> {
  const subnet = await getSubnet(network, id)
  return { network_id: subnet.network_id, subnet, ip_address: within(subnet, wanted.vip_address) }
}

async function placeOfPort(network: NetworkView, id: string, wanted: Wanted): Promise<Place> {
  const port = await network.findPort(id)
  if (port === undefined) throw fault.referenceNotFound('Port', id)
  if (port.device_id !== '')
    throw fault.validation(`Port ${port.id} is already used by device ${port.device_id} `)
  if (wanted.vip_subnet_id !== null) {
    if (port.boundless === true) return placeInSubnet(network, wanted.vip_subnet_id, wanted)
    await getSubnet(network, wanted.vip_subnet_id)
  }
  const fixed = chooseFixedIp(port, wanted)
  return {
    network_id: port.network_id,
    subnet: await getSubnet(network, fixed.subnet_id),
    ip_address: fixed.ip_address,
  }
}

function chooseFixedIp(port: Port, wanted: Wanted): Port['fixed_ips'][number] {
  if (wanted.vip_subnet_id !== null) {
    const inSubnet = port.fixed_ips.filter((ip) => ip.subnet_id === wanted.vip_subnet_id)
    const found =
      inSubnet.find((ip) => sameAddress(ip.ip_address, wanted.vip_address)) ?? inSubnet[0]
    if (found !== undefined) return found
    throw fault.validation(
      'No VIP address found on the specified VIP port within the specified subnet.',
    )
  }
  if (wanted.vip_address !== null) {
    const isWanted = (ip: FixedIp) =>
      port.boundless === true || sameAddress(ip.ip_address, wanted.vip_address)
    const found = port.fixed_ips.find(isWanted)
    if (found !== undefined) return { ...found, ip_address: wanted.vip_address }
    throw fault.validation('Specified VIP address not found on the specified VIP port.')
  }
  const [only, ...more] = port.fixed_ips
  if (only !== undefined && more.length === 0) return only
  throw fault.validation(
    "VIP port's subnet could not be determined. Please specify either a VIP subnet or address.",
  )
}

function sameAddress(a: string, b: string | null): boolean {
  return b !== null && parseIp(a)?.text === b
}

async function placeInNetwork(
  network: NetworkView,
  topology: Topology,
  id: string,
  wanted: Wanted,
): Promise<Place> {
  const found = await network.findNetwork(id)
  if (found === undefined) throw fault.referenceNotFound('Network', id)
  if (wanted.vip_subnet_id !== null) {
    if (found.boundless !== true && !found.subnet_ids.includes(wanted.vip_subnet_id))
      throw fault.referenceNotFound('Subnet', wanted.vip_subnet_id)
    const subnet = await getSubnet(network, wanted.vip_subnet_id)
    return { network_id: id, subnet, ip_address: within(subnet, wanted.vip_address) }
  }
  const subnets = await Promise.all(found.subnet_ids.map((subnet) => getSubnet(network, subnet)))
  if (wanted.vip_address !== null) {
    const ip = parseIp(wanted.vip_address)
    const subnet = subnets.find(({ cidr }) => {
      const prefix = parseCidr(cidr)
      return ip !== undefined && prefix !== undefined && contains(prefix, ip)
    })
    if (subnet === undefined)
      throw fault.validation(
        'Supplied network does not contain a subnet for VIP address specified.',
      )
    return { network_id: id, subnet, ip_address: within(subnet, wanted.vip_address) }
  }
  return {
    network_id: id,
    subnet: await roomiest(network, topology, found, subnets),
    ip_address: null,
  }
}

/** The first subnet with enough free addresses, IPv4 preferred. */
async function roomiest(
  network: NetworkView,
  topology: Topology,
  found: Network,
  subnets: readonly Subnet[],
): Promise<Subnet> {
  if (subnets.length === 0) throw fault.validation('Supplied network does not contain a subnet.')
  const free = await network.listFreeAddresses(found.id)
  const roomy = new Set(
    free.filter((s) => s.free >= ADDRESSES_NEEDED[topology]).map((s) => s.subnet_id),
  )
  const usable = subnets.filter((subnet) => roomy.has(subnet.id))
  const chosen = usable.find((subnet) => parseCidr(subnet.cidr)?.family === 4) ?? usable[0]
  if (chosen === undefined)
    throw fault.validation('Subnet(s) in the supplied network do not contain enough available IPs.')
  return chosen
}

async function getSubnet(network: NetworkView, id: string): Promise<Subnet> {
  const subnet = await network.findSubnet(id)
  if (subnet === undefined) throw fault.referenceNotFound('Subnet', id)
  return subnet
}

/** The address, which must be one that a host of the subnet can have. */
function within(subnet: Subnet, address: string | null): string | null {
  if (address === null || subnet.boundless === true) return address
  const ip = parseIp(address)
  const prefix = parseCidr(subnet.cidr)
  const bits = prefix?.family === 6 ? 128 : 32
  const reserved =
    prefix !== undefined &&
    bits - prefix.prefix > 1 &&
    (address === prefix.network.text ||
      (prefix.family === 4 && address === lastAddress(prefix).text))
  if (ip === undefined || prefix === undefined || !contains(prefix, ip) || reserved)
    throw fault.validation(
      `IP address ${address} is not a valid IP for the subnet ${subnet.id} (${subnet.cidr}).`,
    )
  return address
}

async function checkAdditional(
  network: NetworkView,
  place: Place,
  wanted: Wanted['additional_vips'],
): Promise<VipPlan['additional_vips']> {
  const used = new Set([place.subnet.id])
  const out: { subnet_id: string; ip_address: string | null }[] = []
  for (const { subnet_id } of wanted) {
    if (subnet_id === undefined || subnet_id === null || used.has(subnet_id))
      throw fault.validation(
        'Duplicate VIP subnet(s) specified. Only one IP can be bound per subnet.',
      )
    used.add(subnet_id)
  }
  for (const { subnet_id, ip_address } of wanted) {
    const subnet = await network.findSubnet(subnet_id ?? '')
    if (subnet === undefined) throw fault.validation(`Subnet ${subnet_id} not found`)
    if (subnet.boundless !== true && subnet.network_id !== place.network_id)
      throw fault.validation('All VIP subnets must belong to the same network.')
    out.push({ subnet_id: subnet.id, ip_address: within(subnet, ip_address ?? null) })
  }
  return out
}

/** What members are on must be there, and visible to who names it. */
export async function checkMemberSubnets(
  { network }: Pick<OperationDependencies, 'network'>,
  ids: readonly (string | null)[],
  { token }: Origin,
): Promise<void> {
  const view = seenBy(network, token)
  for (const id of new Set(ids)) if (id !== null) await getSubnet(view, id)
}

/** Networks which an availability zone names take the place of the deployment's. */
export function checkNetworkAllowed(
  settings: OperationSettings,
  id: string,
  ofZone: readonly string[],
): void {
  const listed = (list: readonly string[]): boolean =>
    list.some((item) => item.toLowerCase() === id.toLowerCase())
  const { denylist_vip_networks } = settings
  const valid_vip_networks = ofZone.length > 0 ? ofZone : settings.valid_vip_networks
  if (
    (valid_vip_networks.length > 0 && !listed(valid_vip_networks)) ||
    listed(denylist_vip_networks)
  )
    throw fault.validation(
      'Supplied VIP network_id is not allowed by the configuration of this deployment.',
    )
}
