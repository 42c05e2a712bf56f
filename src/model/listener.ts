import {
  boolean,
  cidr,
  field,
  integer,
  list,
  map,
  oneOf,
  port,
  type Row,
  resource,
  text,
  uuid,
} from './field.ts'
import { admin, described, id, named, owned, statuses, tagged, times } from './parts.ts'
import type { PoolProtocol } from './pool.ts'

/**
 * The protocols that this release carries; the remaining ones of v2.30 come with their data plane.
 */
export const LISTENER_PROTOCOLS = ['HTTP', 'TCP'] as const
export type ListenerProtocol = (typeof LISTENER_PROTOCOLS)[number]

/** Source: octavia/common/constants.py, VALID_LISTENER_POOL_PROTOCOL_MAP. */
export const POOL_PROTOCOLS_OF: Readonly<Record<ListenerProtocol, readonly PoolProtocol[]>> = {
  TCP: ['HTTP', 'HTTPS', 'PROXY', 'PROXYV2', 'TCP'],
  HTTP: ['HTTP', 'PROXY', 'PROXYV2'],
}

/** Headers which an HTTP listener adds for its members when asked to. */
export const INSERT_HEADERS = ['X-Forwarded-For', 'X-Forwarded-Port', 'X-Forwarded-Proto'] as const

/** 24 days, haproxy's limit. */
const timeout = integer(0, 2_073_600_000)
const reference = text({ max: 255 })
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
      help: 'Who may connect; null is everybody.',
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
    tls_ciphers: field(text({ max: 2048, pattern: /^[A-Za-z0-9\-+!:@=_.]+$/ }), {
      help: 'Ciphers in OpenSSL form.',
      nullable: true,
    }),
    tls_versions: field(list(oneOf(['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']), 5), {
      help: 'TLS versions.',
      nullable: true,
    }),
    alpn_protocols: field(list(oneOf(['h2', 'http/1.1', 'http/1.0']), 3), {
      help: 'ALPN protocols.',
      nullable: true,
    }),
    hsts_max_age: field(integer(0), { help: 'HSTS max-age, seconds.', nullable: true }),
    hsts_include_subdomains: field(boolean, { help: 'HSTS includeSubDomains.', fallback: false }),
    hsts_preload: field(boolean, { help: 'HSTS preload.', fallback: false }),
  },
})
export type Listener = Row<typeof listener.fields>

/** Fields without a data plane yet: accepted at their defaults, refused otherwise. */
export const LISTENER_UNSUPPORTED = ['tls_ciphers', 'tls_versions', 'alpn_protocols'] as const

/**
 * The layer 4 protocol of each: two listeners of one load balancer share a port only across these.
 */
export const L4_PROTOCOL_OF: Readonly<Record<ListenerProtocol, 'TCP' | 'UDP' | 'SCTP'>> = {
  HTTP: 'TCP',
  TCP: 'TCP',
}
/** The protocols whose listeners may insert headers. */
export const HEADER_PROTOCOLS: readonly ListenerProtocol[] = ['HTTP']
