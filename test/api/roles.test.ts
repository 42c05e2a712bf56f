/** Every route by callers with every role: who gets in, and that the others change nothing. */
import { expect, test } from 'vitest'
import { createHeaderIdentity } from '../../src/api/identity.ts'
import { createPolicy, DEFAULT_POLICY_OPTIONS } from '../../src/policy/check.ts'
import { createHarness, makeTree, PROJECT, SUBNET, settle } from './harness.ts'

const OTHER = 'fedcba9876543210fedcba9876543210'
/** Caller, as the headers of `auth_strategy = "testing"`. */
const CALLERS = {
  admin: ['admin', OTHER],
  member: ['member,reader', PROJECT],
  reader: ['reader', PROJECT],
  stranger: ['member,reader', OTHER],
  norole: ['', PROJECT],
  service: ['service', OTHER],
  lbadmin: ['load-balancer_admin', OTHER],
  lbmember: ['load-balancer_member', PROJECT],
  lbobserver: ['load-balancer_observer', PROJECT],
  lbglobal: ['load-balancer_global_observer', OTHER],
  lbquota: ['load-balancer_quota_admin', OTHER],
} as const
type Who = keyof typeof CALLERS

const READERS: readonly Who[] = ['admin', 'member', 'reader']
const OLD_READERS: readonly Who[] = ['lbadmin', 'lbmember', 'lbobserver', 'lbglobal']
const WRITERS: readonly Who[] = ['admin', 'member']
const OLD_WRITERS: readonly Who[] = ['lbadmin', 'lbmember']
const GROUPS = {
  read: [READERS, OLD_READERS],
  // Everybody reads what belongs to no project, if he reads anywhere.
  readAnywhere: [[...READERS, 'stranger'], OLD_READERS],
  readOrService: [[...READERS, 'service'], OLD_READERS],
  write: [WRITERS, OLD_WRITERS],
  admin: [['admin'], ['lbadmin']],
} as const satisfies Record<string, readonly [readonly Who[], readonly Who[]]>

type Ids = Awaited<ReturnType<typeof makeTree>>
interface Route {
  readonly request: string
  readonly path: (ids: Ids) => string
  readonly body?: (ids: Ids) => unknown
  readonly group: keyof typeof GROUPS
}
const LB = '/v2.0/lbaas'
const member = { address: '10.0.0.30', protocol_port: 80 }
const route = (
  request: string,
  path: Route['path'],
  group: Route['group'],
  body?: Route['body'],
): Route => ({ request, path, group, ...(body === undefined ? {} : { body }) })

