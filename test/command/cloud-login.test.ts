/** Logging in: where settings come from, and what Keystone is asked. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Fetch, openCloud, reasonIn } from '../../src/command/cloud-login.ts'

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'octavia-lite-login-'))
})
afterEach(() => rmSync(home, { recursive: true }))

interface Asked {
  readonly url: string
  readonly token: string | null
  readonly body: unknown
  readonly tls: unknown
}

const CATALOG = [
  {
    type: 'load-balancer',
    endpoints: [
      { interface: 'public', region: 'one', region_id: 'one', url: 'https://one.example/lb/v2.0/' },
      { interface: 'public', region: 'two', region_id: 'two', url: 'https://two.example:9876' },
      { interface: 'internal', region: 'one', region_id: 'one', url: 'http://10.0.0.1:9876/v2' },
    ],
  },
  {
    type: 'network',
    endpoints: [{ interface: 'public', region: 'one', url: 'https://net.example/' }],
  },
]

/** A Keystone that lets everybody in, and services that accept the newest token only. */
function createServices(catalog: readonly unknown[] = CATALOG) {
  const asked: Asked[] = []
  let logins = 0
  const fetch: Fetch = async (url, init) => {
    const headers = new Headers(init.headers)
    const body = typeof init.body === 'string' ? (JSON.parse(init.body) as unknown) : undefined
    const token = headers.get('x-auth-token')
    asked.push({ url, token, body, tls: (init as { tls?: unknown }).tls })
    if (!url.endsWith('/v3/auth/tokens'))
      return new Response('{}', { status: token === `token-${logins}` ? 200 : 401 })
    logins += 1
    return new Response(JSON.stringify({ token: { catalog } }), {
      status: 201,
      headers: { 'x-subject-token': `token-${logins}` },
    })
  }
  const expire = (): void => {
    logins += 1
  }
  return { asked, fetch, expire }
}

function clouds(text: string, name = 'clouds.yaml'): void {
  const folder = join(home, '.config/openstack')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), text)
}

const PASSWORD = {
  OS_AUTH_URL: 'https://keystone.example/identity/v3/',
  OS_USERNAME: 'demo',
  OS_PASSWORD: 'secret',
  OS_PROJECT_NAME: 'web',
  OS_USER_DOMAIN_NAME: 'Default',
}

test('nothing configured is the API of this machine', async () => {
  const cloud = await openCloud({ HOME: home })
  expect(cloud).toMatchObject({ endpoint: 'http://127.0.0.1:9876', token: null })
  expect(cloud.endpointOf('network')).toBe('http://127.0.0.1:9876')
  expect(cloud.endpointOf('identity')).toBeUndefined()
})

test('an endpoint alone needs no login, a token beside it is sent', async () => {
  const { asked, fetch } = createServices()
  const none = { HOME: home, OS_AUTH_TYPE: 'none', OS_ENDPOINT: 'http://lb.example/v2.0/' }
  await (await openCloud(none, {}, fetch)).request('GET', '/x')
  const token = { HOME: home, OS_TOKEN: 't', OS_ENDPOINT: 'http://lb.example' }
  await (await openCloud(token, {}, fetch)).request('GET', '/y')
  expect(asked).toMatchObject([
    { url: 'http://lb.example/x', token: null },
    { url: 'http://lb.example/y', token: 't' },
  ])
})

test('a password buys a token of the project, and the catalog knows the way', async () => {
  const { asked, fetch } = createServices()
  const cloud = await openCloud({ HOME: home, ...PASSWORD }, {}, fetch)
  expect(asked[0]).toMatchObject({
    url: 'https://keystone.example/identity/v3/auth/tokens',
    body: {
      auth: {
        identity: {
          methods: ['password'],
          password: { user: { name: 'demo', domain: { name: 'Default' }, password: 'secret' } },
        },
        scope: { project: { name: 'web', domain: { id: 'default' } } },
      },
    },
  })
  expect(cloud.endpoint).toBe('https://one.example/lb')
  expect(cloud.endpointOf('network')).toBe('https://net.example')
  expect(cloud.endpointOf('identity')).toBe('https://keystone.example/identity')
})

