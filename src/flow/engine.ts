/**
 * The durable engine: takes open jobs from the database and runs them, those of one load balancer
 * one after the other, those of different ones side by side up to a limit. A job is never held in
 * memory alone: whatever happens to this process, the next one finds the rows and goes on. May
 * import flows' shapes, the store and errors of drivers; knows nothing of load balancers.
 */
import { listRunnableJobs, releaseAllHeldJobs } from '../store/jobs.ts'
import type { JobRow } from '../store/tables.ts'
import { assert } from '../system/assert.ts'
import { record, Stopped, throughOutages } from './record.ts'
import { type RunDeps, runJob } from './run.ts'

export type EngineDeps<W> = RunDeps<W>

export interface EngineOptions {
  readonly max_parallel_flows: number
}

export interface Engine {
  /**
   * Goes on with every open job. Jobs which are HELD belong to requests of a process that is gone,
   * so this must resolve before the API accepts any.
   */
  start(): Promise<void>
  /** Takes no new job; each running one stops before its next step. Resolves when all have. */
  stop(): Promise<void>
  /** There may be a new job: called after the commit that wrote it. Cheap, and safe at any time. */
  wake(): void
  /** Resolves when no job is running and none can run. */
  idle(): Promise<void>
}

export function createEngine<W>(deps: EngineDeps<W>, options: EngineOptions): Engine {
  assert(options.max_parallel_flows >= 1, 'an engine runs at least one flow at a time')
  return new Scheduler(deps, options.max_parallel_flows)
}

class Scheduler<W> implements Engine {
  readonly #deps: EngineDeps<W>
  readonly #limit: number
  readonly #stopping = new AbortController()
  readonly #running = new Map<string, Promise<void>>()
  /** Jobs on which this program itself failed: not touched again before the next start. */
  readonly #broken = new Set<string>()
  #started = false
  /** A wake has come since the last look at the rows. */
  #woken = false
  #looking: Promise<void> | undefined
  #idlers: (() => void)[] = []

  constructor(deps: EngineDeps<W>, limit: number) {
    this.#deps = deps
    this.#limit = limit
  }

  async start(): Promise<void> {
    assert(!this.#started, 'an engine starts once')
    await record(this.#deps, this.#stopping.signal, releaseAllHeldJobs)
    this.#started = true
    this.wake()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#looking
    await Promise.all(this.#running.values())
    this.#tellIdlers()
  }

  wake(): void {
    this.#woken = true
    if (!this.#started || this.#stopping.signal.aborted) return
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
      if (this.#woken) this.wake()
    })
  }

  idle(): Promise<void> {
    if (this.#stopping.signal.aborted) return this.stop()
    return new Promise((resolve) => {
      this.#idlers.push(resolve)
      this.wake()
    })
  }

  /** Fills the free places, once per wake that came meanwhile. */
  async #look(): Promise<void> {
    while (this.#woken && !this.#stopping.signal.aborted) {
      this.#woken = false
      const free = this.#limit - this.#running.size
      if (free <= 0) return
      const jobs = await this.#runnable(free)
      for (const job of jobs.slice(0, free)) this.#launch(job)
      if (this.#running.size === 0 && !this.#woken) this.#tellIdlers()
    }
  }

  async #runnable(free: number): Promise<JobRow[]> {
    const { signal } = this.#stopping
    const known = this.#running.size + this.#broken.size
    try {
      const jobs = await throughOutages(this.#deps, signal, () =>
        listRunnableJobs(this.#deps.store.read, known + free),
      )
      // Another request's wake may have shown jobs that a power cut could still take back.
      if (jobs.length > 0) await this.#deps.store.synced()
      if (signal.aborted) return []
      return jobs.filter(({ id }) => !this.#running.has(id) && !this.#broken.has(id))
    } catch (error) {
      if (!(error instanceof Stopped)) this.#deps.log.error('jobs cannot be listed', { error })
      return []
    }
  }

  #launch(job: JobRow): void {
    const run = this.#run(job).finally(() => {
      this.#running.delete(job.id)
      this.wake()
    })
    this.#running.set(job.id, run)
  }

  async #run(job: JobRow): Promise<void> {
    try {
      await runJob(this.#deps, job, this.#stopping.signal)
    } catch (error) {
      if (error instanceof Stopped) return
      // Running it again at once could fail alike for ever; a later start may be of a mended
      // version.
      this.#broken.add(job.id)
      this.#deps.log.error('the engine failed; the job waits for the next start', {
        job: job.id,
        flow: job.flow,
        error,
        stack: error instanceof Error ? error.stack : undefined,
      })
    }
  }

  #tellIdlers(): void {
    const idlers = this.#idlers
    this.#idlers = []
    for (const resolve of idlers) resolve()
  }
}
