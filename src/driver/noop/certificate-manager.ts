/**
 * Every reference names the same certificate, which is a CA as well, with an empty revocation list
 * that it signed. There is no key: nothing ever serves with it.
 */
import type { CertificateManager } from '../certificate-manager.ts'

const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIUFe/gVXRAhOdXb9uCNvc3K0m1qM0wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEbm9vcDAgFw0yNjExMjQwMjQzNDNaGA8yMTI2MTAzMTAyNDM0
M1owDzENMAsGA1UEAwwEbm9vcDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEr8
mkjVYKfGaHCceTfdZdA9WL9LVIVEHh9WNsGfwMqCCR5jp8oLsC4OZPKXJRs1ydRJ
Zh3K1XfjXjyFg2D5FhKjUzBRMB0GA1UdDgQWBBRZIPpDMBtmFgi6xlXl20Z9LMDG
hjAfBgNVHSMEGDAWgBRZIPpDMBtmFgi6xlXl20Z9LMDGhjAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0gAMEUCIEMB7QCy8rernPTRcd+GdlwZGcFWquP2sgwG
PnrtsgswAiEAzvwJM10dnsn7qIgE/p49DyPzVpUwmmiv9yOCMROoE98=
-----END CERTIFICATE-----`

const REVOCATION_LIST = `-----BEGIN X509 CRL-----
MIGpMFACAQEwCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEbm9vcBcNMjYxMTI0MDI0
MzQzWhgPMjEyNjEwMzEwMjQzNDNaoA4wDDAKBgNVHRQEAwIBATAKBggqhkjOPQQD
AgNJADBGAiEAp84t5BWl/+ug0QAusI6hLlo9mpsezo3GxkVK/MF7UbUCIQDlBqhT
MR4WP9ATJ3MuC/1R+Pv31vlqMhuNgMvDTdRx2Q==
-----END X509 CRL-----`

export function createNoopCertificateManager(): CertificateManager {
  return {
    findCertificate: async () => ({
      form: 'parts',
      certificate: Buffer.from(CERTIFICATE),
      private_key: Buffer.alloc(0),
      passphrase: null,
      intermediates: null,
    }),
    findSecret: async () => `${CERTIFICATE}\n${REVOCATION_LIST}\n`,
  }
}
