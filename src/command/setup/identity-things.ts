/** What Keystone has to know: our user and its rights, the roles of users, and where we are. */
import { text } from '../../driver/openstack/json.ts'
import { type Cloud, idOf, madeId } from './cloud.ts'
import type { Ids, Thing } from './thing.ts'

/** Those of upstream's policy, for users. */
const ROLES = [
  'load-balancer_observer',
  'load-balancer_global_observer',
  'load-balancer_member',
  'load-balancer_quota_admin',
  'load-balancer_admin',
] as const
const INTERFACES = ['public', 'internal', 'admin'] as const

export interface IdentityPlan {
  readonly username: string
  readonly project_name: string
  readonly region: string
  /** Where clients reach the API, without a version. */
  readonly url: string
  /** Secret; of the user, if it is made. */
  readonly password: string
}

export function identityThings(cloud: Cloud, plan: IdentityPlan): readonly Thing[] {
  return [
    project(cloud, plan),
    user(cloud, plan),
    role(cloud, 'admin', 'admin'),
    grant(cloud, plan),
    ...ROLES.map((name) => role(cloud, name, name)),
    service(cloud),
    ...INTERFACES.map((name) => endpoint(cloud, name, plan)),
  ]
}

function named(cloud: Cloud, collection: string, name: string, what: string) {
  const query = new URLSearchParams({ name })
  return async (): Promise<string | undefined> => {
    const [row] = await cloud.keystone.list(`/${collection}?${query}`, collection, what)
    return idOf(row)
  }
}

function project({ keystone, ...cloud }: Cloud, { project_name: name }: IdentityPlan): Thing {
  const title = `project ${name}`
  return {
    key: 'project',
    title,
    find: named({ keystone, ...cloud }, 'projects', name, title),
    make: async () => {
      const values = { name, domain_id: 'default', description: 'Services of the cloud' }
      return madeId(await keystone.create('/projects', 'project', values, title), title)
    },
    remove: (id) => keystone.remove(`/projects/${id}`, title),
  }
}

function user(cloud: Cloud, { username: name, password }: IdentityPlan): Thing {
  const { keystone } = cloud
  const title = `user ${name}`
  return {
    key: 'user',
    title,
    find: named(cloud, 'users', name, title),
    make: async () => {
      const values = { name, password, domain_id: 'default', description: 'octavia-lite' }
      return madeId(await keystone.create('/users', 'user', values, title), title)
    },
    remove: (id) => keystone.remove(`/users/${id}`, title),
  }
}

/** Of our own user, when the configuration that had its password never came to be written. */
export async function setPassword(cloud: Cloud, id: string, password: string): Promise<void> {
  await cloud.keystone.send('PATCH', `/users/${id}`, { user: { password } }, `user ${id}`)
}

function role(cloud: Cloud, key: string, name: string): Thing {
  const { keystone } = cloud
  const title = `role ${name}`
  return {
    key: `role-${key}`,
    title,
    find: named(cloud, 'roles', name, title),
    make: async () => madeId(await keystone.create('/roles', 'role', { name }, title), title),
    remove: (id) => keystone.remove(`/roles/${id}`, title),
  }
}

function grant({ keystone }: Cloud, { username, project_name }: IdentityPlan): Thing {
  const title = `role admin of ${username} in project ${project_name}`
  const path = (ids: Ids): string | undefined => {
    const [project, user, role] = ['project', 'user', 'role-admin'].map((key) => ids.find(key))
    const known = project !== undefined && user !== undefined && role !== undefined
    return known ? `/projects/${project}/users/${user}/roles/${role}` : undefined
  }
  return {
    key: 'grant-admin',
    title,
    find: async (ids) => {
      const [project, user] = [ids.find('project'), ids.find('user')]
      if (project === undefined || user === undefined) return undefined
      const roles = await keystone.list(`/projects/${project}/users/${user}/roles`, 'roles', title)
      return roles.some((row) => row.id === ids.find('role-admin')) ? path(ids) : undefined
    },
    make: async (ids) => {
      const at = path(ids) ?? ''
      await keystone.send('PUT', at, undefined, title)
      return at
    },
    remove: (id) => keystone.remove(id, title),
  }
}

function service({ keystone }: Cloud): Thing {
  const title = 'service load-balancer'
  return {
    key: 'service',
    title,
    find: async () => {
      const [row] = await keystone.list('/services?type=load-balancer', 'services', title)
      return idOf(row)
    },
    make: async () => {
      const values = { type: 'load-balancer', name: 'octavia', description: 'OpenStack Octavia' }
      return madeId(await keystone.create('/services', 'service', values, title), title)
    },
    remove: (id) => keystone.remove(`/services/${id}`, title),
  }
}

function endpoint({ keystone }: Cloud, kind: string, { region, url }: IdentityPlan): Thing {
  const title = `${kind} endpoint ${url}`
  return {
    key: `endpoint-${kind}`,
    title,
    find: async (ids) => {
      const service_id = ids.find('service')
      if (service_id === undefined) return undefined
      const query = new URLSearchParams({ service_id, interface: kind })
      const rows = await keystone.list(`/endpoints?${query}`, 'endpoints', title)
      return idOf(rows.find((row) => (text(row.region_id) ?? text(row.region)) === region))
    },
    make: async (ids) => {
      const values = { service_id: ids.get('service'), interface: kind, region_id: region, url }
      return madeId(await keystone.create('/endpoints', 'endpoint', values, title), title)
    },
    remove: (id) => keystone.remove(`/endpoints/${id}`, title),
  }
}
