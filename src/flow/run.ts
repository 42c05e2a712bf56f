/**
 * One job from where its record ends to its end. The record is written behind the acting: a step is
 * RUNNING before it acts and DONE, with its rows, after. So whatever moment the process dies in,
 * the next one knows of each step that it happened, or that it may have.
 */
import { DriverError } from '../driver/error.ts'
import type { Json } from '../model/field.ts'
import { isStoreOutage } from '../store/failure.ts'
import type { Tx } from '../store/store.ts'
import type { JobRow } from '../store/tables.ts'
import { assert, present } from '../system/assert.ts'
import { Journal, type JournalDeps } from './journal.ts'
import { failureText, withLeftBehind } from './reason.ts'
import { Stopped, sleepOrStop } from './record.ts'
import { delayAfter, QUICK_RETRY, throughOutage } from './retry.ts'
import type { Boundary, Flow, Retry, Step, StepContext } from './step.ts'

export interface RunDeps<W> extends JournalDeps<W> {
  readonly flows: Readonly<Record<string, Flow<W>>>
  /** The last resort when a job's flow is unknown or cannot even fail: nothing may stay PENDING. */
  readonly abandoned: (tx: Tx, load_balancer_id: string | null, now: number) => Promise<void>
  /** Told of every job that has come to its end, after that is written. Must not throw. */
  readonly done?: (job: JobRow) => Promise<void> | void
  readonly checkpoint?: (boundary: Boundary) => Promise<void> | void
}

/** How often the death of the process may cut a step short on top of its own tries. */
const INTERRUPTIONS_MAX = 20

type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown }
type End = 'DONE' | 'REVERTED' | 'FAILED'

/** Resolves when the job is closed; throws Stopped when it stays open for the next start. */
export async function runJob<W>(deps: RunDeps<W>, job: JobRow, signal: AbortSignal): Promise<void> {
  const started = deps.clock.now()
  const log = deps.log.with({
    job: job.id,
    flow: job.flow,
    load_balancer: job.load_balancer_id ?? undefined,
    request: job.request_id ?? undefined,
  })
  const end = await new JobRun({ ...deps, log }, job, signal).run()
  const fields = { duration_ms: deps.clock.now() - started }
  if (end !== 'DONE') return log.warning('job failed', { ...fields, status: end })
  log.info('job done', fields)
  await deps.done?.(job)
}

class JobRun<W> {
  readonly #deps: RunDeps<W>
  readonly #journal: Journal<W>
  readonly #signal: AbortSignal
  #flow: Flow<W> | undefined
  #input: Json = null

  constructor(deps: RunDeps<W>, job: JobRow, signal: AbortSignal) {
    this.#deps = deps
    this.#journal = new Journal(deps, job, signal)
    this.#signal = signal
  }

