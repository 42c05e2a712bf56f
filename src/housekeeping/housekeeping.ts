/**
 * Housekeeping takes away, now and then, what was only remembered: deleted load balancers and
 * amphorae and finished jobs. Statistics go with their listener. It imports store and model, and
 * never api or health.
 * Source: octavia/controller/housekeeping/house_keeping.py.
 */
import { purgeAmphorae, purgeLoadBalancers } from '../store/cleaning.ts'
import { deleteJobsBefore } from '../store/jobs.ts'
import type { Store, Tx } from '../store/store.ts'
import type { Clock } from '../system/clock.ts'
import type { Log } from '../system/log.ts'

/**
 * One transaction holds the writer for some milliseconds; requests get their turn between two of
 * them.
 */
const ROWS_PER_TRANSACTION = 200
/** What is left waits for the next run. */
const TRANSACTIONS_PER_RUN = 50
const JOB_EXPIRY_AGE = 604_800

export interface HousekeepingDeps {
  readonly clock: Clock
  readonly store: Store
  readonly log: Log
}

/** Seconds, as upstream's options of the same names. */
export interface HousekeepingOptions {
  readonly cleanup_interval: number
  readonly amphora_expiry_age: number
  readonly load_balancer_expiry_age: number
  /** How long a finished job can be looked at. */
  readonly job_expiry_age?: number
}

export interface Housekeeping {
  start(): void
  /** Resolves when nothing runs any more. */
  stop(): Promise<void>
}

interface Chore {
  readonly name: string
  /** How many rows went, at most `limit`. */
  run(tx: Tx, now_ms: number, limit: number): Promise<number>
}

export function createHousekeeping(
  { clock, store, log }: HousekeepingDeps,
  options: HousekeepingOptions,
): Housekeeping {
  const todo = chores(options)
  let end: (() => void) | undefined
  let stopped = false
  let running: Promise<void> = Promise.resolve()

  const clean = async (chore: Chore): Promise<void> => {
    let total = 0
    for (let turn = 0; turn < TRANSACTIONS_PER_RUN && !stopped; turn++) {
      const gone = await store.transaction((tx) => chore.run(tx, clock.now(), ROWS_PER_TRANSACTION))
      total += gone
      if (gone < ROWS_PER_TRANSACTION) break
    }
    if (total > 0) log.info(`took away ${chore.name}`, { rows: total })
  }
  const run = async (): Promise<void> => {
    for (const chore of todo) {
      try {
        if (!stopped) await clean(chore)
      } catch (error) {
        // The others are none the worse for it, and it comes round again.
        log.error(`could not take away ${chore.name}`, { error })
      }
    }
  }
  return {
    start: () => {
      end = clock.every(options.cleanup_interval * 1000, () => {
        running = run()
        return running
      })
    },
    stop: async () => {
      stopped = true
      end?.()
      await running
    },
  }
}

/** Amphorae before load balancers, which they refer to. */
function chores(options: HousekeepingOptions): readonly Chore[] {
  const { amphora_expiry_age, load_balancer_expiry_age } = options
  const { job_expiry_age = JOB_EXPIRY_AGE } = options
  return [
    {
      name: 'deleted amphorae',
      run: (tx, now_ms, limit) => purgeAmphorae(tx, now_ms - amphora_expiry_age * 1000, limit),
    },
    {
      name: 'deleted load balancers',
      run: (tx, now_ms, limit) =>
        purgeLoadBalancers(tx, now_ms - load_balancer_expiry_age * 1000, limit),
    },
    {
      name: 'finished jobs',
      run: (tx, now_ms, limit) => deleteJobsBefore(tx, now_ms - job_expiry_age * 1000, limit),
    },
  ]
}
