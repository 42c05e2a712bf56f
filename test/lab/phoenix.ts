/** A serve that kills itself at every step boundary and is started again each time. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listBoundaries } from '../../src/flow/boundaries.ts'
import type { Flow } from '../../src/flow/step.ts'
import { systemClock } from '../../src/system/clock.ts'
import type { FlowName } from '../../src/worker/catalogue.ts'
import { FLOWS } from '../../src/worker/flows.ts'
import type { World } from '../../src/worker/world.ts'
import { BINARY, type Lab, type Serve, URL, until } from './harness.ts'

export interface Job {
  readonly id: string
  readonly flow: string
  readonly status: string
  readonly error: string | null
}

/** The exit code of what SIGKILL has ended. */
const KILLED = 128 + 9

/** Keeps a serve alive that kills itself, and counts. */
export class Phoenix {
  readonly #lab: Lab
  readonly log: string
  #serve: Serve | undefined
  deaths = 0
  constructor(lab: Lab) {
    this.#lab = lab
    this.log = join(lab.folder, 'crash.log')
    writeFileSync(this.log, '')
  }

  async serve(): Promise<Serve> {
    for (let tries = 0; tries < 50; tries++) {
      if (this.#serve !== undefined && !this.#serve.ended()) return this.#serve
      if (this.#serve !== undefined) this.deaths++
      this.#serve = undefined
      try {
        this.#serve = await this.#lab.start(
          [process.execPath, join(import.meta.dirname, 'crash-serve.ts')],
          { CRASH_LOG: this.log, OCTAVIA_LITE_BINARY: BINARY },
        )
      } catch (error) {
        // It may resume a job and die before the API answers: that is a death like any other.
        if (!String(error).includes('serve ended')) throw error
        this.deaths++
      }
    }
    throw new Error('serve does not stay alive')
  }

  /**
   * One change until no job is open any more. It is asked for again while it was cut by a death
   * before there was a job for it; what it answered is undefined when it was cut after.
   */
  async change(
    method: string,
    path: string,
    { body, patience_ms }: { readonly body?: unknown; readonly patience_ms?: number } = {},
  ): Promise<number | undefined> {
    const before = await this.#jobs()
    for (let tries = 0; tries < 10; tries++) {
      const status = await this.#request(method, path, body)
      await this.settle(patience_ms)
      if (status !== undefined || (await this.#jobs()) > before) return status
    }
    throw new Error(`${method} ${path} is cut each time`)
  }

  /** How many there are but those that give back the VIP of a request that was cut. */
  async #jobs(): Promise<number> {
    const { jobs } = await this.get<{ jobs: Job[] }>('octavia-lite/jobs?limit=1000')
    return jobs.filter(({ flow }) => flow !== 'vip-release').length
  }

  /**
   * One request; a connection cut by a death is no answer, and the caller looks at the rows
   * instead.
   */
  async #request(method: string, path: string, body?: unknown): Promise<number | undefined> {
    await this.serve()
    try {
      const response = await fetch(`${URL}/v2.0/${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(10_000),
        keepalive: false,
      } as RequestInit)
      await response.arrayBuffer()
      return response.status
    } catch {
      return undefined
    }
  }

  async get<T>(path: string): Promise<T> {
    for (let tries = 0; tries < 1_000; tries++) {
      await this.serve()
      try {
        const response = await fetch(`${URL}/v2.0/${path}`, {
          signal: AbortSignal.timeout(10_000),
          keepalive: false,
        } as RequestInit)
        return (await response.json()) as T
      } catch {
        // Killed in between: ask the next one, as soon as it is seen that this one has ended.
        await systemClock.sleep(10)
      }
    }
    throw new Error(`no answer to ${path}`)
  }

  /** Until no job is open any more. */
  async settle(patience_ms = 120_000): Promise<void> {
    await until(
      'every job to end',
      async () => {
        const { jobs } = await this.get<{ jobs: Job[] }>('octavia-lite/jobs?limit=5')
        return jobs.every((job) => ['DONE', 'REVERTED', 'FAILED'].includes(job.status))
      },
      patience_ms,
    )
  }

  /**
   * The last job is seen to be done a moment before the death that follows it, which leaves links
   * behind; then the next one stops as it should.
   */
  async stop(): Promise<void> {
    for (let tries = 0; tries < 10; tries++) {
      const code = await (await this.serve()).stop()
      this.#serve = undefined
      if (code !== KILLED) return
      this.deaths++
    }
    throw new Error('serve is killed at every stop')
  }
}

/** What the engine says there is, for any input of that flow like this one. */
export function boundariesOf(name: FlowName, like: object): ReadonlySet<string> {
  const id = '00000000-0000-4000-8000-000000000000'
  const child = { load_balancer_id: id, id, amphora_id: id, cascade: true, port_id: null }
  const flow = FLOWS[name] as unknown as Flow<World>
  const places = listBoundaries(flow, { ...child, ...like })
  return new Set(places.map(({ step, at }) => `${step} ${at}`))
}
