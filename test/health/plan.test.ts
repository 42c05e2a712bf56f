import { expect, test } from 'vitest'
import { type Arrival, Inbox } from '../../src/health/inbox.ts'
import { parseHeartbeat } from '../../src/health/message.ts'
import { planHealth } from '../../src/health/plan.ts'
import type { OperatingStatus } from '../../src/model/status.ts'
import type { Known, KnownAmphora, KnownLoadBalancer } from '../../src/store/health.ts'
import { present } from '../../src/system/assert.ts'
import { heartbeatMessage, listenerReport } from '../fake/heartbeats.ts'

const NOW = 1_000_000
const OPTIONS = { now_ms: NOW, heartbeat_interval_ms: 10_000 }

/** Statuses by id: `lb` with listener `l`, pool `p` and members `m1`, `m2`. */
type Ids = 'lb' | 'l' | 'p' | 'm1' | 'm2'
type Statuses = Record<Ids, OperatingStatus>
const ALL_ONLINE: Statuses = { lb: 'ONLINE', l: 'ONLINE', p: 'ONLINE', m1: 'ONLINE', m2: 'ONLINE' }

interface Setup {
  readonly stored?: Partial<Statuses>
  readonly amphora?: Partial<KnownAmphora>
  readonly load_balancer?: Partial<KnownLoadBalancer>
}

function known({ stored = {}, amphora = {}, load_balancer = {} }: Setup = {}): Known {
  const status = { ...ALL_ONLINE, ...stored }
  const member = (id: Ids) => ({ id, operating_status: status[id], admin_state_up: true })
  const one = { id: 'a', status: 'ALLOCATED', compute_id: 'c', loadbalancer_id: 'lb' } as const
  const lb: KnownLoadBalancer = {
    id: 'lb',
    operating_status: status.lb,
    provisioning_status: 'ACTIVE',
    admin_state_up: true,
    listeners: [
      {
        id: 'l',
        operating_status: status.l,
        provisioning_status: 'ACTIVE',
        admin_state_up: true,
        protocol: 'HTTP',
        default_pool_id: 'p',
      },
    ],
    pools: [{ id: 'p', operating_status: status.p, members: [member('m1'), member('m2')] }],
    ...load_balancer,
  }
  return {
    amphorae: new Map([
      ['a', { ...one, ...amphora }],
      ['b', { ...one, ...amphora, id: 'b' }],
    ]),
    load_balancers: new Map([['lb', lb]]),
  }
}

interface Report {
  readonly id?: string
  readonly listener?: string | null
  readonly pool?: string | null
  /** null: not reported. */
  readonly m1?: string | null
  readonly m2?: string | null
  readonly received_ms?: number
  readonly seq?: number
  readonly ver?: number
  readonly more?: readonly string[]
}

function arrival(report: Report): Arrival {
  const { listener = 'OPEN', pool = 'UP', m1 = 'UP', m2 = 'UP', more = [] } = report
  const stats = { tx: 1, rx: 2, conns: 3, totconns: 4, ereq: 5 }
  const members = Object.fromEntries(Object.entries({ m1, m2 }).filter(([, s]) => s !== null))
  const listeners = Object.fromEntries([
    ...(listener === null ? [] : [['l', listenerReport({ status: listener, stats })]]),
    ...more.map((id) => [id, listenerReport({ stats })]),
  ])
  const message = heartbeatMessage({
    id: report.id ?? 'a',
    seq: report.seq ?? 9,
    ver: report.ver ?? 3,
    listeners,
    pools: pool === null ? {} : { 'p:l': { status: pool, members: members as never } },
  })
  const inbox = new Inbox(1)
  inbox.put(present(parseHeartbeat(message), 'heartbeat'), report.received_ms ?? NOW)
  return present(inbox.take()[0], 'arrival')
}

/** The changes as id to status. */
function changes(setup: Setup, ...reports: Report[]): Record<string, OperatingStatus> {
  const plan = planHealth(known(setup), reports.map(arrival), OPTIONS)
  return Object.fromEntries(
    plan.statuses.flatMap(({ ids, operating_status }) => ids.map((id) => [id, operating_status])),
  )
}

