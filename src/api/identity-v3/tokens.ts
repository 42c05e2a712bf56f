/** Versions, tokens, and what a token leads to. */
import type { Access } from '../../identity/local-identity.ts'
import { logIn } from '../../identity/login.ts'
import { Refusal, refusal } from '../../identity/refusal.ts'
import { listAssignments, listProjects, type ProjectRow } from '../../store/identity.ts'
import type { Db } from '../../store/store.ts'
import { parseLogin } from './auth-request.ts'
import {
  IDENTITY_PREFIX,
  type IdentityApi,
  type IdentityCall,
  type IdentityRoute,
  isAdministrator,
  type Json,
} from './route.ts'
import { catalogView, listOf, projectView, self, tokenView } from './views.ts'

/** The answer depends on whose token asks, which a cache between has to know. */
const VARY = { vary: 'X-Auth-Token' } as const

export const TOKEN_ROUTES: readonly IdentityRoute[] = [
  ...['', '/'].map(
    (path): IdentityRoute => ({
      method: 'GET',
      path,
      handle: async (_api, { base }) => ({
        status: 300,
        body: { versions: { values: [version(base)] } },
        headers: { location: `${base}${IDENTITY_PREFIX}/v3/` },
      }),
    }),
  ),
  ...['/v3', '/v3/'].map(
    (path): IdentityRoute => ({
      method: 'GET',
      path,
      handle: async (_api, { base }) => ({ status: 200, body: { version: version(base) } }),
    }),
  ),
  {
    method: 'POST',
    path: '/v3/auth/tokens',
    handle: async (api, call) => {
      const request = { ...parseLogin(call.body), source: call.source }
      const login = await logIn(api, request).catch((error: unknown) => {
        // Who guesses passwords is to be seen; what was presented is not.
        const { method } = request.proof
        if (error instanceof Refusal)
          api.log.warning('login refused', { source: call.source, method, status: error.code })
        throw error
      })
      return { status: 201, ...answerOf(api, call, login.token, login.access) }
    },
  },
  {
    method: 'GET',
    path: '/v3/auth/tokens',
    handle: async (api, call) => {
      const { token, access } = await subject(api, call)
      return { status: 200, ...answerOf(api, call, token, access) }
    },
  },
  {
    method: 'DELETE',
    path: '/v3/auth/tokens',
    handle: async (api, call) => {
      const { access } = await subject(api, call)
      await api.identity.revoke(access)
      return { status: 204 }
    },
  },
  {
    method: 'GET',
    path: '/v3/auth/catalog',
    handle: async (api, call) => {
      const { project } = await call.access()
      if (project === null) throw refusal.forbidden('identity:get_auth_catalog')
      const catalog = catalogView(api.options, call.base)
      return { status: 200, body: { catalog, links: self(call.base, '/auth/catalog') } }
    },
  },
  {
    method: 'GET',
    path: '/v3/auth/projects',
    handle: async (api, call) => {
      const { user } = await call.access()
      const projects = await projectsOf(api.store.read, user.id)
      const views = projects.map((row) => projectView(row, call.base))
      return { status: 200, body: listOf('projects', views, call.base, '/auth/projects') }
    },
  },
  {
    method: 'GET',
    path: '/v3/auth/domains',
    handle: async (_api, call) => {
      await call.access()
      // Nobody has a role in the domain itself.
      return { status: 200, body: listOf('domains', [], call.base, '/auth/domains') }
    },
  },
]

/** Enabled projects in which the user has a role. */
export async function projectsOf(db: Db, user_id: string): Promise<ProjectRow[]> {
  const roles = await listAssignments(db, { user_id })
  const mine = new Set(roles.map((row) => row.project_id))
  return (await listProjects(db)).filter((row) => row.enabled === 1 && mine.has(row.id))
}

/** The token which a call is about: the caller's own, or for administrators any. */
async function subject(
  api: IdentityApi,
  call: IdentityCall,
): Promise<{ readonly token: string; readonly access: Access }> {
  const caller = await call.access()
  const token = call.headers.get('x-subject-token')
  if (token === null) throw refusal.badRequest('The header X-Subject-Token is missing.')
  const access = await api.identity.access(token)
  if (access === undefined) throw refusal.noToken()
  if (access.user.id !== caller.user.id && !isAdministrator(caller))
    throw refusal.forbidden('identity:validate_token')
  return { token, access }
}

function answerOf(
  { options }: IdentityApi,
  { query, base }: IdentityCall,
  token: string,
  access: Access,
): { readonly body: Json; readonly headers: Readonly<Record<string, string>> } {
  const withCatalog = access.project !== null && !query.has('nocatalog')
  const catalog = withCatalog ? { catalog: catalogView(options, base) } : {}
  return {
    body: { token: { ...tokenView(access), ...catalog } },
    headers: { 'x-subject-token': token, ...VARY },
  }
}

function version(base: string): Json {
  return {
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${base}${IDENTITY_PREFIX}/v3/` }],
    'media-types': [
      { base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' },
    ],
  }
}
