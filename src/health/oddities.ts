/**
 * Counts what is strange about heartbeats, with an example of each, for one line of the log now and
 * then.
 */
export class Oddities<N extends string> {
  readonly #counts: Record<N, number>
  readonly #examples = new Map<N, string>()
  #reported: Readonly<Record<string, number>> = {}

  constructor(names: readonly N[]) {
    this.#counts = Object.fromEntries(names.map((name) => [name, 0])) as Record<N, number>
  }

  add(name: N, count: number): void {
    this.#counts[name] += count
  }

  note(name: N, amphora_ids: readonly string[]): void {
    this.add(name, amphora_ids.length)
    const [first] = amphora_ids
    if (first !== undefined) this.#examples.set(name, first)
  }

  counts(): Readonly<Record<N, number>> {
    return { ...this.#counts }
  }

  /** What rose in `counts` since the last call, good ones aside; undefined if nothing did. */
  since(counts: Readonly<Record<string, number>>): Record<string, unknown> | undefined {
    const rose: Record<string, unknown> = {}
    for (const [name, count] of Object.entries(counts)) {
      if (name === 'received' || name === 'accepted') continue
      const more = count - (this.#reported[name] ?? 0)
      if (more > 0) rose[name] = more
      const example = this.#examples.get(name as N)
      if (more > 0 && example !== undefined) rose[`${name}_amphora_id`] = example
    }
    this.#reported = counts
    this.#examples.clear()
    return Object.keys(rose).length === 0 ? undefined : rose
  }
}
