/**
 * The rules of a listener by itself, in upstream's order, which decides what fault is seen first.
 * Source: octavia/api/v2/controllers/listener.py. Pure.
 */
import { fault } from '../model/fault.ts'
import type { Update } from '../model/field.ts'
import type { ListenerGraph } from '../model/graph.ts'
import {
  HEADER_PROTOCOLS,
  INSERT_HEADERS,
  INSERT_TLS_HEADERS,
  type Listener,
  type ListenerProtocol,
  type listener,
} from '../model/listener.ts'
import { DATAGRAM_PROTOCOLS } from '../model/pool.ts'
import type { CertificateRefs } from './certificates.ts'
import { checkAlpn, checkCiphers, checkVersions, type TlsSettings } from './tls-rules.ts'

/** Options of [api_settings], under their names. */
export interface ListenerSettings extends TlsSettings {
  readonly allow_tls_terminated_listeners: boolean
  readonly allow_prometheus_listeners: boolean
}

type ListenerCreate = ListenerGraph['listener']
type ListenerUpdate = Update<typeof listener.fields>

/** A TERMINATED_HTTPS listener that says nothing of TLS has the operator's defaults. */
export function withTlsDefaults(values: ListenerCreate, settings: TlsSettings): ListenerCreate {
  return values.protocol === 'TERMINATED_HTTPS' ? defaulted(values, settings) : values
}

/** A null on update is the operator's default again, whatever the protocol. */
export function resetToDefaults(changes: ListenerUpdate, settings: TlsSettings): ListenerUpdate {
  return defaulted(changes, settings)
}

function defaulted<T extends ListenerUpdate>(values: T, settings: TlsSettings): T {
  const out = { ...values }
  if (out.tls_ciphers === null) out.tls_ciphers = settings.default_listener_ciphers
  if (out.tls_versions === null) out.tls_versions = settings.default_listener_tls_versions
  if (out.alpn_protocols === null) out.alpn_protocols = settings.default_listener_alpn_protocols
  return out
}

export function checkNewListener(values: ListenerCreate, settings: ListenerSettings): void {
  const { protocol } = values
  checkInsertHeaders(values.insert_headers, protocol)
  if (DATAGRAM_PROTOCOLS.includes(protocol) && hasCertificate(values))
    throw fault.validation(`${protocol} protocol listener does not support TLS.`)
  const terminates = terminatesTls(values, protocol)
  checkAllowed(protocol, terminates, settings)
  if (!terminates) checkNoCertificates(values, protocol)
  const needed = 'An SNI or default certificate container reference must be provided'
  if (values.client_ca_tls_container_ref && !hasCertificate(values))
    throw fault.validation(`${needed} with a client CA container reference.`)
  if (terminates && !hasCertificate(values))
    throw fault.validation(`${needed} for ${protocol} protocol listeners.`)
  checkClientAuthentication(values, values)
  checkCiphers(values.tls_ciphers, settings)
}

/** What comes after certificates, port and CIDRs were looked at. */
export function checkNewTls(values: ListenerCreate, settings: ListenerSettings): void {
  // What does not terminate TLS keeps the lists without meaning; upstream does not look at them.
  checkVersions(values.tls_versions, settings)
  checkAlpn(values.alpn_protocols)
  if ((values.hsts_include_subdomains || values.hsts_preload) && values.hsts_max_age === null)
    throw fault.validation(
      'HSTS configuration options hsts_include_subdomains and hsts_preload only make sense ' +
        'if hsts_max_age is set as well.',
    )
  checkHstsProtocol(values.hsts_max_age, values.protocol)
}

/** Before certificates and CIDRs are looked at. */
export function checkListenerChanges(changes: ListenerUpdate, stored: Listener): void {
  const { protocol } = stored
  if (
    DATAGRAM_PROTOCOLS.includes(protocol) &&
    (hasCertificate(changes) || Object.keys(changes.insert_headers ?? {}).length > 0)
  )
    throw fault.validation(
      `${protocol} protocol listener does not support TLS or header insertion.`,
    )
  if (!terminatesTls(changes, protocol)) checkNoCertificates(changes, protocol)
  checkClientAuthentication(changes, {
    client_ca_tls_container_ref:
      changes.client_ca_tls_container_ref || stored.client_ca_tls_container_ref,
    client_crl_container_ref: changes.client_crl_container_ref || stored.client_crl_container_ref,
  })
  checkInsertHeaders(changes.insert_headers ?? {}, protocol)
}

