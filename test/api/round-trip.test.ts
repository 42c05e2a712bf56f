/** What is accepted comes back: from the answer, when shown, and in the list. */
import { expect, test } from 'vitest'
import { createHarness, makeTree, SUBNET, settle } from './harness.ts'
import type { Ids } from './scenario.ts'

const LBAAS = '/v2.0/lbaas'
const POOL = { protocol: 'TCP', lb_algorithm: 'LEAST_CONNECTIONS' }
const TLS = { protocol: 'TERMINATED_HTTPS', default_tls_container_ref: 'cert' }
const MONITOR = { delay: 7, timeout: 6, max_retries: 5, max_retries_down: 4 }
const HTTP_MONITOR = {
  ...{ http_method: 'HEAD', url_path: '/up?a=b', expected_codes: '200,202' },
  ...{ http_version: 1.1, domain_name: 'a.example' },
}

type Kind = readonly [what: string, wrapper: string, path: (ids: Ids) => string]
const LB: Kind = ['load balancer', 'loadbalancer', () => 'loadbalancers']
const LISTENER: Kind = ['listener', 'listener', () => 'listeners']
const POOLS: Kind = ['pool', 'pool', () => 'pools']
const MEMBER: Kind = ['member', 'member', (ids) => `pools/${ids.pool}/members`]
const HM: Kind = ['monitor', 'healthmonitor', () => 'healthmonitors']
const POLICY: Kind = ['policy', 'l7policy', () => 'l7policies']
const RULE: Kind = ['rule', 'rule', (ids) => `l7policies/${ids.policy}/rules`]

/** What is created; its parent is not shown under the same name. */
type Case = [kind: Kind, body: object, parent?: (ids: Ids) => object]
const CASES: readonly Case[] = [
  [LB, { vip_subnet_id: SUBNET, vip_address: '10.0.0.44', description: 'd' }],
  ...[
    { protocol: 'TCP', connection_limit: 5, allowed_cidrs: ['10.1.0.0/16'] },
    { protocol: 'HTTPS', timeout_client_data: 1, timeout_member_connect: 2 },
    { protocol: 'UDP', timeout_member_data: 3, timeout_tcp_inspect: 4 },
    { protocol: 'SCTP' },
    { protocol: 'PROMETHEUS' },
    {
      protocol: 'HTTP',
      insert_headers: { 'X-Forwarded-IP': 'true', 'X-Client-IP': 'true', 'X-Real-IP': 'true' },
    },
    {
      ...{ ...TLS, sni_container_refs: ['b', 'a'], client_ca_tls_container_ref: 'ca' },
      ...{ client_crl_container_ref: 'crl', client_authentication: 'OPTIONAL' },
      ...{ hsts_max_age: 9, hsts_include_subdomains: true, hsts_preload: true },
      insert_headers: { 'X-SSL-Client-Verify': 'true', 'X-SSL-Client-SHA1': 'true' },
    },
  ].map(
    (body): Case => [
      LISTENER,
      { protocol_port: 444, ...body },
      (ids) => ({ loadbalancer_id: ids.lb }),
    ],
  ),
  ...[
    ...['HTTP', 'HTTPS', 'TCP', 'UDP', 'SCTP', 'PROXY', 'PROXYV2'].map((protocol) => ({
      ...POOL,
      protocol,
    })),
    { ...POOL, session_persistence: { type: 'SOURCE_IP' } },
    { ...POOL, lb_algorithm: 'SOURCE_IP', protocol: 'HTTP', tls_enabled: true },
    {
      ...{ ...POOL, tls_enabled: true, tls_container_ref: 'cert', ca_tls_container_ref: 'ca' },
      ...{ crl_container_ref: 'crl', tls_ciphers: 'AES:SHA256', tls_versions: ['TLSv1.2'] },
      alpn_protocols: ['h2'],
    },
  ].map((body): Case => [POOLS, body, (ids) => ({ loadbalancer_id: ids.lb })]),
  [
    MEMBER,
    {
      ...{ address: '10.0.0.45', protocol_port: 1, weight: 0, backup: true, subnet_id: SUBNET },
      ...{ monitor_address: '10.0.0.46', monitor_port: 2 },
    },
  ],
  ...[
    { type: 'HTTP', ...HTTP_MONITOR },
    { type: 'HTTPS', ...HTTP_MONITOR },
    ...['TCP', 'PING', 'TLS-HELLO'].map((type) => ({ type })),
  ].map((body): Case => [HM, { ...MONITOR, ...body }, (ids) => ({ pool_id: ids.pool })]),
  [POLICY, { action: 'REJECT', position: 1 }, (ids) => ({ listener_id: ids.listener })],
  [RULE, { type: 'COOKIE', compare_type: 'CONTAINS', key: 'k', value: 'v', invert: true }],
]