type Expected = Partial<Statuses>
const ALL_OFFLINE: Statuses = {
  lb: 'OFFLINE',
  l: 'OFFLINE',
  p: 'OFFLINE',
  m1: 'OFFLINE',
  m2: 'OFFLINE',
}

test.each<[string, Setup, Report, Expected]>([
  ['nothing new', {}, {}, {}],
  ['the first heartbeat', { stored: ALL_OFFLINE }, {}, ALL_ONLINE],
  [
    'a full listener degrades the load balancer',
    {},
    { listener: 'FULL' },
    { l: 'DEGRADED', lb: 'DEGRADED' },
  ],
  ['a listener with an unknown word stays', {}, { listener: 'WAITING' }, {}],
  ['a missing listener says nothing of the load balancer', {}, { listener: null }, { l: 'ERROR' }],
  [
    'a missing listener while something is changed',
    { load_balancer: { provisioning_status: 'PENDING_UPDATE' } },
    { listener: null },
    { l: 'OFFLINE' },
  ],
  [
    'a pool without working members',
    {},
    { pool: 'DOWN', m1: 'DOWN', m2: 'DOWN' },
    { p: 'ERROR', m1: 'ERROR', m2: 'ERROR', lb: 'ERROR' },
  ],
  [
    'one of two members down',
    {},
    { m1: 'DOWN 1/3' },
    { m1: 'ERROR', p: 'DEGRADED', lb: 'DEGRADED' },
  ],
  [
    'it comes back',
    { stored: { m1: 'ERROR', p: 'DEGRADED', lb: 'DEGRADED' } },
    {},
    { m1: 'ONLINE', p: 'ONLINE', lb: 'ONLINE' },
  ],
  [
    'a full listener and a pool that is down',
    {},
    { listener: 'FULL', pool: 'DOWN' },
    { l: 'DEGRADED', p: 'ERROR', lb: 'ERROR' },
  ],
  ['a pool nobody reports; its members keep what they have', {}, { pool: null }, { p: 'OFFLINE' }],
  [
    'a pool with an unknown word and a member down',
    {},
    { pool: 'odd', m1: 'DOWN' },
    { m1: 'ERROR' },
  ],
  ['a member which drains', {}, { m1: 'DRAIN' }, { m1: 'DRAINING' }],
  ['a disabled member', {}, { m1: 'MAINT' }, { m1: 'OFFLINE' }],
  ['a member without monitor', {}, { m1: 'no check' }, { m1: 'NO_MONITOR' }],
  ['a member while keepalived restarts', { stored: { m1: 'ERROR' } }, { m1: 'RESTARTING' }, {}],
  ['a member nobody reports', {}, { m1: null }, { m1: 'OFFLINE' }],
  ['the same without monitor', { stored: { m1: 'NO_MONITOR' } }, { m1: null }, {}],
  ['a disabled load balancer', { load_balancer: { admin_state_up: false } }, {}, { lb: 'OFFLINE' }],
  [
    'a disabled load balancer with a full listener',
    { load_balancer: { admin_state_up: false } },
    { listener: 'FULL' },
    { l: 'DEGRADED', lb: 'OFFLINE' },
  ],
  [
    'a disabled load balancer with a pool that is down',
    { load_balancer: { admin_state_up: false } },
    { pool: 'DOWN' },
    { p: 'ERROR', lb: 'ERROR' },
  ],
  [
    'too many listeners, statuses are still believed',
    {},
    { more: ['other'], m1: 'DOWN' },
    { m1: 'ERROR', p: 'DEGRADED', lb: 'DEGRADED' },
  ],
  ['a late message', {}, { received_ms: NOW - 10_000, m1: 'DOWN' }, {}],
  [
    'a message which is just in time',
    {},
    { received_ms: NOW - 9_999, m1: 'DRAIN' },
    { m1: 'DRAINING' },
  ],
  [
    'a late message with a wrong number of listeners is believed, as upstream does',
    {},
    { received_ms: NOW - 10_000, more: ['other'], m1: 'DRAIN' },
    { m1: 'DRAINING' },
  ],
])('%s', (_name, setup, report, expected) => {
  expect(changes(setup, report)).toEqual(expected)
})

