/**
 * The record of one job: its row and its step rows, and the transactions that move them on. `rows`
 * mirrors what is committed, never more.
 */
import type { Json } from '../model/field.ts'
import { listSteps, putStep, type StepStatus, updateJob } from '../store/jobs.ts'
import type { Db, Durability, Store, Tx } from '../store/store.ts'
import type { JobRow, JobStepRow } from '../store/tables.ts'
import { present } from '../system/assert.ts'
import type { Clock } from '../system/clock.ts'
import type { Log } from '../system/log.ts'
import { joinNotes } from './reason.ts'
import { record, throughOutages } from './record.ts'
import type { Step, StepContext } from './step.ts'

export interface JournalDeps<W> {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly world: W
}

export class Journal<W> {
  readonly #deps: JournalDeps<W>
  readonly #signal: AbortSignal
  readonly #job: JobRow
  #rows: readonly JobStepRow[] = []
  /** Positions of rows that are not committed yet. */
  #unwritten: readonly number[] = []
  /** What steps asked for `once`. */
  #known = new Map<string, Promise<unknown>>()
  /** Both set once, when the job's flow is known. */
  steps: readonly Step<W>[] = []
  convergent = false

  constructor(deps: JournalDeps<W>, job: JobRow, signal: AbortSignal) {
    this.#deps = deps
    this.#job = { ...job }
    this.#signal = signal
  }

  get job(): Readonly<JobRow> {
    return this.#job
  }

  get rows(): readonly JobStepRow[] {
    return this.#rows
  }

