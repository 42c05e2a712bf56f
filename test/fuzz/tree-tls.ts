/** What random listeners and pools say of TLS, most of it such as goes together. */
import {
  INSERT_HEADERS,
  INSERT_TLS_HEADERS,
  type ListenerProtocol,
} from '../../src/model/listener.ts'
import { ALPN_PROTOCOLS, TLS_VERSIONS } from '../../src/model/tls.ts'
import type { TlsSettings } from '../../src/operation/tls-rules.ts'
import type { Random } from './random.ts'

type Body = Readonly<Record<string, unknown>>

const CERTIFICATES = ['a', 'b', 'c'] as const
const CIPHERS = [
  ...['ECDHE-RSA-AES256-GCM-SHA384', 'HIGH:!aNULL', 'DEFAULT@SECLEVEL=1', 'ALL:-SHA1:+RSA'],
  ...['TLS_AES_256_GCM_SHA384:ECDHE-ECDSA-AES128-GCM-SHA256', 'TLS_CHACHA20_POLY1305_SHA256'],
] as const

export const TLS_SETTINGS: TlsSettings = {
  tls_cipher_prohibit_list: '',
  minimum_tls_version: null,
  default_listener_ciphers: 'HIGH',
  default_listener_tls_versions: ['TLSv1.2', 'TLSv1.3'],
  default_listener_alpn_protocols: ['h2', 'http/1.1'],
  default_pool_ciphers: 'HIGH',
  default_pool_tls_versions: ['TLSv1.2', 'TLSv1.3'],
  default_pool_alpn_protocols: ['http/1.1'],
}

export function listenerTls(random: Random, protocol: ListenerProtocol, text: string): Body {
  const terminates =
    protocol === 'TERMINATED_HTTPS' || (protocol === 'PROMETHEUS' && random.chance(0.3))
  if (!terminates) return {}
  const authenticates = random.chance(0.4)
  const sni = some(random, CERTIFICATES, 0.3)
  return {
    // Without a default one, the first of the others is it.
    default_tls_container_ref:
      sni.length > 0 && random.chance(0.3) ? null : random.pick(CERTIFICATES),
    sni_container_refs: sni,
    ...(authenticates
      ? {
          client_ca_tls_container_ref: 'ca',
          client_authentication: random.pick(['NONE', 'OPTIONAL', 'MANDATORY']),
          ...(random.chance(0.5) ? { client_crl_container_ref: 'crl' } : {}),
        }
      : {}),
    ...common(random, text),
    ...(protocol === 'TERMINATED_HTTPS' && random.chance(0.4)
      ? {
          hsts_max_age: random.pick([0, 1, 2_147_483_647]),
          hsts_include_subdomains: random.chance(0.5),
          hsts_preload: random.chance(0.5),
        }
      : {}),
  }
}

export function poolTls(random: Random, text: string): Body {
  if (!random.chance(0.4)) return {}
  return {
    tls_enabled: random.chance(0.8),
    ...(random.chance(0.5) ? { tls_container_ref: random.pick(CERTIFICATES) } : {}),
    ...(random.chance(0.5)
      ? {
          ca_tls_container_ref: 'ca',
          ...(random.chance(0.5) ? { crl_container_ref: 'crl' } : {}),
        }
      : {}),
    ...common(random, text),
  }
}

function common(random: Random, text: string): Body {
  const versions = some(random, TLS_VERSIONS, 0.6)
  return {
    ...(random.chance(0.6)
      ? { tls_ciphers: random.chance(0.8) ? random.pick(CIPHERS) : text }
      : {}),
    ...(versions.length > 0 && random.chance(0.6) ? { tls_versions: versions } : {}),
    ...(random.chance(0.5) ? { alpn_protocols: some(random, ALPN_PROTOCOLS, 0.5) } : {}),
  }
}

export function insertedHeaders(random: Random, protocol: ListenerProtocol, text: string): Body {
  const ofTls = protocol === 'TERMINATED_HTTPS' ? INSERT_TLS_HEADERS : []
  const names = some(random, [...INSERT_HEADERS, ...ofTls], 0.4)
  return Object.fromEntries(names.map((name) => [name, random.chance(0.7) ? 'true' : text]))
}

export function some<T>(random: Random, list: readonly T[], probability: number): readonly T[] {
  return list.filter(() => random.chance(probability))
}
