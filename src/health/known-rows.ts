/**
 * The rows that heartbeats are judged by, kept from one batch to the next: most batches change none
 * of them, and to read them is most of what a batch costs.
 */
import type { Known, KnownAmphora, KnownLoadBalancer } from '../store/health.ts'
import type { Revision, Tx } from '../store/store.ts'

/** Some 10 MB. */
const ROWS_MAX = 50_000

type Load = (tx: Tx, amphora_ids: readonly string[]) => Promise<Known>

export class KnownRows {
  readonly #load: Load
  readonly #rows_max: number
  readonly #amphorae = new Map<string, KnownAmphora>()
  readonly #load_balancers = new Map<string, KnownLoadBalancer>()
  #rows = 0
  #valid: Revision | undefined

  constructor(load: Load, rows_max = ROWS_MAX) {
    this.#load = load
    this.#rows_max = rows_max
  }

  /** `revision` is that of the running transaction. */
  async read(tx: Tx, revision: Revision, amphora_ids: readonly string[]): Promise<Known> {
    const { own, others } = revision
    if (this.#valid?.own !== own || this.#valid.others !== others) this.#forget()
    const missing = amphora_ids.filter((id) => !this.#amphorae.has(id))
    if (missing.length > 0) this.#add(await this.#load(tx, missing))
    return { amphorae: this.#amphorae, load_balancers: this.#load_balancers }
  }

  /** That transaction was committed; `changed`: some of these rows. */
  committed({ own, others }: Revision, changed: boolean): void {
    if (changed || this.#rows > this.#rows_max) this.#forget()
    this.#valid = { own: own + 1, others }
  }

  #add({ amphorae, load_balancers }: Known): void {
    for (const [id, amphora] of amphorae) this.#amphorae.set(id, amphora)
    this.#rows += amphorae.size
    for (const [id, load_balancer] of load_balancers) {
      this.#load_balancers.set(id, load_balancer)
      this.#rows += 1 + load_balancer.listeners.length
      for (const pool of load_balancer.pools) this.#rows += 1 + pool.members.length
    }
  }

  #forget(): void {
    this.#amphorae.clear()
    this.#load_balancers.clear()
    this.#rows = 0
    this.#valid = undefined
  }
}
