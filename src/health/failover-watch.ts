/**
 * Looks for amphorae that have gone silent, says so once for each, and has them replaced: at most
 * so many at a time, none when too many are silent, and none while this program itself cannot have
 * heard them.
 */
import { replaceSilent, type SilentReplacement } from '../operation/silent-amphora.ts'
import {
  isAnyStopped,
  listSilent,
  resumeStopped,
  type Silence,
  stopFailover,
} from '../store/health.ts'
import { countOpenJobs } from '../store/jobs.ts'
import type { Store } from '../store/store.ts'
import { type Clock, timestamp } from '../system/clock.ts'
import type { Log } from '../system/log.ts'
import { planOverdue } from './overdue.ts'

/** Looked at in one go, the most silent first. */
const SILENT_MAX = 10_000

export interface FailoverWatchDeps {
  readonly clock: Pick<Clock, 'now'>
  readonly store: Store
  readonly log: Log
  readonly engine: { wake(): void }
  readonly newId: () => string
}

export interface FailoverWatchOptions {
  readonly heartbeat_timeout_ms: number
  /** How many failovers may run at a time. */
  readonly failover_threads: number
  readonly failover_threshold: number | null
}

export class FailoverWatch {
  readonly #deps: FailoverWatchDeps
  readonly #options: FailoverWatchOptions
  /** Nobody is overdue before everybody had the time to be heard. */
  #since_ms = 0
  #looked_ms: number
  #told = new Map<string, Silence>()

  constructor(deps: FailoverWatchDeps, options: FailoverWatchOptions) {
    this.#deps = deps
    this.#options = options
    this.#looked_ms = deps.clock.now()
    this.pause()
  }

  /** What was sent until now may be lost, by no fault of those who sent it. */
  pause(): void {
    this.#since_ms = this.#deps.clock.now() + this.#options.heartbeat_timeout_ms
  }

  async look(): Promise<void> {
    const { clock, store } = this.#deps
    const { heartbeat_timeout_ms, failover_threshold } = this.#options
    const now_ms = clock.now()
    // This program, or the machine, slept; or somebody set the clock.
    if (now_ms - this.#looked_ms > heartbeat_timeout_ms / 2) this.pause()
    this.#looked_ms = now_ms
    if (now_ms < this.#since_ms) return
    const silent_before_ms = now_ms - heartbeat_timeout_ms
    await this.#resume(silent_before_ms)
    const rows = await listSilent(store.read, silent_before_ms, SILENT_MAX)
    const overdue = planOverdue(rows, { now_ms, heartbeat_timeout_ms, failover_threshold })
    this.#tell(overdue.amphorae, now_ms)
    if (overdue.over_threshold) await this.#stop(overdue.amphorae, rows.length)
    else await this.#replace(overdue.amphorae, silent_before_ms)
  }

  async #resume(heard_since_ms: number): Promise<void> {
    const { store, log } = this.#deps
    // To write is a sync of the disk, and mostly there is nothing to do.
    if (!(await isAnyStopped(store.read))) return
    const resumed = await this.#write((tx, now) => resumeStopped(tx, heard_since_ms, now))
    if (resumed > 0) log.info('amphorae are heard again and may be replaced', { count: resumed })
  }

  #tell(amphorae: readonly Silence[], now_ms: number): void {
    const { log } = this.#deps
    const before = this.#told
    this.#told = new Map(amphorae.map((row) => [row.amphora_id, row]))
    for (const { amphora_id, loadbalancer_id, last_update_ms } of amphorae)
      if (!before.has(amphora_id))
        log.warning('an amphora has stopped sending heartbeats', {
          amphora_id,
          load_balancer_id: loadbalancer_id,
          silent_s: Math.round((now_ms - last_update_ms) / 1000),
        })
  }

  async #stop(amphorae: readonly Silence[], silent: number): Promise<void> {
    const ids = amphorae.filter((row) => row.status === 'ALLOCATED').map((row) => row.amphora_id)
    if (ids.length === 0) return
    await this.#write((tx, now) => stopFailover(tx, ids, now))
    this.#deps.log.error('so many amphorae are silent that none is replaced', {
      silent,
      failover_threshold: this.#options.failover_threshold,
      hint: 'see whether heartbeats reach this host: network, firewall, heartbeat_key',
    })
  }

  async #replace(amphorae: readonly Silence[], silent_before_ms: number): Promise<void> {
    if (amphorae.length === 0) return
    const { store, log, engine, newId, clock } = this.#deps
    let free =
      this.#options.failover_threads - (await countOpenJobs(store.read, 'amphora-failover'))
    for (const { amphora_id, loadbalancer_id } of amphorae) {
      if (free <= 0) return
      const wanted: SilentReplacement = { amphora_id, silent_before_ms, new_id: newId() }
      if (!(await store.transaction((tx) => replaceSilent(tx, wanted, clock.now())))) continue
      free--
      engine.wake()
      log.warning('a silent amphora is replaced', { amphora_id, load_balancer_id: loadbalancer_id })
    }
  }

  #write<T>(body: (tx: Parameters<typeof stopFailover>[0], now: string) => Promise<T>): Promise<T> {
    const now = timestamp(this.#deps.clock.now())
    return this.#deps.store.transaction((tx) => body(tx, now))
  }
}
