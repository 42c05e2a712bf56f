import { field, ipAddress, name, oneOf, type Row, resource, text, uuid } from './field.ts'
import { list, object } from './nested-field.ts'
import { admin, described, id, named, owned, statuses, tagged, times } from './parts.ts'

export const TOPOLOGIES = ['SINGLE', 'ACTIVE_STANDBY'] as const
export type Topology = (typeof TOPOLOGIES)[number]
export const VNIC_TYPES = ['normal', 'direct'] as const
export type VnicType = (typeof VNIC_TYPES)[number]
export const ADDITIONAL_VIPS_MAX = 15
export const VIP_SECURITY_GROUPS_MAX = 64

/** Source: octavia/api/v2/types/load_balancer.py. */
export const loadBalancer = resource({
  title: 'Load Balancer',
  singular: 'loadbalancer',
  plural: 'loadbalancers',
  argument: 'load_balancer',
  table: 'load_balancer',
  fields: {
    ...id,
    ...owned,
    ...named,
    ...described,
    ...admin,
    ...tagged,
    ...statuses,
    ...times,
    vip_address: field(ipAddress, {
      help: 'The address of the VIP; chosen from the subnet when absent.',
      writable: 'create',
      nullable: true,
    }),
    vip_port_id: field(uuid, { help: 'The port of the VIP.', writable: 'create', nullable: true }),
    vip_subnet_id: field(uuid, {
      help: 'The subnet of the VIP.',
      writable: 'create',
      nullable: true,
    }),
    vip_network_id: field(uuid, {
      help: 'The network of the VIP.',
      writable: 'create',
      nullable: true,
    }),
    vip_qos_policy_id: field(uuid, { help: 'QoS policy of the VIP port.', nullable: true }),
    vip_vnic_type: field(oneOf(VNIC_TYPES), {
      help: 'The binding of the VIP port.',
      writable: 'never',
      fallback: 'normal',
    }),
    vip_sg_ids: field(list(uuid, VIP_SECURITY_GROUPS_MAX), {
      help: 'Security groups of the VIP port, instead of those derived from the listeners.',
      fallback: [],
    }),
    additional_vips: field(
      list(
        object({ subnet_id: uuid, ip_address: ipAddress, port_id: uuid }, ['subnet_id']),
        ADDITIONAL_VIPS_MAX,
      ),
      {
        help: 'Further VIPs on other subnets of the same network.',
        writable: 'create',
        fallback: [],
      },
    ),
    provider: field(text({ max: 64 }), {
      help: 'The provider driver.',
      writable: 'create',
      nullable: true,
    }),
    flavor_id: field(uuid, { help: 'The flavor.', writable: 'create', nullable: true }),
    availability_zone: field(name, {
      help: 'The availability zone.',
      writable: 'create',
      nullable: true,
    }),
    topology: field(oneOf(TOPOLOGIES), {
      help: 'How many amphorae serve the VIP.',
      writable: 'never',
      shown: false,
      fallback: 'SINGLE',
    }),
  },
})
export type LoadBalancer = Row<typeof loadBalancer.fields>
