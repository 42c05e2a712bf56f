/** Requests as rows: what is sent, what is answered, and what changed in the database. */
import { describe, expect, test } from 'vitest'
import { createHarness, type Harness, makeTree, SUBNET, settle } from './harness.ts'
import { type Ids, play, type Scenario } from './scenario.ts'

const NIL = '00000000-0000-4000-8000-000000000000'
const setStatus =
  (table: string, status: string) =>
  ({ store }: Harness) =>
    store.transaction((tx) => tx.updateTable(table).set({ provisioning_status: status }).execute())

const listenerBody = (ids: Ids, over: object = {}) => ({
  listener: { loadbalancer_id: ids.lb, protocol: 'TCP', protocol_port: 443, ...over },
})
const poolBody = (ids: Ids, over: object = {}) => ({
  pool: { loadbalancer_id: ids.lb, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', ...over },
})
const memberBody = (over: object = {}) => ({
  member: { address: '10.0.0.21', protocol_port: 80, ...over },
})
const LB = '/v2.0/lbaas/loadbalancers'
const LISTENERS = '/v2.0/lbaas/listeners'
const POOLS = '/v2.0/lbaas/pools'
const MONITORS = '/v2.0/lbaas/healthmonitors'
const membersOf = (ids: Ids) => `${POOLS}/${ids.pool}/members`

const SCENARIOS: readonly Scenario[] = [
  // Load balancer
  {
    name: 'a load balancer is created with its VIP',
    request: () => ['POST', LB, { loadbalancer: { name: 'a', vip_subnet_id: SUBNET } }],
    status: 201,
    body: () => ({
      loadbalancer: {
        name: 'a',
        provisioning_status: 'PENDING_CREATE',
        operating_status: 'OFFLINE',
        provider: 'amphora',
        vip_subnet_id: SUBNET,
        listeners: [],
        pools: [],
        vip_sg_ids: [],
        additional_vips: [],
        updated_at: null,
      },
    }),
    job: () => ['load-balancer-create', { amphorae: [{ role: 'STANDALONE' }] }],
  },
  {
    name: 'a load balancer is renamed',
    request: (ids) => ['PUT', `${LB}/${ids.lb}`, { loadbalancer: { name: 'b', tags: ['x'] } }],
    status: 200,
    body: () => ({
      loadbalancer: { name: 'b', tags: ['x'], provisioning_status: 'PENDING_UPDATE' },
    }),
    job: (ids) => ['load-balancer-update', { load_balancer_id: ids.lb }],
  },
  {
    name: 'null names become empty and null admin_state_up false',
    request: (ids) => [
      'PUT',
      `${LB}/${ids.lb}`,
      { loadbalancer: { name: null, description: null, admin_state_up: null } },
    ],
    status: 200,
    body: () => ({ loadbalancer: { name: '', description: '', admin_state_up: false } }),
  },
  {
    name: 'an empty update is harmless',
    request: (ids) => ['PUT', `${LB}/${ids.lb}`, { loadbalancer: {} }],
    status: 200,
  },
  {
    name: 'a busy load balancer is not changed',
    given: setStatus('load_balancer', 'PENDING_UPDATE'),
    request: (ids) => ['PUT', `${LB}/${ids.lb}`, { loadbalancer: { name: 'b' } }],
    status: 409,
    fault: (ids) => `Invalid state PENDING_UPDATE of loadbalancer resource ${ids.lb}`,
  },
  {
    name: 'fields fixed at creation are unknown to an update',
    request: (ids) => ['PUT', `${LB}/${ids.lb}`, { loadbalancer: { vip_address: '10.0.0.9' } }],
    status: 400,
    fault: 'Unknown attribute for argument load_balancer.loadbalancer: vip_address',
  },
  {
    name: 'a load balancer with children is not deleted',
    request: (ids) => ['DELETE', `${LB}/${ids.lb}`],
    status: 400,
    fault: (ids) => `Validation failure: Cannot delete Load Balancer ${ids.lb} - it has children`,
  },
  {
    name: 'a cascading delete takes them too',
    request: (ids) => ['DELETE', `${LB}/${ids.lb}?cascade=True`],
    status: 204,
    rows: (ids) => ({ load_balancer: [{ id: ids.lb, provisioning_status: 'PENDING_DELETE' }] }),
    job: (ids) => ['load-balancer-delete', { load_balancer_id: ids.lb, cascade: true }],
  },
  {
    name: 'an ERROR load balancer can be deleted',
    given: setStatus('load_balancer', 'ERROR'),
    request: (ids) => ['DELETE', `${LB}/${ids.lb}?cascade=true`],
    status: 204,
  },
  {
    name: 'a busy load balancer is not deleted',
    given: setStatus('load_balancer', 'PENDING_CREATE'),
    request: (ids) => ['DELETE', `${LB}/${ids.lb}?cascade=true`],
    status: 409,
    fault: (ids) => `Invalid state PENDING_CREATE of loadbalancer resource ${ids.lb}`,
  },
  {
    name: 'a deleted load balancer is not found',
    given: setStatus('load_balancer', 'DELETED'),
    request: (ids) => ['GET', `${LB}/${ids.lb}`],
    status: 404,
    fault: (ids) => `Load Balancer ${ids.lb} not found.`,
  },
  {
    name: 'a deleted load balancer is not in lists',
    given: setStatus('load_balancer', 'DELETED'),
    request: () => ['GET', LB],
    status: 200,
    body: () => ({ loadbalancers: [] }),
  },
  {
    name: 'an unknown query parameter of a change is refused',
    request: (ids) => ['DELETE', `${LB}/${ids.lb}?force=true`],
    status: 400,
    fault: 'Unknown argument: "force"',
  },
  {
    name: 'a load balancer is failed over',
    request: (ids) => ['PUT', `${LB}/${ids.lb}/failover`],
    status: 202,
    rows: (ids) => ({ load_balancer: [{ id: ids.lb, provisioning_status: 'PENDING_UPDATE' }] }),
    job: (ids) => [
      'load-balancer-failover',
      { load_balancer_id: ids.lb, replacements: [{ role: 'STANDALONE', replaces: [] }] },
    ],
  },
  {
    name: 'a load balancer in ERROR is failed over',
    given: setStatus('load_balancer', 'ERROR'),
    request: (ids) => ['PUT', `${LB}/${ids.lb}/failover`],
    status: 202,
  },
  {
    name: 'a busy load balancer is not failed over',
    given: setStatus('load_balancer', 'PENDING_UPDATE'),
    request: (ids) => ['PUT', `${LB}/${ids.lb}/failover`],
    status: 409,
    fault: (ids) => `Invalid state PENDING_UPDATE of loadbalancer resource ${ids.lb}`,
  },
  {
    name: 'the status tree shows everything under a listener',
    request: (ids) => ['GET', `${LB}/${ids.lb}/statuses`],
    status: 200,
    body: (ids) => ({
      statuses: {
        loadbalancer: {
          id: ids.lb,
          listeners: [
            {
              id: ids.listener,
              name: 'front',
              pools: [
                {
                  id: ids.pool,
                  health_monitor: { id: ids.monitor, type: 'HTTP' },
                  members: [{ id: ids.member, address: '10.0.0.20', protocol_port: 8080 }],
                },
              ],
            },
          ],
        },
      },
    }),
  },
  // Listener
  {
    name: 'a listener is created with upstream defaults',
    request: (ids) => ['POST', LISTENERS, listenerBody(ids)],
    status: 201,
    body: (ids) => ({
      listener: {
        loadbalancers: [{ id: ids.lb }],
        provisioning_status: 'PENDING_CREATE',
        connection_limit: -1,
        timeout_client_data: 50000,
        insert_headers: {},
        allowed_cidrs: null,
        sni_container_refs: [],
        tls_versions: null,
        client_authentication: 'NONE',
        l7policies: [],
      },
    }),
    rows: (ids) => ({ load_balancer: [{ id: ids.lb, provisioning_status: 'PENDING_UPDATE' }] }),
    job: (ids) => ['listener-create', { load_balancer_id: ids.lb }],
  },
  {
    name: 'a listener of an unknown load balancer is not created',
    request: (ids) => ['POST', LISTENERS, listenerBody(ids, { loadbalancer_id: NIL })],
    status: 404,
    fault: `Load Balancer ${NIL} not found.`,
  },
  {
    name: 'a port is used once per layer 4 protocol',
    request: (ids) => ['POST', LISTENERS, listenerBody(ids, { protocol_port: 80 })],
    status: 409,
    fault:
      'Another Listener on this Load Balancer is already using protocol HTTP and protocol_port 80',
  },
  {
    name: 'a busy load balancer takes no listener',
    given: setStatus('load_balancer', 'PENDING_UPDATE'),
    request: (ids) => ['POST', LISTENERS, listenerBody(ids)],
    status: 409,
    fault: (ids) => `Load Balancer ${ids.lb} is immutable and cannot be updated.`,
  },
  {
    name: 'missing mandatory fields are named',
    request: (ids) => ['POST', LISTENERS, { listener: { loadbalancer_id: ids.lb } }],
    status: 400,
    fault: "Invalid input for field/attribute protocol. Value: 'None'. Mandatory field missing.",
  },
  {
    name: 'prefixes are normalised',
    request: (ids) => [
      'POST',
      LISTENERS,
      listenerBody(ids, { allowed_cidrs: ['10.0.1.7/24', '192.0.2.1'] }),
    ],
    status: 201,
    body: () => ({
      listener: { allowed_cidrs: ['10.0.1.0/24', '192.0.2.1/32'] },
    }),
  },
  {
    name: 'no prefixes are null',
    request: (ids) => ['PUT', `${LISTENERS}/${ids.listener}`, { listener: { allowed_cidrs: [] } }],
    status: 200,
    body: () => ({ listener: { allowed_cidrs: null } }),
  },
  {
    name: 'prefixes must fit the family of a VIP',
    request: (ids) => ['POST', LISTENERS, listenerBody(ids, { allowed_cidrs: ['2001:db8::/32'] })],
    status: 400,
    fault:
      'Validation failure: CIDR 2001:db8::/32 IP version incompatible with all VIPs ' +
      "['10.0.0.100'] IP version.",
  },
  {
    name: 'what is no prefix is refused',
    request: (ids) => ['POST', LISTENERS, listenerBody(ids, { allowed_cidrs: ['10.0.0.0/33'] })],
    status: 400,
    fault:
      "Invalid input for field/attribute allowed_cidrs. Value: '['10.0.0.0/33']'. " +
      'Value should be IPv4 or IPv6 CIDR format',
  },
  {
    name: 'headers are inserted by HTTP listeners only',
    request: (ids) => [
      'POST',
      LISTENERS,
      listenerBody(ids, { insert_headers: { 'X-Forwarded-For': 'true' } }),
    ],
    status: 400,
    fault: 'insert-headers is not a valid option for a TCP protocol listener.',
  },
  {
    name: 'only known headers are inserted',
    request: (ids) => [
      'PUT',
      `${LISTENERS}/${ids.listener}`,
      { listener: { insert_headers: { 'X-Evil\n': 'true' } } },
    ],
    status: 400,
    fault: "['X-Evil?'] is not a valid option for insert_headers",
  },
  {
    name: 'certificates need TLS listeners',
    request: (ids) => [
      'POST',
      LISTENERS,
      listenerBody(ids, { default_tls_container_ref: 'https://barbican/x' }),
    ],
    status: 400,
    fault:
      'Validation failure: Certificate container references are not allowed on TCP protocol listeners.',
  },
  {
    name: 'HSTS needs TLS listeners',
    request: (ids) => ['POST', LISTENERS, listenerBody(ids, { hsts_max_age: 1 })],
    status: 400,
    fault:
      'Validation failure: The HSTS feature can only be used for listeners using the ' +
      'TERMINATED_HTTPS protocol.',
  },
  {
    name: 'the same fields at their defaults are accepted',
    request: (ids) => [
      'POST',
      LISTENERS,
      listenerBody(ids, {
        sni_container_refs: null,
        tls_ciphers: null,
        alpn_protocols: null,
        client_authentication: 'NONE',
        hsts_preload: false,
      }),
    ],
    status: 201,
  },
  {
    name: 'a null limit is the default again',
    request: (ids) => [
      'PUT',
      `${LISTENERS}/${ids.listener}`,
      { listener: { connection_limit: null, timeout_client_data: null } },
    ],
    status: 200,
    body: () => ({ listener: { connection_limit: -1, timeout_client_data: 50000 } }),
    rows: (ids) => ({ listener: [{ id: ids.listener, provisioning_status: 'PENDING_UPDATE' }] }),
    job: (ids) => ['listener-update', { load_balancer_id: ids.lb, id: ids.listener }],
  },
  {
    name: 'a default pool of nowhere is not found',
    request: (ids) => [
      'PUT',
      `${LISTENERS}/${ids.listener}`,
      { listener: { default_pool_id: NIL } },
    ],
    status: 404,
    fault: `Pool ${NIL} not found.`,
  },
  {
    name: 'a default pool is detached by null',
    request: (ids) => [
      'PUT',
      `${LISTENERS}/${ids.listener}`,
      { listener: { default_pool_id: null } },
    ],
    status: 200,
    body: () => ({ listener: { default_pool_id: null } }),
  },
  {
    name: 'an ERROR listener can be deleted',
    given: setStatus('listener', 'ERROR'),
    request: (ids) => ['DELETE', `${LISTENERS}/${ids.listener}`],
    status: 204,
    rows: (ids) => ({ listener: [{ id: ids.listener, provisioning_status: 'PENDING_DELETE' }] }),
    job: (ids) => ['listener-delete', { load_balancer_id: ids.lb, id: ids.listener }],
  },
  {
    name: 'statistics of a listener begin at zero',
    request: (ids) => ['GET', `${LISTENERS}/${ids.listener}/stats`],
    status: 200,
    body: () => ({ stats: { bytes_in: 0, active_connections: 0, request_errors: 0 } }),
  },
  // Pool
  {
    name: 'a pool is created on a load balancer',
    request: (ids) => ['POST', POOLS, poolBody(ids, { listener_id: null })],
    status: 201,
    body: (ids) => ({
      pool: {
        loadbalancers: [{ id: ids.lb }],
        listeners: [],
        members: [],
        session_persistence: null,
        tls_enabled: false,
        provisioning_status: 'PENDING_CREATE',
      },
    }),
    job: (ids) => ['pool-create', { load_balancer_id: ids.lb }],
  },
  {
    name: 'a listener has one default pool',
    request: (ids) => ['POST', POOLS, poolBody(ids, { listener_id: ids.listener })],
    status: 409,
    fault: 'This listener already has a default pool',
  },
  {
    name: 'a pool is created on a listener that has none',
    given: ({ store }) =>
      store.transaction((tx) =>
        tx.updateTable('listener').set({ default_pool_id: null }).execute(),
      ),
    request: (ids) => [
      'POST',
      POOLS,
      poolBody(ids, { loadbalancer_id: null, listener_id: ids.listener }),
    ],
    status: 201,
    body: (ids) => ({ pool: { listeners: [{ id: ids.listener }] } }),
    rows: (ids) => ({ listener: [{ id: ids.listener, provisioning_status: 'PENDING_UPDATE' }] }),
  },
  {
    name: 'protocols of listener and pool must fit',
    given: ({ store }) =>
      store.transaction((tx) =>
        tx.updateTable('listener').set({ default_pool_id: null }).execute(),
      ),
    request: (ids) => [
      'POST',
      POOLS,
      poolBody(ids, { listener_id: ids.listener, protocol: 'TCP' }),
    ],
    status: 400,
    fault:
      "Validation failure: The pool protocol 'TCP' is invalid while the listener protocol is 'HTTP'.",
  },
  {
    name: 'a pool needs a parent',
    request: (ids) => ['POST', POOLS, poolBody(ids, { loadbalancer_id: undefined })],
    status: 400,
    fault: 'Validation failure: Must provide at least one of: loadbalancer_id, listener_id',
  },
  {
    name: 'an algorithm which the amphora does not have is a 501',
    request: (ids) => ['POST', POOLS, poolBody(ids, { lb_algorithm: 'SOURCE_IP_PORT' })],
    status: 501,
  },
  {
    name: 'APP_COOKIE needs a cookie name',
    request: (ids) => [
      'POST',
      POOLS,
      poolBody(ids, { session_persistence: { type: 'APP_COOKIE' } }),
    ],
    status: 400,
    fault:
      'Validation failure: Field "cookie_name" must be specified when using the "APP_COOKIE" ' +
      'session persistence type.',
  },
  {
    name: 'a cookie name is a token',
    request: (ids) => [
      'POST',
      POOLS,
      poolBody(ids, { session_persistence: { type: 'APP_COOKIE', cookie_name: 'a b' } }),
    ],
    status: 400,
  },
  {
    name: 'session persistence is shown with all its parts',
    request: (ids) => [
      'POST',
      POOLS,
      poolBody(ids, { session_persistence: { type: 'SOURCE_IP' } }),
    ],
    status: 201,
    body: () => ({
      pool: {
        session_persistence: {
          type: 'SOURCE_IP',
          cookie_name: null,
          persistence_timeout: null,
          persistence_granularity: null,
        },
      },
    }),
  },
  {
    name: 'session persistence is removed by {}',
    given: ({ store }) =>
      store.transaction((tx) =>
        tx.updateTable('pool').set({ session_persistence: '{"type":"SOURCE_IP"}' }).execute(),
      ),
    request: (ids) => ['PUT', `${POOLS}/${ids.pool}`, { pool: { session_persistence: {} } }],
    status: 200,
    body: () => ({ pool: { session_persistence: null, provisioning_status: 'PENDING_UPDATE' } }),
    rows: (ids) => ({ listener: [{ id: ids.listener, provisioning_status: 'PENDING_UPDATE' }] }),
  },
  {
    name: 'a pool is deleted with its listener touched',
    request: (ids) => ['DELETE', `${POOLS}/${ids.pool}`],
    status: 204,
    rows: (ids) => ({
      pool: [{ id: ids.pool, provisioning_status: 'PENDING_DELETE' }],
      listener: [{ id: ids.listener, provisioning_status: 'PENDING_UPDATE' }],
    }),
    job: (ids) => ['pool-delete', { load_balancer_id: ids.lb, id: ids.pool }],
  },
  // Member
  {
    name: 'a member of a pool with a monitor is OFFLINE at first',
    request: (ids) => ['POST', membersOf(ids), memberBody()],
    status: 201,
    body: () => ({
      member: { weight: 1, backup: false, operating_status: 'OFFLINE', vnic_type: 'normal' },
    }),
    rows: (ids) => ({
      load_balancer: [{ id: ids.lb, provisioning_status: 'PENDING_UPDATE' }],
      listener: [{ id: ids.listener, provisioning_status: 'PENDING_UPDATE' }],
      pool: [{ id: ids.pool, provisioning_status: 'PENDING_UPDATE' }],
    }),
    job: (ids) => ['member-create', { load_balancer_id: ids.lb }],
  },
  {
    name: 'a member of a pool without one has no monitor',
    given: ({ store }) => store.transaction((tx) => tx.deleteFrom('health_monitor').execute()),
    request: (ids) => ['POST', membersOf(ids), memberBody()],
    status: 201,
    body: () => ({ member: { operating_status: 'NO_MONITOR' } }),
  },
  {
    name: 'an address and port is a member once',
    request: (ids) => [
      'POST',
      membersOf(ids),
      memberBody({ address: '10.0.0.20', protocol_port: 8080 }),
    ],
    status: 409,
    fault: 'Another member on this pool is already using ip 10.0.0.20 on protocol_port 8080',
  },
  {
    name: 'the metadata service is no member',
    request: (ids) => ['POST', membersOf(ids), memberBody({ address: '169.254.169.254' })],
    status: 400,
    fault: '169.254.169.254 is not a valid option for member address',
  },
  {
    name: 'the subnet of a member must exist',
    request: (ids) => ['POST', membersOf(ids), memberBody({ subnet_id: NIL })],
    status: 400,
    fault: `Subnet ${NIL} not found.`,
  },
  {
    name: 'SR-IOV needs a flavor',
    request: (ids) => ['POST', membersOf(ids), memberBody({ request_sriov: true })],
    status: 400,
    fault: 'The load balancer flavor does not allow SR-IOV member ports.',
  },
  {
    name: 'a pool that is not ACTIVE takes no member',
    given: setStatus('pool', 'ERROR'),
    request: (ids) => ['POST', membersOf(ids), memberBody()],
    status: 409,
    fault: (ids) => `Pool ${ids.pool} is immutable and cannot be updated.`,
  },
  {
    name: 'members of an unknown pool are not found',
    request: () => ['GET', `${POOLS}/${NIL}/members`],
    status: 404,
    fault: `Pool ${NIL} not found.`,
  },
  {
    name: 'an unknown member is not found',
    request: (ids) => ['DELETE', `${membersOf(ids)}/${NIL}`],
    status: 404,
    fault: `Member ${NIL} not found.`,
  },
  {
    name: 'a null weight is one',
    request: (ids) => ['PUT', `${membersOf(ids)}/${ids.member}`, { member: { weight: null } }],
    status: 200,
    body: () => ({ member: { weight: 1, provisioning_status: 'PENDING_UPDATE' } }),
    job: (ids) => ['member-update', { load_balancer_id: ids.lb, id: ids.member }],
  },
  {
    name: 'a weight has bounds',
    request: (ids) => ['PUT', `${membersOf(ids)}/${ids.member}`, { member: { weight: 257 } }],
    status: 400,
    fault:
      "Invalid input for field/attribute weight. Value: '257'. Value should be lower or equal to 256",
  },
  {
    name: 'a member is deleted',
    request: (ids) => ['DELETE', `${membersOf(ids)}/${ids.member}`],
    status: 204,
    rows: (ids) => ({ member: [{ id: ids.member, provisioning_status: 'PENDING_DELETE' }] }),
    job: (ids) => ['member-delete', { load_balancer_id: ids.lb, id: ids.member }],
  },
  // Health monitor
  {
    name: 'a pool has one monitor',
    request: (ids) => [
      'POST',
      MONITORS,
      {
        healthmonitor: { pool_id: ids.pool, type: 'TCP', delay: 1, timeout: 1, max_retries: 1 },
      },
    ],
    status: 409,
    fault: 'This pool already has a health monitor',
  },
  {
    name: 'a TCP monitor has no HTTP fields',
    given: ({ store }) => store.transaction((tx) => tx.deleteFrom('health_monitor').execute()),
    request: (ids) => [
      'POST',
      MONITORS,
      {
        healthmonitor: {
          pool_id: ids.pool,
          type: 'TCP',
          delay: 1,
          timeout: 1,
          max_retries: 1,
          url_path: '/x',
          http_method: null,
        },
      },
    ],
    status: 400,
    fault: 'url_path is not a valid option for health monitors of type TCP',
  },
  {
    name: 'null HTTP fields of a TCP monitor are as absent',
    given: ({ store }) => store.transaction((tx) => tx.deleteFrom('health_monitor').execute()),
    request: (ids) => [
      'POST',
      MONITORS,
      {
        healthmonitor: {
          pool_id: ids.pool,
          type: 'TCP',
          delay: 1,
          timeout: 1,
          max_retries: 1,
          url_path: null,
          http_method: null,
          expected_codes: null,
        },
      },
    ],
    status: 201,
    body: (ids) => ({
      healthmonitor: { pools: [{ id: ids.pool }], url_path: null, max_retries_down: 3 },
    }),
    job: (ids) => ['healthmonitor-create', { load_balancer_id: ids.lb }],
  },
  {
    name: 'a host name needs HTTP 1.1',
    request: (ids) => [
      'PUT',
      `${MONITORS}/${ids.monitor}`,
      { healthmonitor: { http_version: 1.0, domain_name: 'example.org' } },
    ],
    status: 400,
    fault:
      'http_version 1.0 is not a valid option for health monitors HTTP 1.1 domain name health check',
  },
  {
    name: 'a null delay is refused',
    request: (ids) => ['PUT', `${MONITORS}/${ids.monitor}`, { healthmonitor: { delay: null } }],
    status: 400,
    fault: 'None is not a valid option for delay',
  },
  {
    name: 'a null path is the default again',
    request: (ids) => ['PUT', `${MONITORS}/${ids.monitor}`, { healthmonitor: { url_path: null } }],
    status: 200,
    body: () => ({ healthmonitor: { url_path: '/', provisioning_status: 'PENDING_UPDATE' } }),
    job: (ids) => ['healthmonitor-update', { load_balancer_id: ids.lb, id: ids.monitor }],
  },
  {
    name: 'a monitor is deleted',
    request: (ids) => ['DELETE', `${MONITORS}/${ids.monitor}`],
    status: 204,
    rows: (ids) => ({
      health_monitor: [{ id: ids.monitor, provisioning_status: 'PENDING_DELETE' }],
      pool: [{ id: ids.pool, provisioning_status: 'PENDING_UPDATE' }],
    }),
    job: (ids) => ['healthmonitor-delete', { load_balancer_id: ids.lb, id: ids.monitor }],
  },
]

describe('API', () => {
  test.each(SCENARIOS)('$name', (scenario) => play(scenario))

  test('every change of one load balancer is alone until it settles', async () => {
    const harness = createHarness()
    const ids = await makeTree(harness)
    const answers = await Promise.all([
      harness.send('POST', LISTENERS, listenerBody(ids)),
      harness.send('POST', membersOf(ids), memberBody()),
      harness.send('DELETE', `${LISTENERS}/${ids.listener}`),
      harness.send('PUT', `${LB}/${ids.lb}`, { loadbalancer: { name: 'x' } }),
    ])
    expect(answers.map((answer) => answer.status).sort((a, b) => a - b)).toEqual([
      expect.any(Number),
      409,
      409,
      409,
    ])
    await settle(harness)
    expect((await harness.send('POST', membersOf(ids), memberBody())).status).toBe(201)
  })
})
