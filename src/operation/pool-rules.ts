/**
 * The rules of a pool by itself. Source: octavia/api/v2/controllers/pool.py and
 * octavia/common/validate.py, check_session_persistence. Pure.
 */
import { fault } from '../model/fault.ts'
import type { Update } from '../model/field.ts'
import type { PoolGraph } from '../model/graph.ts'
import type { LoadBalancer } from '../model/load-balancer.ts'
import {
  COOKIE_NAME,
  DATAGRAM_PROTOCOLS,
  type Pool,
  type PoolProtocol,
  type pool,
  UNSUPPORTED_ALGORITHMS,
} from '../model/pool.ts'
import type { CertificateRefs } from './certificates.ts'
import { refuseOfAmphorae } from './rules.ts'
import { checkAlpn, checkCiphers, checkVersions, type TlsSettings } from './tls-rules.ts'

type PoolCreate = PoolGraph['pool']
type PoolUpdate = Update<typeof pool.fields>
type Persistence = Pool['session_persistence']

/** A pool with TLS that says nothing of it has the operator's defaults. */
export function withPoolDefaults(values: PoolCreate, settings: TlsSettings): PoolCreate {
  if (!values.tls_enabled) return values
  return {
    ...values,
    tls_ciphers: values.tls_ciphers ?? settings.default_pool_ciphers,
    tls_versions: values.tls_versions ?? settings.default_pool_tls_versions,
    alpn_protocols: values.alpn_protocols ?? settings.default_pool_alpn_protocols,
  }
}

/** A null on update is the operator's default again, but for ALPN. */
export function resetPoolDefaults(changes: PoolUpdate, settings: TlsSettings): PoolUpdate {
  const out = { ...changes }
  if (out.tls_ciphers === null) out.tls_ciphers = settings.default_pool_ciphers
  if (out.tls_versions === null) out.tls_versions = settings.default_pool_tls_versions
  return out
}

/** What is looked at first. */
export function checkPoolPersistence(
  persistence: Persistence,
  protocol: PoolProtocol,
  { is_new }: { readonly is_new: boolean },
): void {
  if (persistence === null) return
  if (DATAGRAM_PROTOCOLS.includes(protocol)) checkDatagramPersistence(persistence)
  else if ((persistence.persistence_timeout ?? 0) !== 0 || persistence.persistence_granularity) {
    // Upstream forgot one of them in the text for changes.
    const protocols = is_new ? 'UDP and SCTP' : 'UDP'
    throw fault.validation(
      `persistence_timeout and persistence_granularity is only for ${protocols} protocol pools.`,
    )
  }
  checkCookie(persistence)
}

function checkDatagramPersistence({ type, cookie_name }: NonNullable<Persistence>): void {
  if (type === 'SOURCE_IP' && cookie_name)
    throw fault.validation(
      'session_persistence SOURCE_IP type for UDP and SCTP protocols only accepts: type, ' +
        'persistence_timeout, persistence_granularity.',
    )
  if (cookie_name) throw fault.validation('Cookie names are not supported for UDP/SCTP pools.')
  if (type === 'HTTP_COOKIE' || type === 'APP_COOKIE')
    throw fault.validation(
      `Session persistence of type ${type} is not supported for UDP/SCTP protocol pools.`,
    )
}

function checkCookie({ type, cookie_name }: NonNullable<Persistence>): void {
  if (!type) throw fault.missingField('type')
  if (cookie_name && type !== 'APP_COOKIE')
    throw fault.validation(
      'Field "cookie_name" can only be specified with session persistence of type "APP_COOKIE".',
    )
  if (cookie_name && !COOKIE_NAME.test(cookie_name))
    throw fault.validation('Supplied "cookie_name" is invalid.')
  if (type === 'APP_COOKIE' && !cookie_name)
    throw fault.validation(
      'Field "cookie_name" must be specified when using the "APP_COOKIE" session persistence type.',
    )
}

/** `refused` is what the certificate manager said. */
export function checkNewPool(
  values: PoolCreate,
  settings: TlsSettings,
  refused: Error | undefined,
): void {
  if (values.crl_container_ref && !values.ca_tls_container_ref)
    throw fault.validation('A CA certificate reference is required to specify a revocation list.')
  if (refused !== undefined) throw refused
  checkCiphers(values.tls_ciphers, settings)
  checkVersions(values.tls_versions, settings)
  checkAlpn(values.alpn_protocols)
}

export function checkPoolChanges(
  changes: PoolUpdate,
  stored: Pool,
  settings: TlsSettings,
  refused: Error | undefined,
): void {
  const { ca_tls_container_ref: ca } = changes
  const crl =
    changes.crl_container_ref === undefined ? stored.crl_container_ref : changes.crl_container_ref
  if (crl && ca !== undefined && !ca && stored.ca_tls_container_ref)
    throw fault.validation(
      'A CA reference cannot be removed when a certificate revocation list is present.',
    )
  if (crl && !ca && !stored.ca_tls_container_ref)
    throw fault.validation('A CA reference is required to specify a certificate revocation list.')
  if (refused !== undefined) throw refused
  checkCiphers(changes.tls_ciphers, settings)
  checkVersions(changes.tls_versions, settings)
  checkAlpn(changes.alpn_protocols)
}

/** What is to be asked of the certificate manager; a CA again only where it or its list changes. */
export function poolCertificateRefs(values: PoolUpdate, stored?: Pool): CertificateRefs {
  const { ca_tls_container_ref: ca, crl_container_ref: crl } = values
  return {
    certificates: [values.tls_container_ref],
    ca: ca || crl ? ca || stored?.ca_tls_container_ref : null,
    crl: crl === undefined ? stored?.crl_container_ref : crl,
  }
}

/** What is looked at last. */
export function checkAlgorithm(
  owner: Pick<LoadBalancer, 'provider'>,
  algorithm: Pool['lb_algorithm'] | undefined,
): void {
  if ((UNSUPPORTED_ALGORITHMS as readonly unknown[]).includes(algorithm))
    refuseOfAmphorae(owner, `Amphora provider does not support ${algorithm} algorithm.`)
}
