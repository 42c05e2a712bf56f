/** Providers as a client of the API and a provider driver see them together. */
import { expect, test } from 'vitest'
import type { OperationSettings } from '../../src/operation/change.ts'
import { QUOTA_RESOURCES } from '../../src/store/quota.ts'
import { createHarness, type Harness, NETWORK, SUBNET, settle } from '../api/harness.ts'
import { ask, PROVIDERS, startWithAgent } from './agent/client.ts'

const LBAAS = '/v2.0/lbaas'
const OK = { status_code: 200 }

const tree = {
  name: 'lb',
  provider: 'noop_driver',
  vip_subnet_id: SUBNET,
  listeners: [
    {
      protocol: 'HTTP',
      protocol_port: 80,
      default_pool: {
        name: 'back',
        protocol: 'HTTP',
        lb_algorithm: 'ROUND_ROBIN',
        members: [{ address: '10.0.0.20', protocol_port: 8080 }],
        healthmonitor: { type: 'HTTP', delay: 5, timeout: 3, max_retries: 2 },
      },
      l7policies: [
        {
          action: 'REJECT',
          rules: [{ type: 'PATH', compare_type: 'STARTS_WITH', value: '/private' }],
        },
      ],
    },
  ],
}

async function make(harness: Harness, over: object = {}) {
  const loadbalancer = { ...tree, ...over }
  const { status, body } = await harness.send('POST', `${LBAAS}/loadbalancers`, { loadbalancer })
  expect(status, JSON.stringify(body)).toBe(201)
  const lb = body.loadbalancer
  const pool = lb.pools[0]
  return {
    lb,
    loadbalancers: lb.id as string,
    listeners: lb.listeners[0].id as string,
    pools: pool.id as string,
    members: pool.members[0].id as string,
    healthmonitors: pool.healthmonitor.id as string,
    l7policies: lb.listeners[0].l7policies[0].id as string,
    l7rules: lb.listeners[0].l7policies[0].rules[0].id as string,
  }
}

type Ids = Awaited<ReturnType<typeof make>>
const KINDS = [
  'loadbalancers',
  'listeners',
  'pools',
  'members',
  'healthmonitors',
  'l7policies',
  'l7rules',
] as const
type Kind = (typeof KINDS)[number]

function pathOf(ids: Ids, kind: Kind): string {
  if (kind === 'l7rules') return `${LBAAS}/l7policies/${ids.l7policies}/rules/${ids.l7rules}`
  const inside = kind === 'members' ? `/pools/${ids.pools}` : ''
  return `${LBAAS}${inside}/${kind}/${ids[kind]}`
}

async function show(harness: Harness, ids: Ids, kind: Kind) {
  const { status, body } = await harness.send('GET', pathOf(ids, kind))
  return status === 200 ? (Object.values(body)[0] as Record<string, unknown>) : status
}

function report(ids: Ids, statuses: object, kinds: readonly Kind[] = KINDS) {
  return Object.fromEntries(kinds.map((kind) => [kind, [{ id: ids[kind], ...statuses }]]))
}

