import { expect, test } from 'vitest'
import {
  expectedListeners,
  judgeListener,
  judgeMember,
  judgePool,
  type Verdict,
} from '../../src/health/rules.ts'
import {
  OPERATING_STATUSES,
  type OperatingStatus,
  PROVISIONING_STATUSES,
} from '../../src/model/status.ts'
import type { KnownListener, KnownLoadBalancer } from '../../src/store/health.ts'

test.each<[string, Verdict]>([
  ['OPEN', 'ONLINE'],
  ['FULL', 'DEGRADED'],
  ['open', 'puzzling'],
  ['STOP', 'puzzling'],
  ['', 'puzzling'],
])('a listener reported %s is %s', (status, verdict) => {
  for (const provisioning_status of PROVISIONING_STATUSES)
    for (const admin_state_up of [true, false])
      expect(judgeListener({ admin_state_up }, { provisioning_status }, { status })).toBe(verdict)
})

test('a listener which is not reported is an error only where it should work', () => {
  for (const provisioning_status of PROVISIONING_STATUSES)
    for (const admin_state_up of [true, false])
      expect(judgeListener({ admin_state_up }, { provisioning_status }, undefined)).toBe(
        admin_state_up && provisioning_status === 'ACTIVE' ? 'ERROR' : 'OFFLINE',
      )
})

test.each<[string, Verdict]>([
  ['UP', 'ONLINE'],
  ['DOWN', 'ERROR'],
  ['MAINT', 'puzzling'],
  ['', 'puzzling'],
])('a pool reported %s is %s', (status, verdict) => {
  expect(judgePool({ status })).toBe(verdict)
})
test('a pool which is not reported is offline', () => {
  expect(judgePool(undefined)).toBe('OFFLINE')
})

test.each<[string, Verdict]>([
  ['UP', 'ONLINE'],
  ['UP 1/3', 'ONLINE'],
  ['DOWN', 'ERROR'],
  ['DOWN 2/3', 'ERROR'],
  ['DRAIN', 'DRAINING'],
  ['MAINT', 'OFFLINE'],
  ['no check', 'NO_MONITOR'],
  ['RESTARTING', 'keep'],
  ['NOLB', 'puzzling'],
  ['up', 'puzzling'],
  ['', 'puzzling'],
])('a member reported %s is %s', (report, verdict) => {
  for (const stored of OPERATING_STATUSES) expect(judgeMember(stored, report)).toBe(verdict)
})
test.each(OPERATING_STATUSES)('a member in %s which is not reported', (stored: OperatingStatus) => {
  expect(judgeMember(stored, undefined)).toBe(stored === 'NO_MONITOR' ? 'keep' : 'OFFLINE')
})

const listener = (over: Partial<KnownListener>): KnownListener => ({
  id: 'l',
  operating_status: 'ONLINE',
  provisioning_status: 'ACTIVE',
  admin_state_up: true,
  protocol: 'HTTP',
  default_pool_id: null,
  ...over,
})
const loadBalancer = (over: Partial<KnownLoadBalancer>): KnownLoadBalancer => ({
  id: 'lb',
  operating_status: 'ONLINE',
  provisioning_status: 'ACTIVE',
  admin_state_up: true,
  listeners: [listener({ id: 'l1' }), listener({ id: 'l2', admin_state_up: false })],
  pools: [],
  ...over,
})

test('so many listeners must report as are enabled', () => {
  const exactly = (count: number) => ({ least: count, most: count })
  expect(expectedListeners(loadBalancer({}), false)).toEqual(exactly(1))
  expect(expectedListeners(loadBalancer({ listeners: [] }), false)).toEqual(exactly(0))
  expect(expectedListeners(loadBalancer({ provisioning_status: 'ERROR' }), false)).toEqual(
    exactly(1),
  )
})

test('a listener in ERROR may report or not', () => {
  const broken = listener({ id: 'l2', provisioning_status: 'ERROR' })
  const lb = loadBalancer({ listeners: [listener({ id: 'l1' }), broken] })
  expect(expectedListeners(lb, false)).toEqual({ least: 1, most: 2 })
})

test.each<[string, Partial<KnownLoadBalancer>]>([
  ['PENDING_CREATE', { provisioning_status: 'PENDING_CREATE' }],
  ['PENDING_UPDATE', { provisioning_status: 'PENDING_UPDATE' }],
  ['PENDING_DELETE', { provisioning_status: 'PENDING_DELETE' }],
  ['disabled', { admin_state_up: false }],
])('any number of listeners may report while the load balancer is %s', (_name, over) => {
  expect(expectedListeners(loadBalancer(over), false)).toBeUndefined()
})

test.each<[string, boolean[] | undefined, number]>([
  ['without a pool', undefined, 0],
  ['without members', [], 0],
  ['with disabled members only', [false, false], 0],
  ['with an enabled member', [false, true], 1],
])('a UDP listener %s, in a message without version', (_name, members, expected) => {
  const udp = listener({ protocol: 'UDP', default_pool_id: 'p' })
  const pool = (up: boolean[]) => ({
    id: 'p',
    operating_status: 'ONLINE' as const,
    members: up.map((admin_state_up, i) => ({
      id: `m${i}`,
      operating_status: 'ONLINE' as const,
      admin_state_up,
    })),
  })
  const lb = loadBalancer({ listeners: [udp], pools: members === undefined ? [] : [pool(members)] })
  expect(expectedListeners(lb, true)?.most).toBe(expected)
  expect(expectedListeners(lb, false)?.most).toBe(1)
})
