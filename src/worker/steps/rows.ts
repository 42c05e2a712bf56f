import type { Tx } from '../../store/store.ts'
import type { WorkerStep } from '../world.ts'

/** A step which only writes rows: together with the record of the step before it. */
export function writeRows(name: string, write: (tx: Tx, now: number) => Promise<void>): WorkerStep {
  return { name, rows: (tx, { world }) => write(tx, world.clock.now()) }
}
