import { expect, test } from 'vitest'
import { delayAfter, polling } from '../../src/flow/retry.ts'

test.each([
  [{ attempts: 9, delay_ms: 100 }, [100, 100, 100]],
  [{ attempts: 9, delay_ms: 100, factor: 2 }, [100, 200, 400]],
  [{ attempts: 9, delay_ms: 100, factor: 10, delay_ms_max: 500 }, [100, 500, 500]],
  [{ attempts: 9, delay_ms: 25, factor: 1.5 }, [25, 38, 56]],
])('delays of %j', (retry, delays) => {
  expect([1, 2, 3].map((failures) => delayAfter(retry, failures))).toEqual(delays)
})

test.each([
  { first_ms: 50, interval_ms: 10_000, total_ms: 300_000 },
  { first_ms: 25, interval_ms: 5_000, total_ms: 600_000 },
  { first_ms: 50, interval_ms: 10, total_ms: 100 },
  { first_ms: 50, interval_ms: 1000, total_ms: 0 },
  { first_ms: 0, interval_ms: 0, total_ms: 10 },
])('polling %j lasts as long as it is told to and one interval more at most', (poll) => {
  const retry = polling(poll)
  let waited = 0
  for (let failures = 1; failures < retry.attempts; failures++)
    waited += delayAfter(retry, failures)
  expect(waited).toBeGreaterThanOrEqual(poll.total_ms)
  expect(waited).toBeLessThanOrEqual(poll.total_ms + Math.max(1, poll.interval_ms))
})
