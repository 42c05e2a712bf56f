/** The client of services against one that fails in the ways services fail. */
import { afterEach, expect, test } from 'vitest'
import { DriverError } from '../../../src/driver/error.ts'
import { createService, type ServiceCall } from '../../../src/driver/openstack/service.ts'
import { createSession } from '../../../src/driver/openstack/session.ts'
import { createLog } from '../../../src/system/log.ts'
import { createFakeClock } from '../../fake/clock.ts'
import { createFakeKeystone, SERVICE_PASSWORD } from '../../fake/keystone.ts'
import { createFakeService, type Handler, json } from '../../fake/service.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

const NAMED = { id: null, name: 'octavia', domain_id: 'default', domain_name: null }
const TRANSPORT = {
  tls: { ca: null, cert: null, key: null, insecure: false },
  timeout_ms: 5_000,
  connect_retries: 2,
}
const READ: ServiceCall = {
  operation: 'find-thing',
  subject: 'thing 7',
  method: 'GET',
  path: '/things/7',
}
const CREATE: ServiceCall = { ...READ, operation: 'create-thing', method: 'POST', path: '/things' }

interface Over {
  readonly versionInCatalog?: boolean
  readonly override?: string
}

function setUp(handle: Handler = () => ({ thing: 7 }), over: Over = {}) {
  const { versionInCatalog = false, override = null } = over
  const clock = createFakeClock({ jump: true })
  const keystone = createFakeKeystone({ now: clock.now })
  const service = createFakeService({
    ...{ keystone, type: 'thing', name: 'thingy', version: '/v2.0', versionInCatalog, handle },
  })
  stops.push(
    () => keystone.stop(),
    () => service.stop(),
  )
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const log = createLog({ format: 'json', level: () => 'debug', write, now: clock.now })
  const scope = { kind: 'project', project: { ...NAMED, name: 'service' } } as const
  const password = SERVICE_PASSWORD
  const session = createSession(
    { clock },
    {
      auth_url: keystone.url,
      credentials: { kind: 'password', user: NAMED, password, scope },
      ...TRANSPORT,
    },
  )
  const client = createService(
    { clock, log, session },
    {
      title: 'Thingy',
      endpoint: {
        type: 'thing',
        interfaces: ['public'],
        region: 'RegionOne',
        name: null,
        override,
      },
      version: 'v2.0',
      headers: { 'openstack-api-version': 'thing 2.15' },
      transport: TRANSPORT,
      status_retries: 3,
    },
  )
  const failure = async (call: ServiceCall): Promise<DriverError> => {
    const error = await client.request(call).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(DriverError)
    return error
  }
  return { clock, keystone, service, client, lines, failure }
}

test.each([true, false])('the version is part of the path, in the catalogue: %s', async (there) => {
  const { client, service } = setUp(undefined, { versionInCatalog: there })
  expect((await client.request(READ)).body).toEqual({ thing: 7 })
  expect(service.requests).toEqual(['GET /things/7'])
})

test('headers of the service, and those of a call, are sent', async () => {
  const seen: unknown[] = []
  const { client } = setUp(({ headers, body }) => {
    seen.push([headers.get('openstack-api-version'), headers.get('content-type'), body])
    return json(201, {})
  })
  await client.request({ ...CREATE, body: { a: 1 } })
  await client.request({ ...CREATE, content: { type: 'application/octet-stream', data: 'raw' } })
  expect(seen).toEqual([
    ['thing 2.15', 'application/json', { a: 1 }],
    ['thing 2.15', 'application/octet-stream', 'raw'],
  ])
})

test('an answer that is no JSON is there as bytes', async () => {
  const { client } = setUp(({ headers }) => new Response(`got ${headers.get('accept')}`))
  const { body, bytes } = await client.request({ ...READ, accept: 'text/plain' })
  expect([body, Buffer.from(bytes).toString()]).toEqual([undefined, 'got text/plain'])
})

test('a token that was revoked in the middle is renewed once', async () => {
  const { client, keystone } = setUp()
  await client.request(READ)
  keystone.revokeServiceTokens()
  expect((await client.request(READ)).status).toBe(200)
  expect(keystone.logins).toHaveLength(2)
})

