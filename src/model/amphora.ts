import {
  boolean,
  field,
  integer,
  ipAddress,
  name,
  oneOf,
  type Row,
  resource,
  time,
  uuid,
} from './field.ts'
import { id, times } from './parts.ts'
import { AMPHORA_STATUSES } from './status.ts'

export const AMPHORA_ROLES = ['STANDALONE', 'MASTER', 'BACKUP'] as const
export type AmphoraRole = (typeof AMPHORA_ROLES)[number]

/** Source: octavia/api/v2/types/amphora.py. No field of it is written by a caller. */
export const amphora = resource({
  title: 'Amphora',
  singular: 'amphora',
  plural: 'amphorae',
  argument: 'amphora',
  table: 'amphora',
  fields: {
    ...id,
    loadbalancer_id: field(uuid, {
      help: 'The load balancer.',
      writable: 'never',
      nullable: true,
    }),
    compute_id: field(name, { help: 'Its ID in compute.', writable: 'never', nullable: true }),
    lb_network_ip: field(ipAddress, {
      help: 'Its address on the management network.',
      writable: 'never',
      nullable: true,
    }),
    vrrp_ip: field(ipAddress, {
      help: 'Its own address on the VIP network.',
      writable: 'never',
      nullable: true,
    }),
    ha_ip: field(ipAddress, { help: 'The VIP.', writable: 'never', nullable: true }),
    vrrp_port_id: field(uuid, { help: 'The port of vrrp_ip.', writable: 'never', nullable: true }),
    ha_port_id: field(uuid, { help: 'The port of the VIP.', writable: 'never', nullable: true }),
    cert_expiration: field(time, {
      help: 'When its server certificate expires.',
      writable: 'never',
      nullable: true,
    }),
    cert_busy: field(boolean, {
      help: 'Whether its certificate is being renewed.',
      writable: 'never',
      fallback: false,
    }),
    role: field(oneOf(AMPHORA_ROLES), { help: 'Its role.', writable: 'never', nullable: true }),
    status: field(oneOf(AMPHORA_STATUSES), { help: 'Its life cycle.', writable: 'never' }),
    vrrp_interface: field(name, {
      help: 'The interface of the VIP.',
      writable: 'never',
      nullable: true,
    }),
    vrrp_id: field(integer(1, 255), { help: 'VRRP router ID.', writable: 'never', nullable: true }),
    vrrp_priority: field(integer(0, 255), {
      help: 'VRRP priority.',
      writable: 'never',
      nullable: true,
    }),
    cached_zone: field(name, { help: 'Its compute zone.', writable: 'never', nullable: true }),
    image_id: field(name, { help: 'Its image.', writable: 'never', nullable: true }),
    compute_flavor: field(name, { help: 'Its compute flavor.', writable: 'never', nullable: true }),
    ...times,
  },
})
export type Amphora = Row<typeof amphora.fields>
