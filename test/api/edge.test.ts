/**
 * Around the routes: versions, negotiation, forms of paths, sizes, ids, and what an error shows.
 */
import { expect, test } from 'vitest'
import { RoutingError } from '../../src/api/faults.ts'
import { DriverError } from '../../src/driver/error.ts'
import { AddressInUse } from '../../src/driver/network.ts'
import { createHarness, makeTree, SUBNET } from './harness.ts'

const CREATE = { loadbalancer: { vip_subnet_id: SUBNET } }

test('the version document needs no caller and ends with the current version', async () => {
  const harness = createHarness({
    api: {
      identity: {
        identify: async () => {
          throw new Error('not asked')
        },
      },
    },
  })
  const { status, body } = await harness.send('GET', '/')
  expect(status).toBe(200)
  expect(body.versions.map((v: { id: string }) => v.id)).toEqual(
    Array.from({ length: 31 }, (_, minor) => `v2.${minor}`),
  )
  expect(body.versions[0]).toEqual({
    id: 'v2.0',
    status: 'SUPPORTED',
    updated: '2016-12-11T00:00:00Z',
    links: [{ href: 'http://lb.example/v2', rel: 'self' }],
  })
  expect(body.versions.filter((v: { status: string }) => v.status === 'CURRENT')).toEqual([
    expect.objectContaining({ id: 'v2.30' }),
  ])
})

test.each(['/v2', '/v2.0', '/v2/lbaas', '/v2.0/lbaas/', '/v2/octavia', '/v2.0/octavia'])(
  '%s names the version',
  async (path) => {
    expect((await createHarness().send('GET', path)).body).toBe('v2')
  },
)

test('every resource is served under each prefix, with .json and a trailing slash', async () => {
  const harness = createHarness()
  const ids = await makeTree(harness)
  for (const prefix of ['/v2', '/v2.0', '/v2/lbaas', '/v2.0/lbaas'])
    for (const plural of ['loadbalancers', 'listeners', 'pools', 'healthmonitors'])
      for (const path of [plural, `${plural}.json`, `${plural}/`]) {
        const { status, body } = await harness.send('GET', `${prefix}/${path}`)
        expect([path, status, body[plural]?.length]).toEqual([path, 200, 1])
      }
  const suffixed = await harness.send('GET', `/v2/lbaas/listeners/${ids.listener}.json?fields=id`)
  expect(suffixed.body).toEqual({ listener: { id: ids.listener } })
  const dashless = ids.lb.replaceAll('-', '')
  expect((await harness.send('GET', `/v2/loadbalancers/${dashless}`)).status).toBe(200)
})

test.each([
  ['GET', '/v2/lbaas/nothing', 404],
  ['GET', '/v3', 404],
  ['GET', '/v2/lbaas/loadbalancers/x/y/z', 404],
  ['GET', '/healthcheck', 404],
  ['PATCH', '/v2/lbaas/loadbalancers', 405],
  ['DELETE', '/v2/lbaas/pools', 405],
  ['POST', '/v2/lbaas/loadbalancers/x/stats', 405],
] as const)('%s %s is %d of the routing layer', async (method, path, status) => {
  const answer = await createHarness().send(method, path)
  expect(answer.status).toBe(status)
  expect(answer.body).toEqual({
    code: status,
    title: status === 404 ? 'Not Found' : 'Method Not Allowed',
    description: expect.any(String),
  })
  expect(answer.headers.get('allow') !== null).toBe(status === 405)
  expect(answer.headers.get('x-openstack-request-id')).toMatch(/^req-[0-9a-f-]{36}$/)
})

test.each([
  ['', 200],
  ['*/*', 200],
  ['bogus', 200],
  ['application/json', 200],
  ['application/*', 200],
  ['text/html, application/json;q=0.8', 200],
  ['text/html,*/*', 200],
  ['application/xml', 406],
  ['application/xml, text/html', 406],
  ['application/json;q=0, text/html', 406],
] as const)('Accept: %s is %d', async (accept, status) => {
  const answer = await createHarness().send('GET', '/v2/pools', undefined, { accept })
  expect(answer.status).toBe(status)
  if (status === 406)
    expect(answer.body).toEqual({
      code: 406,
      title: 'Not Acceptable',
      description: 'Only content type application/json is accepted.',
    })
})

