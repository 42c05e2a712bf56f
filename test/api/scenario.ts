/** A request as a row of a table: what is sent, answered, and changed in the database. */
import { expect } from 'vitest'
import type { OperationSettings } from '../../src/operation/change.ts'
import { createHarness, type Harness, makeTree } from './harness.ts'

export type Ids = Awaited<ReturnType<typeof makeTree>>

export interface Scenario {
  readonly name: string
  readonly request: (ids: Ids) => readonly [method: string, path: string, body?: unknown]
  readonly status: number
  /** Of a fault: its text. */
  readonly fault?: string | ((ids: Ids) => string)
  /** Parts of the answer. */
  readonly body?: (ids: Ids) => object
  /** Table to parts of rows that must be there afterwards. */
  readonly rows?: (ids: Ids) => Readonly<Record<string, readonly object[]>>
  /** Flow and id of the job that was enqueued. */
  readonly job?: (ids: Ids) => readonly [flow: string, input: object]
  /** What the operator chose otherwise. */
  readonly settings?: Partial<OperationSettings>
  /** Runs before the request. */
  readonly given?: (harness: Harness, ids: Ids) => Promise<unknown>
}

export async function play(scenario: Scenario): Promise<void> {
  const harness = createHarness({ settings: scenario.settings ?? {} })
  const ids = await makeTree(harness)
  await scenario.given?.(harness, ids)
  const before = await harness.dump()
  const wakes = harness.wakes()
  const answer = await harness.send(...scenario.request(ids))
  expect({ status: answer.status, fault: answer.body?.faultstring }).toEqual({
    status: scenario.status,
    fault:
      scenario.fault === undefined && scenario.status >= 400
        ? expect.any(String)
        : typeof scenario.fault === 'function'
          ? scenario.fault(ids)
          : scenario.fault,
  })
  if (scenario.body !== undefined) expect(answer.body).toMatchObject(scenario.body(ids))
  const after = await harness.dump()
  if (scenario.status >= 400) expect(after).toEqual(before)
  for (const [table, rows] of Object.entries(scenario.rows?.(ids) ?? {}))
    expect(after[table]).toEqual(
      expect.arrayContaining(rows.map((row) => expect.objectContaining(row))),
    )
  if (scenario.job !== undefined) {
    const [flow, input] = scenario.job(ids)
    const jobs = after.job as {
      flow: string
      input: string
      status: string
      request_id: string
    }[]
    expect(jobs.map((job) => [job.flow, job.status])).toEqual([[flow, 'QUEUED']])
    expect(JSON.parse(jobs[0]?.input ?? '')).toMatchObject(input)
    expect(jobs[0]?.request_id).toBe(answer.headers.get('x-openstack-request-id'))
    expect(harness.wakes()).toBeGreaterThan(wakes)
  }
}
