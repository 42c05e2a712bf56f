/**
 * A real Keystone that tests may use, where OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and
 * OS_PROJECT_NAME (of an administrator, domain Default) name one: users and projects of a test.
 */
import { expect } from 'vitest'

export const { OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME } = process.env
/** Why there is none. */
export const missing =
  OS_AUTH_URL && OS_USERNAME && OS_PASSWORD && OS_PROJECT_NAME
    ? undefined
    : 'needs OS_AUTH_URL and the other OS_ variables of a real Keystone'
export const keystone = (OS_AUTH_URL ?? '').replace(/\/v3\/?$/, '')
const DOMAIN = { name: 'Default' }

// biome-ignore lint/suspicious/noExplicitAny: answers are inspected by tests
export type Json = any
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Json
}

export async function send(
  url: string,
  token: string | null,
  method = 'GET',
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token === null ? {} : { 'x-auth-token': token }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  }
}

export async function logIn(identity: object, scope?: object | 'unscoped'): Promise<string> {
  const body = { auth: { identity, ...(scope === undefined ? {} : { scope }) } }
  const { status, headers } = await send(`${keystone}/v3/auth/tokens`, null, 'POST', body)
  expect(status).toBe(201)
  return headers.get('x-subject-token') ?? ''
}

export const password = (name: string, secret: string) => ({
  methods: ['password'],
  password: { user: { name, domain: DOMAIN, password: secret } },
})
export const inProject = (name: string) => ({ project: { name, domain: DOMAIN } })

export interface Made {
  readonly id: string
  readonly project_id: string
  readonly token: string
}

export interface RealUsers {
  /** A token of the administrator. */
  readonly admin: string
  /** A user with these roles in a project, both made here; the password is NAME-secret. */
  makeUser(name: string, projectName: string, roles: readonly string[]): Promise<Made>
  removeAll(): Promise<void>
}

export async function openRealUsers(): Promise<RealUsers> {
  const identity = password(OS_USERNAME ?? '', OS_PASSWORD ?? '')
  const admin = await logIn(identity, inProject(OS_PROJECT_NAME ?? ''))
  const v3 = `${keystone}/v3`
  const made: string[] = []
  return {
    admin,
    makeUser: async (name, projectName, roles) => {
      const project = await send(`${v3}/projects?name=${projectName}`, admin)
      let project_id = project.body.projects[0]?.id
      if (project_id === undefined) {
        const body = { project: { name: projectName, domain_id: 'default' } }
        project_id = (await send(`${v3}/projects`, admin, 'POST', body)).body.project.id
        made.push(`${v3}/projects/${project_id}`)
      }
      const user = { name, password: `${name}-secret`, domain_id: 'default' }
      const answer = await send(`${v3}/users`, admin, 'POST', { user })
      expect(answer.status).toBe(201)
      const { id } = answer.body.user
      made.push(`${v3}/users/${id}`)
      for (const role of roles) {
        const { body } = await send(`${v3}/roles?name=${role}`, admin)
        const url = `${v3}/projects/${project_id}/users/${id}/roles/${body.roles[0].id}`
        expect((await send(url, admin, 'PUT')).status).toBe(204)
      }
      const token = await logIn(password(name, user.password), inProject(projectName))
      return { id, project_id, token }
    },
    removeAll: async () => {
      for (const url of made.reverse()) await send(url, admin, 'DELETE')
    },
  }
}