  async run(): Promise<End> {
    const { job } = this.#journal
    await this.#journal.load()
    try {
      this.#prepare()
    } catch (error) {
      this.#deps.log.error('the job cannot go on', { error })
      return this.#close(`${job.flow} cannot go on: ${failureText(error)}`, 'FAILED')
    }
    if (job.status !== 'REVERTING' && (await this.#forward())) return 'DONE'
    return this.#revert()
  }

  /** Finds the flow of the job; what is recorded must be its steps. */
  #prepare(): void {
    const { job, rows } = this.#journal
    assert(Object.hasOwn(this.#deps.flows, job.flow), `this version has no flow ${job.flow}`)
    this.#flow = present(this.#deps.flows[job.flow], job.flow)
    this.#input = JSON.parse(job.input) as Json
    const steps = this.#flow.steps(this.#input)
    for (const { position, name } of rows) {
      const now = steps[position]?.name ?? 'none'
      assert(name === now, `step ${position} was recorded as ${name} and is now ${now}`)
    }
    this.#journal.steps = steps
    this.#journal.convergent = this.#flow.convergent ?? false
  }

  /** Whether all steps are done; otherwise the failure is recorded. */
  async #forward(): Promise<boolean> {
    const { rows, steps } = this.#journal
    const open = rows.findIndex((row) => row.status !== 'DONE')
    let at = open < 0 ? rows.length : open
    const begun = open < 0 ? await this.#commit(at) : await this.#resume(at)
    if (!begun.ok) return this.#fail(at, begun.error)
    at = begun.value
    while (at < steps.length) {
      const step = this.#step(at)
      await this.#reach(step, 'before-act')
      const started = this.#deps.clock.now()
      const acted = await this.#act(at)
      if (!acted.ok) return this.#fail(at, acted.error)
      await this.#reach(step, 'before-record')
      const committed = await this.#commit(at, { result: acted.value })
      if (!committed.ok) return this.#fail(at, committed.error)
      const duration_ms = this.#deps.clock.now() - started
      this.#deps.log.debug('step done', { step: step.name, duration_ms })
      at = committed.value
      await this.#reach(step, 'after-record')
    }
    return true
  }

  async #act(at: number): Promise<Outcome<Json | undefined>> {
    const step = this.#step(at)
    const acted = await this.#attempt(at, (context) => present(step.act, step.name)(context))
    if (acted.ok || step.forgive === undefined) return acted
    const { error } = acted
    this.#deps.log.error('step failed; the flow goes on', { step: step.name, error })
    return { ok: true, value: step.forgive(failureText(error)) }
  }

  /**
   * An interruption counts as a try, so that a step which kills the process does not do so for
   * ever.
   */
  async #resume(at: number): Promise<Outcome<number>> {
    const { attempts: before, error } = this.#journal.row(at)
    const attempts = before + 1
    await this.#journal.update(at, { attempts })
    // A death leaves no error: with one, the tries may have been those of a long outage.
    const retry = error === null ? this.#retry(at) : throughOutage(this.#retry(at))
    if (attempts <= retry.attempts + INTERRUPTIONS_MAX) return { ok: true, value: at }
    return { ok: false, error: new Error(`the process ended ${attempts - 1} times in this step`) }
  }

  async #commit(at: number, acted?: { result: Json | undefined }): Promise<Outcome<number>> {
    try {
      return { ok: true, value: await this.#journal.commit(at, acted) }
    } catch (error) {
      if (error instanceof Stopped) throw error
      return { ok: false, error }
    }
  }

  async #fail(at: number, error: unknown): Promise<false> {
    const step = this.#step(at)
    this.#deps.log.error('step failed', { step: step.name, error, stack: stackOf(error) })
    const why = failureText(error) + (await this.#explain(step))
    const { flow } = this.#journal.job
    await this.#journal.fail(at, why, `${flow} failed at step ${step.name}: ${why}`)
    await this.#reach(step, 'after-failure-record')
    return false
  }

  /** What the step knows besides; it is no reason to fail once more. */
  async #explain(step: Step<W>): Promise<string> {
    try {
      const more = await step.explain?.(this.#journal.context())
      return more === undefined ? '' : `; ${more}`
    } catch (error) {
      this.#deps.log.debug('step cannot explain itself', { step: step.name, error })
      return ''
    }
  }

