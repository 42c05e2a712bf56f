/**
 * The seam to where users keep the certificates that listeners and pools refer to: files of this
 * machine (local/), the built-in store (secret/), Barbican (openstack/), or nothing (noop/). It
 * hands out what was stored as it was stored; what that is worth is judged elsewhere, in one place.
 * Asked before a transaction, never in one.
 */
import type { Caller } from './identity.ts'

/** What a reference to a certificate leads to. Nothing of it is checked, all of it is secret. */
export type CertificateMaterial =
  | {
      readonly form: 'parts'
      readonly certificate: Uint8Array
      readonly private_key: Uint8Array
      /** Of the key. */
      readonly passphrase: string | null
      /** Certificates of the chain in any order and form: PEM, or PKCS#7. */
      readonly intermediates: Uint8Array | null
    }
  /** Certificate, key and chain in one, without a password. */
  | { readonly form: 'pkcs12'; readonly content: Uint8Array }

/** The request in which a secret is named. */
export interface SecretReader {
  readonly caller: Caller
  /** Secret. null where callers have none. */
  readonly token: string | null
}

/**
 * With a reader, what he may not read is not found; what is found, this service may read by itself
 * from then on. Without one (null) it is read on this service's own right, for a listener or pool
 * whose request found it before. A DriverError: nobody can tell now.
 */
export interface CertificateManager {
  /** A certificate with its key; undefined when there is none or it cannot be read. */
  findCertificate(
    ref: string,
    reader: SecretReader | null,
  ): Promise<CertificateMaterial | undefined>
  /** The text of any other secret, such as a CA or a revocation list; undefined likewise. */
  findSecret(ref: string, reader: SecretReader | null): Promise<string | undefined>
}
