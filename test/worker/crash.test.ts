/**
 * Every flow is cut off at each place that the engine names, on its way forward and, for every step
 * that can fail, on its way back; the next engine must bring it to the same end as if nothing had
 * happened.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { DriverError } from '../../src/driver/error.ts'
import {
  type BoundaryPlace,
  listBoundaries,
  listUndoBoundaries,
} from '../../src/flow/boundaries.ts'
import type { Flow } from '../../src/flow/step.ts'
import { openStore } from '../../src/store/store.ts'
import { FLOWS } from '../../src/worker/flows.ts'
import type { World } from '../../src/worker/world.ts'
import { dieAt } from '../flow/harness.ts'
import {
  begin,
  breaches,
  type EndState,
  endOf,
  type Flows,
  run,
  SCENARIOS,
  type Scenario,
} from './scenarios.ts'

const flowOf = ({ flow }: Scenario): Flow<World> => FLOWS[flow]

let points = 0

async function uncut(one: Scenario, flows: Flows = FLOWS): Promise<EndState> {
  const history = await begin(one)
  await run(history, { flows })
  return endOf(history)
}

async function cut(one: Scenario, at: BoundaryPlace, flows: Flows = FLOWS): Promise<EndState> {
  points++
  const history = await begin(one)
  const { died, checkpoint } = dieAt((place) => place.step === at.step && place.at === at.at)
  let dead = false
  const until = died.then(() => {
    dead = true
  })
  await run(history, { flows, checkpoint, until })
  expect(dead, `${one.name} never came to ${at.step} ${at.at}`).toBe(true)
  await run(history, { flows })
  return endOf(history)
}

const actingSteps = (one: Scenario): string[] =>
  flowOf(one)
    .steps(one.input)
    .filter((step) => step.act !== undefined && step.forgive === undefined)
    .map((step) => step.name)

/**
 * The flows with one step of one that fails for good: before it does anything, or after it did
 * everything.
 */
function failing(one: Scenario, name: string, when: 'before' | 'after'): Flows {
  const flow = flowOf(one)
  const reason = `failed ${when} acting`
  const steps: Flow<World>['steps'] = (input) =>
    flow.steps(input).map((step) => {
      if (step.name !== name) return step
      const act: typeof step.act = async (context) => {
        if (when === 'after') await step.act?.(context)
        throw new DriverError({ operation: name, subject: one.name, reason, retryable: false })
      }
      return { ...step, act }
    })
  const broken: Flow<World> = {
    name: flow.name,
    steps,
    failed: (tx, input, failure) => flow.failed(tx, input, failure),
  }
  return { ...FLOWS, [flow.name]: broken }
}

/** The record since the request is taken back, what was done to the cloud is not. */
async function cutPower(one: Scenario, at: BoundaryPlace): Promise<EndState> {
  points++
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-power-'))
  const [path, durable] = [join(folder, 'live.db'), join(folder, 'durable.db')]
  try {
    const history = await begin(one, path)
    history.store.close()
    // As a power cut would leave it: the log beside the file counts too.
    for (const part of ['', '-wal']) copyFileSync(`${path}${part}`, `${durable}${part}`)
    const store = openStore(path)
    const { died, checkpoint } = dieAt((place) => place.step === at.step && place.at === at.at)
    await run({ ...history, store }, { checkpoint, until: died })
    store.close()
    const again = { ...history, store: openStore(durable) }
    await run(again)
    const end = await endOf(again)
    again.store.close()
    return end
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const convergent = SCENARIOS.filter((one) => flowOf(one).convergent === true)

test.each(convergent.map((one) => [one.name, one] as const))(
  '%s comes to the same end when a power cut takes its record back',
  async (_name, one) => {
    const end = await uncut(one)
    for (const at of listBoundaries(flowOf(one), one.input))
      expect(await cutPower(one, at), `${at.step} ${at.at}`).toEqual(end)
  },
)

describe.each(SCENARIOS.map((one) => [one.name, one] as const))('%s', (_name, one) => {
  test('comes to the same end from every place on its way', async () => {
    const end = await uncut(one)
    expect(breaches(end)).toEqual([])
    expect(end.jobs[0]).toBe(`${one.flow} DONE`)
    const places = listBoundaries(flowOf(one), one.input)
    expect(places.length).toBeGreaterThanOrEqual(3)
    for (const at of places) expect(await cut(one, at), `${at.step} ${at.at}`).toEqual(end)
  })

  test.each(actingSteps(one))('comes back from every place when %s fails', async (name) => {
    for (const when of ['before', 'after'] as const) {
      const flows = failing(one, name, when)
      const end = await uncut(one, flows)
      if (one.leavesPort !== true) expect(breaches(end)).toEqual([])
      expect(end.jobs[0]).toMatch(new RegExp(`^${one.flow} REVERTED .*failed ${when} acting`))
      for (const at of listUndoBoundaries(flowOf(one), one.input, name))
        expect(await cut(one, at, flows), `${when}: ${at.step} ${at.at}`).toEqual(end)
    }
  })

  test('comes to the same end when every engine dies at the first place that is new', async () => {
    const history = await begin(one)
    const seen = new Set<string>()
    for (let dead = true; dead; ) {
      dead = false
      const { died, checkpoint } = dieAt(({ step, at }) => {
        const fresh = !seen.has(`${step} ${at}`)
        seen.add(`${step} ${at}`)
        return fresh
      })
      const until = died.then(() => {
        dead = true
      })
      await run(history, { checkpoint, until })
    }
    const inputs = [one.input, ...(one.following === undefined ? [] : [one.following])]
    const places = inputs.flatMap((input) => listBoundaries(flowOf(one), input))
    expect(seen).toEqual(new Set(places.map(({ step, at }) => `${step} ${at}`)))
    expect(await endOf(history)).toEqual(await uncut(one))
  })
})

afterAll(() => {
  process.stdout.write(`crash points in process: ${points}\n`)
  // Only ever grows: a flow that loses its places has lost its steps.
  expect(points).toBeGreaterThan(400)
})
