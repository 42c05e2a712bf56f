/** The calls which scenarios make; an answer that is no success ends the benchmark. */

import { systemClock } from '../../src/system/clock.ts'
import { newId } from '../../src/system/ids.ts'

type Body = Readonly<Record<string, unknown>>
/** A resource as it was answered; what a scenario needs of it is text. */
export type Answer = Readonly<Record<string, string>>

const PATIENCE_MS = 60_000

export class Api {
  readonly url: string
  constructor(url: string) {
    this.url = url
  }

  async call(method: string, path: string, body?: Body): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      proxy: false,
      signal: AbortSignal.timeout(PATIENCE_MS),
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    } as RequestInit)
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }

  async post(path: string, singular: string, values: Body): Promise<Answer> {
    const answer = await this.call('POST', `/v2/lbaas/${path}`, { [singular]: values })
    return (answer as Record<string, Answer>)[singular] ?? {}
  }

  async show(path: string, singular: string): Promise<Answer> {
    const answer = await this.call('GET', `/v2/lbaas/${path}`)
    return (answer as Record<string, Answer>)[singular] ?? {}
  }

  createLoadBalancer(values: Body = {}): Promise<Answer> {
    const fallback = { vip_subnet_id: newId(), project_id: 'bench' }
    return this.post('loadbalancers', 'loadbalancer', { ...fallback, ...values })
  }

  /** Polls every `poll_ms`; ERROR ends the benchmark. */
  async active(load_balancer_id: string, poll_ms: number): Promise<void> {
    const end = performance.now() + PATIENCE_MS
    for (;;) {
      const lb = await this.show(`loadbalancers/${load_balancer_id}`, 'loadbalancer')
      if (lb.provisioning_status === 'ACTIVE') return
      if (lb.provisioning_status === 'ERROR' || performance.now() > end)
        throw new Error(`load balancer ${load_balancer_id} is ${lb.provisioning_status}`)
      await systemClock.sleep(poll_ms)
    }
  }

  /** With everything in it; resolves when the load balancer is gone. */
  async deleteLoadBalancer(load_balancer_id: string, poll_ms: number): Promise<void> {
    await this.call('DELETE', `/v2/lbaas/loadbalancers/${load_balancer_id}?cascade=true`)
    for (;;) {
      const response = await fetch(`${this.url}/v2/lbaas/loadbalancers/${load_balancer_id}`, {
        proxy: false,
      } as RequestInit)
      await response.arrayBuffer()
      if (response.status === 404) return
      await systemClock.sleep(poll_ms)
    }
  }
}

/** Runs `work` for every item, `parallel` at a time; the results in the order of the items. */
export async function inParallel<T, R>(
  items: readonly T[],
  parallel: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array<R>(items.length)
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++
      results[at] = await work(items[at] as T)
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  return results
}
