/**
 * From the answer of the API to the first request that shows the change: by haproxy's runtime API
 * where it can be told, by a reload where it has to be.
 */
import { systemClock } from '../../src/system/clock.ts'
import { labMissing, until } from '../lab/harness.ts'
import { type Made, withBalanced } from './balanced.ts'
import type { Result } from './result.ts'
import type { Scenario } from './scenario.ts'

/** The pauses of the client between requests. */
const ASK_EVERY_MS = 2
const PATIENCE_MS = 30_000
const GOAL = { below: 300 } as const

export const changes: Scenario = {
  name: 'changes',
  missing: labMissing,
  run: ({ quick }) => withBalanced({}, (made) => measure(made, quick ? 5 : 50)),
}

async function measure(made: Made, times: number): Promise<Result[]> {
  return [
    {
      name: 'a member is replaced, until the new one answers',
      unit: 'ms',
      samples: await memberChanges(made, times),
      goal: GOAL,
      note: 'from the answer of the API; by the runtime API of haproxy',
    },
    {
      name: 'a policy is added, until it acts',
      unit: 'ms',
      samples: await policyChanges(made, times),
      goal: GOAL,
      note: 'from the answer of the API; by a reload',
    },
  ]
}

/** The pool has one member only, each time the other server. */
async function memberChanges({ serve, id, vip, pool }: Made, times: number): Promise<number[]> {
  const path = `pools/${pool}/members`
  const samples: number[] = []
  for (let at = 0; at < times; at++) {
    const number = 1 + (at % 2)
    const members = [{ address: `10.10.10.${10 + number}`, protocol_port: 80 }]
    const replace = () => serve.client.call('PUT', path, { members })
    samples.push(
      await timed(replace, vip, async (response) => (await response.text()) === `web${number}\n`),
    )
    await serve.client.active(id)
  }
  return samples
}

async function policyChanges({ serve, id, vip, listener }: Made, times: number): Promise<number[]> {
  const { client } = serve
  const samples: number[] = []
  for (let at = 0; at < times; at++) {
    const l7policy = { listener_id: listener, action: 'REJECT' }
    const policy = String((await client.call('POST', 'l7policies', { l7policy })).id)
    await client.active(id)
    const rule = { type: 'PATH', compare_type: 'STARTS_WITH', value: '/' }
    const add = () => client.call('POST', `l7policies/${policy}/rules`, { rule })
    samples.push(await timed(add, vip, ({ status }) => status === 403))
    await client.active(id)
    await client.call('DELETE', `l7policies/${policy}`)
    await client.active(id)
    await until('the policy to be gone', () => ask(vip, ({ ok }) => ok))
  }
  return samples
}

async function timed(
  change: () => Promise<unknown>,
  vip: string,
  shows: (response: Response) => boolean | Promise<boolean>,
): Promise<number> {
  await change()
  const began = performance.now()
  while (!(await ask(vip, shows))) {
    if (performance.now() - began > PATIENCE_MS) throw new Error('the change never shows')
    await systemClock.sleep(ASK_EVERY_MS)
  }
  return performance.now() - began
}

/** On a connection of its own. */
async function ask(
  vip: string,
  shows: (response: Response) => boolean | Promise<boolean>,
): Promise<boolean> {
  const response = await fetch(`http://${vip}/`, {
    signal: AbortSignal.timeout(PATIENCE_MS),
    keepalive: false,
    proxy: false,
  } as RequestInit)
  const shown = await shows(response)
  if (!response.bodyUsed) await response.arrayBuffer()
  return shown
}