test('what the noop provider is given stays PENDING until it is reported, to the end', async () => {
  const harness = await startWithAgent()
  const ids = await make(harness)
  expect(ids.lb).toMatchObject({
    provider: 'noop_driver',
    vip_address: '198.0.2.5',
    vip_subnet_id: SUBNET,
    vip_network_id: NETWORK,
    provisioning_status: 'PENDING_CREATE',
  })
  expect(harness.network.ports.size).toBe(0)
  expect((await harness.dump()).job).toEqual([])
  for (const kind of KINDS)
    expect(await show(harness, ids, kind)).toMatchObject({ provisioning_status: 'PENDING_CREATE' })
  expect(
    (await harness.send('DELETE', `${pathOf(ids, 'loadbalancers')}?cascade=true`)).status,
  ).toBe(409)

  const live = { provisioning_status: 'ACTIVE', operating_status: 'ONLINE' }
  expect(await ask(harness.status_socket_path, report(ids, live))).toEqual(OK)
  for (const kind of KINDS) expect(await show(harness, ids, kind)).toMatchObject(live)

  const added = await harness.send('POST', `${LBAAS}/pools/${ids.pools}/members`, {
    member: { address: '10.0.0.21', protocol_port: 8080 },
  })
  expect(added.body.member.provisioning_status).toBe('PENDING_CREATE')
  expect(await show(harness, ids, 'loadbalancers')).toMatchObject({
    provisioning_status: 'PENDING_UPDATE',
  })
  await ask(harness.status_socket_path, {
    ...report(ids, { provisioning_status: 'ACTIVE' }),
    members: [{ id: added.body.member.id, provisioning_status: 'DELETED' }],
  })
  expect(
    (await harness.send('GET', `${LBAAS}/pools/${ids.pools}/members`)).body.members,
  ).toHaveLength(1)

  expect((await harness.send('DELETE', pathOf(ids, 'listeners'))).status).toBe(204)
  expect(await show(harness, ids, 'listeners')).toMatchObject({
    provisioning_status: 'PENDING_DELETE',
  })
  await ask(harness.status_socket_path, {
    ...report(ids, { provisioning_status: 'DELETED' }, ['listeners']),
    ...report(ids, { provisioning_status: 'ACTIVE' }, ['loadbalancers']),
  })
  expect(await show(harness, ids, 'listeners')).toBe(404)

  const gone = await harness.send('DELETE', `${pathOf(ids, 'loadbalancers')}?cascade=true`)
  expect(gone.status).toBe(204)
  expect(await show(harness, ids, 'loadbalancers')).toMatchObject({
    provisioning_status: 'PENDING_DELETE',
  })
  const end = report(ids, { provisioning_status: 'DELETED' }, ['loadbalancers'])
  expect(await ask(harness.status_socket_path, end)).toEqual(OK)
  for (const kind of KINDS) expect(await show(harness, ids, kind)).toBe(404)
  expect(await ask(harness.status_socket_path, end)).toEqual(OK)
  expect((await harness.dump()).job).toEqual([])
})

test.each(KINDS)(
  'DELETED of %s takes away it and its children, and its quota is free again',
  async (kind) => {
    const one = Object.fromEntries(Object.keys(QUOTA_RESOURCES).map((name) => [name, 1]))
    const harness = await startWithAgent({ quotas: one as OperationSettings['quotas'] })
    const ids = await make(harness)
    const away = report(ids, { provisioning_status: 'DELETED' }, [kind])
    expect(await ask(harness.status_socket_path, away)).toEqual(OK)
    const children: Partial<Record<Kind, readonly Kind[]>> = {
      pools: ['pools', 'members', 'healthmonitors'],
      l7policies: ['l7policies', 'l7rules'],
      listeners: ['listeners', 'l7policies', 'l7rules'],
      loadbalancers: KINDS,
    }
    for (const each of KINDS) {
      const expected = (children[kind] ?? [kind]).includes(each)
      expect([each, (await show(harness, ids, each)) === 404]).toEqual([each, expected])
    }
    const again = await harness.send('POST', `${LBAAS}/loadbalancers`, { loadbalancer: tree })
    expect(again.status).toBe(kind === 'loadbalancers' ? 201 : 403)
  },
)

test.each([
  ['no object', [], undefined, 'not an object'],
  ['no list', { pools: {} }, { status_object: 'pools', status_object_id: null }, 'not a list'],
  ['no record', { pools: ['x'] }, { status_object: 'pools', status_object_id: null }, 'object'],
  ['no id', { members: [{}] }, { status_object: 'members', status_object_id: null }, "'id'"],
  [
    'an unknown status',
    { pools: [{ id: 'p', provisioning_status: 'FINE' }] },
    { status_object: 'pools', status_object_id: 'p' },
    'provisioning_status',
  ],
  [
    'an unknown operating status',
    { listeners: [{ id: 'l', operating_status: 7 }] },
    { status_object: 'listeners', status_object_id: 'l' },
    'operating_status',
  ],
])('a report with %s is refused as a whole', async (_, wrong, details, problem) => {
  const harness = await startWithAgent()
  const ids = await make(harness)
  const before = await harness.dump()
  const good = report(ids, { provisioning_status: 'ACTIVE' }, ['loadbalancers'])
  const sent = Array.isArray(wrong) ? wrong : { ...good, ...wrong }
  const answer = await ask(harness.status_socket_path, sent)
  expect(answer).toMatchObject({ status_code: 500, ...details })
  expect(answer.fault_string).toContain(problem)
  expect(await harness.dump()).toEqual(before)
})

