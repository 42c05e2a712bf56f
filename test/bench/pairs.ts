/**
 * For how long nothing answers when an amphora fails or is replaced: a client opens a connection
 * every 10 ms, and the longest time without an answer is the sample.
 */
import { present } from '../../src/system/assert.ts'
import {
  type AmphoraRow,
  amphoraeOf,
  cutLink,
  freeze,
  isWhole,
  killAmphora,
  ownersOf,
  processesOf,
  type Seen,
  signal,
  startClient,
} from '../lab/amphora-faults.ts'
import { labMissing, until } from '../lab/harness.ts'
import { type Made, withBalanced } from './balanced.ts'
import type { Result } from './result.ts'
import type { Scenario } from './scenario.ts'

const PAIRS = 'loadbalancer_topology = "ACTIVE_STANDBY"'
const FAST = '[keepalived_vrrp]\nvrrp_advert_int = 0.2'
const IMPATIENT = 'heartbeat_timeout = 4\nhealth_check_interval = 1'

export const pairs: Scenario = {
  name: 'pairs',
  missing: () => {
    const missing = labMissing()
    if (missing !== undefined) return missing
    return Bun.which('keepalived') === null ? 'keepalived is not installed' : undefined
  },
  run: async ({ quick }) => {
    const times = quick ? 2 : 20
    return [
      ...(await withBalanced({ worker: PAIRS }, (made) => ofPair(made, times, 'advert_int 1'))),
      ...(await withBalanced({ worker: PAIRS, sections: FAST }, (made) =>
        ofPair(made, times, 'advert_int 0.2'),
      )),
      ...(await withBalanced({ health: IMPATIENT }, (made) => ofSingle(made, times))),
    ]
  },
}

/** Does it `times` times, each on a pair that is whole. */
async function repeated(
  made: Made,
  times: number,
  happens: (owner: AmphoraRow, others: readonly AmphoraRow[]) => Promise<void>,
): Promise<{ readonly gaps: number[]; readonly failed: number }> {
  const { lab, serve, id, vip } = made
  const gaps: number[] = []
  let failed = 0
  for (let n = 0; n < times; n++) {
    await until('the pair to be whole', async () =>
      isWhole(lab, await amphoraeOf(serve.client, id), vip),
    )
    const rows = await amphoraeOf(serve.client, id)
    const owner = present((await ownersOf(lab, rows, vip))[0], 'the owner of the VIP')
    const others = rows.filter((row) => row.id !== owner.id)
    const seen = await watched(vip, () => happens(owner, others))
    gaps.push(seen.gap_ms)
    failed += seen.failed
  }
  return { gaps, failed }
}

async function watched(vip: string, happens: () => Promise<void>): Promise<Seen> {
  const client = startClient(vip)
  await until('answers', () => client.answered() > 20)
  await happens()
  const served = client.answered()
  await until('answers again', () => client.answered() > served + 50)
  return client.stop()
}

async function ofPair(made: Made, times: number, note: string): Promise<Result[]> {
  const { lab, serve, id, vip } = made
  const moved = (others: readonly AmphoraRow[]) =>
    until('the other to have the VIP', async () => (await ownersOf(lab, others, vip)).length === 1)
  const results: Result[] = []
  const measure = async (
    name: string,
    happens: (owner: AmphoraRow, others: readonly AmphoraRow[]) => Promise<void>,
  ): Promise<void> => {
    const { gaps, failed } = await repeated(made, times, happens)
    const max = Math.max(...gaps)
    const told = `${note}; max ${max} ms, ${failed} requests failed`
    results.push({ name: `pair: ${name}`, unit: 'ms', samples: gaps, note: told })
  }
  await measure('haproxy of the MASTER killed', async (owner) =>
    signal(processesOf(lab, owner, 'haproxy'), 'SIGKILL'),
  )
  await measure('link of the MASTER cut', async (owner, others) => {
    const mend = await cutLink(owner)
    await moved(others)
    await mend()
  })
  await measure('the MASTER killed', async (owner, others) => {
    killAmphora(lab, owner)
    await moved(others)
  })
  await measure('failover of the load balancer by the API', async () => {
    await serve.client.call('PUT', `loadbalancers/${id}/failover`)
    await serve.client.active(id)
  })
  return results
}

/** Until a new amphora answers; a timeout of heartbeats of 4 s is part of it. */
async function ofSingle({ lab, serve, id, vip }: Made, times: number): Promise<Result[]> {
  const gaps: number[] = []
  for (let n = 0; n < times; n++) {
    const old = present((await amphoraeOf(serve.client, id))[0], 'the amphora')
    const seen = await watched(vip, async () => {
      const clear = await freeze(lab, old)
      await until('its replacement', async () => {
        const [row] = await amphoraeOf(serve.client, id)
        return row !== undefined && row.id !== old.id && row.status === 'ALLOCATED'
      })
      await serve.client.active(id)
      await clear()
    })
    gaps.push(seen.gap_ms)
  }
  const note = 'heartbeat_timeout 4 s'
  return [{ name: 'single: frozen and replaced', unit: 'ms', samples: gaps, note }]
}
