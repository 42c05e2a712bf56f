/**
 * The seam to whoever issues certificates for amphorae: the built-in CA (local/), or nothing
 * (noop/).
 */
export interface ServerCertificate {
  /** Certificate and private key, PEM, for the agent's `server.pem`. Secret. */
  readonly pem: string
  /** `YYYY-MM-DDTHH:MM:SS`, UTC. */
  readonly expiration: string
}

export interface CertificateGenerator {
  /** A server certificate for the host name `amphora_id` (CN and SAN). A new one each time. */
  issueServerCertificate(amphora_id: string): Promise<ServerCertificate>
}