test.each([
  [{ OS_REGION_NAME: 'two' }, 'https://two.example:9876'],
  [{ OS_INTERFACE: 'internal' }, 'http://10.0.0.1:9876'],
  [{ OS_ENDPOINT_TYPE: 'internalURL' }, 'http://10.0.0.1:9876'],
])('%j chooses the endpoint', async (env, endpoint) => {
  const { fetch } = createServices()
  const cloud = await openCloud({ HOME: home, ...PASSWORD, ...env }, {}, fetch)
  expect(cloud.endpoint).toBe(endpoint)
})

test('a catalog without load balancing says so', async () => {
  const { fetch } = createServices([])
  const login = openCloud({ HOME: home, ...PASSWORD, OS_REGION_NAME: 'x' }, {}, fetch)
  await expect(login).rejects.toThrow('no load-balancer service in region x')
})

test('an application credential has no scope', async () => {
  const { asked, fetch } = createServices()
  const env = {
    HOME: home,
    OS_AUTH_URL: 'https://keystone.example',
    OS_APPLICATION_CREDENTIAL_ID: 'i',
    OS_APPLICATION_CREDENTIAL_SECRET: 's',
  }
  await openCloud(env, {}, fetch)
  expect(asked[0]?.body).toEqual({
    auth: {
      identity: {
        methods: ['application_credential'],
        application_credential: { id: 'i', secret: 's' },
      },
    },
  })
})

test('a token that has expired is renewed once, and the request repeated', async () => {
  const { asked, fetch, expire } = createServices()
  const cloud = await openCloud({ HOME: home, ...PASSWORD }, {}, fetch)
  expire()
  expect((await cloud.request('GET', '/x')).status).toBe(200)
  expect(asked.map(({ token }) => token)).toEqual([null, 'token-1', null, 'token-3'])
})

const FILE = `clouds:
  one:
    auth: { auth_url: https://keystone.example, username: u, project_id: p, user_domain_id: d }
    region_name: two
    verify: false
  two:
    auth_type: none
    auth: { endpoint: http://two.example }
`

test('a cloud of clouds.yaml, its password in secure.yaml; variables win', async () => {
  clouds(FILE)
  clouds('clouds: { one: { auth: { password: hidden } } }', 'secure.yaml')
  const { asked, fetch } = createServices()
  const cloud = await openCloud({ HOME: home, OS_CLOUD: 'one', OS_USERNAME: 'v' }, {}, fetch)
  expect(cloud.endpoint).toBe('https://two.example:9876')
  expect(asked[0]).toMatchObject({
    tls: { rejectUnauthorized: false },
    body: {
      auth: {
        identity: { password: { user: { name: 'v', domain: { id: 'd' }, password: 'hidden' } } },
        scope: { project: { id: 'p' } },
      },
    },
  })
})

test('--os-cloud wins over OS_CLOUD, options over everything', async () => {
  clouds(FILE)
  const flags = new Map([
    ['os-cloud', 'two'],
    ['os-endpoint', 'http://three.example'],
  ])
  const cloud = await openCloud({ HOME: home, OS_CLOUD: 'one' }, { flags })
  expect(cloud).toMatchObject({ endpoint: 'http://three.example', token: null })
})

test('OS_CLIENT_CONFIG_FILE names another file; a cloud it has not is a mistake', async () => {
  clouds(FILE)
  const path = join(home, 'other.yaml')
  writeFileSync(path, 'clouds: { only: { auth_type: none, auth: { endpoint: "http://o" } } }')
  const env = { HOME: home, OS_CLIENT_CONFIG_FILE: path }
  expect((await openCloud(env)).endpoint).toBe('http://o')
  await expect(openCloud({ ...env, OS_CLOUD: 'one' })).rejects.toThrow(
    `${path} has no cloud 'one', only only`,
  )
})