test.each([
  ['text/plain', 415, 'Unknown mimetype: text/plain'],
  ['application/xml', 415, 'Unknown mimetype: application/xml'],
  ['application/x-www-form-urlencoded', 400, 'Missing argument: "load_balancer"'],
  ['application/json; charset=utf-8', 201, undefined],
] as const)('Content-Type: %s is %d', async (type, status, fault) => {
  const harness = createHarness()
  const answer = await harness.send('POST', '/v2/loadbalancers', CREATE, { 'content-type': type })
  expect([answer.status, answer.body.faultstring]).toEqual([status, fault])
})

test('a change without changes is refused where there is something to change', async () => {
  const harness = createHarness()
  const { body } = await harness.send('POST', '/v2/loadbalancers', CREATE)
  const put = async (id: string) => {
    const answer = await harness.send('PUT', `/v2/loadbalancers/${id}`, {})
    return [answer.status, answer.body.faultstring]
  }
  expect(await put(body.loadbalancer.id)).toEqual([400, 'Missing argument: "loadbalancer"'])
  expect(await put('nobody')).toEqual([404, 'Load Balancer nobody not found.'])
})

test('what amphorae cannot do is refused where amphorae have to do it', async () => {
  const enabled_provider_drivers = { amphora: '', noop_driver: '' }
  const harness = createHarness({ settings: { enabled_provider_drivers } })
  for (const [provider, status] of [
    ['amphora', 501],
    ['noop_driver', 201],
  ]) {
    const pools = [{ name: 'p', protocol: 'HTTP', lb_algorithm: 'SOURCE_IP_PORT' }]
    const loadbalancer = { ...CREATE.loadbalancer, provider, pools }
    const answer = await harness.send('POST', '/v2/loadbalancers', { loadbalancer })
    expect([provider, answer.status]).toEqual([provider, status])
  }
})

test('a body over the limit is 413, announced or not', async () => {
  const harness = createHarness()
  const text = JSON.stringify({ loadbalancer: { name: 'x'.repeat(10 << 20) } })
  const answer = await harness.sendText('POST', '/v2/loadbalancers', text)
  expect([answer.status, answer.body.faultcode]).toEqual([413, 'Client'])
  const announced = await harness.sendText('POST', '/v2/loadbalancers', '{}', {
    'content-length': '999999999',
  })
  expect(announced.status).toBe(413)
})

test('project and tenant id are the same, from body or caller', async () => {
  const harness = createHarness()
  for (const name of ['project_id', 'tenant_id']) {
    const body = { loadbalancer: { ...CREATE.loadbalancer, [name]: 'mine' } }
    const { loadbalancer } = (await harness.send('POST', '/v2/loadbalancers', body)).body
    expect([loadbalancer.project_id, loadbalancer.tenant_id]).toEqual(['mine', 'mine'])
  }
  const none = await harness.send('POST', '/v2/loadbalancers', CREATE, { 'x-project-id': '' })
  expect([none.status, none.body.faultstring]).toEqual([
    400,
    'Validation failure: Missing project ID in request where one is required. ' +
      'An administrator should check the keystone settings in the Octavia configuration.',
  ])
})

