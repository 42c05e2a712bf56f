/**
 * The health manager: receives the heartbeats of amphorae and writes what they mean, in batches.
 *
 * A datagram costs an HMAC, and if it is genuine parsing and a place in the inbox; the database is
 * touched once per tick, with one transaction for up to BATCH_MAX amphorae, in which rows are read,
 * the pure plan is made and what differs is written. Who is silent for too long is replaced. It
 * imports store, contract, model and operation, and never api or housekeeping.
 */
import { deleteZombie, restoreListeners } from '../operation/silent-amphora.ts'
import { listSeqs, loadKnown, renewHealth, setOperatingStatus } from '../store/health.ts'
import { addStatistics, replaceStatistics } from '../store/statistics.ts'
import type { Store } from '../store/store.ts'
import { type Clock, timestamp } from '../system/clock.ts'
import type { DatagramListener, Datagrams } from '../system/datagram.ts'
import type { Log } from '../system/log.ts'
import { FailoverWatch } from './failover-watch.ts'
import { type Arrival, Inbox } from './inbox.ts'
import { Incomplete } from './incomplete.ts'
import { KnownRows } from './known-rows.ts'
import { Oddities } from './oddities.ts'
import { type Plan, planHealth } from './plan.ts'
import { type Outcome, Receiver } from './receiver.ts'
import { Zombies } from './zombies.ts'

/** Amphorae in one transaction: the writer is held for some tens of milliseconds at most. */
const BATCH_MAX = 500
/** Amphorae whose message may wait for the next tick. */
const INBOX_MAX = 20_000
/** Amphorae whose seq is remembered. */
const TRACKS_MAX = 50_000
const TICK_MS = 250
const REBIND_MS = 1000
const REPORT_MS = 60_000

export interface HealthManagerDeps {
  readonly clock: Clock
  readonly store: Store
  readonly datagrams: Datagrams
  readonly log: Log
  /** Told when there is a job to run. */
  readonly engine: { wake(): void }
  readonly newId: () => string
}

/** `stats_logger`: a line for every listener in every heartbeat. */
type StatisticsDriver = 'stats_db' | 'stats_logger'

export interface HealthManagerOptions {
  readonly bind_ip: string
  readonly bind_port: number
  /** What the kernel may hold while a batch is written: 4 MB is 5,000 datagrams. */
  readonly receive_buffer_bytes?: number
  /** These three are read for every message, so that they can change. */
  readonly heartbeat_key: () => string
  readonly accept_replayed: () => boolean
  readonly heartbeat_interval_ms: () => number
  readonly heartbeat_timeout_ms: number
  readonly health_check_interval_ms: number
  readonly failover_threads: number
  readonly failover_threshold: number | null
  /** Where statistics go; absent: into the database alone. */
  readonly statistics_drivers?: readonly string[]
  /** From one transaction to the next at least; a message after a pause is written at once. */
  readonly tick_ms?: number
}

/**
 * What can be strange about messages which were accepted; see Plan. `failed`: could not be written.
 */
const ODDITIES = ['unknown', 'zombie', 'late', 'miscounted', 'puzzling', 'failed'] as const

/** How many datagrams came to what, since the start. */
export type HealthCounts = Readonly<
  Record<'received' | Outcome | (typeof ODDITIES)[number], number>
>

export interface HealthManager {
  /** Rejects when the address cannot be bound. */
  start(): Promise<void>
  /** What has arrived is written before this resolves. */
  stop(): Promise<void>
  counts(): HealthCounts
  /** The port, which is another than asked for when that was 0. Only while it runs. */
  address(): { readonly address: string; readonly port: number } | undefined
}

export function createHealthManager(
  deps: HealthManagerDeps,
  options: HealthManagerOptions,
): HealthManager {
  return new Running(deps, options)
}

class Running implements HealthManager {
  readonly #deps: HealthManagerDeps
  readonly #options: HealthManagerOptions
  readonly #inbox = new Inbox(INBOX_MAX)
  readonly #receiver: Receiver
  readonly #oddities = new Oddities(ODDITIES)
  readonly #stopping = new AbortController()
  readonly #watch: FailoverWatch
  readonly #zombies = new Zombies()
  readonly #incomplete = new Incomplete()
  readonly #known = new KnownRows(loadKnown)
  #listener: DatagramListener | undefined
  #writing: Promise<void> | undefined
  #written_ms = 0
  #ends: (() => void)[] = []

