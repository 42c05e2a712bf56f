/** L7 policies and rules, as requests in rows and as stories of several requests. */
import { describe, expect, test } from 'vitest'
import { RULES_PER_POLICY_MAX } from '../../src/model/l7rule.ts'
import { createHarness, type Harness, makeTree, settle } from './harness.ts'
import { type Ids, play, type Scenario } from './scenario.ts'

const POLICIES = '/v2.0/lbaas/l7policies'
const NIL = '00000000-0000-4000-8000-000000000000'
const rulesOf = (ids: Ids) => `${POLICIES}/${ids.policy}/rules`
const policyBody = (ids: Ids, over: object = {}) => ({
  l7policy: { listener_id: ids.listener, action: 'REJECT', ...over },
})
const ruleBody = (over: object = {}) => ({
  rule: { type: 'PATH', compare_type: 'EQUAL_TO', value: '/a', ...over },
})
const RULE_BODY = { type: 'PATH', compare_type: 'EQUAL_TO', value: '/with' }
const setStatus = (table: string, status: string) => (harness: Harness) =>
  harness.store.transaction((tx) =>
    tx.updateTable(table).set({ provisioning_status: status }).execute(),
  )
const setProtocol = (protocol: string) => (harness: Harness) =>
  harness.store.transaction((tx) => tx.updateTable('listener').set({ protocol }).execute())

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a policy is created last, PENDING and without a target',
    request: (ids) => ['POST', POLICIES, policyBody(ids, { name: 'p', tags: ['t'] })],
    status: 201,
    body: (ids) => ({
      l7policy: {
        ...{ name: 'p', description: '', tags: ['t'], admin_state_up: true, position: 2 },
        ...{ provisioning_status: 'PENDING_CREATE', operating_status: 'OFFLINE' },
        ...{ listener_id: ids.listener, action: 'REJECT', rules: [], updated_at: null },
        ...{ redirect_pool_id: null, redirect_url: null, redirect_prefix: null },
        redirect_http_code: null,
      },
    }),
    rows: (ids) => ({
      load_balancer: [{ id: ids.lb, provisioning_status: 'PENDING_UPDATE' }],
      listener: [{ id: ids.listener, provisioning_status: 'PENDING_UPDATE' }],
      pool: [{ id: ids.pool, provisioning_status: 'ACTIVE' }],
    }),
    job: (ids) => ['l7policy-create', { load_balancer_id: ids.lb }],
  },
  {
    name: 'a policy may bring its rules',
    request: (ids) => [
      'POST',
      POLICIES,
      policyBody(ids, { rules: [RULE_BODY, { ...RULE_BODY, key: null }] }),
    ],
    status: 201,
    body: () => ({ l7policy: { rules: [{ id: expect.any(String) }, { id: expect.any(String) }] } }),
    rows: (ids) => ({
      l7rule: [
        { id: ids.rule, provisioning_status: 'ACTIVE' },
        { value: '/with', provisioning_status: 'PENDING_CREATE', operating_status: 'OFFLINE' },
        { value: '/with', provisioning_status: 'PENDING_CREATE', operating_status: 'OFFLINE' },
      ],
    }),
    job: (ids) => ['l7policy-create', { load_balancer_id: ids.lb }],
  },
  {
    name: 'rules that are null are none',
    request: (ids) => ['POST', POLICIES, policyBody(ids, { rules: null })],
    status: 201,
    body: () => ({ l7policy: { rules: [] } }),
  },
  {
    name: 'a policy with a rule that is wrong is not made',
    request: (ids) => [
      'POST',
      POLICIES,
      policyBody(ids, { rules: [RULE_BODY, { ...RULE_BODY, value: '' }] }),
    ],
    status: 400,
    fault: 'Error parsing L7Rule: Invalid L7 Rule: L7 rule type requires a value',
  },
  {
    name: 'a redirect to a URL has a code',
    request: (ids) => [
      'POST',
      POLICIES,
      policyBody(ids, { action: 'REDIRECT_TO_URL', redirect_url: 'http://a.example/b?c=d' }),
    ],
    status: 201,
    body: () => ({ l7policy: { redirect_url: 'http://a.example/b?c=d', redirect_http_code: 302 } }),
  },
  {
    name: 'a redirect to a prefix keeps the code it was given',
    request: (ids) => [
      'POST',
      POLICIES,
      policyBody(ids, {
        ...{ action: 'REDIRECT_PREFIX', redirect_prefix: 'https://a.example' },
        redirect_http_code: 308,
      }),
    ],
    status: 201,
    body: () => ({ l7policy: { redirect_prefix: 'https://a.example', redirect_http_code: 308 } }),
  },
  {
    name: 'a redirect to a pool has no code',
    request: (ids) => [
      'POST',
      POLICIES,
      policyBody(ids, {
        ...{ action: 'REDIRECT_TO_POOL', redirect_pool_id: ids.pool, redirect_http_code: 301 },
      }),
    ],
    status: 201,
    body: (ids) => ({ l7policy: { redirect_pool_id: ids.pool, redirect_http_code: null } }),
  },
  {
    name: 'REJECT clears a URL that is given besides',
    request: (ids) => ['POST', POLICIES, policyBody(ids, { redirect_url: 'http://a.example' })],
    status: 201,
    body: () => ({ l7policy: { action: 'REJECT', redirect_url: null, redirect_http_code: null } }),
  },
  ...(
    [
      ['a URL without one', { action: 'REDIRECT_TO_URL' }, 'redirect_url must not be None'],
      [
        'a pool without one',
        { action: 'REDIRECT_TO_POOL' },
        'redirect_pool_id or redirect_pool must not be None',
      ],
      ['a prefix without one', { action: 'REDIRECT_PREFIX' }, 'redirect_prefix must not be None'],
    ] as const
  ).map(
    ([name, over, why]): Scenario => ({
      name: `a policy of ${name} is refused`,
      request: (ids) => ['POST', POLICIES, policyBody(ids, over)],
      status: 400,
      fault: `Invalid L7 Policy arguments: ${why}`,
    }),
  ),
  {
    name: 'a pool and a prefix at once are refused',
    request: (ids) => [
      'POST',
      POLICIES,
      policyBody(ids, {
        ...{ action: 'REDIRECT_TO_POOL', redirect_pool_id: ids.pool },
        redirect_prefix: 'http://a.example',
      }),
    ],
    status: 400,
    fault:
      'Invalid L7 Policy arguments: Cannot specify redirect_pool_id and redirect_url or ' +
      'redirect_prefix at the same time',
  },
  ...['ftp://a.example', 'a.example', 'http://', 'http://a.example/b c', 'http://a b/'].map(
    (redirect_url): Scenario => ({
      name: `${redirect_url} is no URL`,
      request: (ids) => [
        'POST',
        POLICIES,
        policyBody(ids, { action: 'REDIRECT_TO_URL', redirect_url }),
      ],
      status: 400,
      fault:
        `Invalid input for field/attribute redirect_url. Value: '${redirect_url}'. ` +
        'Value must be a valid URL string',
    }),
  ),
  {
    name: 'a line feed in a URL is refused',
    request: (ids) => [
      'POST',
      POLICIES,
      policyBody(ids, { action: 'REDIRECT_TO_URL', redirect_url: 'http://a.example/\nb' }),
    ],
    status: 400,
  },
  {
    name: 'a tab in a prefix is refused',
    request: (ids) => [
      'PUT',
      `${POLICIES}/${ids.policy}`,
      { l7policy: { action: 'REDIRECT_PREFIX', redirect_prefix: 'http://a.example/\tb' } },
    ],
    status: 400,
  },
  {
    name: 'a pool of a protocol that does not fit the listener is refused',
    given: (harness) =>
      harness.store.transaction((tx) => tx.updateTable('pool').set({ protocol: 'TCP' }).execute()),
    request: (ids) => [
      'POST',
      POLICIES,
      policyBody(ids, { action: 'REDIRECT_TO_POOL', redirect_pool_id: ids.pool }),
    ],
    status: 400,
    fault:
      "Validation failure: The pool protocol 'TCP' is invalid while the listener protocol is 'HTTP'.",
  },
  {
    name: 'a code that is no redirect is refused',
    request: (ids) => ['POST', POLICIES, policyBody(ids, { redirect_http_code: 304 })],
    status: 400,
    fault:
      "Invalid input for field/attribute redirect_http_code. Value: '304'. " +
      'Value should be one of: 301, 302, 303, 307, 308',
  },
  {
    name: 'a pool that is not there is not found',
    request: (ids) => [
      'POST',
      POLICIES,
      policyBody(ids, { action: 'REDIRECT_TO_POOL', redirect_pool_id: NIL }),
    ],
    status: 404,
    fault: `Pool ${NIL} not found.`,
  },
  {
    name: 'a listener that is not there is not found',
    request: (ids) => ['POST', POLICIES, policyBody(ids, { listener_id: NIL })],
    status: 404,
    fault: `Listener ${NIL} not found.`,
  },
  {
    name: 'a TCP listener takes no policies',
    given: setProtocol('TCP'),
    request: (ids) => ['POST', POLICIES, policyBody(ids)],
    status: 501,
    fault:
      "Provider 'amphora' does not support a requested option: " +
      'TCP protocol listeners do not support L7 policies',
  },
  {
    name: 'a PROMETHEUS listener has no children',
    given: setProtocol('PROMETHEUS'),
    request: (ids) => ['POST', POLICIES, policyBody(ids)],
    status: 400,
    fault: 'Protocol PROMETHEUS listeners cannot have child objects.',
  },
  {
    name: 'a busy load balancer gets no policy',
    given: setStatus('load_balancer', 'PENDING_UPDATE'),
    request: (ids) => ['POST', POLICIES, policyBody(ids)],
    status: 409,
    fault: (ids) => `Load Balancer ${ids.lb} is immutable and cannot be updated.`,
  },
  {
    name: 'a pool given to a policy implies the action and clears the URL',
    request: (ids) => [
      'PUT',
      `${POLICIES}/${ids.policy}`,
      { l7policy: { redirect_pool_id: ids.pool } },
    ],
    status: 200,
    body: (ids) => ({
      l7policy: {
        ...{ action: 'REDIRECT_TO_POOL', redirect_pool_id: ids.pool, redirect_url: null },
        ...{ redirect_http_code: null, provisioning_status: 'PENDING_UPDATE' },
      },
    }),
    job: (ids) => ['l7policy-update', { load_balancer_id: ids.lb, id: ids.policy }],
  },
  {
    name: 'a policy that becomes REJECT forgets where it led',
    request: (ids) => ['PUT', `${POLICIES}/${ids.policy}`, { l7policy: { action: 'REJECT' } }],
    status: 200,
    body: () => ({ l7policy: { redirect_url: null, redirect_http_code: null } }),
  },
  {
    name: 'an empty change of a policy is refused',
    request: (ids) => ['PUT', `${POLICIES}/${ids.policy}`, { l7policy: {} }],
    status: 400,
    fault: 'Invalid L7 Policy arguments: Invalid update options',
  },
  {
    name: 'a policy stays with its listener',
    request: (ids) => [
      'PUT',
      `${POLICIES}/${ids.policy}`,
      { l7policy: { listener_id: ids.listener } },
    ],
    status: 400,
    fault: 'Unknown attribute for argument l7policy_.l7policy: listener_id',
  },
  {
    name: 'a policy is deleted',
    request: (ids) => ['DELETE', `${POLICIES}/${ids.policy}`],
    status: 204,
    rows: (ids) => ({
      l7policy: [{ id: ids.policy, provisioning_status: 'PENDING_DELETE' }],
      listener: [{ id: ids.listener, provisioning_status: 'PENDING_UPDATE' }],
    }),
    job: (ids) => ['l7policy-delete', { load_balancer_id: ids.lb, id: ids.policy }],
  },
  {
    name: 'a rule is created, and its policy is busy meanwhile',
    request: (ids) => ['POST', rulesOf(ids), ruleBody({ invert: true, tags: ['t'] })],
    status: 201,
    body: () => ({
      rule: {
        ...{ type: 'PATH', compare_type: 'EQUAL_TO', key: null, value: '/a', invert: true },
        ...{ provisioning_status: 'PENDING_CREATE', operating_status: 'OFFLINE', tags: ['t'] },
      },
    }),
    rows: (ids) => ({
      load_balancer: [{ id: ids.lb, provisioning_status: 'PENDING_UPDATE' }],
      listener: [{ id: ids.listener, provisioning_status: 'PENDING_UPDATE' }],
      l7policy: [{ id: ids.policy, provisioning_status: 'PENDING_UPDATE' }],
    }),
    job: (ids) => ['l7rule-create', { load_balancer_id: ids.lb }],
  },
  {
    name: 'a policy that is not ACTIVE takes no rules',
    given: setStatus('l7policy', 'ERROR'),
    request: (ids) => ['POST', rulesOf(ids), ruleBody()],
    status: 409,
    fault: (ids) => `L7Policy ${ids.policy} is immutable and cannot be updated.`,
  },
  {
    name: 'a rule of a policy that is not there',
    request: () => ['POST', `${POLICIES}/${NIL}/rules`, ruleBody()],
    status: 404,
    fault: `L7Policy ${NIL} not found.`,
  },
  {
    name: 'a rule is checked as it will be',
    request: (ids) => ['PUT', `${rulesOf(ids)}/${ids.rule}`, { rule: { type: 'HEADER' } }],
    status: 400,
    fault: 'Error parsing L7Rule: Invalid L7 Rule: L7 rule type requires a key',
  },
  {
    name: 'a rule that needs no key loses it',
    given: async (harness, ids) => {
      const rule = { type: 'HEADER', key: 'x-a' }
      await harness.send('PUT', `${rulesOf(ids)}/${ids.rule}`, { rule })
      await settle(harness)
    },
    request: (ids) => ['PUT', `${rulesOf(ids)}/${ids.rule}`, { rule: { type: 'PATH' } }],
    status: 200,
    body: () => ({ rule: { key: null, type: 'PATH', provisioning_status: 'PENDING_UPDATE' } }),
    job: (ids) => ['l7rule-update', { load_balancer_id: ids.lb, id: ids.rule }],
  },
  {
    name: 'a null type is refused',
    request: (ids) => ['PUT', `${rulesOf(ids)}/${ids.rule}`, { rule: { type: null } }],
    status: 400,
    fault: 'None is not a valid option for type',
  },
  {
    name: 'a rule is deleted',
    request: (ids) => ['DELETE', `${rulesOf(ids)}/${ids.rule}`],
    status: 204,
    rows: (ids) => ({ l7rule: [{ id: ids.rule, provisioning_status: 'PENDING_DELETE' }] }),
    job: (ids) => ['l7rule-delete', { load_balancer_id: ids.lb, id: ids.rule }],
  },
  {
    name: 'a pool to which a policy leads is not deleted',
    given: async (harness, ids) => {
      const l7policy = { redirect_pool_id: ids.pool }
      await harness.send('PUT', `${POLICIES}/${ids.policy}`, { l7policy })
      await settle(harness)
    },
    request: (ids) => ['DELETE', `/v2/pools/${ids.pool}`],
    status: 409,
    fault: (ids) => `Pool ${ids.pool} is in use by L7 policy ${ids.policy}`,
  },
]

