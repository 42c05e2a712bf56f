/** [local_cloud]: networks of this machine. Ours, upstream has nothing like it. */
import { REQUIRED, tables } from '../compound.ts'
import { option } from '../option.ts'
import { boolean, cidr, integer, ip, text } from '../scalar.ts'

const NETWORK_NAME = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/,
  takes: 'a name of letters, digits, dots and dashes',
} as const

/** As `gateway_ip`: traffic to other networks has no way out. */
export const NO_GATEWAY = 'none'

const UUID = {
  pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  takes: 'a UUID',
} as const

const address = ip('The gateway.', REQUIRED)

/** A field without a default is null: the driver derives it. */
const subnetFields = {
  gateway_ip: option<string, null>(
    'The gateway; unset: the first address.',
    null,
    {},
    'an IP address or "none"',
    (value) => (value === NO_GATEWAY ? { value } : address.parse(value)),
  ),
  allocation_start: ip('The first address given out; unset: any free one.', null),
  allocation_end: ip('The last address given out.', null),
  host_routes: tables(
    'Routes of its hosts.',
    {
      destination: cidr('Where to.', REQUIRED),
      nexthop: ip('By which address of the subnet.', REQUIRED),
    },
    [],
  ),
}

const networkFields = {
  name: text('Its name; its first subnet has it too.', REQUIRED, NETWORK_NAME),
  cidr: cidr('The addresses of its first subnet, IPv4 or IPv6.', REQUIRED),
  host_access: boolean('Whether this machine has the gateway addresses, and so reaches it.', false),
  mtu: integer('The largest packet.', 1500, { min: 1280, max: 65_535 }),
  id: text('Its UUID; unset: derived from the name.', null, UUID),
  ...subnetFields,
  subnets: tables(
    'Further subnets, for both families for one.',
    {
      name: text('Its name; unset: its network and a number.', null, NETWORK_NAME),
      cidr: cidr('Its addresses.', REQUIRED),
      ...subnetFields,
    },
    [],
  ),
}

export const localCloud = {
  management_cidr: cidr('Management network, between controller and amphorae.', '172.16.0.0/22'),
  management_host_ip: ip('Address of the controller in it, on o-hm0.', '172.16.0.2'),
  networks: tables('Networks for VIPs and members.', networkFields, [
    {
      name: 'vip-net',
      cidr: '10.10.10.0/24',
      gateway_ip: '10.10.10.1',
      host_access: true,
      mtu: 1500,
      id: null,
      allocation_start: null,
      allocation_end: null,
      host_routes: [],
      subnets: [],
    },
  ]),
}
