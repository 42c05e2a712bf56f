/** The few calls of Octavia's API that the demo makes, as any HTTP client would. */
import type { Clock } from '../../system/clock.ts'
import { CommandFailure } from '../io.ts'

type Body = Readonly<Record<string, unknown>>

/** How long the demo waits for one thing before it says that something is wrong. */
const PATIENCE_MS = 60_000
const POLL_MS = 50

export class OctaviaClient {
  readonly #base: string
  readonly #clock: Clock
  constructor(base: string, clock: Clock) {
    this.#base = base
    this.#clock = clock
  }

  /**
   * The resource inside its wrapper; an answer that is no success is a CommandFailure with the
   * fault.
   */
  async call(method: string, path: string, body?: Body): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.#base}/v2.0/lbaas/${path}`, {
      method,
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      signal: AbortSignal.timeout(PATIENCE_MS),
      proxy: false,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    } as RequestInit)
    const text = await response.text()
    if (!response.ok)
      throw new CommandFailure(`${method} ${path} was answered ${response.status}: ${text}`)
    if (text === '') return {}
    const wrapped = Object.values(JSON.parse(text) as Record<string, unknown>)[0]
    return wrapped as Record<string, unknown>
  }

  /** Whether a GET finds the resource. */
  async exists(path: string): Promise<boolean> {
    const response = await fetch(`${this.#base}/v2.0/lbaas/${path}`, {
      proxy: false,
    } as RequestInit)
    await response.arrayBuffer()
    return response.status !== 404
  }

  /** Polls until `done` says so. */
  async until(what: string, done: () => Promise<boolean>): Promise<void> {
    const end = this.#clock.now() + PATIENCE_MS
    while (!(await done())) {
      if (this.#clock.now() > end)
        throw new CommandFailure(`waited ${PATIENCE_MS / 1000} s in vain for ${what}`)
      await this.#clock.sleep(POLL_MS)
    }
  }

  /** Waits until the load balancer is ACTIVE; ERROR is a CommandFailure. */
  async active(id: string): Promise<void> {
    await this.until(`load balancer ${id} to be ACTIVE`, async () => {
      const { provisioning_status } = await this.call('GET', `loadbalancers/${id}`)
      if (provisioning_status === 'ERROR')
        throw new CommandFailure(`load balancer ${id} is in ERROR; see octavia-lite jobs list`)
      return provisioning_status === 'ACTIVE'
    })
  }

  /** Creates, waits for the load balancer and returns the id of what was created. */
  async create(path: string, body: Body, load_balancer_id?: string): Promise<string> {
    const created = await this.call('POST', path, body)
    const id = String(created.id)
    await this.active(load_balancer_id ?? id)
    return id
  }
}