test.each(SCENARIOS)('$name', (scenario) => play(scenario))

describe('a rule', () => {
  const RULE = 'Error parsing L7Rule: Invalid L7 Rule:'
  test.each([
    [{ type: 'HOST_NAME', compare_type: 'REGEX', value: 'a|b' }, null],
    [{ type: 'HOST_NAME', compare_type: 'REGEX', value: '(?i)(?P<n>a++) (?P=n)' }, null],
    [{ type: 'HOST_NAME', key: 'cleared' }, null],
    [{ type: 'PATH', value: '"a b"' }, null],
    [
      { type: 'PATH', value: 'a b' },
      'Error parsing L7Rule: Invalid characters in comparison value',
    ],
    [{ type: 'PATH', value: '' }, `${RULE} L7 rule type requires a value`],
    [{ type: 'FILE_TYPE', value: 'jpg' }, null],
    [{ type: 'FILE_TYPE', compare_type: 'REGEX', value: 'jpe?g' }, null],
    [
      { type: 'FILE_TYPE', compare_type: 'CONTAINS' },
      `${RULE} invalid comparison type for rule type`,
    ],
    [{ type: 'HEADER', key: 'X-A', compare_type: 'STARTS_WITH' }, null],
    [{ type: 'HEADER' }, `${RULE} L7 rule type requires a key`],
    [{ type: 'HEADER', key: 'a b' }, 'Error parsing L7Rule: Invalid characters in key'],
    [
      { type: 'HEADER', key: 'a', value: 'é' },
      'Error parsing L7Rule: Invalid characters in header value',
    ],
    [{ type: 'COOKIE', key: 'a', value: 'b=c' }, null],
    [
      { type: 'COOKIE', key: 'a', value: 'b;c' },
      'Error parsing L7Rule: Invalid characters in cookie value',
    ],
    [{ type: 'SSL_CONN_HAS_CERT', value: 'True' }, null],
    [
      { type: 'SSL_CONN_HAS_CERT', value: 'true', key: 'k' },
      `${RULE} L7rule type SSL_CONN_HAS_CERT does not use the "key" field.`,
    ],
    [
      { type: 'SSL_CONN_HAS_CERT', value: 'no' },
      `${RULE} L7rule value no is not a boolean True string.`,
    ],
    [
      { type: 'SSL_CONN_HAS_CERT', value: 'true', compare_type: 'REGEX' },
      `${RULE} L7rule type SSL_CONN_HAS_CERT only supports the EQUAL_TO compare type.`,
    ],
    [{ type: 'SSL_VERIFY_RESULT', value: '0' }, null],
    [
      { type: 'SSL_VERIFY_RESULT', value: '-1' },
      `${RULE} L7rule type SSL_VERIFY_RESULT needs a int value, which is >= 0`,
    ],
    [{ type: 'SSL_DN_FIELD', key: 'CN', value: 'a' }, null],
    [
      { type: 'SSL_DN_FIELD', value: 'a' },
      `${RULE} L7rule type SSL_DN_FIELD needs to specify a key and a value.`,
    ],
    [
      { type: 'SSL_DN_FIELD', key: '1', value: 'a' },
      `${RULE} Invalid L7rule distinguished name field.`,
    ],
    [
      { compare_type: 'REGEX', value: 'a\u00a0b' },
      'Error parsing L7Rule: Invalid characters in value',
    ],
    [
      { compare_type: 'REGEX', value: '(' },
      expect.stringMatching(/^Error parsing L7Rule: Unable to parse regular expression: /),
    ],
  ])('%j', async (over, fault) => {
    const harness = createHarness()
    const ids = await makeTree(harness)
    const answer = await harness.send('POST', rulesOf(ids), ruleBody(over))
    expect([answer.status, answer.body.faultstring ?? null]).toEqual([
      fault === null ? 201 : 400,
      fault,
    ])
    if (answer.body.rule?.type === 'HOST_NAME') expect(answer.body.rule.key).toBe(null)
  })

  test('is one of at most fifty that come with their policy', async () => {
    const harness = createHarness()
    const ids = await makeTree(harness)
    const rules = Array(RULES_PER_POLICY_MAX + 1).fill(RULE_BODY)
    const answer = await harness.send('POST', POLICIES, policyBody(ids, { rules }))
    expect([answer.status, answer.body.faultstring]).toEqual([
      409,
      expect.stringMatching(/^Too many rules on L7 policy /),
    ])
  })

  test('is one of at most fifty', async () => {
    const harness = createHarness()
    const ids = await makeTree(harness)
    for (let count = 1; count < RULES_PER_POLICY_MAX; count++) {
      expect((await harness.send('POST', rulesOf(ids), ruleBody())).status).toBe(201)
      await settle(harness)
    }
    const answer = await harness.send('POST', rulesOf(ids), ruleBody())
    expect([answer.status, answer.body.faultstring]).toEqual([
      409,
      `Too many rules on L7 policy ${ids.policy}`,
    ])
  })
})

