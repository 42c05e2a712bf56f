/**
 * The rules of one resource by itself or beside its parents, which create and update share. Pure.
 */
import { parseCidr, parseIp } from '../model/address.ts'
import { fault } from '../model/fault.ts'
import type { ModelDefaults } from '../model/field.ts'
import {
  HEADER_PROTOCOLS,
  INSERT_HEADERS,
  L4_PROTOCOL_OF,
  LISTENER_UNSUPPORTED,
  type Listener,
  type ListenerProtocol,
  listener,
  POOL_PROTOCOLS_OF,
} from '../model/listener.ts'
import type { LoadBalancer } from '../model/load-balancer.ts'
import {
  POOL_UNSUPPORTED,
  type Pool,
  type PoolProtocol,
  pool,
  UNSUPPORTED_ALGORITHMS,
} from '../model/pool.ts'
import { findUnsupported } from '../model/request.ts'

/** The one provider, in its faults. */
export const PROVIDER = 'amphora'

const CERTIFICATE_REFS = [
  'default_tls_container_ref',
  'sni_container_refs',
  'client_ca_tls_container_ref',
] as const

/** `stored` is the row before an update. */
export function checkListener(
  values: Partial<Listener>,
  protocol: ListenerProtocol,
  defaults: ModelDefaults,
  stored?: Listener,
): void {
  checkInsertHeaders(values.insert_headers ?? {}, protocol)
  if (CERTIFICATE_REFS.some((name) => (values[name]?.length ?? 0) > 0))
    throw fault.validation(
      `Certificate container references are not allowed on ${protocol} protocol listeners.`,
    )
  if ((values.client_authentication ?? 'NONE') !== 'NONE')
    throw fault.validation(
      `Client authentication setting ${values.client_authentication} requires a client CA ` +
        'container reference.',
    )
  if (values.client_crl_container_ref)
    throw fault.validation(
      'A client authentication CA reference is required to specify a client authentication ' +
        'revocation list.',
    )
  checkHsts(values, stored)
  const unsupported = findUnsupported(listener.fields, LISTENER_UNSUPPORTED, values, defaults)
  if (unsupported !== undefined) throw fault.providerUnsupported(PROVIDER, unsupported)
}

function checkInsertHeaders(
  headers: Readonly<Record<string, string>>,
  protocol: ListenerProtocol,
): void {
  const names = Object.keys(headers)
  if (names.length === 0) return
  if (!HEADER_PROTOCOLS.includes(protocol))
    throw fault.invalidOption('insert-headers', `a ${protocol} protocol listener.`)
  if (names.some((name) => !(INSERT_HEADERS as readonly string[]).includes(name)))
    throw fault.invalidOption(names, 'insert_headers')
}

function checkHsts(values: Partial<Listener>, stored: Listener | undefined): void {
  const maxAge = values.hsts_max_age ?? null
  if ((values.hsts_include_subdomains || values.hsts_preload) && maxAge === null)
    throw fault.validation(
      stored === undefined
        ? 'HSTS configuration options hsts_include_subdomains and hsts_preload only make sense ' +
            'if hsts_max_age is set as well.'
        : 'Cannot enable hsts_include_subdomains or hsts_preload if hsts_max_age was not set as ' +
            'well.',
    )
  if (maxAge !== null)
    throw fault.validation(
      'The HSTS feature can only be used for listeners using the TERMINATED_HTTPS protocol.',
    )
}

/** Every prefix must be of the family of some VIP. */
export function checkAllowedCidrs(
  cidrs: readonly string[] | null | undefined,
  owner: Pick<LoadBalancer, 'vip_address' | 'additional_vips'>,
): void {
  const vips = [owner.vip_address, ...owner.additional_vips.map((vip) => vip.ip_address ?? null)]
  const addresses = vips.filter((vip) => vip !== null)
  const families = new Set(addresses.map((vip) => parseIp(vip)?.family))
  for (const cidr of cidrs ?? [])
    if (!families.has(parseCidr(cidr)?.family))
      throw fault.validation(
        `CIDR ${cidr} IP version incompatible with all VIPs ` +
          `[${addresses.map((vip) => `'${vip}'`).join(', ')}] IP version.`,
      )
}

/** Listeners of one load balancer share a port only with different layer 4 protocols. */
export function checkPortFree(
  others: readonly Pick<Listener, 'protocol' | 'protocol_port'>[],
  wanted: Pick<Listener, 'protocol' | 'protocol_port'>,
): void {
  const l4 = L4_PROTOCOL_OF[wanted.protocol]
  for (const other of others)
    if (other.protocol_port === wanted.protocol_port && L4_PROTOCOL_OF[other.protocol] === l4)
      throw fault.duplicateListener(other.protocol, other.protocol_port)
}

export function checkProtocols(
  listenerProtocol: ListenerProtocol,
  poolProtocol: PoolProtocol,
): void {
  if (!POOL_PROTOCOLS_OF[listenerProtocol].includes(poolProtocol))
    throw fault.protocolMismatch(listenerProtocol, poolProtocol)
}

/** What create and update of a pool refuse alike. */
export function checkPool(values: Partial<Pool>, defaults: ModelDefaults): void {
  checkPersistence(values.session_persistence ?? null)
  if (values.crl_container_ref && !values.ca_tls_container_ref)
    throw fault.validation('A CA certificate reference is required to specify a revocation list.')
  if ((UNSUPPORTED_ALGORITHMS as readonly unknown[]).includes(values.lb_algorithm))
    throw fault.providerUnsupported(PROVIDER, `lb_algorithm ${values.lb_algorithm}`)
  const unsupported = findUnsupported(pool.fields, POOL_UNSUPPORTED, values, defaults)
  if (unsupported !== undefined) throw fault.providerUnsupported(PROVIDER, unsupported)
}

function checkPersistence(persistence: Pool['session_persistence']): void {
  if (persistence === null) return
  if ((persistence.persistence_timeout ?? 0) !== 0 || persistence.persistence_granularity)
    throw fault.validation(
      'persistence_timeout and persistence_granularity is only for UDP and SCTP protocol pools.',
    )
  if (!persistence.type) throw fault.missingField('type')
  if (persistence.cookie_name && persistence.type !== 'APP_COOKIE')
    throw fault.validation(
      'Field "cookie_name" can only be specified with session persistence of type "APP_COOKIE".',
    )
  if (persistence.type === 'APP_COOKIE' && !persistence.cookie_name)
    throw fault.validation(
      'Field "cookie_name" must be specified when using the "APP_COOKIE" session persistence type.',
    )
}

/** Addresses that no member may have: by default the metadata service's. */
export function checkNotReserved(address: string, reserved: readonly string[]): void {
  if (reserved.some((ip) => parseIp(ip)?.text === address))
    throw fault.invalidOption(address, 'member address')
}
