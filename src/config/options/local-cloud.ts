/** [local_cloud]: networks of this machine. Ours, upstream has nothing like it. */
import { REQUIRED, tables } from '../compound.ts'
import { boolean, cidr, integer, ip, text } from '../scalar.ts'

const NETWORK_NAME = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/,
  takes: 'a name of letters, digits, dots and dashes',
} as const

const UUID = {
  pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  takes: 'a UUID',
} as const

/** A field without a default is null: the driver derives it. */
const networkFields = {
  name: text('Its name; subnets have it too.', REQUIRED, NETWORK_NAME),
  cidr: cidr('Its addresses.', REQUIRED),
  gateway_ip: ip('The gateway; unset: the first address.', null),
  host_access: boolean('Whether this machine has the gateway address, and so reaches it.', false),
  mtu: integer('The largest packet.', 1500, { min: 1280, max: 65_535 }),
  id: text('Its UUID; unset: derived from the name.', null, UUID),
  allocation_start: ip('The first address given out; unset: any free one.', null),
  allocation_end: ip('The last address given out.', null),
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
    },
  ]),
}