test('a token that Neutron refused to Nova is renewed once', async () => {
  const { client, keystone, service } = setUp()
  const message = 'Networking client is experiencing an unauthorized exception.'
  service.fail({ on: /./, status: 400, times: 1, body: { badRequest: { code: 400, message } } })
  expect((await client.request(CREATE)).status).toBe(200)
  expect(keystone.logins).toHaveLength(2)
  expect(service.requests).toHaveLength(2)
})

test('a token that is refused again and again ends in a sentence', async () => {
  const { failure, service } = setUp()
  service.fail({ on: /./, status: 401 })
  expect((await failure(READ)).message).toMatch(
    /^find-thing of thing 7: Thingy does not accept our token .*service_auth/,
  )
  expect(service.requests).toHaveLength(2)
})

test('a user is asked for with the token of the user, and with no other', async () => {
  const tokens: (string | null)[] = []
  const { client, keystone, failure } = setUp(({ headers }) => {
    tokens.push(headers.get('x-auth-token'))
    return {}
  })
  const token = keystone.issue({ user_id: 'ann' })
  await client.request({ ...READ, token })
  expect(tokens).toEqual([token])
  keystone.revoke(token)
  await failure({ ...READ, token })
  expect(tokens).toEqual([token])
})

const LATER = [
  ['a 503 is asked again', READ, 503, 2, {}, [500, 1000]],
  [
    'a 429 is asked again after the time it names',
    READ,
    429,
    2,
    { 'retry-after': '7' },
    [7000, 7000],
  ],
  ['that time has a limit', READ, 429, 1, { 'retry-after': '9999' }, [10_000]],
  ['a 429 of a POST is asked again: nothing has happened', CREATE, 429, 1, {}, [500]],
] as const
test.each(LATER)('%s', async (_, call, status, times, headers, slept) => {
  const { client, service, clock } = setUp()
  service.fail({ on: /things/, status, times, headers })
  expect((await client.request(call)).status).toBe(200)
  expect(clock.slept).toEqual(slept)
})

test('a Retry-After may be a date', async () => {
  const { client, service, clock } = setUp()
  const headers = { 'retry-after': new Date(clock.now() + 3_500).toUTCString() }
  service.fail({ on: /things/, status: 503, times: 1, headers })
  await client.request(READ)
  // Dates have no milliseconds.
  expect(clock.slept).toEqual([3_000])
})

test('a 503 of a POST is not: it may have been carried out', async () => {
  const { failure, service } = setUp()
  service.fail({ on: /things/, status: 503 })
  expect(await failure(CREATE)).toMatchObject({ retryable: true, outage: true })
  expect(service.requests).toHaveLength(1)
})

test('attempts have an end', async () => {
  const { failure, service } = setUp()
  service.fail({ on: /things/, status: 503 })
  expect(await failure(READ)).toMatchObject({ retryable: true, outage: true })
  expect(service.requests).toHaveLength(4)
})

test('a service that is down is an outage, whatever was asked', async () => {
  const { failure, service, clock } = setUp()
  await service.goDown()
  for (const call of [READ, CREATE]) {
    const error = await failure(call)
    expect(error).toMatchObject({ retryable: true, outage: true })
    expect(error.message).toMatch(/Thingy at http:.*no connection \(ECONNREFUSED\)$/)
  }
  expect(clock.slept).toEqual([500, 1000, 500, 1000])
  service.comeUp()
})

test('Keystone that is down is not taken for the service that was asked', async () => {
  const { failure, keystone } = setUp()
  await keystone.goDown()
  const error = await failure(READ)
  expect(error).toMatchObject({ operation: 'authenticate', retryable: true, outage: true })
  expect(error.message).toMatch(/Keystone: no connection \(ECONNREFUSED\)$/)
  expect(error.message).not.toContain('Thingy')
})

test.each([
  [CREATE, 1],
  [READ, 3],
])('a connection that breaks: %j is sent %i times', async (call, times) => {
  let hits = 0
  const broken = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data: (socket) => {
        hits++
        socket.terminate()
      },
    },
  })
  stops.push(() => broken.stop(true))
  const { failure } = setUp(undefined, { override: `http://127.0.0.1:${broken.port}` })
  expect(await failure(call)).toMatchObject({ retryable: true, outage: true })
  expect(hits).toBe(times)
})