/** Names of the policies of the listener by position, which must be 1, 2, 3 and so on. */
async function order(harness: Harness): Promise<string> {
  await settle(harness)
  const { body } = await harness.send('GET', `${POLICIES}?sort=position`)
  const list = body.l7policies as { name: string; position: number }[]
  expect(list.map((row) => row.position)).toEqual(list.map((_, at) => at + 1))
  return list.map((row) => row.name).join(' ')
}

test('policies are put in their places, moved, and keep no gaps', async () => {
  const harness = createHarness()
  const ids = await makeTree(harness)
  const post = (name: string, over: object = {}) =>
    harness.send('POST', POLICIES, policyBody(ids, { name, ...over }))
  const put = (id: string, position: number) =>
    harness.send('PUT', `${POLICIES}/${id}`, { l7policy: { position } })
  await post('b')
  expect(await order(harness)).toBe('policy b')
  const { body } = await post('first', { position: 1 })
  expect(body.l7policy.position).toBe(1)
  expect(await order(harness)).toBe('first policy b')
  await post('third', { position: 3 })
  expect(await order(harness)).toBe('first policy third b')
  await post('beyond', { position: 99 })
  expect(await order(harness)).toBe('first policy third b beyond')
  const moved = await put(body.l7policy.id, 3)
  expect(moved.body.l7policy.position).toBe(3)
  expect(await order(harness)).toBe('policy third first b beyond')
  await put(body.l7policy.id, 2_000_000_000)
  expect(await order(harness)).toBe('policy third b beyond first')
  const shown = await harness.send('GET', `/v2/listeners/${ids.listener}`)
  expect(shown.body.listener.l7policies).toHaveLength(5)
  expect(shown.body.listener.l7policies[0]).toEqual({ id: ids.policy })
  expect(shown.body.listener.l7policies[4]).toEqual({ id: body.l7policy.id })
})

