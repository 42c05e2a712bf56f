/**
 * A large service of Kubernetes in the local cloud, with the calls of its cloud provider: the
 * whole load balancer in one request, or each object by itself; then a node that is replaced, which
 * is a batch of members for each pool.
 */
import { systemClock } from '../../src/system/clock.ts'
import { createLab, deleteCascade, labMissing, type Serve, vipSubnet } from '../lab/harness.ts'
import type { Scenario } from './scenario.ts'

const POOLS = 10
const NODES = 50
/** The cloud provider waits 1 s after its first look, and 1.2 times as long after each other. */
const [FIRST_WAIT_MS, WAIT_FACTOR] = [1_000, 1.2] as const
const QUICK_WAIT_MS = 10
const PATIENCE_MS = 60_000

export const kubernetes: Scenario = {
  name: 'kubernetes',
  missing: labMissing,
  run: async ({ quick }) => {
    const lab = createLab()
    const serve = await lab.start()
    const [whole, parts, nodes]: [number[], number[], number[]] = [[], [], []]
    try {
      for (let n = 0; n < (quick ? 1 : 5); n++) {
        const made = await createWhole(serve, `kube_service_bench_default_${n}`)
        whole.push(made.ms)
        nodes.push(await replaceNode(serve, made.id))
        await deleteCascade(serve.client, made.id)
        const other = await createParts(serve, `kube_service_bench_serial_${n}`)
        parts.push(other.ms)
        await deleteCascade(serve.client, other.id)
      }
    } finally {
      await serve.stop()
      lab.remove()
    }
    const size = `${POOLS} pools of ${NODES} members`
    const unit = 'ms'
    return [
      {
        ...{ name: `${size}, one request`, unit, samples: whole, goal: { below: 10_000 } },
        note: 'to ACTIVE, looked for as the cloud provider does, after 1 s, 2.2 s ...',
      },
      {
        ...{ name: `${size}, each object by itself`, unit, samples: parts },
        goal: { below: 10_000 },
        note: `${1 + 4 * POOLS} changes, ACTIVE looked for every ${QUICK_WAIT_MS} ms`,
      },
      {
        ...{ name: 'a node is replaced in all pools', unit, samples: nodes },
        note: `${POOLS} batches of members, ACTIVE looked for every ${QUICK_WAIT_MS} ms`,
      },
    ]
  },
}

interface Created {
  readonly id: string
  readonly ms: number
}

const LISTENER = {
  ...{ protocol: 'TCP', connection_limit: -1, timeout_client_data: 50_000 },
  ...{ timeout_member_connect: 5_000, timeout_member_data: 50_000, timeout_tcp_inspect: 0 },
} as const
const POOL = { protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN' } as const
const MONITOR = {
  ...{ type: 'TCP', delay: 60, timeout: 30, max_retries: 1, max_retries_down: 3 },
} as const

/** Nobody is there: what counts is what it takes to be told. */
function membersOf(pool: number, first = 0): readonly object[] {
  return Array.from({ length: NODES }, (_, at) => ({
    ...{ name: `node${first + at}`, address: `10.10.10.${20 + first + at}` },
    protocol_port: 30_000 + pool,
  }))
}

async function createWhole({ client }: Serve, name: string): Promise<Created> {
  const listeners = Array.from({ length: POOLS }, (_, at) => ({
    ...{ ...LISTENER, name: `listener_${at}`, protocol_port: 8_000 + at },
    default_pool: { ...POOL, name: `pool_${at}`, members: membersOf(at), healthmonitor: MONITOR },
  }))
  const vip_subnet_id = await vipSubnet(client)
  const began = performance.now()
  await client.call('GET', `loadbalancers?name=${name}`)
  const loadbalancer = { name, vip_subnet_id, listeners }
  const id = String((await client.call('POST', 'loadbalancers', { loadbalancer })).id)
  await active({ client }, id, FIRST_WAIT_MS, WAIT_FACTOR)
  return { id, ms: performance.now() - began }
}

async function createParts({ client }: Serve, name: string): Promise<Created> {
  const vip_subnet_id = await vipSubnet(client)
  const began = performance.now()
  await client.call('GET', `loadbalancers?name=${name}`)
  const created = await client.call('POST', 'loadbalancers', {
    loadbalancer: { name, vip_subnet_id },
  })
  const id = String(created.id)
  const done = () => active({ client }, id, QUICK_WAIT_MS)
  const make = async (path: string, body: Readonly<Record<string, unknown>>): Promise<string> => {
    const { id: made } = await client.call('POST', path, body)
    await done()
    return String(made)
  }
  await done()
  for (let at = 0; at < POOLS; at++) {
    const own = { name: `listener_${at}`, protocol_port: 8_000 + at, loadbalancer_id: id }
    const listener_id = await make('listeners', { listener: { ...LISTENER, ...own } })
    const pool_id = await make('pools', { pool: { ...POOL, name: `pool_${at}`, listener_id } })
    await client.call('PUT', `pools/${pool_id}/members`, { members: membersOf(at) })
    await done()
    await make('healthmonitors', { healthmonitor: { ...MONITOR, pool_id } })
  }
  return { id, ms: performance.now() - began }
}

async function replaceNode({ client }: Serve, id: string): Promise<number> {
  const pools = (await client.call('GET', `pools?loadbalancer_id=${id}`)) as unknown as readonly {
    readonly id: string
    readonly name: string
  }[]
  const began = performance.now()
  for (const pool of pools) {
    const members = membersOf(Number(pool.name.slice('pool_'.length)), 1)
    await client.call('PUT', `pools/${pool.id}/members`, { members })
    await active({ client }, id, QUICK_WAIT_MS)
  }
  return performance.now() - began
}

async function active(
  { client }: Pick<Serve, 'client'>,
  id: string,
  first_wait_ms: number,
  factor = 1,
): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  for (let wait = first_wait_ms; ; wait *= factor) {
    const { provisioning_status } = await client.call('GET', `loadbalancers/${id}`)
    if (provisioning_status === 'ACTIVE') return
    if (provisioning_status === 'ERROR' || performance.now() > end)
      throw new Error(`load balancer ${id} is ${provisioning_status}`)
    await systemClock.sleep(wait)
  }
}
