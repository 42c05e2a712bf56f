/** The port that holds the addresses of a VIP: made or adopted, and given back. */
import { parseIp } from '../../model/address.ts'
import { DriverError } from '../error.ts'
import { AddressInUse, type FixedIp, type Vip, type VipRequest } from '../network.ts'
import { OCTAVIA_OWNER, vipDeviceId, vipPortName } from '../port-names.ts'
import { number } from './json.ts'
import { markOf } from './mark.ts'
import { type Doing, type Neutron, type NeutronPort, toNetwork, toNeutronPort } from './neutron.ts'
import type { NeutronDeps } from './neutron-deps.ts'
import { ServiceRefusal } from './refusal.ts'
import { deleteVipGroup, findVipGroup } from './vip-group.ts'

const IS_TAKEN = /^(IpAddressInUse|IpAddressAlreadyAllocated)$/

/** Whether Neutron refused because somebody else has the address. */
export function isTaken(error: unknown): error is ServiceRefusal {
  return error instanceof ServiceRefusal && IS_TAKEN.test(error.type)
}

export async function allocateVip(deps: NeutronDeps, request: VipRequest): Promise<Vip> {
  const { load_balancer_id, port_id } = request
  const doing = { operation: 'allocate-vip', subject: `load balancer ${load_balancer_id}` }
  if (port_id !== null) return toVip(await adopt(deps, request, port_id, doing), request)
  const [made] = await findOwn(deps, load_balancer_id, doing)
  return toVip(made ?? (await create(deps, request, doing)), request)
}

