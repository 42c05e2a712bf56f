/**
 * `serve` with a real Barbican: certificates stored by `octavia-lite secret`, taken by listeners of
 * who may read them, and readable by the service's own user from then on. Runs where the OS_
 * variables name a Keystone (see real-keystone.ts) whose catalogue has a key-manager.
 */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secretCommand } from '../../src/command/secret.ts'
import { type Controller, startController } from '../../src/command/serve/controller.ts'
import { createLab } from './harness.ts'
import {
  keystone,
  type Made,
  missing,
  openRealUsers,
  type RealUsers,
  send,
} from './real-keystone.ts'

describe.skipIf(missing !== undefined)(`a real Barbican (${missing ?? keystone})`, () => {
  const lab = createLab(`[api_settings]
auth_strategy = "keystone"
bind_port = 0
[keystone_authtoken]
auth_section = "service_auth"
interface = "public"
[service_auth]
auth_type = "password"
auth_url = "${keystone}"
username = "lite-barbican"
password = "lite-barbican-secret"
user_domain_name = "Default"
project_name = "service"
project_domain_name = "Default"
[certificates]
cert_manager = "barbican_cert_manager"
[controller_worker]
compute_driver = "compute_noop_driver"
network_driver = "network_noop_driver"
amphora_driver = "amphora_noop_driver"
[health_manager]
bind_ip = "127.0.0.1"
bind_port = 0
`)
  const log: string[] = []
  let users: RealUsers
  let owner: Made
  let stranger: Made
  let controller: Controller
  /** As the owner of the secrets. */
  async function secret(line: string): Promise<string> {
    let out = ''
    const io = {
      out: (text: string) => {
        out += text
      },
      err: () => {},
      terminal: false,
      env: {
        OS_AUTH_URL: keystone,
        OS_USERNAME: 'lite-owner',
        OS_PASSWORD: 'lite-owner-secret',
        OS_PROJECT_NAME: 'lite-secrets',
        OS_USER_DOMAIN_NAME: 'Default',
        OS_PROJECT_DOMAIN_NAME: 'Default',
        HOME: lab.folder,
      },
    }
    await secretCommand().run(
      line.split(' ').map((word) => word.replace('@', `${lab.folder}/`)),
      io,
    )
    return out.trim()
  }

  beforeAll(async () => {
    users = await openRealUsers()
    await users.makeUser('lite-barbican', 'service', ['service'])
    owner = await users.makeUser('lite-owner', 'lite-secrets', ['member', 'reader', 'creator'])
    stranger = await users.makeUser('lite-other', 'lite-others', ['member', 'reader', 'creator'])
    const openssl = (...args: string[]) =>
      execFileSync('openssl', args, { cwd: lab.folder, stdio: 'pipe' })
    openssl('req', '-x509', '-nodes', '-newkey', 'rsa:2048', '-subj', '/CN=web.example', ...FILES)
    openssl('rsa', '-in', 'key.pem', '-aes256', '-passout', 'pass:sesame', '-out', 'enc.pem')
    openssl(...'pkcs12 -export -in cert.pem -inkey key.pem -passout pass: -out all.p12'.split(' '))
    execFileSync('sh', ['-c', 'echo sesame > pass'], { cwd: lab.folder })
    controller = await startController({
      configFile: lab.config,
      agentExecutable: '/bin/false',
      terminal: false,
      write: (line) => log.push(line),
    })
  })
  afterAll(async () => {
    await controller?.stop()
    for (const name of ['plain', 'locked', 'all', 'ca'])
      await secret(`delete ${name}`).catch(() => {})
    await users?.removeAll()
    rmSync(lab.folder, { recursive: true, force: true })
  })
  const FILES = ['-keyout', 'key.pem', '-out', 'cert.pem', '-days', '90']

  async function listen(who: Made, refs: object): Promise<readonly [number, unknown]> {
    const at = (path: string): string => `${controller.url.origin}/v2.0/lbaas${path}`
    const listeners = [{ protocol: 'TERMINATED_HTTPS', protocol_port: 443, ...refs }]
    const loadbalancer = { vip_network_id: crypto.randomUUID(), listeners }
    const { status, body } = await send(at('/loadbalancers'), who.token, 'POST', { loadbalancer })
    return [status, body.faultstring]
  }

  test('certificates of every form are taken from who may read them, and from nobody else', async () => {
    const refs = {
      plain: await secret('store --name plain --certificate @cert.pem --private-key @key.pem'),
      locked: await secret(
        'store --name locked --certificate @cert.pem --private-key @enc.pem ' +
          '--passphrase-file @pass',
      ),
      all: await secret('store --name all --pkcs12 @all.p12'),
    }
    for (const [name, ref] of Object.entries(refs)) {
      expect(ref).toMatch(/\/v1\/(secrets|containers)\/[0-9a-f-]{36}$/)
      expect([name, ...(await listen(stranger, { default_tls_container_ref: ref }))]).toEqual([
        ...[name, 400, `Could not retrieve certificate: ['${ref}']`],
      ])
      expect([name, ...(await listen(owner, { default_tls_container_ref: ref }))]).toEqual([
        ...[name, 201, undefined],
      ])
    }
    const ca = await secret('store --name ca --file @cert.pem')
    const client = { client_ca_tls_container_ref: ca, client_authentication: 'MANDATORY' }
    expect(await listen(owner, { default_tls_container_ref: refs.plain, ...client })).toEqual([
      ...[201, undefined],
    ])
  })

  test('it is listed, shown and read by the same commands as the built-in store', async () => {
    const listed = JSON.parse(await secret('list --json'))
    expect(listed.map(({ name }: { name: string }) => name).sort()).toEqual([
      ...['all', 'ca', 'locked', 'plain'],
    ])
    expect(await secret('show plain')).toMatch(/^parts +certificate, private_key$/m)
    expect(await secret('show all --private-key')).toMatch(/^-----BEGIN PRIVATE KEY-----/)
  })

  test('no token, no password and no key is in the log', () => {
    expect(log.join('')).not.toMatch(/gAAAA|lite-barbican-secret|PRIVATE KEY|sesame/)
  })
})
