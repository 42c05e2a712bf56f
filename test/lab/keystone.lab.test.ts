/**
 * `serve` with a real Keystone: tokens of users, of the system, application credentials with access
 * rules, service tokens, revocation. Runs where OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and
 * OS_PROJECT_NAME (of an administrator, domain Default) name a Keystone that tests may use.
 */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Controller, startController } from '../../src/command/serve/controller.ts'
import { createLab } from './harness.ts'
import {
  keystone,
  logIn,
  missing,
  OS_PASSWORD,
  OS_PROJECT_NAME,
  OS_USERNAME,
  openRealUsers,
  password,
  type RealUsers,
  send,
} from './real-keystone.ts'

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
  let controller: Controller
  let users: RealUsers
  const at = (path: string): string => `${controller.url.origin}${path}`
  const LBS = '/v2.0/lbaas/loadbalancers'

  beforeAll(async () => {
    users = await openRealUsers()
    controller = await startController({
      configFile: lab.config,
      agentExecutable: '/bin/false',
      terminal: false,
      write: (line) => log.push(line),
    })
  })
  afterAll(async () => {
    await users?.removeAll()
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
    const owner = await users.makeUser('lite-member', 'lite-one', ['member', 'reader'])
    const reader = await users.makeUser('lite-reader', 'lite-one', ['reader'])
    const stranger = await users.makeUser('lite-stranger', 'lite-two', ['member', 'reader'])
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
    expect(await statuses(users.admin)).toEqual([200, 1, 200])
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
    const { token } = await users.makeUser('lite-revoked', 'lite-one', ['reader'])
    expect((await send(at(LBS), token)).status).toBe(200)
    const revoked = await send(`${keystone}/v3/auth/tokens`, users.admin, 'DELETE', undefined, {
      'x-subject-token': token,
    })
    expect(revoked.status).toBe(204)
    await expect
      .poll(async () => (await send(at(LBS), token)).status, { timeout: 10_000 })
      .toBe(401)
  })

  test('application credentials, with and without access rules', async () => {
    const { id, token } = await users.makeUser('lite-app', 'lite-one', ['member', 'reader'])
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
    const user = await users.makeUser('lite-user', 'lite-one', ['reader'])
    const service = await users.makeUser('lite-service', 'service', ['service'])
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
