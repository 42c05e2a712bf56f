/** CADF events of requests: what they say, and what never is in them. */
import { expect, test } from 'vitest'
import { createAuditor } from '../../src/api/audit.ts'
import {
  auditAction,
  auditTarget,
  BUILT_IN_AUDIT_MAP,
  parseAuditMap,
} from '../../src/api/audit-map.ts'
import { createHeaderIdentity } from '../../src/api/identity.ts'
import { Unauthenticated } from '../../src/driver/identity.ts'
import { createLog } from '../../src/system/log.ts'
import { createHarness, makeTree, PROJECT } from './harness.ts'

const ID = '11111111-0000-4000-8000-000000000001'
const SERVICE = 'service/load-balancer'

test.each([
  ['GET', '/v2.0/lbaas/loadbalancers', 'read/list', '/loadbalancers'],
  ['POST', '/v2/lbaas/loadbalancers.json', 'create', '/loadbalancers'],
  ['GET', `/v2.0/lbaas/pools/${ID}`, 'read', '/pools/pool'],
  ['DELETE', `/v2.0/lbaas/pools/${ID}/`, 'delete', '/pools/pool'],
  ['PUT', `/v2.0/lbaas/pools/${ID}/members`, 'update', '/pools/pool/members'],
  ['PUT', `/v2.0/lbaas/pools/${ID}/members/${ID}`, 'update', '/pools/pool/members/member'],
  [
    'GET',
    `/v2.0/lbaas/loadbalancers/${ID}/status`,
    'read/list',
    '/loadbalancers/loadbalancer/status',
  ],
  ['PUT', `/v2.0/octavia/amphorae/${ID}/failover`, 'update/failover', '/amphorae/amphora/failover'],
  ['POST', '/v2.0/lbaas/nothing', 'update', ''],
  ['HEAD', '/', 'read', ''],
  ['PATCH', '/load-balancer/v2.0/lbaas/quotas/p', 'update', '/quotas/quota'],
  ['BREW', '/', 'unknown', ''],
])('%s %s is %s of %s', (method, path, action, target) => {
  expect(auditAction(BUILT_IN_AUDIT_MAP, method, path)).toBe(action)
  expect(auditTarget(BUILT_IN_AUDIT_MAP, path)).toBe(`${SERVICE}${target}`)
})

test('a file takes the place of the map', () => {
  const map = parseAuditMap(`[DEFAULT]
target_endpoint_type = load-balancer
[custom_actions]
stats/get = read/statistics
[path_keywords]
loadbalancers = lb
[service_endpoints]
load-balancer = service/lb
`)
  if ('error' in map) throw new Error(map.error)
  const path = `/v2.0/lbaas/loadbalancers/${ID}/stats`
  expect(auditAction(map, 'GET', path)).toBe('read/statistics')
  expect(auditAction(map, 'PUT', `/v2.0/lbaas/loadbalancers/${ID}/failover`)).toBe('update')
  expect(auditTarget(map, path)).toBe('service/lb/loadbalancers/lb')
  const unnamed = parseAuditMap('[path_keywords]\npools = pool\n')
  expect('error' in unnamed ? unnamed : auditTarget(unnamed, '/v2/pools')).toBe('unknown')
  expect(parseAuditMap('pools = pool\n')).toEqual({ error: expect.stringContaining('line 1') })
})

function open(ignored_methods: readonly string[] = []) {
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const log = createLog({ format: 'json', level: () => 'info', write, now: () => 0 })
  let id = 0
  const parts = { log, newId: () => `id-${++id}`, clock: { now: () => 0 } }
  const audit = createAuditor(parts, { map: BUILT_IN_AUDIT_MAP, ignored_methods })
  const named = createHeaderIdentity({ is_admin: true, default_project_id: null })
  const identity: typeof named = {
    identify: async (headers, asked) => {
      if (headers.get('x-auth-token') === 'bad') throw new Unauthenticated('Keystone uri="k"')
      return await named.identify(headers, asked)
    },
  }
  const harness = createHarness({ api: { audit, identity } })
  const events = () => lines.splice(0).map((line) => JSON.parse(line))
  return { harness, lines, events }
}

const CALLER = { 'x-user-id': 'ann', 'x-auth-token': 'SECRET', 'user-agent': 'client/1' }
const EVENT = {
  typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
  eventType: 'activity',
  eventTime: '1970-01-01T00:00:00.000000+0000',
  observer: { id: 'target' },
}

test('a request is an event, and its answer another about the same', async () => {
  const { harness, events } = open()
  const path = '/v2.0/lbaas/pools?name=x'
  const { headers } = await harness.send('GET', path, undefined, CALLER)
  const [asked, answered] = events()
  expect(asked).toMatchObject({ level: 'info', message: 'audit.http.request' })
  expect(asked.payload).toEqual({
    ...EVENT,
    id: 'id-1',
    action: 'read/list',
    outcome: 'pending',
    requestPath: path,
    target: { id: 'octavia', name: 'octavia', typeURI: `${SERVICE}/pools` },
    initiator: {
      typeURI: 'service/security/account/user',
      id: 'ann',
      project_id: PROJECT,
      request_id: headers.get('x-openstack-request-id'),
      host: { address: 'unknown', agent: 'client/1' },
    },
    tags: ['correlation_id?value=id-2'],
  })
  expect(answered.message).toBe('audit.http.response')
  expect(answered.payload).toEqual({
    ...asked.payload,
    outcome: 'success',
    reason: { reasonType: 'HTTP', reasonCode: '200' },
    reporterchain: [
      { role: 'modifier', reporter: { id: 'target' }, reporterTime: EVENT.eventTime },
    ],
  })
})

test.each([
  ['POST', '/v2.0/lbaas/pools', { pool: { nonsense: 'SECRET' } }, 400],
  ['GET', `/v2.0/lbaas/pools/${ID}`, undefined, 404],
  ['GET', '/v2.0/nowhere', undefined, 404],
  ['PUT', '/v2.0/lbaas/pools', {}, 405],
])('%s %s fails, and says with what', async (method, path, body, status) => {
  const { harness, events, lines } = open()
  expect((await harness.send(method, path, body, CALLER)).status).toBe(status)
  expect(lines.join('')).not.toContain('SECRET')
  const payloads = events().flatMap(({ payload }) => payload ?? [])
  expect(payloads.map(({ outcome }) => outcome)).toEqual(['pending', 'failure'])
  expect(payloads[1].reason.reasonCode).toBe(String(status))
})

test('nobody is recorded who is not known, nor what needs nobody', async () => {
  const { harness, events } = open()
  const bad = { 'x-auth-token': 'bad' }
  expect((await harness.send('GET', '/v2.0/lbaas/pools', undefined, bad)).status).toBe(401)
  expect((await harness.send('GET', '/', undefined, bad)).status).toBe(200)
  expect(events().filter(({ payload }) => payload !== undefined)).toEqual([])
})

test('methods can be left out, and what is long is cut off', async () => {
  const { harness, events } = open(['GET', ''])
  const { lb } = await makeTree(harness)
  events()
  await harness.send('GET', `/v2.0/lbaas/loadbalancers/${lb}`, undefined, CALLER)
  expect(events()).toEqual([])
  const long = { ...CALLER, 'user-agent': 'a'.repeat(9_000) }
  await harness.send('DELETE', `/v2.0/lbaas/pools/${'x'.repeat(9_000)}`, undefined, long)
  const payloads = events().flatMap(({ payload }) => payload ?? [])
  expect(payloads).toHaveLength(2)
  for (const payload of payloads) expect(JSON.stringify(payload).length).toBeLessThan(3_200)
})
