/** Engines over a database in memory, and flows made of a few words. */
import { DriverError } from '../../src/driver/error.ts'
import { createEngine, type Engine, type EngineDeps } from '../../src/flow/engine.ts'
import type { Failure, Flow, Step } from '../../src/flow/step.ts'
import { findJob, insertJob, listSteps, type NewJob } from '../../src/store/jobs.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { silentLog } from '../../src/system/log.ts'
import { createFakeClock, type FakeClock } from '../fake/clock.ts'

export type NoWorld = Record<never, never>
export type TestStep = Step<NoWorld>

export interface Bench {
  readonly store: Store
  readonly clock: FakeClock
  /** What happened, in order. */
  readonly events: string[]
  readonly failures: Failure[]
  readonly abandoned: (string | null)[]
  engine(over?: Partial<EngineDeps<NoWorld>>, max_parallel_flows?: number): Engine
  enqueue(job?: Partial<NewJob>): Promise<string>
  /** `STATUS: error` of the job, then of its steps `name STATUS attempts`. */
  story(id: string): Promise<string[]>
}

export function createBench(steps: readonly TestStep[], store = openStore(':memory:')): Bench {
  const clock = createFakeClock({ jump: true })
  const events: string[] = []
  const failures: Failure[] = []
  const abandoned: (string | null)[] = []
  const flow: Flow<NoWorld> = {
    name: 'test',
    steps: () => steps,
    failed: async (_tx, _input, failure) => {
      failures.push(failure)
    },
  }
  return {
    store,
    clock,
    events,
    failures,
    abandoned,
    engine: (over = {}, max_parallel_flows = 10) => {
      const deps: EngineDeps<NoWorld> = {
        store,
        clock,
        log: silentLog,
        world: {},
        flows: { test: flow },
        abandoned: async (_tx, id) => {
          abandoned.push(id)
        },
        ...over,
      }
      return createEngine(deps, { max_parallel_flows })
    },
    enqueue: (job = {}) =>
      store.transaction((tx) =>
        insertJob(
          tx,
          { flow: 'test', load_balancer_id: 'lb', input: {}, request_id: null, ...job },
          clock.now(),
        ),
      ),
    story: async (id) => {
      const job = await findJob(store.read, id)
      const rows = await listSteps(store.read, id)
      const end = job?.error === null ? '' : `: ${job?.error}`
      return [
        `${job?.status}${end}`,
        ...rows.map((row) => `${row.name} ${row.status} ${row.attempts}`),
      ]
    },
  }
}

/** A step that writes down its acting and its undoing in `events`. */
export function recorded(events: string[], name: string, over: Partial<TestStep> = {}): TestStep {
  return {
    name,
    act: async () => {
      events.push(name)
      return name
    },
    undo: async () => {
      events.push(`undo ${name}`)
    },
    ...over,
  }
}

/** Throws the first `times` times. */
export function flaky(times: number, error: () => Error): () => Promise<undefined> {
  let left = times
  return async () => {
    if (left-- > 0) throw error()
    return undefined
  }
}

export function driverError(retryable: boolean, outage = false): DriverError {
  return new DriverError({
    operation: 'plug-vip',
    subject: 'amphora 1',
    reason: 'no answer',
    hint: 'look at the network',
    retryable,
    outage,
  })
}

/**
 * A checkpoint at which the process dies: nothing after it happens, ever. `died` resolves there.
 */
export function dieAt(matches: (place: { step: string; at: string }) => boolean): {
  readonly died: Promise<void>
  readonly checkpoint: (place: { step: string; at: string }) => Promise<void> | undefined
} {
  let dead: () => void = () => {}
  const died = new Promise<void>((resolve) => {
    dead = resolve
  })
  return {
    died,
    checkpoint: (place) => {
      if (!matches(place)) return undefined
      dead()
      return new Promise(() => {})
    },
  }
}
