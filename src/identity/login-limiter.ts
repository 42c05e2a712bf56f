/**
 * Slows down who guesses passwords: after a few failures every further one doubles the time until
 * the next attempt is looked at. Counted for a user from a source, so that nobody locks out
 * another, and for a source with all users, so that trying many names is no way around. The table
 * is bounded.
 */
import { parseIp } from '../model/address.ts'
import type { Clock } from '../system/clock.ts'

export interface LoginLimiter {
  /** Seconds until this user may try again from there; 0 is now. */
  wait_s(user: string, source: string): number
  failed(user: string, source: string): void
  succeeded(user: string, source: string): void
}

const ENTRIES_MAX = 10_000
/** Failures are forgotten that long after the last one. */
const MEMORY_MS = 15 * 60_000
const DELAY_MS_MAX = 15 * 60_000
/** Many people can share an address, behind a proxy for one. */
const SOURCE_FACTOR = 10

interface Entry {
  failures: number
  last_ms: number
  blocked_until_ms: number
}

/** `failures_max`: that many may fail for one user before the next has to wait. */
export function createLoginLimiter(
  deps: { readonly clock: Pick<Clock, 'now'> },
  { failures_max }: { readonly failures_max: number },
): LoginLimiter {
  const entries = new Map<string, Entry>()
  const keys = (user: string, source: string): readonly (readonly [string, number])[] => {
    const place = placeOf(source)
    return [
      [`${place} ${user.slice(0, 255)}`, failures_max],
      [place, failures_max * SOURCE_FACTOR],
    ]
  }
  return {
    wait_s: (user, source) => {
      const now = deps.clock.now()
      const until = keys(user, source).map(([key]) => entries.get(key)?.blocked_until_ms ?? 0)
      return Math.max(0, Math.ceil((Math.max(...until) - now) / 1000))
    },
    failed: (user, source) => {
      const now = deps.clock.now()
      for (const [key, max] of keys(user, source)) {
        const known = entries.get(key)
        const fresh = known === undefined || now - known.last_ms > MEMORY_MS
        const failures = (fresh ? 0 : known.failures) + 1
        const delay = failures < max ? 0 : Math.min(1000 * 2 ** (failures - max), DELAY_MS_MAX)
        // Written anew, so that the oldest entry stays the first one.
        entries.delete(key)
        entries.set(key, { failures, last_ms: now, blocked_until_ms: now + delay })
        const [oldest] = entries.keys()
        if (entries.size > ENTRIES_MAX && oldest !== undefined) entries.delete(oldest)
      }
    },
    succeeded: (user, source) => {
      const [own] = keys(user, source)
      if (own !== undefined) entries.delete(own[0])
    },
  }
}

/** Of IPv6 the first 64 bits: whoever has one address has them all. */
function placeOf(source: string): string {
  const ip = parseIp(source)
  if (ip === undefined || ip.family === 4 || source.startsWith('::ffff:')) return source
  return `net ${(ip.value >> 64n).toString(16)}`
}
