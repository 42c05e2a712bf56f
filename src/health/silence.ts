/**
 * Looks for amphorae that have gone silent and says so, once for each and again when it is heard.
 * Replacing them is not done yet.
 */
import { listSilent, type Silence } from '../store/health.ts'
import type { Store } from '../store/store.ts'
import type { Clock } from '../system/clock.ts'
import type { Log } from '../system/log.ts'
import { planOverdue } from './overdue.ts'

/** Looked at in one go, the most silent first. */
const SILENT_MAX = 10_000

export interface SilenceDeps {
  readonly clock: Pick<Clock, 'now'>
  readonly store: Pick<Store, 'read'>
  readonly log: Log
}

export interface SilenceOptions {
  readonly heartbeat_timeout_ms: number
}

export class SilenceWatch {
  readonly #deps: SilenceDeps
  readonly #options: SilenceOptions
  /** Nobody is overdue before everybody had the time to be heard since the start. */
  readonly #since_ms: number
  #told = new Map<string, Silence>()

  constructor(deps: SilenceDeps, options: SilenceOptions) {
    this.#deps = deps
    this.#options = options
    this.#since_ms = deps.clock.now() + options.heartbeat_timeout_ms
  }

  async look(): Promise<void> {
    const { clock, store, log } = this.#deps
    const { heartbeat_timeout_ms } = this.#options
    const now_ms = clock.now()
    if (now_ms < this.#since_ms) return
    const rows = await listSilent(store.read, now_ms - heartbeat_timeout_ms, SILENT_MAX)
    const overdue = planOverdue(rows, { now_ms, heartbeat_timeout_ms, failover_threshold: null })
    const before = this.#told
    this.#told = new Map(overdue.amphorae.map((row) => [row.amphora_id, row]))
    for (const { amphora_id, loadbalancer_id, last_update_ms } of overdue.amphorae)
      if (!before.has(amphora_id))
        log.warning('an amphora has stopped sending heartbeats', {
          amphora_id,
          load_balancer_id: loadbalancer_id,
          silent_s: Math.round((now_ms - last_update_ms) / 1000),
        })
    for (const amphora_id of before.keys())
      if (!this.#told.has(amphora_id))
        log.info('an amphora is not overdue any more', { amphora_id })
  }
}