  constructor(deps: HealthManagerDeps, options: HealthManagerOptions) {
    this.#deps = deps
    this.#options = options
    this.#watch = new FailoverWatch(deps, options)
    const { heartbeat_key, accept_replayed } = options
    this.#receiver = new Receiver(
      { clock: deps.clock, inbox: this.#inbox },
      { heartbeat_key, accept_replayed, tracks_max: TRACKS_MAX },
    )
  }

  async start(): Promise<void> {
    const { clock, store, log } = this.#deps
    // Oldest first, because the receiver forgets in the order in which it was told.
    const seqs = await listSeqs(store.read, TRACKS_MAX)
    for (const { amphora_id, seq } of seqs.reverse()) this.#receiver.remember(amphora_id, seq)
    await this.#listen()
    // Only now can anybody be heard.
    this.#watch.pause()
    this.#ends = [
      clock.every(this.#options.health_check_interval_ms, () =>
        this.#watch.look().catch((error) => {
          this.#watch.pause()
          log.error('silent amphorae are not known', { error })
        }),
      ),
      clock.every(REPORT_MS, () => this.#report()),
    ]
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0)) end()
    // Wakes a waiting tick, which then writes at once.
    this.#stopping.abort()
    await this.#listener?.close()
    this.#listener = undefined
    while (this.#writing !== undefined) await this.#writing
  }

  counts(): HealthCounts {
    const counts = this.#receiver.counts()
    const received = Object.values(counts).reduce((sum, count) => sum + count, 0)
    return { received, ...counts, ...this.#oddities.counts() }
  }

  address(): { address: string; port: number } | undefined {
    return this.#listener
  }

  async #listen(): Promise<void> {
    const { bind_ip: address, bind_port: port, receive_buffer_bytes = 4 << 20 } = this.#options
    const listener = await this.#deps.datagrams.listen(
      { address, port, receive_buffer_bytes },
      {
        datagram: (bytes) => {
          if (this.#receiver.receive(bytes) === 'accepted') this.#wake()
        },
        failed: (error) => void this.#rebind(error),
      },
    )
    if (this.#stopping.signal.aborted) return listener.close()
    this.#listener = listener
    this.#deps.log.info('receiving heartbeats', {
      address: listener.address,
      port: listener.port,
      receive_buffer_bytes: listener.receive_buffer_bytes,
    })
    if (listener.receive_buffer_bytes < receive_buffer_bytes)
      this.#deps.log.warning('bursts of heartbeats can get lost; raise net.core.rmem_max', {
        receive_buffer_bytes: listener.receive_buffer_bytes,
        wanted: receive_buffer_bytes,
      })
  }

  /** Without heartbeats every amphora would seem dead, so this is tried until the end. */
  async #rebind(error: Error): Promise<void> {
    const { clock, log } = this.#deps
    const { signal } = this.#stopping
    this.#listener = undefined
    this.#watch.pause()
    log.error('the heartbeat socket failed and is opened again', { error })
    while (!signal.aborted) {
      await clock.sleep(REBIND_MS, signal).catch(() => undefined)
      if (signal.aborted) return
      try {
        await this.#listen()
        return this.#watch.pause()
      } catch (cause) {
        this.#watch.pause()
        log.error('the heartbeat socket cannot be opened', { error: cause })
      }
    }
  }

  #wake(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
      // What arrived between the last look and now would wait for the next message otherwise.
      if (this.#inbox.size > 0) this.#wake()
    })
  }

  async #write(): Promise<void> {
    const { clock } = this.#deps
    const wait_ms = this.#written_ms + (this.#options.tick_ms ?? TICK_MS) - clock.now()
    // Zero too: all that arrives in the same moment belongs to the batch. Rejects when the program
    // stops: then what is here is written without waiting.
    await clock.sleep(Math.max(0, wait_ms), this.#stopping.signal).catch(() => undefined)
    this.#written_ms = clock.now()
    const arrivals = this.#inbox.take()
    for (let at = 0; at < arrivals.length; at += BATCH_MAX) {
      const batch = arrivals.slice(at, at + BATCH_MAX)
      try {
        const plan = await this.#apply(batch)
        this.#settle(plan)
        await this.#deleteZombies(plan.zombies).catch((error) =>
          this.#deps.log.error('amphorae that should not run cannot be deleted', { error }),
        )
        await this.#restore(plan).catch((error) =>
          this.#deps.log.error('amphorae cannot be given their listeners again', { error }),
        )
      } catch (error) {
        // Statuses come again with the next heartbeats; what these would have added to counters is
        // lost.
        this.#oddities.add('failed', batch.length)
        this.#watch.pause()
        this.#deps.log.error('heartbeats could not be written', { error, amphorae: batch.length })
      }
    }
  }

  async #apply(batch: readonly Arrival[]): Promise<Plan> {
    const { clock, store } = this.#deps
    const now_ms = clock.now()
    const heartbeat_interval_ms = this.#options.heartbeat_interval_ms()
    const amphora_ids = batch.map((arrival) => arrival.heartbeat.amphora_id)
    const [plan, revision] = await store.transaction(async (tx) => {
      const revision = store.revision(tx)
      const known = await this.#known.read(tx, revision, amphora_ids)
      const plan = planHealth(known, batch, { now_ms, heartbeat_interval_ms })
      const updated_at = timestamp(now_ms)
      for (const { kind, operating_status, ids } of plan.statuses)
        await setOperatingStatus(tx, kind, ids, { operating_status, updated_at })
      if (this.#hasStatistics('stats_db')) {
        await addStatistics(tx, plan.added)
        await replaceStatistics(tx, plan.replaced)
      }
      await renewHealth(tx, plan.renewals)
      return [plan, revision] as const
    }, 'crash')
    this.#known.committed(revision, plan.statuses.length > 0)
    return plan
  }

  #hasStatistics(driver: StatisticsDriver): boolean {
    return (this.#options.statistics_drivers ?? ['stats_db']).includes(driver)
  }

  #logStatistics({ added, replaced }: Plan): void {
    for (const row of added) this.#deps.log.info('listener statistics', { ...row, deltas: true })
    for (const row of replaced)
      this.#deps.log.info('listener statistics', { ...row, deltas: false })
  }

  /** What is left to do after the commit: remember, count, tell. */
  #settle(plan: Plan): void {
    if (this.#hasStatistics('stats_logger')) this.#logStatistics(plan)
    for (const amphora_id of plan.unknown) this.#receiver.forget(amphora_id)
    const ids = (messages: readonly { amphora_id: string }[]) => messages.map((m) => m.amphora_id)
    this.#oddities.note('unknown', plan.unknown)
    this.#oddities.note('zombie', ids(plan.zombies))
    this.#oddities.note('late', ids(plan.late))
    this.#oddities.note('miscounted', ids(plan.miscounted))
    this.#oddities.note('puzzling', ids(plan.puzzling))
  }

  async #deleteZombies(zombies: Plan['zombies']): Promise<void> {
    const { clock, store, engine, log } = this.#deps
    const apart_ms = this.#options.heartbeat_interval_ms() / 2
    for (const { amphora_id } of zombies) {
      if (!this.#zombies.isDue(amphora_id, clock.now(), apart_ms)) continue
      if (!(await store.transaction((tx) => deleteZombie(tx, amphora_id, clock.now())))) continue
      log.warning('an amphora without load balancer still runs and is deleted', { amphora_id })
      engine.wake()
    }
  }

  async #restore({ miscounted, renewals }: Plan): Promise<void> {
    const { clock, store, engine, log } = this.#deps
    for (const { amphora_id, last_update_ms } of renewals)
      if (last_update_ms !== null) this.#incomplete.isWhole(amphora_id)
    for (const { amphora_id, found, expected } of miscounted) {
      if (found >= expected || !this.#incomplete.isDue(amphora_id, clock.now())) continue
      if (!(await store.transaction((tx) => restoreListeners(tx, amphora_id, clock.now()))))
        continue
      this.#incomplete.told(amphora_id, clock.now())
      log.warning('an amphora lacks listeners and is given them again', { amphora_id })
      engine.wake()
    }
  }

  /** One line per interval, and only if something was wrong: a flood must not flood the log too. */
  #report(): void {
    const dropped = this.#oddities.since(this.counts())
    if (dropped !== undefined)
      this.#deps.log.warning('heartbeats were dropped or are strange', dropped)
  }
}
