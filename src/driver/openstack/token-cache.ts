/**
 * What Keystone said about tokens, for a while: a revoked token is refused when that is over.
 * Bounded: the longest unused goes first. Keys are digests, so that no token is kept.
 */
import { createHash } from 'node:crypto'

export interface TokenCache<T> {
  get(key: string): T | undefined
  set(key: string, value: T): void
}

/** A lifetime of 0 or less keeps nothing. */
export function createTokenCache<T>(
  deps: { readonly now: () => number },
  options: { readonly lifetime_ms: number; readonly entries_max: number },
): TokenCache<T> {
  const { lifetime_ms, entries_max } = options
  const entries = new Map<string, { readonly value: T; readonly until_ms: number }>()
  return {
    get: (key) => {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      if (deps.now() >= entry.until_ms) return undefined
      // The map keeps the order of insertion, so this makes it the newest.
      entries.set(key, entry)
      return entry.value
    },
    set: (key, value) => {
      if (lifetime_ms <= 0) return
      entries.delete(key)
      const [oldest] = entries.size >= entries_max ? entries.keys() : []
      if (oldest !== undefined) entries.delete(oldest)
      entries.set(key, { value, until_ms: deps.now() + lifetime_ms })
    },
  }
}

export function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}