test('a pool is of the listeners which lead to it, once there is a rule and while enabled', async () => {
  const harness = createHarness()
  const ids = await makeTree(harness)
  const pool = { loadbalancer_id: ids.lb, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }
  const made = await harness.send('POST', '/v2/pools', { pool })
  const id = made.body.pool.id as string
  await settle(harness)
  const seen = async () => {
    await settle(harness)
    const { body } = await harness.send('GET', `/v2/pools/${id}`)
    const tree = await harness.send('GET', `/v2/loadbalancers/${ids.lb}/status`)
    const [front] = tree.body.statuses.loadbalancer.listeners
    expect(front.pools.slice(1)).toEqual(
      body.pool.listeners.map(() => expect.objectContaining({ id })),
    )
    return body.pool.listeners
  }
  const redirect = { action: 'REDIRECT_TO_POOL', redirect_pool_id: id }
  const policy = await harness.send('POST', POLICIES, policyBody(ids, redirect))
  const path = `${POLICIES}/${policy.body.l7policy.id}`
  expect(await seen()).toEqual([])
  await harness.send('POST', `${path}/rules`, ruleBody())
  expect(await seen()).toEqual([{ id: ids.listener }])
  const member = { address: '10.0.0.8', protocol_port: 1 }
  await harness.send('POST', `/v2/pools/${id}/members`, { member })
  const busy = await harness.send('GET', `/v2/listeners/${ids.listener}`)
  expect(busy.body.listener.provisioning_status).toBe('PENDING_UPDATE')
  await settle(harness)
  await harness.send('PUT', path, { l7policy: { admin_state_up: false } })
  expect((await harness.send('GET', path)).body.l7policy.rules).toHaveLength(1)
  expect(await seen()).toEqual([])
})