const NOVA_QUOTA = 'Quota exceeded for cores: Requested 1, but already used 20 of 20 cores'
const REFUSALS: readonly [number, unknown, RegExp, boolean][] = [
  [
    403,
    { forbidden: { code: 403, message: NOVA_QUOTA } },
    /a quota .* 20 of 20 cores.*quota set/,
    false,
  ],
  [
    409,
    { NeutronError: { type: 'OverQuota', message: "Quota exceeded for resources: ['port']." } },
    /a quota .*\['port'\]/,
    false,
  ],
  // Nova, whose user has no port left in Neutron.
  [
    403,
    { forbidden: { code: 403, message: 'Maximum number of ports exceeded' } },
    /a quota .*number of ports exceeded/,
    false,
  ],
  [
    413,
    {
      overLimit: { message: 'VolumeLimitExceeded: Maximum number of volumes allowed (1) exceeded' },
    },
    /a quota/,
    false,
  ],
  [
    403,
    { error: { message: 'Policy does not allow it.' } },
    /our user.*Policy does not allow it.*role/,
    false,
  ],
  [403, '<html>Forbidden</html>', /our user do it \[req-\d+\] \(give it the role/, false],
  [
    404,
    { itemNotFound: { message: 'Flavor x could not be found.' } },
    /Flavor x could not be found \[req/,
    false,
  ],
  [400, { badRequest: { message: 'two\nlines' } }, /refuses it \(400\): two lines/, false],
  [
    409,
    { NeutronError: { type: 'IpAddressAlreadyAllocated', message: 'taken' } },
    /conflicts.*taken/,
    false,
  ],
  [
    409,
    { NeutronError: { type: 'SecurityGroupInUse', message: 'in use' } },
    /conflicts.*in use/,
    true,
  ],
  [500, { computeFault: { message: 'Unexpected API Error.' } }, /failed \(500\)/, true],
  [504, undefined, /cannot work now \(504\)/, true],
  [
    404,
    {
      code: 404,
      title: 'Not Found',
      description: 'Not Found. Sorry but your secret is elsewhere.',
    },
    /your secret is elsewhere/,
    false,
  ],
]
test.each(REFUSALS)('a refusal with %s %j is told', async (status, body, text, retryable) => {
  const { failure, service } = setUp()
  service.fail({ on: /things/, status, body })
  const error = await failure(CREATE)
  expect(error.message).toMatch(text)
  expect(error.message.startsWith('create-thing of thing 7: ')).toBe(true)
  expect(error.retryable).toBe(retryable)
})

test('a refusal that is expected is an answer', async () => {
  const { client } = setUp(() => undefined)
  expect((await client.request({ ...READ, expect: [404] })).status).toBe(404)
})

test('a crowd is let in by and by', async () => {
  let inside = 0
  let most = 0
  const { clock, keystone } = setUp()
  const session = {
    endpoint: async () => keystone.url,
    projectId: async () => null,
    userId: async () => 'octavia',
    request: async () => {
      most = Math.max(most, ++inside)
      await clock.sleep(1)
      inside--
      return { status: 200, headers: new Headers(), bytes: new Uint8Array(), body: {} }
    },
  }
  const log = createLog({ format: 'json', level: () => 'error', write: () => {}, now: clock.now })
  const client = createService(
    { clock, log, session },
    {
      title: 'Thingy',
      endpoint: { type: 'thing', interfaces: [], region: null, name: null, override: null },
      version: 'v1',
      transport: TRANSPORT,
      status_retries: 0,
    },
  )
  const results = await Promise.allSettled(
    Array.from({ length: 1_100 }, () => client.request(READ)),
  )
  expect(most).toBe(48)
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(52)
})

test('the log names the request as the service knows it, and no secret', async () => {
  const { client, lines } = setUp(() => ({ secret: 'the-body' }))
  await client.request({ ...CREATE, body: { password: 'the-request' } })
  const line = lines.find((each) => each.includes('Thingy answered')) ?? ''
  expect(JSON.parse(line)).toMatchObject({ method: 'POST', path: '/things', status: 200 })
  expect(JSON.parse(line).service_request).toMatch(/^req-\d+$/)
  for (const secret of [SERVICE_PASSWORD, 'gAAAA-', 'the-body', 'the-request'])
    expect(lines.join('')).not.toContain(secret)
})
