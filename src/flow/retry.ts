import type { Retry } from './step.ts'

/** For steps that name no other: three more tries within two seconds. */
export const QUICK_RETRY: Retry = { attempts: 4, delay_ms: 100, factor: 4 }

/** Whole milliseconds to wait after the `failures`-th failure, the first being 1. */
export function delayAfter(retry: Retry, failures: number): number {
  const delay = retry.delay_ms * (retry.factor ?? 1) ** (failures - 1)
  return Math.round(Math.min(delay, retry.delay_ms_max ?? Number.MAX_SAFE_INTEGER))
}

/** No poll is asked more often than this altogether, whatever an operator configures. */
const POLLS_MAX = 100_000
/** Services of a cloud are upgraded and restarted; who waits for one need not lose his work. */
const OUTAGE_MS = 20 * 60_000

/** The same, but with tries enough to see the other side come back. */
export function throughOutage(retry: Retry): Retry {
  let attempts = 1
  for (let waited = 0; waited < OUTAGE_MS && attempts < POLLS_MAX; attempts++)
    waited += Math.max(1, delayAfter(retry, attempts))
  return { ...retry, attempts: Math.max(retry.attempts, attempts) }
}

const POLL_FACTOR = 1.5

/**
 * Asking again and again until something is there: quickly at first, because most things are, then
 * less often up to every `interval_ms`, in all for `total_ms`.
 */
export function polling(poll: {
  readonly first_ms: number
  readonly interval_ms: number
  readonly total_ms: number
}): Retry {
  const first = Math.max(1, Math.min(poll.first_ms, poll.interval_ms))
  const retry = {
    delay_ms: first,
    factor: POLL_FACTOR,
    delay_ms_max: Math.max(1, poll.interval_ms),
  }
  let attempts = 1
  for (let waited = 0; waited < poll.total_ms && attempts < POLLS_MAX; attempts++)
    waited += delayAfter({ ...retry, attempts }, attempts)
  return { ...retry, attempts }
}