test('a pool of another load balancer is not redirected to', async () => {
  const harness = createHarness()
  const [ids, other] = [await makeTree(harness), await makeTree(harness)]
  const redirect = { action: 'REDIRECT_TO_POOL', redirect_pool_id: other.pool }
  const before = await harness.dump()
  for (const [method, path, body] of [
    ['POST', POLICIES, policyBody(ids, redirect)],
    ['PUT', `${POLICIES}/${ids.policy}`, { l7policy: redirect }],
  ] as const) {
    const answer = await harness.send(method, path, body)
    expect([answer.status, answer.body.faultstring]).toEqual([404, expect.any(String)])
  }
  expect(await harness.dump()).toEqual(before)
})

test('a request is charged to its quota', async () => {
  const none = { load_balancer: -1, listener: -1, pool: -1, member: -1, health_monitor: -1 }
  const quotas = { ...none, l7policy: 1, l7rule: 1 }
  // What comes with the load balancer is not charged, and counts from then on.
  const harness = createHarness({ settings: { quotas } })
  const ids = await makeTree(harness)
  for (const [path, body, noun] of [
    [POLICIES, policyBody(ids), 'L7 Policy'],
    [rulesOf(ids), ruleBody(), 'L7 Rule'],
  ] as const) {
    const answer = await harness.send('POST', path, body)
    expect([answer.status, answer.body.faultstring]).toEqual([
      403,
      `Quota has been met for resources: ${noun}`,
    ])
  }
})

test('rules are listed by their policy, and shown whatever policy is named', async () => {
  const harness = createHarness()
  const ids = await makeTree(harness)
  const other = await harness.send('POST', POLICIES, policyBody(ids))
  const path = `${POLICIES}/${other.body.l7policy.id}/rules`
  const listed = async (url: string) => (await harness.send('GET', url)).body.rules
  expect(await listed(rulesOf(ids))).toMatchObject([{ id: ids.rule, value: '/old' }])
  expect(await listed(path)).toEqual([])
  expect((await harness.send('GET', `${path}/${ids.rule}`)).body.rule.id).toBe(ids.rule)
  expect((await harness.send('GET', `${POLICIES}/${NIL}/rules/${ids.rule}`)).status).toBe(404)
})