const ROUTES: readonly Route[] = [
  route(
    'POST',
    () => `${LB}/loadbalancers`,
    'write',
    () => ({
      loadbalancer: { vip_subnet_id: SUBNET, project_id: PROJECT },
    }),
  ),
  route('GET', (ids) => `${LB}/loadbalancers/${ids.lb}`, 'read'),
  route('GET', () => `${LB}/loadbalancers?project_id=${PROJECT}`, 'read'),
  route('GET', (ids) => `${LB}/loadbalancers/${ids.lb}/stats`, 'read'),
  route('GET', (ids) => `${LB}/loadbalancers/${ids.lb}/status`, 'read'),
  route(
    'PUT',
    (ids) => `${LB}/loadbalancers/${ids.lb}`,
    'write',
    () => ({ loadbalancer: {} }),
  ),
  route('DELETE', (ids) => `${LB}/loadbalancers/${ids.lb}?cascade=true`, 'write'),
  route('PUT', (ids) => `${LB}/loadbalancers/${ids.lb}/failover`, 'admin'),
  route(
    'POST',
    () => `${LB}/listeners`,
    'write',
    (ids) => ({
      listener: { loadbalancer_id: ids.lb, protocol: 'TCP', protocol_port: 443 },
    }),
  ),
  route('GET', (ids) => `${LB}/listeners/${ids.listener}`, 'read'),
  route('GET', () => `${LB}/listeners?project_id=${PROJECT}`, 'read'),
  route('GET', (ids) => `${LB}/listeners/${ids.listener}/stats`, 'read'),
  route(
    'PUT',
    (ids) => `${LB}/listeners/${ids.listener}`,
    'write',
    () => ({ listener: {} }),
  ),
  route('DELETE', (ids) => `${LB}/listeners/${ids.listener}`, 'write'),
  route(
    'POST',
    () => `${LB}/pools`,
    'write',
    (ids) => ({
      pool: { loadbalancer_id: ids.lb, protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN' },
    }),
  ),
  route('GET', (ids) => `${LB}/pools/${ids.pool}`, 'read'),
  route('GET', () => `${LB}/pools?project_id=${PROJECT}`, 'read'),
  route(
    'PUT',
    (ids) => `${LB}/pools/${ids.pool}`,
    'write',
    () => ({ pool: {} }),
  ),
  route('DELETE', (ids) => `${LB}/pools/${ids.pool}`, 'write'),
  route(
    'POST',
    (ids) => `${LB}/pools/${ids.pool}/members`,
    'write',
    () => ({ member }),
  ),
  route('GET', (ids) => `${LB}/pools/${ids.pool}/members`, 'readOrService'),
  route('GET', (ids) => `${LB}/pools/${ids.pool}/members/${ids.member}`, 'read'),
  route(
    'PUT',
    (ids) => `${LB}/pools/${ids.pool}/members/${ids.member}`,
    'write',
    () => ({
      member: {},
    }),
  ),
  route(
    'PUT',
    (ids) => `${LB}/pools/${ids.pool}/members`,
    'write',
    () => ({ members: [member] }),
  ),
  route('DELETE', (ids) => `${LB}/pools/${ids.pool}/members/${ids.member}`, 'write'),
  route('GET', (ids) => `${LB}/healthmonitors/${ids.monitor}`, 'read'),
  route('GET', () => `${LB}/healthmonitors?project_id=${PROJECT}`, 'read'),
  route(
    'PUT',
    (ids) => `${LB}/healthmonitors/${ids.monitor}`,
    'write',
    () => ({
      healthmonitor: {},
    }),
  ),
  route('DELETE', (ids) => `${LB}/healthmonitors/${ids.monitor}`, 'write'),
  route('GET', () => '/v2.0/octavia/amphorae', 'admin'),
  route('GET', () => `${LB}/providers`, 'readAnywhere'),
  route('GET', () => '/v2.0/octavia-lite/jobs', 'admin'),
]

const headersOf = (who: Who) => ({ 'x-roles': CALLERS[who][0], 'x-project-id': CALLERS[who][1] })

async function openTree(enforce_new_defaults: boolean) {
  const harness = createHarness({
    api: {
      identity: createHeaderIdentity({ is_admin: false, default_project_id: null }),
      policy: createPolicy({ ...DEFAULT_POLICY_OPTIONS, enforce_new_defaults }),
    },
  })
  const asMember = {
    ...harness,
    send: (method: string, path: string, body?: unknown) =>
      harness.send(method, path, body, headersOf('member')),
  }
  return { harness, ids: await makeTree(asMember) }
}

const nameOf = ({ request, path }: Route): string => {
  const names = {
    lb: 'LB',
    listener: 'LISTENER',
    pool: 'POOL',
    member: 'MEMBER',
    monitor: 'HM',
    policy: 'POLICY',
    rule: 'RULE',
  }
  return `${request} ${path(names)}`
}

for (const enforce_new_defaults of [true, false])
  test.each(ROUTES.map((each) => [nameOf(each), each] as const))(
    `%s, ${enforce_new_defaults ? 'with' : 'without'} enforce_new_defaults`,
    async (_name, { request, path, body, group }) => {
      const [now, before] = GROUPS[group] as readonly [readonly Who[], readonly Who[]]
      const expected = new Set([...now, ...(enforce_new_defaults ? [] : before)])
      const { harness, ids } = await openTree(enforce_new_defaults)
      // Those who may not first: whatever they did would be seen by the comparison.
      const rows = await harness.dump()
      for (const who of Object.keys(CALLERS) as Who[]) {
        if (expected.has(who)) continue
        const answer = await harness.send(request, path(ids), body?.(ids), headersOf(who))
        expect([who, answer.status, answer.body.faultstring]).toEqual([
          who,
          403,
          'Policy does not allow this request to be performed.',
        ])
      }
      expect(await harness.dump()).toEqual(rows)
      for (const who of expected) {
        const fresh = await openTree(enforce_new_defaults)
        const answer = await fresh.harness.send(
          request,
          path(fresh.ids),
          body?.(fresh.ids),
          headersOf(who),
        )
        // 501: failover is allowed, and not there yet.
        expect([who, answer.status < 300 || answer.status === 501]).toEqual([who, true])
      }
    },
  )

test('who reads everywhere lists all projects, others their own', async () => {
  const { harness } = await openTree(false)
  const theirs = { 'x-roles': 'member,reader', 'x-project-id': OTHER }
  const body = { loadbalancer: { vip_subnet_id: SUBNET } }
  expect((await harness.send('POST', `${LB}/loadbalancers`, body, theirs)).status).toBe(201)
  await settle(harness)
  const count = async (who: Who, query = '') => {
    const { body: answer } = await harness.send(
      'GET',
      `${LB}/loadbalancers${query}`,
      undefined,
      headersOf(who),
    )
    return answer.loadbalancers?.length ?? answer.faultstring
  }
  const refused = 'Policy does not allow this request to be performed.'
  expect(await count('admin')).toBe(2)
  expect(await count('lbglobal')).toBe(2)
  expect(await count('admin', `?project_id=${PROJECT}`)).toBe(1)
  expect(await count('member')).toBe(1)
  expect(await count('stranger')).toBe(1)
  expect(await count('stranger', `?project_id=${PROJECT}`)).toBe(refused)
  expect(await count('norole')).toBe(refused)
})

test('a missing object is 404 also to those without rights', async () => {
  const { harness } = await openTree(true)
  for (const what of ['loadbalancers', 'listeners', 'pools', 'healthmonitors']) {
    const path = `${LB}/${what}/00000000-0000-4000-8000-000000000000`
    expect((await harness.send('GET', path, undefined, headersOf('norole'))).status).toBe(404)
  }
})

test('vip_sg_ids has a rule of its own, asked only where the key is sent', async () => {
  const overrides = new Map([
    ['os_load-balancer_api:loadbalancer:put:vip_sg_ids', { rule: 'role:admin', where: 'f:1' }],
  ])
  const harness = createHarness({
    api: {
      identity: createHeaderIdentity({ is_admin: false, default_project_id: null }),
      policy: createPolicy({ ...DEFAULT_POLICY_OPTIONS, overrides }),
    },
  })
  const headers = headersOf('member')
  const send = (method: string, path: string, body?: unknown) =>
    harness.send(method, path, body, headers)
  const { lb } = await makeTree({ ...harness, send })
  const put = async (loadbalancer: object) =>
    (await send('PUT', `${LB}/loadbalancers/${lb}`, { loadbalancer })).status
  expect(await put({ vip_sg_ids: [] })).toBe(403)
  expect(await put({ name: 'b' })).toBe(200)
})