test.each<Case>(CASES)('a %s: %j', async ([, wrapper, pathOf], body, parent) => {
  const harness = createHarness()
  const ids = await makeTree(harness)
  await harness.store.transaction((tx) => tx.deleteFrom('health_monitor').execute())
  const sent = { name: 'n', ...body, tags: ['b', 'a', 'b'], admin_state_up: false }
  // Rules have no name.
  if (wrapper === 'rule') delete (sent as { name?: string }).name
  const path = `${LBAAS}/${pathOf(ids)}`
  const plural = path.split('/').at(-1) ?? ''
  const made = await harness.send('POST', path, { [wrapper]: { ...sent, ...parent?.(ids) } })
  expect([made.status, made.body.faultstring]).toEqual([201, undefined])
  // Once each, and in their order, as upstream's rows of tags are.
  const expected = { ...sent, tags: ['a', 'b'] }
  const { id, created_at } = made.body[wrapper]
  expect(made.body[wrapper]).toMatchObject({ ...expected, provisioning_status: 'PENDING_CREATE' })
  // Without a zone, of the day on which the clock of tests stands.
  expect(created_at).toMatch(/^2026-01-02T03:\d\d:\d\d$/)
  await settle(harness)
  const shown = await harness.send('GET', `${path}/${id}`)
  expect(shown.body[wrapper]).toMatchObject({ ...expected, created_at, updated_at: null })
  const listed = await harness.send('GET', path)
  expect(listed.body[plural]).toContainEqual(shown.body[wrapper])
  const later = { tags: ['c'], admin_state_up: true }
  const changed = await harness.send('PUT', `${path}/${id}`, { [wrapper]: later })
  expect(changed.body[wrapper]).toMatchObject({ ...sent, ...later })
})

test('certificates by server name are replaced as a whole', async () => {
  const harness = createHarness()
  const { lb } = await makeTree(harness)
  const listener = { ...TLS, loadbalancer_id: lb, protocol_port: 444, sni_container_refs: ['a'] }
  const made = await harness.send('POST', `${LBAAS}/listeners`, { listener })
  await settle(harness)
  const path = `${LBAAS}/listeners/${made.body.listener.id}`
  const refs = { sni_container_refs: ['c', 'b'] }
  expect((await harness.send('PUT', path, { listener: refs })).status).toBe(200)
  expect((await harness.send('GET', path)).body.listener).toMatchObject(refs)
})

test('two listeners share a pool', async () => {
  const harness = createHarness()
  const ids = await makeTree(harness)
  const shared = { loadbalancer_id: ids.lb, protocol_port: 444, default_pool_id: ids.pool }
  const made = await harness.send('POST', `${LBAAS}/listeners`, {
    listener: { ...shared, protocol: 'HTTP' },
  })
  expect(made.status).toBe(201)
  const { body } = await harness.send('GET', `${LBAAS}/pools/${ids.pool}`)
  const listeners = body.pool.listeners.map(({ id }: { id: string }) => id)
  expect(listeners.sort()).toEqual([ids.listener, made.body.listener.id].sort())
})

test('a fully populated request has certificates and prefixes', async () => {
  const harness = createHarness()
  const listener = {
    ...{ ...TLS, protocol_port: 443, allowed_cidrs: ['10.0.0.0/8'], sni_container_refs: ['a'] },
    ...{ client_ca_tls_container_ref: 'ca', client_authentication: 'MANDATORY' },
  }
  const { status, body } = await harness.send('POST', `${LBAAS}/loadbalancers`, {
    loadbalancer: { vip_subnet_id: SUBNET, listeners: [listener] },
  })
  expect([status, body.faultstring]).toEqual([201, undefined])
  expect(body.loadbalancer.listeners).toMatchObject([listener])
})

test('a UUID without dashes is the same', async () => {
  const harness = createHarness()
  const { lb } = await makeTree(harness)
  const bare = { loadbalancer_id: lb.replaceAll('-', ''), protocol: 'TCP', protocol_port: 444 }
  const { status, body } = await harness.send('POST', `${LBAAS}/listeners`, { listener: bare })
  expect([status, body.listener?.loadbalancers]).toEqual([201, [{ id: lb }]])
})
