/**
 * Certificates as files of one folder: `<ref>.crt` and `<ref>.key`, and where the chain or the key
 * ask for it `<ref>.int` and `<ref>.pass`, as upstream's local manager has them
 * (octavia/certificates/manager/local.py). Whoever knows a name may use it.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { assertNoTransaction } from '../../system/outside.ts'
import type { CertificateManager } from '../certificate-manager.ts'

/** A name in the folder and no way out of it. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/
/** Nobody's certificate is longer; another file should not be read into memory. */
const BYTES_MAX = 1_048_576

export function createLocalCertificateManager(options: {
  readonly storage_path: string
}): CertificateManager {
  const read = async (
    ref: string,
    ending: 'crt' | 'key' | 'int' | 'pass',
  ): Promise<Buffer | undefined> => {
    assertNoTransaction('a certificate')
    if (!NAME.test(ref)) return undefined
    try {
      const bytes = await readFile(join(options.storage_path, `${ref}.${ending}`))
      return bytes.length > BYTES_MAX ? undefined : bytes
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
      const intermediates = (await read(ref, 'int')) ?? null
      // Editors end a file with a line break, which is no part of a passphrase.
      const passphrase = (await read(ref, 'pass'))?.toString('utf8').replace(/\r?\n$/, '') ?? null
      return { form: 'parts', certificate, private_key, passphrase, intermediates }
    },
    findSecret: async (ref) => (await read(ref, 'crt'))?.toString('utf8'),
  }
}
