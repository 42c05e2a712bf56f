/**
 * Certificates in Barbican: containers of a certificate with its key, PKCS#12 in one secret, and
 * plain secrets. A request is held against the token of its caller; what he may read, our user is
 * then let read by the access list of each secret, as upstream's barbican_acl_auth does it. It is
 * not taken away again, since another listener may need it.
 * Source: octavia/certificates/manager/{barbican,barbican_legacy}.py, common/auth/barbican_acl.py.
 */
import { isObject } from '../../model/field.ts'
import { parseReference, type Reference } from '../../model/secret-reference.ts'
import type {
  CertificateManager,
  CertificateMaterial,
  SecretReader,
} from '../certificate-manager.ts'
import type { Service, ServiceCall } from './service.ts'

type View = Readonly<Record<string, unknown>>

interface Dependencies {
  readonly barbican: Service
  /** The id of our user, whom access lists name. */
  readonly userId: () => Promise<string>
}

export function createBarbicanCertificateManager({
  barbican,
  userId,
}: Dependencies): CertificateManager {
  /** undefined: not there, or not for this reader. */
  const ask = async (
    path: string,
    reader: SecretReader | null,
    over: Partial<ServiceCall> = {},
  ): Promise<{ readonly body: unknown; readonly bytes: Uint8Array } | undefined> => {
    const answer = await barbican.request({
      operation: 'read-secret',
      subject: path,
      method: 'GET',
      path,
      expect: [400, 403, 404, 406],
      ...(reader?.token ? { token: reader.token } : {}),
      ...over,
    })
    return answer.status < 300 ? answer : undefined
  }
  const show = async (path: string, reader: SecretReader | null): Promise<View | undefined> => {
    const answer = await ask(path, reader)
    return isObject(answer?.body) ? answer.body : undefined
  }

  /** Only a caller who may read it gets this far, and may not be allowed to share it. */
  const share = async (path: string, reader: SecretReader): Promise<void> => {
    const acl = await show(`${path}/acl`, reader)
    const read = isObject(acl?.read) ? acl.read : {}
    const users = Array.isArray(read.users) ? read.users : []
    const ours = await userId()
    if (users.includes(ours)) return
    const body = {
      read: { 'project-access': read['project-access'] ?? true, users: [...users, ours] },
    }
    const change = { operation: 'share-secret', method: 'PUT', body } as const
    await ask(`${path}/acl`, reader, change)
  }

  /** On our own right, which is what counts later. */
  const readSecret = async (
    id: string,
    reader: SecretReader | null,
  ): Promise<Uint8Array | undefined> => {
    const path = `/secrets/${id}`
    if (reader !== null) {
      if ((await show(path, reader)) === undefined) return undefined
      await share(path, reader)
    }
    const view = await show(path, null)
    const types = isObject(view?.content_types) ? view.content_types : {}
    if (typeof types.default !== 'string') return undefined
    return (await ask(`${path}/payload`, null, { accept: types.default }))?.bytes
  }

  const readContainer = async (
    id: string,
    reader: SecretReader | null,
  ): Promise<CertificateMaterial | undefined> => {
    const path = `/containers/${id}`
    if (reader !== null) {
      if ((await show(path, reader)) === undefined) return undefined
      await share(path, reader)
    }
    const view = await show(path, null)
    if (view?.type !== 'certificate') return undefined
    const parts = new Map<string, Uint8Array>()
    for (const { name, secret } of partsOf(view)) {
      const content = await readSecret(secret.id, reader)
      if (content === undefined) return undefined
      parts.set(name, content)
    }
    const certificate = parts.get('certificate')
    const private_key = parts.get('private_key')
    if (certificate === undefined || private_key === undefined) return undefined
    const passphrase = parts.get('private_key_passphrase')
    return {
      form: 'parts',
      certificate,
      private_key,
      passphrase: passphrase === undefined ? null : Buffer.from(passphrase).toString('utf8'),
      intermediates: parts.get('intermediates') ?? null,
    }
  }

  return {
    findCertificate: async (ref, reader) => {
      const found = parseReference(ref)
      if (found === undefined) return undefined
      if (found.kind === 'containers') return await readContainer(found.id, reader)
      const content = await readSecret(found.id, reader)
      return content === undefined ? undefined : { form: 'pkcs12', content }
    },
    findSecret: async (ref, reader) => {
      const found = parseReference(ref)
      if (found?.kind !== 'secrets') return undefined
      const content = await readSecret(found.id, reader)
      return content === undefined ? undefined : Buffer.from(content).toString('utf8')
    },
  }
}

function partsOf(container: View): readonly { name: string; secret: Reference }[] {
  const refs = Array.isArray(container.secret_refs) ? container.secret_refs.filter(isObject) : []
  return refs.flatMap(({ name, secret_ref }) => {
    const secret = parseReference(String(secret_ref))
    return secret?.kind === 'secrets' ? [{ name: String(name), secret }] : []
  })
}
