/**
 * A Barbican that behaves: secrets and containers of projects, read by members of the project and
 * by whom the access list of a secret names, shared by members of the project only.
 */

import type { FakeKeystone } from './keystone.ts'
import { createFakeService, type FakeRequest, type FakeService, json } from './service.ts'

interface FakeSecret {
  readonly project_id: string
  readonly content: Uint8Array | null
  readonly type: string
  users: readonly string[]
}

interface FakeContainer {
  readonly project_id: string
  readonly type: string
  readonly parts: Readonly<Record<string, string>>
  users: readonly string[]
}

export interface FakeBarbican extends FakeService {
  /** Gives the reference. */
  addSecret(project_id: string, content: string | Uint8Array | null): string
  addContainer(project_id: string, parts: Readonly<Record<string, string>>, type?: string): string
  /** Whom access lists name. */
  sharedWith(ref: string): readonly string[]
}

export function createFakeBarbican(keystone: FakeKeystone): FakeBarbican {
  const secrets = new Map<string, FakeSecret>()
  const containers = new Map<string, FakeContainer>()
  const service = createFakeService({
    ...{ keystone, type: 'key-manager', name: 'barbican', version: '/v1', handle },
  })
  const base = `http://barbican.example/v1`

  function handle({ method, path, headers, body }: FakeRequest): object | Response | undefined {
    const [, kind, id = '', more] = path.split('/')
    const found = kind === 'secrets' ? secrets.get(id) : containers.get(id)
    if (found === undefined) return json(404, { title: 'Not Found', description: 'no such thing' })
    const who = keystone.identify(headers.get('x-auth-token') ?? '')
    const member = who.project_id === found.project_id
    if (!member && !found.users.includes(who.user_id))
      return json(403, { title: 'Forbidden', description: 'not yours' })
    if (more === 'acl') {
      if (!member) return json(403, { title: 'Forbidden', description: 'not yours' })
      if (method === 'GET') return { read: { 'project-access': true, users: found.users } }
      found.users = body.read.users
      return { acl_ref: `${base}${path}` }
    }
    if ('parts' in found) return containerView(found, id)
    if (more !== 'payload') return secretView(found, id)
    if (headers.get('accept') !== found.type) return json(406, { title: 'Not Acceptable' })
    return found.content === null ? undefined : new Response(Buffer.from(found.content))
  }

  function containerView({ type, parts }: FakeContainer, id: string): object {
    const secret_refs = Object.entries(parts).map(([name, secret_ref]) => ({ name, secret_ref }))
    return { container_ref: `${base}/containers/${id}`, type, secret_refs, status: 'ACTIVE' }
  }

  function secretView({ content, type }: FakeSecret, id: string): object {
    const filled = content === null ? {} : { content_types: { default: type } }
    return { secret_ref: `${base}/secrets/${id}`, ...filled, status: 'ACTIVE' }
  }

  return {
    ...service,
    addSecret: (project_id, content) => {
      const id = crypto.randomUUID()
      const type = typeof content === 'string' ? 'text/plain' : 'application/octet-stream'
      const bytes = typeof content === 'string' ? Buffer.from(content) : content
      secrets.set(id, { project_id, content: bytes, type, users: [] })
      return `${base}/secrets/${id}`
    },
    addContainer: (project_id, parts, type = 'certificate') => {
      const id = crypto.randomUUID()
      containers.set(id, { project_id, type, parts, users: [] })
      return `${base}/containers/${id}`
    },
    sharedWith: (ref) => {
      const id = ref.slice(ref.lastIndexOf('/') + 1)
      return (secrets.get(id) ?? containers.get(id))?.users ?? []
    },
  }
}