test('what is not there, or has no status, is passed over', async () => {
  const harness = await startWithAgent()
  const ids = await make(harness)
  const before = await harness.dump()
  const sent = Object.fromEntries(
    KINDS.map((kind) => [kind, [{ id: 'nobody', provisioning_status: 'DELETED' }]]),
  )
  expect(await ask(harness.status_socket_path, sent)).toEqual(OK)
  const empty = report(ids, { provisioning_status: null, operating_status: '' })
  expect(await ask(harness.status_socket_path, empty)).toEqual(OK)
  expect(await harness.dump()).toEqual(before)
})

test('objects of the amphora provider keep their own statuses', async () => {
  const harness = await startWithAgent()
  const ids = await make(harness, { provider: 'octavia' })
  expect(ids.lb.provider).toBe('octavia')
  expect((await harness.dump()).job).toHaveLength(1)
  for (const kind of KINDS) {
    const sent = report(ids, { provisioning_status: 'DELETED' }, [kind])
    expect(await ask(harness.status_socket_path, sent)).toMatchObject({
      status_code: 500,
      status_object: kind,
      status_object_id: ids[kind],
    })
  }
  for (const kind of KINDS)
    expect(await show(harness, ids, kind)).toMatchObject({ provisioning_status: 'PENDING_CREATE' })
})

test('statistics are totals, shown of listeners that exist', async () => {
  const harness = await startWithAgent()
  const ids = await make(harness)
  const stats = {
    active_connections: 1,
    bytes_in: 2,
    bytes_out: 3,
    request_errors: 4,
    total_connections: 5,
  }
  const listeners = [
    { id: ids.listeners, ...stats, bytes_in: 9 },
    { id: 'nobody', ...stats },
  ]
  expect(await ask(harness.stats_socket_path, { listeners })).toEqual(OK)
  const again = { listeners: [{ id: ids.listeners, ...stats }] }
  expect(await ask(harness.stats_socket_path, again)).toEqual(OK)
  for (const kind of ['listeners', 'loadbalancers'] as const) {
    const { body } = await harness.send('GET', `${pathOf(ids, kind)}/stats`)
    expect(body.stats).toEqual(stats)
  }
  const rows = await harness.store.read.selectFrom('listener_statistics').selectAll().execute()
  expect(rows).toEqual([{ listener_id: ids.listeners, amphora_id: ids.listeners, ...stats }])
  for (const [wrong, problem] of [
    [{ id: ids.listeners }, "'bytes_in'"],
    [{ ...stats }, "'id'"],
    [{ id: ids.listeners, ...stats, bytes_out: -1 }, 'bytes_out'],
    [{ id: ids.listeners, ...stats, bytes_out: 2 ** 60 }, 'bytes_out'],
    ['x', 'object'],
  ] as const) {
    const answer = await ask(harness.stats_socket_path, { listeners: [wrong] })
    expect(answer).toMatchObject({ status_code: 500, stats_object: 'listeners' })
    expect(answer.fault_string).toContain(problem)
  }
})

