/** Answers in the shapes of Keystone. Pure. */
import { createHash } from 'node:crypto'
import type { Access } from '../../identity/local-identity.ts'
import { roleId } from '../../identity/roles.ts'
import type { CredentialRow, ProjectRow, UserRow } from '../../store/identity.ts'
import { KEY_MANAGER_PREFIX } from '../key-manager/route.ts'
import { NETWORK_PREFIX } from '../network-endpoint.ts'
import { IDENTITY_PREFIX, type IdentityApi, type Json } from './route.ts'

/** The one domain; its name and id are those of every new Keystone. */
export const DOMAIN = { id: 'default', name: 'Default' } as const

/** `2026-01-02T03:04:05.000000Z`. */
export function isoMicroseconds(epoch_ms: number): string {
  return new Date(epoch_ms).toISOString().replace('Z', '000Z')
}

export function self(base: string, path: string): Json {
  return { self: `${base}${IDENTITY_PREFIX}/v3${path}` }
}

/** A list with its links; there are no pages. */
export function listOf(name: string, items: readonly unknown[], base: string, path: string): Json {
  return { [name]: items, links: { next: null, ...self(base, path), previous: null } }
}

export function roleView(name: string): Json {
  return { id: roleId(name), name }
}

export function tokenView({ claims, user, project, roles, credential }: Access): Json {
  return {
    methods: claims.methods,
    user: { domain: DOMAIN, id: user.id, name: user.name, password_expires_at: null },
    audit_ids: [claims.audit_id],
    expires_at: isoMicroseconds(claims.expires_ms),
    issued_at: isoMicroseconds(claims.issued_ms),
    ...(project === null
      ? {}
      : {
          project: { domain: DOMAIN, id: project.id, name: project.name },
          is_domain: false,
          roles: roles.map(roleView),
        }),
    ...(credential === null
      ? {}
      : {
          application_credential: {
            id: credential.id,
            name: credential.name,
            restricted: credential.unrestricted === 0,
          },
        }),
  }
}

export function projectView({ id, name, enabled }: ProjectRow, base: string): Json {
  return {
    id,
    name,
    domain_id: DOMAIN.id,
    description: '',
    enabled: enabled === 1,
    parent_id: DOMAIN.id,
    is_domain: false,
    tags: [],
    options: {},
    links: self(base, `/projects/${id}`),
  }
}

export function userView(row: UserRow, base: string): Json {
  const { id, name, enabled, default_project_id } = row
  return {
    id,
    name,
    domain_id: DOMAIN.id,
    enabled: enabled === 1,
    ...(default_project_id === null ? {} : { default_project_id }),
    password_expires_at: null,
    options: {},
    links: self(base, `/users/${id}`),
  }
}

export function credentialView(row: CredentialRow, base: string): Json {
  const { id, name, description, project_id, user_id, expires_ms, unrestricted } = row
  return {
    id,
    name,
    description,
    project_id,
    user_id,
    expires_at: expires_ms === null ? null : isoMicroseconds(expires_ms),
    roles: (JSON.parse(row.roles) as string[]).map((role) => ({
      ...roleView(role),
      domain_id: null,
      description: null,
      options: {},
    })),
    unrestricted: unrestricted === 1,
    system: null,
    links: self(base, `/users/${user_id}/application_credentials/${id}`),
  }
}

const INTERFACES = ['public', 'internal', 'admin'] as const

/** Where the services are: all of them in this program. Ids follow from what they name. */
export function catalogView(
  { region_name, network, key_manager }: IdentityApi['options'],
  base: string,
): Json[] {
  const services: [type: string, name: string, url: string][] = [
    ['identity', 'keystone', `${base}${IDENTITY_PREFIX}`],
    ['load-balancer', 'octavia', base],
  ]
  if (network) services.push(['network', 'neutron', `${base}${NETWORK_PREFIX}`])
  if (key_manager) services.push(['key-manager', 'barbican', `${base}${KEY_MANAGER_PREFIX}`])
  const id = (text: string): string =>
    createHash('sha256').update(`octavia-lite ${text}`).digest('hex').slice(0, 32)
  return services.map(([type, name, url]) => ({
    type,
    name,
    id: id(type),
    endpoints: INTERFACES.map((each) => ({
      id: id(`${type} ${each}`),
      interface: each,
      region_id: region_name,
      region: region_name,
      url,
    })),
  }))
}
