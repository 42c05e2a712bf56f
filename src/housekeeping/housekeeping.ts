/**
 * Housekeeping takes away, now and then, what was only remembered: deleted load balancers and
 * amphorae and finished jobs. Statistics go with their listener. And it has certificates of
 * amphorae renewed before they end. It imports what is above it, and never api or health.
 * Source: octavia/controller/housekeeping/house_keeping.py.
 */
import { takeExpiring } from '../store/certificates.ts'
import { purgeAmphorae, purgeLoadBalancers } from '../store/cleaning.ts'
import { deleteJobsBefore } from '../store/jobs.ts'
import type { Store, Tx } from '../store/store.ts'
import { type Clock, timestamp } from '../system/clock.ts'
import type { Log } from '../system/log.ts'
import { enqueue } from '../worker/catalogue.ts'

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
  readonly engine: { wake(): void }
}

/** Seconds, as upstream's options of the same names. */
export interface HousekeepingOptions {
  readonly cleanup_interval: number
  readonly amphora_expiry_age: number
  readonly load_balancer_expiry_age: number
  readonly cert_interval: number
  readonly cert_expiry_buffer: number
  /** How many certificates are renewed at a time. */
  readonly cert_rotate_threads: number
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
  deps: HousekeepingDeps,
  options: HousekeepingOptions,
): Housekeeping {
  const { clock, store, log } = deps
  const todo = chores(options)
  const ends: (() => void)[] = []
  const running = new Set<Promise<void>>()
  let stopped = false

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
  const renew = async (): Promise<void> => {
    try {
      const ids = await renewCertificates(deps, options)
      if (ids.length > 0) log.info('has certificates of amphorae renewed', { amphorae: ids })
    } catch (error) {
      log.error('could not look for certificates that end', { error })
    }
  }
  const every = (seconds: number, task: () => Promise<void>): void => {
    const end = clock.every(seconds * 1000, async () => {
      const now = task()
      running.add(now)
      await now
      running.delete(now)
    })
    ends.push(end)
  }
  return {
    start: () => {
      every(options.cleanup_interval, run)
      every(options.cert_interval, renew)
    },
    stop: async () => {
      stopped = true
      for (const end of ends) end()
      await Promise.all(running)
    },
  }
}

/** Writes a job for each amphora whose certificate ends soon; their ids. */
async function renewCertificates(
  { clock, store, engine }: HousekeepingDeps,
  { cert_expiry_buffer, cert_rotate_threads }: HousekeepingOptions,
): Promise<readonly string[]> {
  const now = clock.now()
  const ids = await store.transaction(async (tx) => {
    const before = timestamp(now + cert_expiry_buffer * 1000)
    const taken = await takeExpiring(tx, before, cert_rotate_threads)
    for (const { id, loadbalancer_id } of taken) {
      const input = { load_balancer_id: loadbalancer_id, amphora_id: id }
      await enqueue(tx, { flow: 'amphora-certificate-rotate', input, request_id: null }, now)
    }
    return taken.map(({ id }) => id)
  })
  if (ids.length > 0) engine.wake()
  return ids
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