test('objects are told with their children under the names of provider drivers', async () => {
  const harness = await startWithAgent()
  const ids = await make(harness)
  const get = (object: string, id: string) => ask(harness.get_socket_path, { object, id })
  const member = await get('members', ids.members)
  expect(member).toMatchObject({ member_id: ids.members, address: '10.0.0.20', pool_id: ids.pools })
  const monitor = await get('healthmonitors', ids.healthmonitors)
  expect(monitor).toMatchObject({ healthmonitor_id: ids.healthmonitors, http_version: null })
  const pool = await get('pools', ids.pools)
  expect(pool).toMatchObject({ pool_id: ids.pools, listener_id: ids.listeners, tls_enabled: false })
  expect(pool.members).toEqual([member])
  expect(pool.healthmonitor).toEqual(monitor)
  const listener = await get('listeners', ids.listeners)
  expect(listener).toMatchObject({ listener_id: ids.listeners, protocol_port: 80 })
  const policy = await get('l7policies', ids.l7policies)
  expect(policy).toMatchObject({ l7policy_id: ids.l7policies, position: 1, action: 'REJECT' })
  expect(policy.rules).toEqual([await get('l7rules', ids.l7rules)])
  expect(policy.rules[0]).toMatchObject({ l7rule_id: ids.l7rules, value: '/private' })
  expect(listener.l7policies).toEqual([policy])
  expect(listener.default_pool).toEqual(pool)
  const lb = await get('loadbalancers', ids.loadbalancers)
  expect(lb).toMatchObject({ loadbalancer_id: ids.loadbalancers, vip_address: '198.0.2.5' })
  expect(lb.listeners).toEqual([listener])
  expect(lb.pools).toEqual([pool])
  for (const object of [...KINDS, 'toString']) expect(await get(object, 'x')).toEqual({})
  for (const wrong of [[], {}, { object: 'pools' }, { object: 'pools', id: 7 }])
    expect(await ask(harness.get_socket_path, wrong)).toMatchObject({ status_code: 500 })
})

test('a flavor is told as what it says, and a failover is for the provider to end', async () => {
  const harness = await startWithAgent()
  const profile = await harness.send('POST', `${LBAAS}/flavorprofiles`, {
    flavorprofile: { name: 'p', provider_name: 'noop_driver', flavor_data: '{"size": "big"}' },
  })
  expect(profile.status, JSON.stringify(profile.body)).toBe(201)
  const flavor = await harness.send('POST', `${LBAAS}/flavors`, {
    flavor: { name: 'f', flavor_profile_id: profile.body.flavorprofile.id },
  })
  const ids = await make(harness, { provider: undefined, flavor_id: flavor.body.flavor.id })
  expect(ids.lb.provider).toBe('noop_driver')
  const question = { object: 'loadbalancers', id: ids.loadbalancers }
  expect(await ask(harness.get_socket_path, question)).toMatchObject({ flavor: { size: 'big' } })
  await ask(harness.status_socket_path, report(ids, { provisioning_status: 'ACTIVE' }))
  const path = `${pathOf(ids, 'loadbalancers')}/failover`
  expect((await harness.send('PUT', path)).status).toBe(202)
  expect((await harness.dump()).job).toEqual([])
  expect(await show(harness, ids, 'loadbalancers')).toMatchObject({
    provisioning_status: 'PENDING_UPDATE',
  })
})

test('the VIP of the noop provider is what was asked for, and the rest is made up', async () => {
  const harness = await startWithAgent()
  const { lb } = await make(harness, { vip_address: '10.0.0.9', provider: 'noop_driver-alt' })
  expect(lb).toMatchObject({ vip_address: '10.0.0.9', provider: 'noop_driver-alt' })
  const port = harness.network.addPort()
  const adopted = await make(harness, { vip_subnet_id: undefined, vip_port_id: port.id })
  expect(adopted.lb).toMatchObject({ vip_port_id: port.id, vip_address: '10.0.0.77' })
  expect(harness.network.ports.size).toBe(1)
})

test('a provider must be enabled, and be there', async () => {
  const harness = createHarness({
    settings: { enabled_provider_drivers: { ...PROVIDERS, ovn: 'Not here.' } },
  })
  const before = await harness.dump()
  for (const [provider, code, text] of [
    ['nobody', 400, "Provider 'nobody' is not enabled."],
    ['ovn', 501, "Provider 'ovn' was not found."],
    ['toString', 400, "Provider 'toString' is not enabled."],
  ] as const) {
    const loadbalancer = { ...tree, provider }
    const { status, body } = await harness.send('POST', `${LBAAS}/loadbalancers`, { loadbalancer })
    expect([status, body.faultstring]).toEqual([code, text])
  }
  expect(await harness.dump()).toEqual(before)
  const ids = await make(harness, { provider: 'amphora' })
  await settle(harness)
  expect(await show(harness, ids, 'loadbalancers')).toMatchObject({ provider: 'amphora' })
})
