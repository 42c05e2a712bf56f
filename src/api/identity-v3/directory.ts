/**
 * Domain, projects, users and roles, read only. Administrators see all; everybody else sees
 * himself, his projects and his roles, so that names of these can be looked up by any client.
 */
import type { Access } from '../../identity/local-identity.ts'
import { refusal } from '../../identity/refusal.ts'
import { ROLES, roleId, roleOfId } from '../../identity/roles.ts'
import {
  type AssignmentRow,
  findUser,
  listAssignments,
  listProjects,
  listUsers,
  type ProjectRow,
  type UserRow,
} from '../../store/identity.ts'
import {
  type IdentityApi,
  type IdentityCall,
  type IdentityRoute,
  isAdministrator,
  type Json,
} from './route.ts'
import { projectsOf } from './tokens.ts'
import { DOMAIN, listOf, projectView, roleView, self, userView } from './views.ts'

type List = (api: IdentityApi, call: IdentityCall) => Promise<readonly Json[]>

export const DIRECTORY_ROUTES: readonly IdentityRoute[] = [
  ...resource('domain', 'domains', async (_api, { base }) => [
    { ...DOMAIN, description: '', enabled: true, links: self(base, `/domains/${DOMAIN.id}`) },
  ]),
  ...resource('project', 'projects', async (api, call) =>
    (await visibleProjects(api, await call.access())).map((row) => projectView(row, call.base)),
  ),
  ...resource('user', 'users', async (api, call) =>
    (await visibleUsers(api, await call.access())).map((row) => userView(row, call.base)),
  ),
  ...resource('role', 'roles', async (_api, { base }) =>
    ROLES.map((name) => ({
      ...roleView(name),
      domain_id: null,
      description: null,
      options: {},
      links: self(base, `/roles/${roleId(name)}`),
    })),
  ),
  list('/v3/users/:id/projects', 'projects', async (api, call) => {
    const { id } = await visibleUser(api, call)
    return (await projectsOf(api.store.read, id)).map((row) => projectView(row, call.base))
  }),
  list('/v3/role_assignments', 'role_assignments', roleAssignments),
]

/** A list that can be filtered by its attributes, and one of it by id. */
function resource(singular: string, plural: string, all: List): IdentityRoute[] {
  return [
    list(`/v3/${plural}`, plural, async (api, call) => {
      const views = await all(api, call)
      const names = ['name', 'domain_id', 'enabled'].filter((name) => call.query.has(name))
      return views.filter((view) =>
        names.every(
          (name) => String(view[name]) === call.query.get(name)?.replace(/^(T|F)/, lower),
        ),
      )
    }),
    {
      method: 'GET',
      path: `/v3/${plural}/:id`,
      handle: async (api, call) => {
        await call.access()
        const { id = '' } = call.params
        const view = (await all(api, call)).find((each) => each.id === id)
        if (view === undefined) throw refusal.notFound(singular, id)
        return { status: 200, body: { [singular]: view } }
      },
    },
  ]
}

const lower = (letter: string): string => letter.toLowerCase()

function list(path: string, plural: string, all: List): IdentityRoute {
  return {
    method: 'GET',
    path,
    handle: async (api, call) => {
      await call.access()
      const views = await all(api, call)
      return { status: 200, body: listOf(plural, views, call.base, `/${plural}`) }
    },
  }
}

async function visibleProjects(api: IdentityApi, access: Access): Promise<ProjectRow[]> {
  if (isAdministrator(access)) return await listProjects(api.store.read)
  return await projectsOf(api.store.read, access.user.id)
}

async function visibleUsers(api: IdentityApi, access: Access): Promise<UserRow[]> {
  return isAdministrator(access) ? await listUsers(api.store.read) : [access.user]
}

/** The user of the path, if the caller is that or an administrator. */
async function visibleUser(api: IdentityApi, call: IdentityCall): Promise<UserRow> {
  const access = await call.access()
  const { id: user_id = '' } = call.params
  if (access.user.id === user_id) return access.user
  if (!isAdministrator(access)) throw refusal.forbidden('identity:get_user')
  const user = await findUser(api.store.read, 'id', user_id)
  if (user === undefined) throw refusal.notFound('user', user_id)
  return user
}

/** Query parameter to column. */
const ASSIGNMENT_FILTERS = {
  'user.id': 'user_id',
  'scope.project.id': 'project_id',
} as const

async function roleAssignments(api: IdentityApi, call: IdentityCall): Promise<readonly Json[]> {
  const access = await call.access()
  const where: Partial<Record<keyof AssignmentRow, string>> = {}
  for (const [parameter, column] of Object.entries(ASSIGNMENT_FILTERS)) {
    const value = call.query.get(parameter)
    if (value !== null) where[column] = value
  }
  const role = call.query.get('role.id')
  if (role !== null) where.role = roleOfId(role) ?? ''
  if (!isAdministrator(access)) {
    if ((where.user_id ?? access.user.id) !== access.user.id)
      throw refusal.forbidden('identity:list_role_assignments')
    where.user_id = access.user.id
  }
  const rows = await listAssignments(api.store.read, where)
  const named = call.query.has('include_names') && call.query.get('include_names') !== 'false'
  const names = named ? await namesOf(api) : null
  return rows.map((row) => assignmentView(row, names, call.base))
}

type Names = ReadonlyMap<string, string>

async function namesOf({ store }: IdentityApi): Promise<Names> {
  const rows = [...(await listUsers(store.read)), ...(await listProjects(store.read))]
  return new Map(rows.map((row) => [row.id, row.name]))
}

function assignmentView(
  { user_id, project_id, role }: AssignmentRow,
  names: Names | null,
  base: string,
): Json {
  const one = (id: string): Json =>
    names === null ? { id } : { id, name: names.get(id) ?? '', domain: DOMAIN }
  const path = `/projects/${project_id}/users/${user_id}/roles/${roleId(role)}`
  return {
    role: names === null ? { id: roleId(role) } : roleView(role),
    user: one(user_id),
    scope: { project: one(project_id) },
    links: { assignment: self(base, path).self },
  }
}
