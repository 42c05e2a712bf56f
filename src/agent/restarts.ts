/**
 * When a program that died is started again: at once, and ever more seldom while it keeps dying.
 */
const DELAY_MS = { first: 1_000, max: 30_000 } as const
/** One which ran this long after its delay had ended is not in a crash loop. */
const STABLE_MS = 10_000

export class Restarts {
  readonly #states = new Map<string, { failures: number; notBefore_ms: number }>()

  isDue(id: string, now_ms: number): boolean {
    return now_ms >= (this.#states.get(id)?.notBefore_ms ?? 0)
  }

  /** It was started, well or not: one which dies right after its start counts as failed, too. */
  note(id: string, now_ms: number): void {
    const state = this.#states.get(id)
    const looping = state !== undefined && now_ms < state.notBefore_ms + STABLE_MS
    const failures = looping ? state.failures + 1 : 1
    const delay = Math.min(DELAY_MS.first * 2 ** (failures - 1), DELAY_MS.max)
    this.#states.set(id, { failures, notBefore_ms: now_ms + delay })
  }

  /** It does what it was told to, or is gone. */
  forget(id: string): void {
    this.#states.delete(id)
  }
}
