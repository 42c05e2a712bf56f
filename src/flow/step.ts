/**
 * A flow is a list of named steps, made by a pure function of its input, and readable as what
 * happens. The engine runs them in order, records each result together with the rows that belong to
 * it, tries again within limits, undoes in reverse when a step fails for good, and goes on after a
 * crash where the record ends. It knows nothing of load balancers. `W` is the world that steps may
 * ask: drivers and values.
 */
import type { Json } from '../model/field.ts'
import type { Db, Tx } from '../store/store.ts'
import type { Log } from '../system/log.ts'

export interface StepContext<W> {
  readonly world: W
  /** Committed rows; in `rows` and `undoRows` the transaction itself. */
  readonly db: Db
  /**
   * What `load` gave the first time in this job, until rows are written or a try fails: for what is
   * read from rows that nothing but the job changes, and by one step after the other.
   */
  once<T>(key: string, load: () => Promise<T>): Promise<T>
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
   * Asks drivers, and may read rows; never writes rows. It can run twice: after a crash it is not
   * known whether it did. Throws a DriverError; `retryable` decides whether it is tried again.
   */
  readonly act?: (context: StepContext<W>) => Promise<Json | undefined>
  /**
   * Whether acting touches nothing outside of this process and is over at once. Nobody needs to
   * know then that it began, so the record of it waits for that of a step which needs one.
   */
  readonly imaginary?: (world: W) => boolean
  /**
   * Writes the rows which belong to the result, in the transaction that records it. A step which
   * only has rows is recorded together with the one before it.
   */
  readonly rows?: (tx: Tx, context: StepContext<W>, result: Json | undefined) => Promise<void>
  /** Whether `rows` has something to write for this result; absent: always. */
  readonly hasRows?: (result: Json | undefined) => boolean
  /** Takes back what `act` did or half did, also when it was never reached. Can run twice. */
  readonly undo?: (context: StepContext<W>) => Promise<void>
  /** Rows that go with the undoing, in the transaction which records it. */
  readonly undoRows?: (tx: Tx, context: StepContext<W>) => Promise<void>
  /**
   * What is recorded instead of failing the flow, when its tries are used up or none can help: for
   * cleaning up after the point where undoing the rest would do more harm.
   */
  readonly forgive?: (reason: string) => Json
  /**
   * What whoever looks at the job should know although the step is done: one sentence each, for its
   * `error`. No secret.
   */
  readonly notes?: (result: Json | undefined) => readonly string[]
  /** What an operator should know too when `act` has failed for good. One short line, no secret. */
  readonly explain?: (context: StepContext<W>) => Promise<string | undefined>
  /** For both directions; default: a few quick tries. */
  readonly retry?: Retry | ((world: W) => Retry)
}

export interface Failure {
  /** What failed and why; also what could not be undone. No secret. */
  readonly reason: string
  /** Whether all that was begun is undone; if not, something may be left behind in the cloud. */
  readonly clean: boolean
  /** Milliseconds since the epoch. */
  readonly now: number
}

export interface Flow<W, I extends Json = Json> {
  /** Stored: stable kebab-case. */
  readonly name: string
  /**
   * Every step makes the world as the rows say, whatever any of them did before. So the record need
   * not outlive a power cut step by step: without it the job begins anew and comes to the same end.
   */
  readonly convergent?: boolean
  steps(input: I): readonly Step<W>[]
  /**
   * The end of a failed flow, after everything was undone: statuses become what upstream leaves, in
   * the transaction that closes the job.
   */
  failed(tx: Tx, input: I, failure: Failure): Promise<void>
}

/**
 * Where a test can stop the world: before a step acts, after it acted and before the record, after
 * the record, after the record that it failed for good; likewise while undoing.
 */
export const BOUNDARIES = [
  'before-act',
  'before-record',
  'after-record',
  'after-failure-record',
  'before-undo',
  'before-undo-record',
  'after-undo-record',
] as const

export interface Boundary {
  readonly job_id: string
  readonly flow: string
  readonly step: string
  readonly at: (typeof BOUNDARIES)[number]
}