/** The port may belong to the user's project; that it is ours is told by owner and device. */
async function findOwn(
  { neutron }: NeutronDeps,
  load_balancer_id: string,
  doing: Doing,
): Promise<readonly NeutronPort[]> {
  const rows = await neutron.list(
    'ports',
    { device_id: vipDeviceId(load_balancer_id), name: vipPortName(load_balancer_id) },
    doing,
  )
  return rows
    .map(toNeutronPort)
    .filter(({ device_owner }) => device_owner === OCTAVIA_OWNER)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

async function create(
  { neutron, options }: NeutronDeps,
  request: VipRequest,
  doing: Doing,
): Promise<NeutronPort> {
  const { load_balancer_id, project_id, network_id, additional_vips } = request
  const { ip_address } = request
  // Beside others, an address of any subnet has to name one.
  const anywhere = additional_vips.length > 0 && ip_address === null
  const subnet_id = request.subnet_id ?? (anywhere ? await firstSubnet(neutron, network_id) : null)
  const fixed_ips = [{ subnet_id, ip_address }, ...additional_vips].flatMap((wish) =>
    wish.subnet_id === null && wish.ip_address === null
      ? []
      : [
          {
            ...(wish.subnet_id && { subnet_id: wish.subnet_id }),
            ...(wish.ip_address && { ip_address: wish.ip_address }),
          },
        ],
  )
  const values = {
    name: vipPortName(load_balancer_id),
    description: markOf(options.deployment),
    network_id,
    // Its addresses answer on the ports of amphorae, so nothing is ever bound to it.
    admin_state_up: false,
    device_id: vipDeviceId(load_balancer_id),
    device_owner: OCTAVIA_OWNER,
    ...(project_id === '' ? {} : { project_id }),
    ...(fixed_ips.length === 0 ? {} : { fixed_ips }),
  }
  try {
    return toNeutronPort(await neutron.create('ports', values, doing))
  } catch (error) {
    throw takenAddress(error, request) ?? error
  }
}

async function firstSubnet(neutron: Neutron, network_id: string): Promise<string | null> {
  const row = await neutron.find('networks', network_id)
  return (row && toNetwork(row).subnet_ids[0]) ?? null
}

/** Which of several addresses it is, Neutron tells only in the text. */
function takenAddress(error: unknown, request: VipRequest): AddressInUse | undefined {
  if (!isTaken(error)) return undefined
  const { network_id } = request
  const wanted = [request, ...request.additional_vips].flatMap((vip) => vip.ip_address ?? [])
  const taken = wanted.find((address) => error.reason.includes(address)) ?? wanted[0]
  return taken === undefined ? undefined : new AddressInUse(taken, network_id)
}

/** Marked with our device, which no two load balancers can do at a time. */
async function adopt(
  { neutron }: NeutronDeps,
  request: VipRequest,
  id: string,
  doing: Doing,
): Promise<NeutronPort> {
  const { load_balancer_id, network_id, ip_address } = request
  const refused = (reason: string) => new DriverError({ ...doing, reason, retryable: false })
  const row = await neutron.find('ports', id)
  const port = row && toNeutronPort(row)
  if (port === undefined || port.network_id !== network_id)
    throw refused(`there is no port ${id} on network ${network_id}`)
  const device_id = vipDeviceId(load_balancer_id)
  if (port.device_id === device_id) return port
  const addresses = port.fixed_ips.map((ip) => ip.ip_address)
  if (port.device_id !== '') throw new AddressInUse(addresses[0] ?? '', network_id)
  if (ip_address !== null && !addresses.some((each) => isSame(each, ip_address)))
    throw refused(`port ${id} has the address ${addresses.join(', ')}, not ${ip_address}`)
  try {
    const revision = number(row?.revision_number)
    const updated = await neutron.update('ports', id, { device_id }, doing, revision)
    if (updated !== undefined) return toNeutronPort(updated)
  } catch (error) {
    if (!(error instanceof ServiceRefusal) || error.status !== 412) throw error
    throw new AddressInUse(addresses[0] ?? '', network_id)
  }
  throw refused(`port ${id} is gone`)
}

function isSame(a: string, b: string): boolean {
  return a === b || parseIp(a)?.text === parseIp(b)?.text
}

/** The wanted address first, if the port has it; what else it has are additional VIPs. */
function toVip(port: NeutronPort, { subnet_id, ip_address }: VipRequest): Vip {
  const inSubnet = (ip: FixedIp): boolean => subnet_id === null || ip.subnet_id === subnet_id
  const exact = port.fixed_ips.find(
    (ip) => inSubnet(ip) && ip_address !== null && isSame(ip.ip_address, ip_address),
  )
  const first = exact ?? port.fixed_ips.find(inSubnet) ?? { subnet_id: '', ip_address: '' }
  return {
    port_id: port.id,
    network_id: port.network_id,
    subnet_id: first.subnet_id,
    ip_address: parseIp(first.ip_address)?.text ?? first.ip_address,
    additional_vips: port.fixed_ips
      .filter((ip) => ip !== first)
      .map((ip) => ({ subnet_id: ip.subnet_id, ip_address: ip.ip_address })),
  }
}

/** The port first: a security group goes when no port has it any more. */
export async function deallocateVip(
  deps: NeutronDeps,
  load_balancer_id: string,
  port_id: string | null,
): Promise<void> {
  const { neutron } = deps
  const doing = { operation: 'deallocate-vip', subject: `load balancer ${load_balancer_id}` }
  for (const { id } of await findOwn(deps, load_balancer_id, doing))
    await neutron.remove('ports', id, doing)
  const row = port_id === null ? undefined : await neutron.find('ports', port_id)
  const adopted = row && toNeutronPort(row)
  const group = await findVipGroup(deps, load_balancer_id, doing)
  if (adopted !== undefined && adopted.device_id === vipDeviceId(load_balancer_id))
    await neutron.update(
      'ports',
      adopted.id,
      {
        device_id: '',
        ...(group !== undefined && adopted.security_groups.includes(group)
          ? { security_groups: adopted.security_groups.filter((id) => id !== group) }
          : {}),
      },
      doing,
    )
  if (group !== undefined) await deleteVipGroup(deps, group, doing)
}
