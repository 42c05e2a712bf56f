/**
 * Certificates of the built-in store by Barbican-like references, `.../v1/containers/<id>` and
 * `.../v1/secrets/<id>`, wherever this API is reached; every other reference is a file of the
 * folder of upstream's local manager.
 */
import type {
  CertificateManager,
  CertificateMaterial,
  SecretReader,
} from '../driver/certificate-manager.ts'
import { parseReference } from '../model/secret-reference.ts'
import { findContainer, findSecret, listParts, type SecretRow } from '../store/secrets.ts'
import type { Db } from '../store/store.ts'
import type { Vault } from './vault.ts'

export function createVaultManager(
  deps: { readonly vault: Vault; readonly read: Db },
  files: CertificateManager,
): CertificateManager {
  const { vault, read } = deps
  const contentOf = (row: SecretRow | undefined, reader: SecretReader | null) =>
    row !== undefined && mayRead(row, reader) ? vault.open(row)?.content : undefined

  const findParts = async (
    id: string,
    reader: SecretReader | null,
  ): Promise<CertificateMaterial | undefined> => {
    const container = await findContainer(read, id)
    if (container === undefined || !mayRead(container, reader)) return undefined
    const contents = new Map<string, Uint8Array>()
    for (const { name, secret_id } of await listParts(read, 'container_id', [id])) {
      const content = contentOf(await findSecret(read, secret_id), reader)
      if (content !== undefined) contents.set(name, content)
    }
    const certificate = contents.get('certificate')
    const private_key = contents.get('private_key')
    if (certificate === undefined || private_key === undefined) return undefined
    const passphrase = contents.get('private_key_passphrase')
    return {
      form: 'parts',
      certificate,
      private_key,
      passphrase: passphrase === undefined ? null : Buffer.from(passphrase).toString('utf8'),
      intermediates: contents.get('intermediates') ?? null,
    }
  }

  return {
    findCertificate: async (ref, reader) => {
      const found = parseReference(ref)
      if (found === undefined) return files.findCertificate(ref, reader)
      if (found.kind === 'containers') return await findParts(found.id, reader)
      const content = contentOf(await findSecret(read, found.id), reader)
      return content === undefined ? undefined : { form: 'pkcs12', content }
    },
    findSecret: async (ref, reader) => {
      const found = parseReference(ref)
      if (found === undefined) return files.findSecret(ref, reader)
      if (found.kind === 'containers') return undefined
      const content = contentOf(await findSecret(read, found.id), reader)
      return content === undefined ? undefined : Buffer.from(content).toString('utf8')
    },
  }
}

/** Secrets are of their project; administrators may use those of others. */
function mayRead(row: { readonly project_id: string }, reader: SecretReader | null): boolean {
  if (reader === null) return true
  const { is_admin, roles, project_id } = reader.caller
  return is_admin || roles.includes('admin') || project_id === row.project_id
}
