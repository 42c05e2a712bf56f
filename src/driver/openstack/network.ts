/**
 * Neutron with allowed address pairs: a VIP is a port of its own that is never plugged in, and the
 * ports of amphorae may use its addresses. What is made is found again by upstream's names, in the
 * project it was made in.
 * Source: octavia/network/drivers/neutron/{base,allowed_address_pairs}.py.
 */
import type { NetworkDriver, NetworkView } from '../network.ts'
import { memberPortName, vrrpPortName } from '../port-names.ts'
import { SerialTasks } from '../serial.ts'
import { plugMember, plugVip, unplug } from './amphora-port.ts'
import { number, records, text } from './json.ts'
import { createNeutron, type Neutron, toNetwork, toPort, toSubnet } from './neutron.ts'
import type { NeutronDeps, NeutronOptions } from './neutron-deps.ts'
import type { Service } from './service.ts'
import { setVipTraffic } from './vip-group.ts'
import { allocateVip, deallocateVip } from './vip-port.ts'

export function createNeutronNetwork(
  parts: Omit<NeutronDeps, 'neutron' | 'options'> & { readonly service: Service },
  options: NeutronOptions,
): NetworkDriver {
  const neutron = createNeutron(parts.service)
  const deps: NeutronDeps = { ...parts, neutron, options }
  // Looking for a thing and making it is not one step in Neutron.
  const one = new SerialTasks()

  const view = (token: string | null): NetworkView => ({
    findNetwork: async (id) => map(await neutron.find('networks', id, token), toNetwork),
    findSubnet: async (id) => map(await neutron.find('subnets', id, token), toSubnet),
    findPort: async (id) => map(await neutron.find('ports', id, token), toPort),
    hasQosPolicy: async (id) =>
      (await neutron.has('qos'))
        ? (await neutron.find('qos/policies', id, token)) !== undefined
        : undefined,
    hasSecurityGroup: async (id) =>
      (await neutron.find('security-groups', id, token)) !== undefined,
    // Users may not ask for it.
    listFreeAddresses: (network_id) => listFreeAddresses(neutron, network_id),
  })

  return {
    ...view(null),
    seenBy: (token) => view(options.allow_invisible_resource_usage ? null : token),
    allocateVip: (request) => one.run(request.load_balancer_id, () => allocateVip(deps, request)),
    deallocateVip: (load_balancer_id, port_id) =>
      one.run(load_balancer_id, () => deallocateVip(deps, load_balancer_id, port_id)),
    rulesAreForAmphorae: async () => false,
    setVipRules: (target, rules) =>
      one.run(target.load_balancer_id, () => setVipTraffic(deps, target, rules)),

    plugVip: (amphora, vip, vnic_type = 'normal') =>
      one.run(amphora.id, () => plugVip(deps, amphora, vip, vnic_type)),
    unplugVip: (amphora) =>
      one.run(amphora.id, () =>
        unplug(deps, 'unplug-vip', amphora.id, { name: vrrpPortName(amphora.id) }),
      ),
    plugMember: (amphora, subnet, vnic_type = 'normal') =>
      one.run(amphora.id, () => plugMember(deps, amphora, subnet, vnic_type)),
    unplugMember: (amphora, network_id) =>
      one.run(amphora.id, () =>
        unplug(deps, 'unplug-member', amphora.id, { name: memberPortName(amphora.id), network_id }),
      ),
  }
}

function map<T, R>(value: T | undefined, to: (value: T) => R): R | undefined {
  return value === undefined ? undefined : to(value)
}

/** A Neutron that does not count has room. */
async function listFreeAddresses(
  neutron: Neutron,
  network_id: string,
): Promise<readonly { subnet_id: string; free: number }[]> {
  const counted = (await neutron.has('network-ip-availability'))
    ? await neutron.find('network-ip-availabilities', network_id)
    : undefined
  if (counted !== undefined)
    return records(counted.subnet_ip_availability).map(({ subnet_id, total_ips, used_ips }) => ({
      subnet_id: text(subnet_id) ?? '',
      free: (number(total_ips) ?? 0) - (number(used_ips) ?? 0),
    }))
  const network = map(await neutron.find('networks', network_id), toNetwork)
  return (network?.subnet_ids ?? []).map((subnet_id) => ({
    subnet_id,
    free: Number.MAX_SAFE_INTEGER,
  }))
}
