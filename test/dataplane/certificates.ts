/** Real certificates for the references of the cases, by openssl, so that haproxy can read them. */
import type { TlsMaterial } from '../../src/model/tls.ts'
import { createTestCa } from '../lab/certificates.ts'

export function createCertificates(): { readonly tls: TlsMaterial } {
  const ca = createTestCa('cases')
  const revocations = ca.revoke([])
  const issued = new Map<string, string>()
  const certificate = (ref: string): string => {
    const known = issued.get(ref)
    if (known !== undefined) return known
    const { cert, key } = ca.issue(`${ref}.example`, 'serverAuth')
    issued.set(ref, `${cert}${key}`)
    return `${cert}${key}`
  }
  const always = (text: string) => ({ get: () => text }) as unknown as ReadonlyMap<string, string>
  return {
    tls: {
      certificates: { get: certificate } as ReadonlyMap<string, string>,
      authorities: always(ca.cert),
      revocations: always(revocations),
    },
  }
}