export function checkTlsChanges(
  changes: ListenerUpdate,
  stored: Listener,
  settings: ListenerSettings,
): void {
  checkCiphers(changes.tls_ciphers, settings)
  checkVersions(changes.tls_versions, settings)
  checkAlpn(changes.alpn_protocols)
  const maxAge = changes.hsts_max_age ?? stored.hsts_max_age
  if ((changes.hsts_include_subdomains || changes.hsts_preload) && maxAge === null)
    throw fault.validation(
      'Cannot enable hsts_include_subdomains or hsts_preload if hsts_max_age was not set as well.',
    )
  checkHstsProtocol(changes.hsts_max_age, stored.protocol)
}

/** What is to be asked of the certificate manager; a CA again only where it or its list changes. */
export function certificateRefs(values: ListenerUpdate, stored?: Listener): CertificateRefs {
  const { client_ca_tls_container_ref: ca, client_crl_container_ref: crl } = values
  return {
    certificates: [...(values.sni_container_refs ?? []), values.default_tls_container_ref],
    ca: ca || crl ? ca || stored?.client_ca_tls_container_ref : null,
    crl: crl || stored?.client_crl_container_ref,
  }
}

type Certificates = Pick<ListenerUpdate, 'default_tls_container_ref' | 'sni_container_refs'>

function hasCertificate(values: Certificates): boolean {
  return Boolean(values.default_tls_container_ref) || (values.sni_container_refs?.length ?? 0) > 0
}

function terminatesTls(values: Certificates, protocol: ListenerProtocol): boolean {
  return protocol === 'TERMINATED_HTTPS' || (protocol === 'PROMETHEUS' && hasCertificate(values))
}

function checkAllowed(
  protocol: ListenerProtocol,
  terminates: boolean,
  settings: ListenerSettings,
): void {
  if (terminates && !settings.allow_tls_terminated_listeners)
    throw fault.disabledOption(
      'protocol',
      protocol === 'PROMETHEUS' ? 'PROMETHEUS with TLS' : protocol,
    )
  if (protocol === 'PROMETHEUS' && !settings.allow_prometheus_listeners)
    throw fault.disabledOption('protocol', protocol)
}

function checkNoCertificates(values: Certificates, protocol: ListenerProtocol): void {
  if (hasCertificate(values))
    throw fault.validation(
      `Certificate container references are not allowed on ${protocol} protocol listeners.`,
    )
}

type ClientCa = Pick<ListenerUpdate, 'client_ca_tls_container_ref' | 'client_crl_container_ref'>

function checkClientAuthentication(
  { client_authentication = 'NONE' }: Pick<ListenerUpdate, 'client_authentication'>,
  { client_ca_tls_container_ref: ca, client_crl_container_ref: crl }: ClientCa,
): void {
  if (client_authentication !== 'NONE' && !ca)
    throw fault.validation(
      `Client authentication setting ${client_authentication} requires a client CA container ` +
        'reference.',
    )
  if (crl && !ca)
    throw fault.validation(
      'A client authentication CA reference is required to specify a client authentication ' +
        'revocation list.',
    )
}

function checkInsertHeaders(
  headers: Readonly<Record<string, string>>,
  protocol: ListenerProtocol,
): void {
  const names = Object.keys(headers)
  if (names.length === 0) return
  if (!HEADER_PROTOCOLS.includes(protocol))
    throw fault.invalidOption('insert-headers', `a ${protocol} protocol listener.`)
  const tls: readonly string[] = INSERT_TLS_HEADERS
  const known: readonly string[] = [...INSERT_HEADERS, ...tls]
  if (names.some((name) => !known.includes(name)))
    throw fault.invalidOption(names, 'insert_headers')
  const ofTls = names.filter((name) => tls.includes(name))
  if (ofTls.length > 0 && protocol !== 'TERMINATED_HTTPS')
    throw fault.invalidOption(ofTls, `${protocol} protocol listener.`)
}

function checkHstsProtocol(maxAge: number | null | undefined, protocol: ListenerProtocol): void {
  if (typeof maxAge === 'number' && protocol !== 'TERMINATED_HTTPS')
    throw fault.validation(
      'The HSTS feature can only be used for listeners using the TERMINATED_HTTPS protocol.',
    )
}
