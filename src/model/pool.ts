import {
  boolean,
  field,
  integer,
  ipAddress,
  oneOf,
  type Row,
  resource,
  text,
  uuid,
} from './field.ts'
import { object } from './nested-field.ts'
import { admin, described, id, named, owned, statuses, tagged, times } from './parts.ts'
import { reference, tlsFields } from './tls.ts'

export const POOL_PROTOCOLS = ['HTTP', 'HTTPS', 'PROXY', 'PROXYV2', 'TCP', 'UDP', 'SCTP'] as const
export type PoolProtocol = (typeof POOL_PROTOCOLS)[number]
/** Datagrams: balanced by the kernel, with rules of their own. */
export const DATAGRAM_PROTOCOLS: readonly string[] = ['UDP', 'SCTP'] satisfies PoolProtocol[]
export const LB_ALGORITHMS = [
  'ROUND_ROBIN',
  'LEAST_CONNECTIONS',
  'SOURCE_IP',
  'SOURCE_IP_PORT',
] as const
/** What the amphora provider refuses with 501 (octavia/api/drivers/amphora_driver/v2/driver.py). */
export const UNSUPPORTED_ALGORITHMS = ['SOURCE_IP_PORT'] as const
export const SESSION_PERSISTENCE_TYPES = ['SOURCE_IP', 'HTTP_COOKIE', 'APP_COOKIE'] as const
/** Cookie names go into the configuration of haproxy: RFC 6265 tokens only (see pool-rules.ts). */
export const COOKIE_NAME = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/

const persistence = {
  type: oneOf(SESSION_PERSISTENCE_TYPES),
  cookie_name: text({ max: 255, pattern: /^[^\s,;\\]+$/ }),
  persistence_timeout: integer(0),
  persistence_granularity: ipAddress,
}
/** Answers show all of them. */
export const PERSISTENCE_PARTS = Object.keys(persistence) as readonly (keyof typeof persistence)[]

/** Source: octavia/api/v2/types/pool.py. */
export const pool = resource({
  title: 'Pool',
  singular: 'pool',
  plural: 'pools',
  argument: 'pool_',
  table: 'pool',
  fields: {
    ...id,
    ...owned,
    ...named,
    ...described,
    ...admin,
    ...tagged,
    ...statuses,
    ...times,
    loadbalancer_id: field(uuid, {
      help: 'The load balancer it belongs to; not needed with a listener.',
      writable: 'create',
      nullable: true,
      shown: false,
    }),
    protocol: field(oneOf(POOL_PROTOCOLS), {
      help: 'The protocol spoken to the members.',
      writable: 'create',
      required: true,
    }),
    lb_algorithm: field(oneOf(LB_ALGORITHMS), {
      help: 'How a member is chosen.',
      required: true,
    }),
    session_persistence: field(object(persistence, []), {
      help: 'How a client is kept on one member.',
      nullable: true,
    }),
    tls_enabled: field(boolean, { help: 'Whether members are spoken to by TLS.', fallback: false }),
    tls_container_ref: field(reference, {
      help: 'The client certificate for members.',
      nullable: true,
    }),
    ca_tls_container_ref: field(reference, { help: 'The CA of the members.', nullable: true }),
    crl_container_ref: field(reference, { help: 'Revoked member certificates.', nullable: true }),
    ...tlsFields,
  },
})
export type Pool = Row<typeof pool.fields>

/** What a create request may say besides: the listener whose default pool it becomes. */
export const poolRequest = {
  listener_id: field(uuid, {
    help: 'The listener whose default pool it becomes.',
    writable: 'create',
    nullable: true,
  }),
} as const
