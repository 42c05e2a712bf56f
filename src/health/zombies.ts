/**
 * Amphorae that send heartbeats although they should not run any more. A message may have been on
 * its way while the amphora was deleted, so only the second one counts; and one that is still heard
 * after it was deleted is deleted again, but not all the time.
 */
const AGAIN_MS = 600_000
const ZOMBIES_MAX = 1_000

export class Zombies {
  /** When the next message of it counts. */
  readonly #next = new Map<string, number>()

  /** Whether its instance has to go. `apart_ms` is less than what two messages are apart. */
  isDue(amphora_id: string, now_ms: number, apart_ms: number): boolean {
    const next = this.#next.get(amphora_id)
    if (next === undefined) {
      this.#forgetOldest()
      this.#next.set(amphora_id, now_ms + apart_ms)
      return false
    }
    if (now_ms < next) return false
    this.#next.set(amphora_id, now_ms + AGAIN_MS)
    return true
  }

  #forgetOldest(): void {
    const [oldest] = this.#next.keys()
    if (this.#next.size >= ZOMBIES_MAX && oldest !== undefined) this.#next.delete(oldest)
  }
}
