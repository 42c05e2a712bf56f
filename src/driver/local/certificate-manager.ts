/**
 * Certificates as files of one folder: `<ref>.crt` and `<ref>.key`, PEM, as upstream's local
 * manager has them (octavia/certificates/manager/local.py).
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { assertNoTransaction } from '../../system/outside.ts'
import type { CertificateManager } from '../certificate-manager.ts'

/** A name in the folder and no way out of it. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/
/** Nobody's certificate is longer; another file should not be read into memory. */
const LENGTH_MAX = 1_048_576

export function createLocalCertificateManager(options: {
  readonly storage_path: string
}): CertificateManager {
  const read = async (ref: string, ending: 'crt' | 'key'): Promise<string | undefined> => {
    assertNoTransaction('a certificate')
    if (!NAME.test(ref)) return undefined
    try {
      const text = await readFile(join(options.storage_path, `${ref}.${ending}`), 'utf8')
      return text.length > LENGTH_MAX ? undefined : text
    } catch {
      // Whatever is in the way, the certificate is of no use.
      return undefined
    }
  }
  return {
    findCertificate: async (ref) => {
      const certificate = await read(ref, 'crt')
      const private_key = await read(ref, 'key')
      if (certificate === undefined || private_key === undefined) return undefined
      return { certificate, private_key }
    },
    findSecret: (ref) => read(ref, 'crt'),
  }
}
