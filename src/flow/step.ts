/**
 * A flow is a list of named steps, made by a pure function of its input, and readable as what happens. The
 * engine runs them in order, records each result together with the rows that belong to it, tries again
 * within limits, undoes in reverse when a step fails for good, and goes on after a crash where the record
 * ends. It knows nothing of load balancers. `W` is the world that steps may ask: drivers and values.
 */
import type { Json } from '../model/field.ts'
import type { Db, Tx } from '../store/store.ts'
import type { Log } from '../system/log.ts'

export interface StepContext<W> {
  readonly world: W
  /** Committed rows. */
  readonly db: Db
  readonly log: Log
  /** The result which an earlier step of this job recorded; asking for another name is a bug. */
  result<T extends Json>(step: string): T
  /** Aborted when the process stops; a step that waits must give up then and will run again. */
  readonly signal: AbortSignal
}

/** Exponential waiting between tries, within a number of tries. */
export interface Retry {
  readonly attempts: number
  readonly delay_ms: number
  /** Each delay is the one before times this; default 1. */
  readonly factor?: number
  readonly delay_ms_max?: number
}

export interface Step<W> {
  /** Stored: stable kebab-case, unique in its flow. */
  readonly name: string
  /**
   * Asks drivers, and may read rows; never writes rows. It can run twice: after a crash it is not known
   * whether it did. Throws a DriverError; `retryable` decides whether it is tried again.
   */
  readonly act?: (context: StepContext<W>) => Promise<Json | undefined>
  /** Writes the rows which belong to the result, in the transaction that records it. */
  readonly rows?: (tx: Tx, context: StepContext<W>, result: Json | undefined) => Promise<void>
  /** Takes back what `act` did or half did, also when it was never reached. Can run twice. */
  readonly undo?: (context: StepContext<W>) => Promise<void>
  /** Rows that go with the undoing, in the transaction which records it. */
  readonly undoRows?: (tx: Tx, context: StepContext<W>) => Promise<void>
  /** For both directions; default: a few quick tries. */
  readonly retry?: Retry
}

export interface Flow<W, I extends Json = Json> {
  /** Stored: stable kebab-case. */
  readonly name: string
  steps(input: I): readonly Step<W>[]
  /**
   * The end of a failed flow, after everything was undone: statuses become what upstream leaves, in the
   * transaction that closes the job. `reason` has no secret and names the cause.
   */
  failed(tx: Tx, input: I, reason: string): Promise<void>
}

/**
 * Where a test can stop the world: before a step acts, after it acted and before the record, after the
 * record; likewise while undoing.
 */
export interface Boundary {
  readonly job_id: string
  readonly flow: string
  readonly step: string
  readonly at:
    | 'before-act'
    | 'before-record'
    | 'after-record'
    | 'before-undo'
    | 'before-undo-record'
    | 'after-undo-record'
}