test('the clouds.yaml beside the data of this machine comes last', async () => {
  const data_dir = join(home, 'data')
  mkdirSync(data_dir)
  writeFileSync(
    join(data_dir, 'clouds.yaml'),
    'clouds: { octavia-lite: { auth_type: none, auth: { endpoint: "http://mine" } } }',
  )
  expect((await openCloud({ HOME: home }, { data_dir })).endpoint).toBe('http://mine')
  const named = { HOME: home, OS_CLOUD: 'octavia-lite' }
  expect((await openCloud(named, { data_dir })).endpoint).toBe('http://mine')
  const other = { HOME: home, OS_ENDPOINT: 'http://other' }
  expect((await openCloud(other, { data_dir })).endpoint).toBe('http://other')
})

test('a broken clouds.yaml is told without what is in it', async () => {
  clouds('clouds:\n  one: { auth: { password: "hunter2 }\n')
  const login = openCloud({ HOME: home, OS_CLOUD: 'one' })
  await expect(login).rejects.toThrow('is no clouds.yaml')
  await expect(login).rejects.not.toThrow('hunter2')
})

test.each([
  [{ ...PASSWORD, OS_PASSWORD: undefined }, 'OS_PASSWORD is missing'],
  [{ OS_AUTH_TYPE: 'kerberos' }, "the auth type 'kerberos' is not one of"],
  [{ OS_AUTH_TYPE: 'password' }, 'OS_AUTH_URL is missing'],
  [{ OS_ENDPOINT: 'http://x', OS_CACERT: '/nowhere/ca.pem' }, '/nowhere/ca.pem cannot be read'],
])('%j is a mistake', async (env, why) => {
  await expect(openCloud({ HOME: home, ...env })).rejects.toMatchObject({ exit: 2 })
  await expect(openCloud({ HOME: home, ...env })).rejects.toThrow(why)
})

test('a login that is refused names the reason, not the password', async () => {
  const fetch: Fetch = async () =>
    new Response('{"error":{"code":401,"message":"Invalid user / password"}}', { status: 401 })
  const login = openCloud({ HOME: home, ...PASSWORD }, {}, fetch)
  await expect(login).rejects.toThrow('(HTTP 401): Invalid user / password; check user')
})

test.each([
  [{ code: 'ConnectionRefused' }, 'cannot be reached (ConnectionRefused); check OS_AUTH_URL'],
  [{ code: 'SELF_SIGNED_CERT_IN_CHAIN' }, 'is not trusted (SELF_SIGNED_CERT_IN_CHAIN)'],
])('%j', async (cause, why) => {
  const fetch: Fetch = () => Promise.reject(Object.assign(new Error('x'), cause))
  await expect(openCloud({ HOME: home, ...PASSWORD }, {}, fetch)).rejects.toThrow(why)
})

test('the texts of faults in all their forms', () => {
  expect(reasonIn('{"faultstring":"a"}')).toBe('a')
  expect(reasonIn('{"error":{"message":"b"}}')).toBe('b')
  expect(reasonIn('{"NeutronError":{"type":"t","message":"c"}}')).toBe('c')
  expect(reasonIn('{"code":404,"title":"t","description":"e"}')).toBe('e')
  expect(reasonIn('<html>d</html>')).toBe('<html>d</html>')
  expect(reasonIn('')).toBe('no further reason')
})

test.skipIf(Bun.which('openssl') === null)('a private CA is trusted when it is named', async () => {
  const [key, ca] = [join(home, 'key.pem'), join(home, 'ca.pem')]
  const subject = ['-subj', '/CN=cloud', '-addext', 'subjectAltName=IP:127.0.0.1']
  const made = Bun.spawnSync(
    ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
      .concat(['-keyout', key, '-out', ca, '-days', '1'])
      .concat(subject),
  )
  expect(made.exitCode, made.stderr.toString()).toBe(0)
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    tls: { key: Bun.file(key), cert: Bun.file(ca) },
    fetch: () => new Response('{}'),
  })
  try {
    const env = { HOME: home, OS_ENDPOINT: `https://127.0.0.1:${server.port}` }
    const ask = async (over: Readonly<Record<string, string>>) =>
      (await (await openCloud({ ...env, ...over })).request('GET', '/')).status
    await expect(ask({})).rejects.toThrow('name its CA by OS_CACERT')
    expect(await ask({ OS_CACERT: ca })).toBe(200)
    expect(await ask({ OS_INSECURE: 'true' })).toBe(200)
  } finally {
    await server.stop(true)
  }
})
