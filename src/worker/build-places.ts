/**
 * How many amphorae boot at a time: [haproxy_amphora] build_rate_limit, which spares the hosts of a
 * cloud that has lost many at once. Whoever waits asks again and again; those that replace others
 * come first, and among equals whoever has waited longest. It is in memory alone: after a restart
 * those that boot take their places anew, and those that wait ask again.
 * Source: octavia/controller/worker/amphora_rate_limit.py.
 */
const PRIORITY = { failover: 0, create: 1 } as const
export type BuildReason = keyof typeof PRIORITY

/** Who has not asked for so long does not wait any more. */
const PATIENCE_MS = 60_000

interface Waiter {
  readonly reason: BuildReason
  readonly since_ms: number
  asked_ms: number
}

export class BuildPlaces {
  readonly #limit: number
  readonly #taken = new Set<string>()
  /** By the first of the amphorae, in the order in which they came. */
  readonly #waiting = new Map<string, Waiter>()

  /** -1: any number. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * Whether these may boot now, all together. More than there are places may when nobody else does:
   * both of a pair are made in one step.
   */
  take(ids: readonly string[], reason: BuildReason, now_ms: number): boolean {
    const [name = ''] = ids
    const before = this.#waiting.get(name)
    this.#waiting.set(name, { reason, since_ms: before?.since_ms ?? now_ms, asked_ms: now_ms })
    for (const [each, { asked_ms }] of this.#waiting)
      if (now_ms - asked_ms > PATIENCE_MS) this.#waiting.delete(each)
    const others = [...this.#taken].filter((id) => !ids.includes(id)).length
    const fits = this.#limit < 0 || others === 0 || others + ids.length <= this.#limit
    if (!fits || this.#first() !== name) return false
    this.hold(ids)
    return true
  }

  /** They boot, as somebody found: also without having asked. */
  hold(ids: readonly string[]): void {
    for (const id of ids) {
      this.#taken.add(id)
      this.#waiting.delete(id)
    }
  }

  /** They have booted, or will not. */
  release(ids: readonly string[]): void {
    for (const id of ids) {
      this.#taken.delete(id)
      this.#waiting.delete(id)
    }
  }

  #first(): string | undefined {
    const [first] = [...this.#waiting].sort(
      ([, a], [, b]) => PRIORITY[a.reason] - PRIORITY[b.reason] || a.since_ms - b.since_ms,
    )
    return first?.[0]
  }
}
