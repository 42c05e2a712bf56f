/**
 * A network service that does nothing, at once: every UUID is a network, a subnet or a port,
 * whichever is asked for, and any address is free. Source of the idea:
 * octavia/network/drivers/noop_driver/driver.py, which keeps what it made up in memory and in a
 * file; here all follows from the ids, so that nothing is kept and a restart changes no answer.
 * What no id can tell stays unknown: which addresses are taken.
 *
 * Upstream's tests name any network with any subnet and any address, so each is in every other. Who
 * names only one of them gets the other by its id: a network has two subnets. The UUID of a subnet
 * is that of its network with its last twelve digits inverted; in place of the version it has a 6
 * if it is the IPv6 one.
 */
import { parseIp } from '../../model/address.ts'
import { parseUuid } from '../../system/ids.ts'
import { derivedAddress, derivedId, derivedMac } from '../derived.ts'
import type { Network, NetworkDriver, Port, Subnet } from '../network.ts'
import { memberPortName, vrrpPortName } from '../port-names.ts'

/** The position of a UUID's version digit. */
const VERSION_AT = 14
const MTU = 1500
const FREE_ADDRESSES = 1_000_000

export function createNoopNetwork(): NetworkDriver {
  return {
    imaginary: true,
    findNetwork: async (id) => (parseUuid(id) === id ? networkOf(id) : undefined),
    findSubnet: async (id) => (parseUuid(id) === id ? subnetOf(id) : undefined),
    findPort: async (id) => (parseUuid(id) === id ? userPort(id) : undefined),
    hasQosPolicy: async (id) => parseUuid(id) === id,
    hasSecurityGroup: async (id) => parseUuid(id) === id,
    listFreeAddresses: async (network_id) =>
      networkOf(network_id).subnet_ids.map((subnet_id) => ({ subnet_id, free: FREE_ADDRESSES })),

    allocateVip: async ({ load_balancer_id, network_id, ...wish }) => {
      const wanted = wish.ip_address === null ? undefined : parseIp(wish.ip_address)
      const found = wish.port_id === null ? undefined : userPort(wish.port_id).fixed_ips[0]
      const subnet_id = wish.subnet_id ?? subnetIdOf(network_id, wanted?.family ?? 4)
      return {
        port_id: wish.port_id ?? derivedId('vip', load_balancer_id),
        network_id,
        subnet_id,
        ip_address:
          wanted?.text ?? found?.ip_address ?? anyAddress(subnet_id, 'vip', load_balancer_id),
        additional_vips: wish.additional_vips.map(({ subnet_id, ip_address }, at) => ({
          subnet_id,
          ip_address: ip_address ?? anyAddress(subnet_id, `vip-${at}`, load_balancer_id),
        })),
      }
    },
    deallocateVip: async () => {},

    plugVip: async (amphora, { network_id, subnet_id }) =>
      amphoraPort(vrrpPortName(amphora.id), amphora.compute_id, network_id, subnet_id),
    unplugVip: async () => {},

    plugMember: async (amphora, { network_id, id }) =>
      amphoraPort(memberPortName(amphora.id), amphora.compute_id, network_id, id),
    unplugMember: async () => {},

    rulesAreForAmphorae: async () => false,
    setVipRules: async () => {},
  }
}

function networkOf(id: string): Network {
  return {
    id,
    name: `noop-${id}`,
    mtu: MTU,
    subnet_ids: [subnetIdOf(id, 4), subnetIdOf(id, 6)],
    port_security_enabled: true,
    boundless: true,
  }
}

function subnetOf(id: string): Subnet {
  const ipv6 = isIpv6(id)
  return {
    id,
    name: `noop-${id}`,
    network_id: networkIdOf(id),
    // So that every address somebody may ask for is inside.
    cidr: ipv6 ? '::/0' : '0.0.0.0/0',
    gateway_ip: null,
    host_routes: [],
    boundless: true,
  }
}

/** A port which somebody made beforehand, on a network of its own. */
function userPort(id: string): Port {
  const network_id = derivedId('network', id)
  return {
    id,
    name: `noop-${id}`,
    network_id,
    mac_address: derivedMac(id),
    device_id: '',
    device_owner: '',
    fixed_ips: [{ subnet_id: subnetIdOf(network_id, 4), ip_address: derivedAddress(id) }],
    boundless: true,
  }
}

function amphoraPort(name: string, device_id: string, network_id: string, subnet_id: string): Port {
  return {
    id: derivedId(name, network_id),
    name,
    network_id,
    mac_address: derivedMac(name, network_id),
    device_id,
    device_owner: 'compute:noop',
    fixed_ips: [{ subnet_id, ip_address: anyAddress(subnet_id, name, network_id) }],
  }
}

function anyAddress(subnet_id: string, ...parts: readonly string[]): string {
  const ipv4 = derivedAddress(subnet_id, ...parts)
  if (!isIpv6(subnet_id)) return ipv4
  const [, b, c, d] = ipv4.split('.').map(Number)
  // None of the three groups is left out: each is shifted by a bit that is always set.
  return `fd00::${[b, c, d].map((byte) => (256 + (byte ?? 0)).toString(16)).join(':')}`
}

function isIpv6(subnet_id: string): boolean {
  return subnet_id[VERSION_AT] === '6'
}

function subnetIdOf(network_id: string, family: 4 | 6): string {
  const id = invertTail(network_id)
  const version = family === 6 ? '6' : isIpv6(id) ? '4' : id[VERSION_AT]
  return `${id.slice(0, VERSION_AT)}${version}${id.slice(VERSION_AT + 1)}`
}

function networkIdOf(subnet_id: string): string {
  return subnetIdOf(subnet_id, 4)
}

function invertTail(id: string): string {
  const tail = id
    .slice(-12)
    .replace(/[0-9a-f]/g, (digit) => (15 - Number.parseInt(digit, 16)).toString(16))
  return id.slice(0, -12) + tail
}
