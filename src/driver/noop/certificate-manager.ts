/**
 * Every reference names the same certificate, which is a CA as well, with an empty revocation list
 * that it signed. Its key is no secret: nothing ever serves with it.
 */
import type { CertificateManager } from '../certificate-manager.ts'

const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBdTCCARugAwIBAgIUbiABiyMvbqW4MN1k5PE3mrR0+h0wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEbm9vcDAgFw0yNjExMjkwMTM1NDJaGA8yMTI2MTEwNTAxMzU0
MlowDzENMAsGA1UEAwwEbm9vcDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKsn
ROStoxbdOVLZ5cY/FzuDWck1h5IF8pE8BCcDPDmfqkfL+nZXGToDFG4R8HzRwVQJ
vNqpiHiit43kUIwEbzWjUzBRMB0GA1UdDgQWBBSpzsSmbPbSgKCfhSMwfFaxYOKB
tzAfBgNVHSMEGDAWgBSpzsSmbPbSgKCfhSMwfFaxYOKBtzAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0gAMEUCIQCHsIUtbKBqNwML+Wa3mXz1Dk66WwrDS4Md
KbGqr6kNxAIgBtwivDuc/pwFHarQPkF/ZEWjkwugCbm4Au4z3lwq9YM=
-----END CERTIFICATE-----`

const PRIVATE_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgzbyqcg4D/mzQmaJK
z5pSc4Xjz6L0gNPItb4Xv3XtmZShRANCAASrJ0TkraMW3TlS2eXGPxc7g1nJNYeS
BfKRPAQnAzw5n6pHy/p2Vxk6AxRuEfB80cFUCbzaqYh4oreN5FCMBG81
-----END PRIVATE KEY-----`

const REVOCATION_LIST = `-----BEGIN X509 CRL-----
MIGVMD0wCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEbm9vcBcNMjYxMTI5MDEzNTQy
WhgPMjEyNjExMDUwMTM1NDJaMAoGCCqGSM49BAMCA0gAMEUCIGig4D4RBC56mCBO
1pWXsUiGVN5R0K9CO9rjVqrKYDEXAiEAtG6pYdRCXhhaGzxIxcAxTFwwc9cNSt/2
ANAAJ22V6Vc=
-----END X509 CRL-----`

export function createNoopCertificateManager(): CertificateManager {
  return {
    findCertificate: async () => ({
      form: 'parts',
      certificate: Buffer.from(CERTIFICATE),
      private_key: Buffer.from(PRIVATE_KEY),
      passphrase: null,
      intermediates: null,
    }),
    findSecret: async () => `${CERTIFICATE}\n${REVOCATION_LIST}\n`,
  }
}