test('an unexpected error shows nothing of itself, and a driver error what it means', async () => {
  const logged: unknown[] = []
  const log = {
    debug: () => {},
    info: () => {},
    warning: () => {},
    error: (message: string, fields?: unknown) => void logged.push([message, fields]),
    with: () => log,
  }
  const harness = createHarness({ api: { log } })
  harness.network.failure = new Error('secret detail')
  const bug = await harness.send('POST', '/v2/loadbalancers', CREATE)
  expect([bug.status, bug.body]).toEqual([
    500,
    { faultcode: 'Server', faultstring: 'Something unknown went wrong', debuginfo: null },
  ])
  expect(JSON.stringify(bug.body)).not.toContain('secret')
  expect(logged).toHaveLength(1)
  harness.network.failure = new DriverError({
    operation: 'allocate-vip',
    subject: 'load balancer x',
    reason: 'the network is down',
    retryable: true,
  })
  const driver = await harness.send('POST', '/v2/loadbalancers', CREATE)
  expect([driver.status, driver.body.faultstring]).toEqual([
    500,
    "Provider 'amphora' reports error: allocate-vip failed: the network is down",
  ])
  harness.network.failure = new AddressInUse('10.0.0.9', 'net')
  const taken = await harness.send('POST', '/v2/loadbalancers', CREATE)
  expect([taken.status, taken.body.faultstring]).toEqual([
    409,
    'The VIP IP address is already in use: 10.0.0.9 on network net.',
  ])
})

test('a refused caller is refused on every path but the open ones', async () => {
  const identify = async () => {
    throw new RoutingError(406)
  }
  const harness = createHarness({ api: { identity: { identify } } })
  expect((await harness.send('GET', '/v2/nothing')).status).toBe(406)
  expect((await harness.send('GET', '/v2/pools')).status).toBe(406)
  expect((await harness.send('GET', '/openapi.json')).status).toBe(200)
})

test('a caller without rights: 404 for what is missing, 403 for what is there', async () => {
  const caller = { user_id: null, project_id: 'other', roles: ['member'], is_admin: false }
  const admin = createHarness()
  const ids = await makeTree(admin)
  const harness = createHarness({
    api: { store: admin.store, identity: { identify: async () => caller } },
  })
  const missing = '00000000-0000-4000-8000-000000000000'
  for (const [method, path, body] of [
    ['GET', '/v2/loadbalancers', undefined],
    ['DELETE', '/v2/loadbalancers', undefined],
    ['PUT', '/v2/loadbalancers', { loadbalancer: { name: 'x' } }],
  ] as const) {
    expect((await harness.send(method, `${path}/${missing}`, body)).status).toBe(404)
    const answer = await harness.send(method, `${path}/${ids.lb}`, body)
    expect([answer.status, answer.body.faultstring]).toEqual([
      403,
      'Policy does not allow this request to be performed.',
    ])
  }
  expect((await harness.send('GET', '/v2/loadbalancers')).body.loadbalancers).toEqual([])
  expect((await harness.send('GET', '/v2/octavia/amphorae')).status).toBe(403)
  expect((await harness.send('GET', '/v2/octavia-lite/jobs')).status).toBe(403)
})

test('jobs are shown with their steps, without inputs and results', async () => {
  const harness = createHarness()
  await harness.send('POST', '/v2/loadbalancers', CREATE)
  const { jobs } = (await harness.send('GET', '/v2.0/octavia-lite/jobs?status=QUEUED')).body
  expect(jobs).toEqual([
    {
      id: expect.any(String),
      flow: 'load-balancer-create',
      load_balancer_id: expect.any(String),
      status: 'QUEUED',
      error: null,
      request_id: expect.stringMatching(/^req-/),
      created_ms: expect.any(Number),
      started_ms: null,
      finished_ms: null,
    },
  ])
  await harness.store.transaction((tx) =>
    tx
      .insertInto('job_step')
      .values({
        job_id: jobs[0].id,
        position: 0,
        name: 'build',
        status: 'DONE',
        attempts: 2,
        result: '"secret"',
        error: null,
        started_ms: 1,
        finished_ms: 2,
      })
      .execute(),
  )
  const one = await harness.send('GET', `/v2.0/octavia-lite/jobs/${jobs[0].id}`)
  expect(one.body.job.steps).toEqual([
    { name: 'build', status: 'DONE', attempts: 2, error: null, started_ms: 1, finished_ms: 2 },
  ])
  expect((await harness.send('GET', '/v2.0/octavia-lite/jobs?status=X')).status).toBe(400)
  expect((await harness.send('GET', '/v2.0/octavia-lite/jobs?limit=0')).status).toBe(400)
  expect((await harness.send('GET', '/v2.0/octavia-lite/jobs/x')).status).toBe(404)
})
