import { expect, test } from 'vitest'
import { planOverdue } from '../../src/health/overdue.ts'
import { AMPHORA_STATUSES, type AmphoraStatus } from '../../src/model/status.ts'
import type { Silence } from '../../src/store/health.ts'

const NOW = 1_000_000
const row = (over: Partial<Silence>): Silence => ({
  amphora_id: 'a',
  last_update_ms: NOW - 60_001,
  busy: false,
  status: 'ALLOCATED',
  loadbalancer_id: 'lb',
  ...over,
})
const options = { now_ms: NOW, heartbeat_timeout_ms: 60_000, failover_threshold: null }
const ids = (rows: Silence[]) => planOverdue(rows, options).amphorae.map((r) => r.amphora_id)

test.each<[string, Partial<Silence>, boolean]>([
  ['silent for longer than the timeout', {}, true],
  ['silent for just the timeout', { last_update_ms: NOW - 60_000 }, false],
  ['heard', { last_update_ms: NOW }, false],
  ['heard in the future, by a clock set back', { last_update_ms: NOW + 5 }, false],
  ['being replaced', { busy: true }, false],
])('%s', (_name, over, overdue) => {
  expect(ids([row(over)])).toEqual(overdue ? ['a'] : [])
})

test.each(AMPHORA_STATUSES)('only working amphorae are missed: %s', (status: AmphoraStatus) => {
  expect(ids([row({ status })])).toEqual(
    status === 'ALLOCATED' || status === 'FAILOVER_STOPPED' ? ['a'] : [],
  )
})

test.each<[number | null, number, boolean]>([
  [null, 100, false],
  [3, 2, false],
  [3, 3, true],
  [3, 4, true],
])('threshold %s with %s silent ones', (failover_threshold, count, over_threshold) => {
  const silent = Array.from({ length: count }, (_, i) =>
    row({ amphora_id: `a${i}`, status: i % 2 === 0 ? 'DELETED' : 'ALLOCATED' }),
  )
  const rows = [...silent, row({ busy: true }), row({ last_update_ms: NOW })]
  expect(planOverdue(rows, { ...options, failover_threshold }).over_threshold).toBe(over_threshold)
})