  async load(): Promise<void> {
    // A job that has steps has begun.
    if (this.#job.status === 'QUEUED') return
    const { read } = this.#deps.store
    this.#rows = await throughOutages(this.#deps, this.#signal, () => listSteps(read, this.#job.id))
  }

  /**
   * One transaction: the step at `at` done with its rows if it `acted`, then every step which only
   * has rows, then the start of the next one or the end of the job. Returns the position reached.
   */
  async commit(at: number, acted?: { readonly result: Json | undefined }): Promise<number> {
    const now = this.#deps.clock.now()
    const started_ms = this.#job.started_ms ?? now
    if (this.#putOff(at, acted, now)) return this.#rows.length - 1
    // Failures are rare and their records lead to undoing: those are always on the disk.
    const durability = this.convergent ? 'crash' : 'power-cut'
    // The body may run again after an outage, so it works on a copy.
    const rows = await this.write(async (tx) => {
      const rows = [...this.#rows]
      let position = at
      const changed = new Set(this.#unwritten)
      const done = async (result: Json | undefined): Promise<void> => {
        rows[position] = this.#doneRow(position, result, now)
        changed.add(position)
        if (this.#writesRows(position, result)) {
          this.forget()
          await this.#step(position).rows?.(tx, this.#contextOver(tx, rows), result)
        }
        position++
      }
      if (acted !== undefined) await done(acted.result)
      while (position < this.steps.length && this.#step(position).act === undefined)
        await done(undefined)
      const ended = position === this.steps.length
      if (!ended) {
        rows[position] = this.#row(position, 'RUNNING')
        changed.add(position)
      }
      await this.#putRows(tx, rows, changed)
      if (ended) {
        const error = joinNotes(rows.flatMap((row) => row.error ?? []))
        await updateJob(tx, this.#job.id, { status: 'DONE', error, started_ms, finished_ms: now })
      } else await this.#putRunning(tx, started_ms)
      return rows
    }, durability)
    this.#rows = rows
    this.#unwritten = []
    const running = rows.at(-1)?.status === 'RUNNING'
    Object.assign(this.#job, { status: running ? 'RUNNING' : 'DONE', started_ms })
    return running ? rows.length - 1 : rows.length
  }

  /** Whether only imaginary steps are concerned and no rows but their own records. */
  #putOff(at: number, acted: { readonly result: Json | undefined } | undefined, now: number) {
    if (acted !== undefined && (!this.#isImaginary(at) || this.#writesRows(at, acted.result)))
      return false
    const next = acted === undefined ? at : at + 1
    if (!this.#isImaginary(next)) return false
    const rows = [...this.#rows]
    if (acted !== undefined) rows[at] = this.#doneRow(at, acted.result, now)
    rows[next] = this.#row(next, 'RUNNING')
    this.#rows = rows
    this.#unwritten = [...new Set([...this.#unwritten, at, next])]
    this.#job.started_ms ??= now
    return true
  }

  #isImaginary(at: number): boolean {
    const step = this.steps[at]
    return step?.act !== undefined && step.imaginary?.(this.#deps.world) === true
  }

  #writesRows(at: number, result: Json | undefined): boolean {
    const { rows, hasRows } = this.#step(at)
    return rows !== undefined && (hasRows?.(result) ?? true)
  }

  /** The step at `at` has failed for good and the job turns round. */
  async fail(at: number, error: string, reason: string): Promise<void> {
    const now = this.#deps.clock.now()
    const row = this.#row(at, 'FAILED', { error, finished_ms: now })
    const started_ms = this.#job.started_ms ?? now
    const changes = { status: 'REVERTING', error: reason, started_ms }
    await this.#putWith(row, (tx) => updateJob(tx, this.#job.id, changes))
    Object.assign(this.#job, changes)
  }

  /** Changes the row of a step that has begun. */
  async update(at: number, changes: Partial<JobStepRow> & { status?: StepStatus }): Promise<void> {
    await this.#putWith({ ...this.row(at), ...changes })
  }

  /** The step at `at` is undone, with the rows that go with it. */
  async undone(at: number): Promise<void> {
    const undoRows = this.#step(at).undoRows
    this.forget()
    const row: JobStepRow = { ...this.row(at), status: 'UNDONE' }
    await this.#putWith(row, (tx) => undoRows?.(tx, this.#contextOver(tx, this.#rows)))
  }

  async close(
    status: 'REVERTED' | 'FAILED',
    error: string,
    rows: (tx: Tx, now: number) => Promise<void>,
  ): Promise<void> {
    const now = this.#deps.clock.now()
    await this.write(async (tx) => {
      await rows(tx, now)
      await updateJob(tx, this.#job.id, { status, error, finished_ms: now })
    })
  }

  /** What steps see. */
  context(): StepContext<W> {
    const once = <T>(key: string, load: () => Promise<T>): Promise<T> => {
      const known = this.#known.get(key) as Promise<T> | undefined
      const loaded = known ?? load()
      this.#known.set(key, loaded)
      return loaded
    }
    return { ...this.#contextOver(this.#deps.store.read, this.#rows), once }
  }

  row(at: number): JobStepRow {
    return present(this.#rows[at], `the record of step ${at}`)
  }

  write<T>(body: (tx: Tx) => Promise<T>, durability?: Durability): Promise<T> {
    return record(this.#deps, this.#signal, body, durability)
  }

  /** Steps read rows again. */
  forget(): void {
    this.#known = new Map()
  }

  async #putWith(row: JobStepRow, more?: (tx: Tx) => Promise<void> | undefined): Promise<void> {
    const rows = [...this.#rows]
    rows[row.position] = row
    const started_ms = this.#job.started_ms ?? this.#deps.clock.now()
    await this.write(async (tx) => {
      await this.#putRows(tx, rows, new Set([...this.#unwritten, row.position]))
      await (more === undefined ? this.#putRunning(tx, started_ms) : more(tx))
    })
    this.#rows = rows
    this.#unwritten = []
    if (this.#job.status === 'QUEUED') Object.assign(this.#job, { status: 'RUNNING', started_ms })
  }

  async #putRows(tx: Tx, rows: readonly JobStepRow[], positions: Iterable<number>): Promise<void> {
    for (const at of positions) await putStep(tx, present(rows[at], `the record of step ${at}`))
  }

  /** The job is seen to have begun. */
  async #putRunning(tx: Tx, started_ms: number): Promise<void> {
    if (this.#job.status === 'QUEUED')
      await updateJob(tx, this.#job.id, { status: 'RUNNING', started_ms })
  }

  #contextOver(db: Db, rows: readonly JobStepRow[]): StepContext<W> {
    const { world, log } = this.#deps
    return {
      world,
      db,
      log,
      // Rows of a transaction are not yet, and may never be, what they are in it.
      once: (_key, load) => load(),
      signal: this.#signal,
      result: <T extends Json>(name: string): T => {
        const result = rows.find((row) => row.name === name)?.result
        return JSON.parse(present(result, `the result of step ${name}`)) as T
      },
    }
  }

  #doneRow(position: number, result: Json | undefined, now: number): JobStepRow {
    const error = joinNotes(this.#step(position).notes?.(result) ?? [])
    return this.#row(position, 'DONE', { result: text(result), error, finished_ms: now })
  }

  #row(position: number, status: StepStatus, changes: Partial<JobStepRow> = {}): JobStepRow {
    const before = this.#rows[position]
    return {
      job_id: this.#job.id,
      position,
      name: this.#step(position).name,
      status,
      attempts: before?.attempts ?? 1,
      result: null,
      error: null,
      // A step of rows only begins and ends with the one it is recorded with.
      started_ms: before?.started_ms ?? changes.finished_ms ?? this.#deps.clock.now(),
      finished_ms: null,
      ...changes,
    }
  }

  #step(at: number): Step<W> {
    return present(this.steps[at], `step ${at}`)
  }
}

function text(result: Json | undefined): string | null {
  return result === undefined ? null : JSON.stringify(result)
}
