import {
  boolean,
  cidr,
  field,
  integer,
  oneOf,
  port,
  type Row,
  resource,
  text,
  uuid,
} from './field.ts'
import { list, map } from './nested-field.ts'
import { admin, described, id, named, owned, statuses, tagged, times } from './parts.ts'
import type { PoolProtocol } from './pool.ts'
import { reference, tlsFields } from './tls.ts'

export const LISTENER_PROTOCOLS = [
  'TCP',
  'HTTP',
  'HTTPS',
  'TERMINATED_HTTPS',
  'UDP',
  'SCTP',
  'PROMETHEUS',
] as const
export type ListenerProtocol = (typeof LISTENER_PROTOCOLS)[number]

/** Source: octavia/common/constants.py, VALID_LISTENER_POOL_PROTOCOL_MAP. */
export const POOL_PROTOCOLS_OF: Readonly<Record<ListenerProtocol, readonly PoolProtocol[]>> = {
  TCP: ['HTTP', 'HTTPS', 'PROXY', 'PROXYV2', 'TCP'],
  HTTP: ['HTTP', 'PROXY', 'PROXYV2'],
  HTTPS: ['HTTPS', 'PROXY', 'PROXYV2', 'TCP'],
  TERMINATED_HTTPS: ['HTTP', 'PROXY', 'PROXYV2'],
  UDP: ['UDP'],
  SCTP: ['SCTP'],
  PROMETHEUS: [],
}

/** Headers which a listener adds for its members when asked to. */
export const INSERT_HEADERS = [
  'X-Forwarded-For',
  'X-Forwarded-Port',
  'X-Forwarded-Proto',
  'X-Forwarded-IP',
  'X-Client-IP',
  'X-Real-IP',
] as const
/** Of the certificate of a client: for TERMINATED_HTTPS only. */
export const INSERT_TLS_HEADERS = [
  'X-SSL-Client-Verify',
  'X-SSL-Client-Has-Cert',
  'X-SSL-Client-DN',
  'X-SSL-Client-CN',
  'X-SSL-Issuer',
  'X-SSL-Client-SHA1',
  'X-SSL-Client-Not-Before',
  'X-SSL-Client-Not-After',
] as const

/** 24 days, haproxy's limit. */
const timeout = integer(0, 2_073_600_000)
export const ALLOWED_CIDRS_MAX = 500
export const SNI_MAX = 100

/** Source: octavia/api/v2/types/listener.py. */
export const listener = resource({
  title: 'Listener',
  singular: 'listener',
  plural: 'listeners',
  argument: 'listener_',
  table: 'listener',
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
      help: 'The load balancer.',
      writable: 'create',
      required: true,
      parent: 'Load Balancer',
      shown: false,
    }),
    protocol: field(oneOf(LISTENER_PROTOCOLS), {
      help: 'The protocol of the front end.',
      writable: 'create',
      required: true,
    }),
    protocol_port: field(port, {
      help: 'The port on which the VIP listens.',
      writable: 'create',
      required: true,
    }),
    connection_limit: field(integer(-1), {
      help: 'The most connections at a time; -1 is no limit.',
      fallback: -1,
    }),
    default_pool_id: field(uuid, { help: 'The pool that serves this listener.', nullable: true }),
    insert_headers: field(map(text({ max: 255 }), 20), {
      help: 'Headers to add to requests for the members.',
      fallback: {},
    }),
    timeout_client_data: field(timeout, {
      help: 'Client inactivity timeout, milliseconds.',
      fallback: (defaults) => defaults.timeout_client_data,
    }),
    timeout_member_connect: field(timeout, {
      help: 'Member connection timeout, milliseconds.',
      fallback: (defaults) => defaults.timeout_member_connect,
    }),
    timeout_member_data: field(timeout, {
      help: 'Member inactivity timeout, milliseconds.',
      fallback: (defaults) => defaults.timeout_member_data,
    }),
    timeout_tcp_inspect: field(timeout, {
      help: 'How long to wait for content to inspect, milliseconds.',
      fallback: (defaults) => defaults.timeout_tcp_inspect,
    }),
    allowed_cidrs: field(list(cidr, ALLOWED_CIDRS_MAX), {
      help: 'Who may connect; nothing is everybody.',
      nullable: true,
    }),
    default_tls_container_ref: field(reference, {
      help: 'The server certificate.',
      nullable: true,
    }),
    sni_container_refs: field(list(reference, SNI_MAX), {
      help: 'Further server certificates, chosen by name.',
      fallback: [],
    }),
    client_ca_tls_container_ref: field(reference, {
      help: 'The CA of client certificates.',
      nullable: true,
    }),
    client_crl_container_ref: field(reference, {
      help: 'Revoked client certificates.',
      nullable: true,
    }),
    client_authentication: field(oneOf(['NONE', 'OPTIONAL', 'MANDATORY']), {
      help: 'Whether clients must show a certificate.',
      fallback: 'NONE',
    }),
    ...tlsFields,
    hsts_max_age: field(integer(0), { help: 'HSTS max-age, seconds.', nullable: true }),
    hsts_include_subdomains: field(boolean, { help: 'HSTS includeSubDomains.', fallback: false }),
    hsts_preload: field(boolean, { help: 'HSTS preload.', fallback: false }),
  },
})
export type Listener = Row<typeof listener.fields>

/**
 * The layer 4 protocol of each: two listeners of one load balancer share a port only across these.
 */
export const L4_PROTOCOL_OF: Readonly<Record<ListenerProtocol, 'TCP' | 'UDP' | 'SCTP'>> = {
  TCP: 'TCP',
  HTTP: 'TCP',
  HTTPS: 'TCP',
  TERMINATED_HTTPS: 'TCP',
  UDP: 'UDP',
  SCTP: 'SCTP',
  PROMETHEUS: 'TCP',
}
/** The protocols whose listeners may insert headers. */
export const HEADER_PROTOCOLS: readonly ListenerProtocol[] = ['HTTP', 'TERMINATED_HTTPS']
/** The protocols whose listeners the amphora provider lets have L7 policies. */
export const L7_PROTOCOLS: readonly ListenerProtocol[] = ['HTTP', 'TERMINATED_HTTPS']
