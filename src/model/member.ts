import {
  boolean,
  field,
  integer,
  ipAddressAsWritten,
  oneOf,
  port,
  type Row,
  resource,
  uuid,
} from './field.ts'
import { VNIC_TYPES } from './load-balancer.ts'
import { admin, id, named, owned, statuses, tagged, times } from './parts.ts'

/** Source: octavia/api/v2/types/member.py. */
export const member = resource({
  title: 'Member',
  singular: 'member',
  plural: 'members',
  argument: 'member_',
  table: 'member',
  fields: {
    ...id,
    ...owned,
    ...named,
    ...admin,
    ...tagged,
    ...statuses,
    ...times,
    pool_id: field(uuid, { help: 'The pool.', writable: 'never', shown: false }),
    address: field(ipAddressAsWritten, {
      help: 'The IP address.',
      writable: 'create',
      required: true,
    }),
    protocol_port: field(port, { help: 'The port.', writable: 'create', required: true }),
    subnet_id: field(uuid, {
      help: 'The subnet from which the member is reached.',
      writable: 'create',
      nullable: true,
    }),
    weight: field(integer(0, 256), { help: 'Share of the load; 0 drains.', fallback: 1 }),
    backup: field(boolean, { help: 'Whether it serves only when no other can.', fallback: false }),
    monitor_address: field(ipAddressAsWritten, { help: 'Where to check instead.', nullable: true }),
    monitor_port: field(port, { help: 'Which port to check instead.', nullable: true }),
    vnic_type: field(oneOf(VNIC_TYPES), {
      help: 'The binding of the port towards it.',
      writable: 'never',
      fallback: 'normal',
    }),
  },
})
export type Member = Row<typeof member.fields>

/** What a create request may say besides. */
export const memberRequest = {
  request_sriov: field(boolean, {
    help: 'Whether to reach it by SR-IOV, which a flavor must allow.',
    writable: 'create',
    fallback: false,
  }),
} as const
