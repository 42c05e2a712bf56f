import { isStoreOutage } from '../store/failure.ts'
import type { Durability, Store, Tx } from '../store/store.ts'
import type { Clock } from '../system/clock.ts'
import type { Log } from '../system/log.ts'

/** The engine is stopping; the job stays open and goes on at the next start. Not a failure. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}

const OUTAGE_DELAY_MS = 100
const OUTAGE_DELAY_MS_MAX = 5_000

export interface RecordDeps {
  readonly store: Pick<Store, 'transaction'>
  readonly clock: Clock
  readonly log: Log
}

/**
 * Commits, however long the database cannot: what happened in the cloud must not be forgotten
 * because a disk is full. Waits longer each time, and gives up only for a stop. Errors in `body`
 * itself are thrown.
 */
export function record<T>(
  { store, clock, log }: RecordDeps,
  signal: AbortSignal,
  body: (tx: Tx) => Promise<T>,
  durability?: Durability,
): Promise<T> {
  return throughOutages({ clock, log }, signal, () => store.transaction(body, durability))
}

/** The same for reading. */
export async function throughOutages<T>(
  { clock, log }: Omit<RecordDeps, 'store'>,
  signal: AbortSignal,
  use: () => Promise<T>,
): Promise<T> {
  for (let delay = OUTAGE_DELAY_MS; ; delay = Math.min(2 * delay, OUTAGE_DELAY_MS_MAX)) {
    try {
      return await use()
    } catch (error) {
      if (!isStoreOutage(error)) throw error
      log.error('the database cannot be used; trying again', { error, delay_ms: delay })
      await sleepOrStop(clock, delay, signal)
    }
  }
}

/** Throws Stopped instead of the signal's reason. */
export async function sleepOrStop(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw new Stopped()
  try {
    await clock.sleep(ms, signal)
  } catch (error) {
    if (signal.aborted) throw new Stopped()
    throw error
  }
}
