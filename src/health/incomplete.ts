/**
 * Amphorae whose heartbeats lack listeners that they should serve: after a boot they have no
 * certificates, which are in their memory only, and wait to be given them again. A message may be
 * older than the listener, so only the second in a row counts. One that was told and still lacks
 * them is told again much later: until then the silence of its heartbeats has it replaced.
 */
const AGAIN_MS = 600_000
const INCOMPLETE_MAX = 1_000

export class Incomplete {
  /** When it was told; undefined: it has lacked listeners once. */
  readonly #seen = new Map<string, number | undefined>()

  /** Whether it is to be given its listeners again; remembered as done by `told` only. */
  isDue(amphora_id: string, now_ms: number): boolean {
    const told_ms = this.#seen.get(amphora_id)
    if (told_ms !== undefined && now_ms < told_ms + AGAIN_MS) return false
    if (told_ms === undefined && this.#seen.has(amphora_id)) return true
    this.#forgetOldest()
    this.#seen.set(amphora_id, undefined)
    return false
  }

  told(amphora_id: string, now_ms: number): void {
    this.#seen.set(amphora_id, now_ms)
  }

  /** It reports what it should. What it was told is remembered all the same. */
  isWhole(amphora_id: string): void {
    if (this.#seen.get(amphora_id) === undefined) this.#seen.delete(amphora_id)
  }

  #forgetOldest(): void {
    const [oldest] = this.#seen.keys()
    if (this.#seen.size >= INCOMPLETE_MAX && oldest !== undefined) this.#seen.delete(oldest)
  }
}
