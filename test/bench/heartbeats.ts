/**
 * Heartbeats as genuine agents send them, of 100 and of 1,000 amphorae. What was processed is read
 * from the statistics in the database: every message reports one connection more. What the kernel
 * dropped is missing there.
 */
import { createSocket, type Socket } from 'node:dgram'
import { type HeartbeatMessage, sealHeartbeat } from '../../src/contract/heartbeat.ts'
import { systemClock } from '../../src/system/clock.ts'
import { type Api, inParallel } from './api.ts'
import { populated } from './create.ts'
import { cpuMs } from './processes.ts'
import type { Result } from './result.ts'
import type { Scenario } from './scenario.ts'
import { createPlace, HEARTBEAT_KEY, HEARTBEAT_PORT, type Serve, startServe } from './serve.ts'

const AMPHORAE = [100, 1000] as const
/** Per second. 1,000 amphorae send 100 with the default interval of 10 s. */
const RATES = [100, 1000, 2000, 5000, 10_000, 20_000] as const
/** Longer than a batch takes to be written, on a busy disk too. */
const SETTLED_MS = 2000

export const heartbeats: Scenario = {
  name: 'heartbeats',
  run: async ({ quick }) => {
    const results: Result[] = []
    for (const count of quick ? [50] : AMPHORAE) {
      const place = createPlace('noop')
      const serve = await startServe(place)
      try {
        const agents = await createAgents(serve.api, count)
        results.push(...(await measure(serve, agents, quick ? 1 : 4)))
      } finally {
        await serve.stop()
        place.remove()
      }
    }
    return results
  },
}

interface Agent {
  next(): Buffer
}

async function measure(serve: Serve, agents: readonly Agent[], seconds: number): Promise<Result[]> {
  const socket = createSocket('udp4')
  const sender = { socket, agents }
  // The first message of each turns everything ONLINE, which the others find done.
  await send(serve, sender, { rate: 1000, messages: 2 * agents.length })
  const results: Result[] = []
  let sustained = 0
  for (const rate of RATES) {
    const messages = rate * seconds
    const before = cpuMs(serve.pid)
    let lost = await send(serve, sender, { rate, messages })
    const cpu_us = ((cpuMs(serve.pid) - before) * 1000) / messages
    // Once can be the machine, whose disk another program kept busy.
    if (lost > 0) lost = await send(serve, sender, { rate, messages })
    if (lost > 0) {
      results.push({
        name: `heartbeats of ${agents.length} amphorae lost at ${rate}/s`,
        unit: '%',
        samples: [(100 * lost) / messages],
      })
      break
    }
    sustained = rate
    results.push({
      name: `CPU of a heartbeat, ${agents.length} amphorae, ${rate}/s`,
      unit: 'us',
      samples: [cpu_us],
      ...(rate === 100 ? { note: 'with all the process does meanwhile' } : {}),
    })
  }
  socket.close()
  return [
    ...results,
    {
      name: `heartbeats of ${agents.length} amphorae without loss`,
      unit: 'per s',
      samples: [sustained],
      note: `tried up to ${RATES.at(-1)}`,
    },
  ]
}

/** Sends and waits until all that came is written; returns how many were lost. */
async function send(
  serve: Serve,
  { socket, agents }: { socket: Socket; agents: readonly Agent[] },
  { rate, messages }: { rate: number; messages: number },
): Promise<number> {
  // Sealed before, so that sending costs next to nothing.
  const datagrams = Array.from({ length: messages }, (_, i) => agents[i % agents.length]?.next())
  const processed = (): number =>
    serve.count('select coalesce(sum(total_connections), 0) from listener_statistics')
  const before = processed()
  const began = performance.now()
  for (let sent = 0; sent < messages; ) {
    const due = Math.min(messages, Math.ceil(((performance.now() - began) / 1000) * rate))
    for (; sent < due; sent++) socket.send(datagrams[sent] ?? '', HEARTBEAT_PORT, '127.0.0.1')
    await systemClock.sleep(1)
  }
  let last = -1
  for (let now = processed(); now - before < messages && now !== last; now = processed()) {
    last = now
    await systemClock.sleep(SETTLED_MS)
  }
  return messages - (processed() - before)
}

/**
 * Load balancers with one amphora, listener, pool, five members, and what their agents would send.
 */
async function createAgents(api: Api, count: number): Promise<Agent[]> {
  const ids = await inParallel(Array(count).fill(0), 8, async () => {
    const { id } = await api.createLoadBalancer(populated())
    await api.active(id ?? '', 20)
    return id ?? ''
  })
  return await inParallel(ids, 8, async (id) => createAgent(await partsOf(api, id)))
}

interface Parts {
  readonly amphora: string
  readonly listener: string
  readonly pool: string
  readonly members: readonly string[]
}

interface Tree {
  readonly listeners: readonly { readonly id: string }[]
  readonly pools: readonly { readonly id: string; readonly members: readonly { id: string }[] }[]
}

async function partsOf(api: Api, id: string): Promise<Parts> {
  const amphorae = (await api.call('GET', `/v2/octavia/amphorae?loadbalancer_id=${id}`)) as {
    amphorae: { id: string }[]
  }
  const status = (await api.call('GET', `/v2/lbaas/loadbalancers/${id}/status`)) as {
    statuses: { loadbalancer: Tree }
  }
  const { listeners } = status.statuses.loadbalancer
  const [first] = listeners as unknown as Tree['pools'] & Tree[]
  const pool = first?.pools[0]
  return {
    amphora: amphorae.amphorae[0]?.id ?? '',
    listener: listeners[0]?.id ?? '',
    pool: pool?.id ?? '',
    members: pool?.members.map((member) => member.id) ?? [],
  }
}

function createAgent({ amphora, listener, pool, members }: Parts): Agent {
  let seq = 0
  const stats = { tx: 100, rx: 100, conns: 1, totconns: 1, ereq: 0 }
  const reports = Object.fromEntries(members.map((id) => [id, 'UP']))
  return {
    next: () => {
      const message: HeartbeatMessage = {
        id: amphora,
        seq: seq++,
        ver: 3,
        listeners: { [listener]: { status: 'OPEN', stats } },
        pools: { [`${pool}:${listener}`]: { status: 'UP', members: reports } },
      }
      return sealHeartbeat(message, HEARTBEAT_KEY)
    },
  }
}
