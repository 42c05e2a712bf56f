/** What listeners and pools say about TLS alike. Pure. */
import { type FieldType, field, oneOf, text } from './field.ts'
import { list } from './nested-field.ts'

/** Oldest first: a minimum means all from it on. */
export const TLS_VERSIONS = ['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const
export const ALPN_PROTOCOLS = ['h2', 'http/1.1', 'http/1.0'] as const
/** What a cipher string is made of; anything else could be more than a cipher string. */
export const CIPHER_STRING = /^[A-Za-z0-9\-+!:@=_.]+$/
const LIST_MAX = 16

/** How a certificate store names a certificate or another secret: a URL or a file. */
export const reference = text({ max: 255 })

const alpnProtocol: FieldType<string> = {
  ...oneOf(ALPN_PROTOCOLS),
  parse: (value) =>
    (ALPN_PROTOCOLS as readonly unknown[]).includes(value)
      ? { ok: true, value: value as string }
      : { ok: false, message: 'Value should be a valid ALPN protocol ID' },
}

export const tlsFields = {
  tls_ciphers: field(text({ max: 2048 }), { help: 'Ciphers in OpenSSL form.', nullable: true }),
  // Names are checked by operation/tls-rules.ts, which has upstream's text for wrong ones.
  tls_versions: field(list(text({ max: 32 }), LIST_MAX), { help: 'TLS versions.', nullable: true }),
  alpn_protocols: field(list(alpnProtocol, LIST_MAX), { help: 'ALPN protocols.', nullable: true }),
} as const

/**
 * What references lead to, as PEM that haproxy reads: certificates with key and chain, authorities,
 * revocation lists. Secret.
 */
export interface TlsMaterial {
  readonly certificates: ReadonlyMap<string, string>
  readonly authorities: ReadonlyMap<string, string>
  readonly revocations: ReadonlyMap<string, string>
}
export const NO_TLS_MATERIAL: TlsMaterial = {
  certificates: new Map(),
  authorities: new Map(),
  revocations: new Map(),
}
