/**
 * `serve` with a real Keystone: tokens of users, of the system, application credentials with access
 * rules, service tokens, revocation. Runs where OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and
 * OS_PROJECT_NAME (of an administrator, domain Default) name a Keystone that tests may use.
 */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Controller, startController } from '../../src/command/serve/controller.ts'
import { createLab } from './harness.ts'

const { OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME } = process.env
const missing =
  OS_AUTH_URL && OS_USERNAME && OS_PASSWORD && OS_PROJECT_NAME
    ? undefined
    : 'needs OS_AUTH_URL and the other OS_ variables of a real Keystone'
const keystone = (OS_AUTH_URL ?? '').replace(/\/v3\/?$/, '')
const DOMAIN = { name: 'Default' }

// biome-ignore lint/suspicious/noExplicitAny: answers are inspected by tests
type Json = any
interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Json
}

async function send(
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

async function logIn(identity: object, scope?: object | 'unscoped'): Promise<string> {
  const body = { auth: { identity, ...(scope === undefined ? {} : { scope }) } }
  const { status, headers } = await send(`${keystone}/v3/auth/tokens`, null, 'POST', body)
  expect(status).toBe(201)
  return headers.get('x-subject-token') ?? ''
}

const password = (name: string, secret: string) => ({
  methods: ['password'],
  password: { user: { name, domain: DOMAIN, password: secret } },
})
const inProject = (name: string) => ({ project: { name, domain: DOMAIN } })

describe.skipIf(missing !== undefined)(`a real Keystone (${missing ?? keystone})`, () => {
  const lab = createLab(`[api_settings]
auth_strategy = "keystone"
bind_port = 0
healthcheck_enabled = true
[keystone_authtoken]
auth_type = "password"
auth_url = "${keystone}"
username = "${OS_USERNAME}"
password = "${OS_PASSWORD}"
user_domain_name = "Default"
project_name = "${OS_PROJECT_NAME}"
project_domain_name = "Default"
interface = "public"
token_cache_time = 1
[controller_worker]
compute_driver = "compute_noop_driver"
network_driver = "network_noop_driver"
amphora_driver = "amphora_noop_driver"
[health_manager]
bind_ip = "127.0.0.1"
bind_port = 0
`)
  const log: string[] = []
  const made: string[] = []
  let controller: Controller
  let admin = ''
  const at = (path: string): string => `${controller.url.origin}${path}`
  const LBS = '/v2.0/lbaas/loadbalancers'

  /** A user with these roles in a project, both made here and removed afterwards. */
  async function makeUser(name: string, projectName: string, roles: readonly string[]) {
    const v3 = `${keystone}/v3`
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
    return {
      id,
      project_id,
      token: await logIn(password(name, user.password), inProject(projectName)),
    }
  }

  beforeAll(async () => {
    admin = await logIn(
      password(OS_USERNAME ?? '', OS_PASSWORD ?? ''),
      inProject(OS_PROJECT_NAME ?? ''),
    )
    controller = await startController({
      configFile: lab.config,
      agentExecutable: '/bin/false',
      terminal: false,
      write: (line) => log.push(line),
    })
  })
  afterAll(async () => {
    for (const url of made.reverse()) await send(url, admin, 'DELETE')
    await controller?.stop()
    rmSync(lab.folder, { recursive: true, force: true })
  })

  test('without a token: where to get one, and what needs none', async () => {
    const { status, headers, body } = await send(at(LBS), null)
    expect([status, headers.get('www-authenticate')]).toEqual([401, `Keystone uri="${keystone}"`])
    expect(body.error).toEqual({
      code: 401,
      title: 'Unauthorized',
      message: 'The request you have made requires authentication.',
    })
    expect((await send(at(LBS), 'no-such-token')).status).toBe(401)
    expect((await send(at('/no/such/path'), null)).status).toBe(401)
    expect((await send(at('/'), null)).status).toBe(200)
    expect((await fetch(at('/healthcheck'))).status).toBe(200)
  })

  test('roles in projects', async () => {
    const owner = await makeUser('lite-member', 'lite-one', ['member', 'reader'])
    const reader = await makeUser('lite-reader', 'lite-one', ['reader'])
    const stranger = await makeUser('lite-stranger', 'lite-two', ['member', 'reader'])
    const create = { loadbalancer: { name: 'a', vip_network_id: crypto.randomUUID() } }
    expect((await send(at(LBS), reader.token, 'POST', create)).status).toBe(403)
    const { status, body } = await send(at(LBS), owner.token, 'POST', create)
    expect(status, JSON.stringify(body)).toBe(201)
    expect(body.loadbalancer.project_id).toBe(owner.project_id)
    const url = at(`${LBS}/${body.loadbalancer.id}`)
    const statuses = async (token: string) => [
      (await send(url, token)).status,
      (await send(at(LBS), token)).body.loadbalancers?.length,
      (await send(at('/v2.0/octavia/amphorae'), token)).status,
    ]
    expect(await statuses(owner.token)).toEqual([200, 1, 403])
    expect(await statuses(reader.token)).toEqual([200, 1, 403])
    expect(await statuses(stranger.token)).toEqual([403, 0, 403])
    expect(await statuses(admin)).toEqual([200, 1, 200])
  })

  test('tokens without a scope, and of the system', async () => {
    const identity = password(OS_USERNAME ?? '', OS_PASSWORD ?? '')
    const unscoped = await logIn(identity, 'unscoped')
    expect((await send(at(LBS), unscoped)).status).toBe(403)
    expect((await send(at('/v2'), unscoped)).status).toBe(200)
    const system = await logIn(identity, { system: { all: true } })
    expect((await send(at(LBS), system)).status).toBe(200)
  })

  test('a revoked token is refused after the lifetime of the cache', async () => {
    const { token } = await makeUser('lite-revoked', 'lite-one', ['reader'])
    expect((await send(at(LBS), token)).status).toBe(200)
    const revoked = await send(`${keystone}/v3/auth/tokens`, admin, 'DELETE', undefined, {
      'x-subject-token': token,
    })
    expect(revoked.status).toBe(204)
    await expect
      .poll(async () => (await send(at(LBS), token)).status, { timeout: 10_000 })
      .toBe(401)
  })

  test('application credentials, with and without access rules', async () => {
    const { id, token } = await makeUser('lite-app', 'lite-one', ['member', 'reader'])
    const credentials = `${keystone}/v3/users/${id}/application_credentials`
    const make = async (over: object): Promise<string> => {
      const application_credential = { name: crypto.randomUUID(), ...over }
      const answer = await send(credentials, token, 'POST', { application_credential })
      expect(answer.status).toBe(201)
      const { id: credential, secret } = answer.body.application_credential
      return await logIn({
        methods: ['application_credential'],
        application_credential: { id: credential, secret },
      })
    }
    expect((await send(at(LBS), await make({}))).status).toBe(200)
    const limited = await make({
      access_rules: [{ service: 'load-balancer', method: 'GET', path: '/v2.0/lbaas/pools' }],
    })
    expect((await send(at('/v2.0/lbaas/pools'), limited)).status).toBe(200)
    expect((await send(at(LBS), limited)).status).toBe(401)
  })

  test('a service speaks for a user', async () => {
    const user = await makeUser('lite-user', 'lite-one', ['reader'])
    const service = await makeUser('lite-service', 'service', ['service'])
    const by = (token: string) =>
      send(at(LBS), user.token, 'GET', undefined, { 'x-service-token': token })
    expect((await by(service.token)).status).toBe(200)
    expect((await by('nonsense')).status).toBe(401)
  })

  test('no token and no password is in the log', () => {
    expect(log.join('')).not.toContain('gAAAA')
    expect(log.join('')).not.toContain(`"${OS_PASSWORD}"`)
  })
})
