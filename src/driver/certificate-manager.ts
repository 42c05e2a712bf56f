/**
 * The seam to where users keep the certificates that listeners and pools refer to: files of this
 * machine (local/), or nothing (noop/). Reads only; asked before a transaction, never in one.
 */
export interface CertificateBundle {
  /** PEM. */
  readonly certificate: string
  /** PEM. Secret. */
  readonly private_key: string
}

export interface CertificateManager {
  /** A certificate with its key; undefined when there is none or it cannot be read. */
  findCertificate(ref: string): Promise<CertificateBundle | undefined>
  /** The text of any other secret, such as a CA or a revocation list; undefined likewise. */
  findSecret(ref: string): Promise<string | undefined>
}