  async #revert(): Promise<End> {
    const journal = this.#journal
    for (let at = journal.rows.length - 1; at >= 0; at--) await this.#undo(at)
    const clean = journal.rows.every((row) => row.status !== 'UNDO_FAILED')
    const reason = journal.job.error ?? `${journal.job.flow} failed`
    return this.#close(withLeftBehind(reason, journal.rows), clean ? 'REVERTED' : 'FAILED')
  }

  /** Whether or not it can be undone, the steps before it still are. */
  async #undo(at: number): Promise<void> {
    const step = this.#step(at)
    const { status, attempts } = this.#journal.row(at)
    if (status === 'UNDONE' || status === 'UNDO_FAILED') return
    if (step.undo === undefined && step.undoRows === undefined) return
    const again = status === 'UNDOING' ? attempts + 1 : 1
    await this.#journal.update(at, { status: 'UNDOING', attempts: again })
    await this.#reach(step, 'before-undo')
    const undone = await this.#attempt(at, async (context) => step.undo?.(context))
    await this.#reach(step, 'before-undo-record')
    const failure = undone.ok ? await this.#recordUndone(at) : undone
    if (failure !== undefined) {
      this.#deps.log.error('undo failed', { step: step.name, error: failure.error })
      const error = failureText(failure.error)
      await this.#journal.update(at, { status: 'UNDO_FAILED', error })
    }
    await this.#reach(step, 'after-undo-record')
  }

  async #recordUndone(at: number): Promise<{ readonly error: unknown } | undefined> {
    try {
      await this.#journal.undone(at)
      return undefined
    } catch (error) {
      if (error instanceof Stopped) throw error
      return { error }
    }
  }

  async #close(reason: string, end: 'REVERTED' | 'FAILED'): Promise<End> {
    const { abandoned, log } = this.#deps
    const { load_balancer_id } = this.#journal.job
    const flow = this.#flow
    try {
      await this.#journal.close(end, reason, async (tx, now) => {
        if (flow === undefined) await abandoned(tx, load_balancer_id, now)
        else await flow.failed(tx, this.#input, { reason, clean: end === 'REVERTED', now })
      })
      return end
    } catch (error) {
      if (error instanceof Stopped) throw error
      log.error('the failure of the job cannot be written', { error, stack: stackOf(error) })
      const both = `${reason}; and then ${failureText(error)}`
      await this.#journal.close('FAILED', both, (tx, now) => abandoned(tx, load_balancer_id, now))
      return 'FAILED'
    }
  }

  /**
   * Tries within the step's limits. Each further try is recorded first, so that a restart forgives
   * none. Those that met an outage take nothing from those that are answered.
   */
  async #attempt<T>(
    at: number,
    work: (context: StepContext<W>) => Promise<T>,
  ): Promise<Outcome<T>> {
    const retry = this.#retry(at)
    const before = this.#journal.row(at).attempts
    // What went beyond the limit before a restart met an outage, or died.
    let outages = before > retry.attempts ? before - 1 : 0
    for (;;) {
      try {
        return { ok: true, value: await work(this.#journal.context()) }
      } catch (error) {
        // What a stop cut short has not failed: it runs again at the next start.
        if (this.#signal.aborted) throw new Stopped()
        this.#journal.forget()
        const { attempts } = this.#journal.row(at)
        const passing = error instanceof DriverError ? error.retryable : isStoreOutage(error)
        const outage = error instanceof DriverError && error.outage
        if (outage) outages++
        const most = outage ? throughOutage(retry).attempts : retry.attempts + outages
        if (!passing || attempts >= most) return { ok: false, error }
        const delay_ms = delayAfter(retry, outage ? attempts : attempts - outages)
        const step = this.#step(at).name
        // Long waits are told once, so that nobody wonders.
        const level = outage && outages === 1 ? 'warning' : 'debug'
        this.#deps.log[level]('step is tried again', { step, attempts, delay_ms, error })
        await this.#journal.update(at, { attempts: attempts + 1, error: failureText(error) })
        await sleepOrStop(this.#deps.clock, delay_ms, this.#signal)
      }
    }
  }

  /** A place where the process may die, as tests make it; and before acting, where it may stop. */
  async #reach(step: Step<W>, at: Boundary['at']): Promise<void> {
    const { id, flow } = this.#journal.job
    await this.#deps.checkpoint?.({ job_id: id, flow, step: step.name, at })
    const acts = at === 'before-act' || at === 'before-undo'
    if (acts && this.#signal.aborted) throw new Stopped()
  }

  #retry(at: number): Retry {
    const { retry } = this.#step(at)
    return (typeof retry === 'function' ? retry(this.#deps.world) : retry) ?? QUICK_RETRY
  }

  #step(at: number): Step<W> {
    return present(this.#journal.steps[at], `step ${at}`)
  }
}

/** Only a bug needs to say where it happened. */
function stackOf(error: unknown): string | undefined {
  return error instanceof Error && !(error instanceof DriverError) ? error.stack : undefined
}
