/**
 * Are the certificates that a request names there, and are they what they are named for? Asked of
 * the certificate manager before the transaction; the fault is thrown in it, at its place among the
 * others. Source: octavia/api/v2/controllers/base.py, _validate_tls_refs.
 */
import type { CertificateManager, SecretReader } from '../driver/certificate-manager.ts'
import { expiredText, type Reading, readCertificate } from '../driver/read-certificate.ts'
import { type Fault, fault } from '../model/fault.ts'
import { isSignedBy, parseCertificate, parseRevocationList } from '../model/revocation-list.ts'
import type { Clock } from '../system/clock.ts'

export interface CertificateRefs {
  /** Certificates with keys. */
  readonly certificates: readonly (string | null | undefined)[]
  readonly ca: string | null | undefined
  /** Looked at only with a CA. */
  readonly crl: string | null | undefined
}

interface Deps {
  readonly certificateManager: CertificateManager
  readonly clock: Pick<Clock, 'now'>
}

export async function findCertificateFault(
  { certificateManager: manager, clock }: Deps,
  { certificates, ca, crl }: CertificateRefs,
  reader: SecretReader,
): Promise<Fault | undefined> {
  const missing: string[] = []
  const problems: string[] = []
  for (const ref of certificates) {
    if (!ref) continue
    const material = await manager.findCertificate(ref, reader)
    if (material === undefined) {
      missing.push(ref)
      continue
    }
    const problem = problemOf(readCertificate(material), clock.now())
    if (problem !== undefined) problems.push(`The certificate ${ref} ${problem}.`)
  }
  if (missing.length > 0) return fault.certificateUnreadable(missing)
  if (problems.length > 0) return fault.validation(problems.join(' '))
  return ca ? findAuthorityFault(manager, reader, ca, crl || null) : undefined
}

/** One that has expired is refused when it is named; one that expires later goes on serving. */
function problemOf(reading: Reading, now: number): string | undefined {
  if (!reading.ok) return reading.problem
  return reading.valid_until_ms < now ? expiredText(reading.valid_until_ms) : undefined
}

async function findAuthorityFault(
  manager: CertificateManager,
  reader: SecretReader,
  ca: string,
  crl: string | null,
): Promise<Fault | undefined> {
  const authority = await manager.findSecret(ca, reader)
  const list = crl === null ? undefined : await manager.findSecret(crl, reader)
  const missing = [
    ...(authority === undefined ? [ca] : []),
    ...(crl !== null && list === undefined ? [crl] : []),
  ]
  if (authority === undefined || missing.length > 0) return fault.certificateUnreadable(missing)
  const certificate = parseCertificate(authority)
  if (certificate === undefined)
    return fault.validation(
      'The client authentication CA certificate is invalid. It must be a valid x509 PEM format ' +
        'certificate. Error: unable to load PEM file',
    )
  if (list === undefined) return undefined
  const parsed = parseRevocationList(list)
  if (parsed === undefined)
    return fault.validation(
      'The client authentication certificate revocation list is invalid. It must be a valid ' +
        'x509 PEM format certificate revocation list. Error: unable to load PEM file',
    )
  return isSignedBy(parsed, certificate.publicKey)
    ? undefined
    : fault.validation(
        'The CRL specified is not valid for client certificate authority reference supplied.',
      )
}
