/**
 * Certificates for agents that do not exist: no key is generated, only the expiration means
 * something.
 */
import { type Clock, timestamp } from '../../system/clock.ts'
import type { CertificateGenerator } from '../certificate.ts'

export function createNoopCertificateGenerator(
  deps: { readonly clock: Clock },
  options: { readonly validity_s: number },
): CertificateGenerator {
  return {
    issueServerCertificate: async (amphora_id) => ({
      pem: `no certificate for ${amphora_id}\n`,
      expiration: timestamp(deps.clock.now() + options.validity_s * 1000),
    }),
  }
}