test('two amphorae of one load balancer: the later one decides, and what is undone is not written', () => {
  expect(changes({}, { id: 'a', m1: 'DOWN' }, { id: 'b' })).toEqual({})
  expect(changes({}, { id: 'a' }, { id: 'b', m1: 'DOWN' })).toEqual({
    m1: 'ERROR',
    p: 'DEGRADED',
    lb: 'DEGRADED',
  })
  // The second does not report it, and it has become NO_MONITOR by the first.
  expect(changes({}, { id: 'a', m1: 'no check' }, { id: 'b', m1: null })).toEqual({
    m1: 'NO_MONITOR',
  })
})

test.each<[string, Setup, Report, number | null]>([
  ['in order', {}, {}, NOW],
  ['too few listeners', {}, { listener: null }, null],
  ['too many listeners', {}, { more: ['other'] }, null],
  [
    'while something is changed',
    { load_balancer: { provisioning_status: 'PENDING_UPDATE' } },
    { listener: null },
    NOW,
  ],
  ['disabled', { load_balancer: { admin_state_up: false } }, { listener: null }, NOW],
  ['late', {}, { received_ms: NOW - 10_000 }, null],
])('%s: whether the amphora counts as alive', (_name, setup, report, last_update_ms) => {
  const plan = planHealth(known(setup), [arrival(report)], OPTIONS)
  expect(plan.renewals).toEqual([{ amphora_id: 'a', seq: 9, last_update_ms }])
})

test('counters are added or replaced by version, and only of listeners that exist', () => {
  const row = {
    listener_id: 'l',
    amphora_id: 'a',
    bytes_out: 1,
    bytes_in: 2,
    active_connections: 3,
    total_connections: 4,
    request_errors: 5,
  }
  const late = arrival({ more: ['gone'], received_ms: NOW - 99_999 })
  const plan = planHealth(known(), [late, arrival({ id: 'b', ver: 2 })], OPTIONS)
  expect(plan.added).toEqual([row])
  expect(plan.replaced).toEqual([{ ...row, amphora_id: 'b' }])
})

test.each<[string, Setup]>([
  ['a deleted amphora', { amphora: { status: 'DELETED' } }],
  ['no load balancer', { amphora: { loadbalancer_id: null } }],
  ['a load balancer whose row is gone', { amphora: { loadbalancer_id: 'gone' } }],
  ['a deleted load balancer', { load_balancer: { provisioning_status: 'DELETED' } }],
])('%s: a zombie changes nothing, but its row is kept alive', (_name, setup) => {
  const plan = planHealth(known(setup), [arrival({ m1: 'DOWN' })], OPTIONS)
  expect(plan).toMatchObject({ statuses: [], added: [], replaced: [], unknown: [], miscounted: [] })
  expect(plan.zombies).toEqual([{ amphora_id: 'a', compute_id: 'c' }])
  expect(plan.renewals).toEqual([{ amphora_id: 'a', seq: 9, last_update_ms: NOW }])
})

test('an amphora nobody knows changes nothing at all', () => {
  const plan = planHealth(known(), [arrival({ id: 'nobody' })], OPTIONS)
  expect(plan).toMatchObject({ statuses: [], renewals: [], added: [], zombies: [] })
  expect(plan.unknown).toEqual(['nobody'])
})

test('what is strange is told', () => {
  const reports = [
    { id: 'a', listener: 'odd' },
    { id: 'b', listener: null },
    { id: 'b', received_ms: 0 },
  ]
  const plan = planHealth(known(), reports.map(arrival), OPTIONS)
  expect(plan.puzzling).toEqual([{ amphora_id: 'a' }])
  expect(plan.miscounted).toEqual([{ amphora_id: 'b', found: 0, expected: 1 }])
  expect(plan.late).toEqual([{ amphora_id: 'b', delay_ms: NOW }])
})
