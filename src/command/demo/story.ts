/** What the demo shows, from an empty machine to balanced requests and back. */
import { systemClock } from '../../system/clock.ts'
import { CommandFailure, type Io, table } from '../io.ts'
import type { OctaviaClient } from './client.ts'
import type { RunningServe } from './serve.ts'
import { createWebServer, findInterface, type WebServer } from './web-server.ts'

export const DEMO_NETWORK = {
  cidr: '10.10.10.0/24',
  prefix: 24,
  gateway: '10.10.10.1',
  webServers: ['10.10.10.11', '10.10.10.12'],
} as const

const REQUESTS = 20

export interface Story {
  readonly loadBalancerId: string
  readonly vip: string
  readonly servers: readonly WebServer[]
}

export type Say = (line: string) => void

/** Lines with the seconds since the start. */
export function storyTeller(io: Io): Say {
  const start = systemClock.now()
  return (line) => {
    const seconds = ((systemClock.now() - start) / 1000).toFixed(1).padStart(6)
    io.out(`${seconds} s  ${line}\n`)
  }
}

export async function makeWebServers(say: Say): Promise<WebServer[]> {
  const bridge = await findInterface(DEMO_NETWORK.gateway)
  const servers: WebServer[] = []
  for (const [i, address] of DEMO_NETWORK.webServers.entries()) {
    const place = {
      name: `web${i + 1}`,
      address,
      prefix: DEMO_NETWORK.prefix,
      bridge,
      executable: process.execPath,
    }
    const server = await createWebServer(place)
    server.start()
    servers.push(server)
  }
  say(`${servers.map((s) => `${s.name} ${s.address}`).join(', ')}: each in a namespace of its own`)
  return servers
}

/** Creates everything through the API and waits until both members are seen ONLINE. */
export async function balance(
  client: OctaviaClient,
  subnetId: string,
  servers: readonly WebServer[],
  say: Say,
): Promise<Story> {
  const began = systemClock.now()
  const loadBalancerId = await client.create('loadbalancers', {
    loadbalancer: { name: 'demo', vip_subnet_id: subnetId },
  })
  const { vip_address } = await client.call('GET', `loadbalancers/${loadBalancerId}`)
  const vip = String(vip_address)
  const took = ((systemClock.now() - began) / 1000).toFixed(2)
  say(`load balancer ${loadBalancerId} ACTIVE after ${took} s, VIP ${vip}`)
  const listener = { name: 'http', protocol: 'HTTP', protocol_port: 80 }
  const listenerId = await client.create(
    'listeners',
    { listener: { ...listener, loadbalancer_id: loadBalancerId } },
    loadBalancerId,
  )
  say(`listener ${listenerId} HTTP on port 80`)
  const poolId = await client.create(
    'pools',
    {
      pool: { name: 'web', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', listener_id: listenerId },
    },
    loadBalancerId,
  )
  say(`pool ${poolId} ROUND_ROBIN`)
  const check = { type: 'HTTP', delay: 1, timeout: 1, max_retries: 1, max_retries_down: 2 }
  await client.create(
    'healthmonitors',
    { healthmonitor: { ...check, pool_id: poolId } },
    loadBalancerId,
  )
  say('health monitor HTTP GET / every second')
  for (const { name, address } of servers) {
    const member = { name, address, protocol_port: 80 }
    await client.create(`pools/${poolId}/members`, { member }, loadBalancerId)
    say(`member ${name} ${address}:80`)
  }
  const story = { loadBalancerId, vip, servers }
  await membersShow(client, story, Object.fromEntries(servers.map((s) => [s.name, 'ONLINE'])))
  say('both members ONLINE, as the amphora reports by heartbeat')
  return story
}

/** One server dies, traffic goes on, and it comes back. */
export async function surviveCrash(client: OctaviaClient, story: Story, say: Say): Promise<void> {
  const [victim, other] = story.servers
  if (victim === undefined || other === undefined)
    throw new CommandFailure('two servers are needed')
  await victim.kill()
  say(`${victim.name} killed`)
  await membersShow(client, story, { [victim.name]: 'ERROR', [other.name]: 'ONLINE' })
  say(`${victim.name} is in ERROR; requests now: ${await ask(story.vip)}`)
  victim.start()
  say(`${victim.name} started again`)
  await membersShow(client, story, { [victim.name]: 'ONLINE', [other.name]: 'ONLINE' })
  say(`${victim.name} is ONLINE; requests now: ${await ask(story.vip)}`)
}

/**
 * Requests through the VIP, and who answered how many; a request without an answer is a failure.
 */
export async function ask(vip: string): Promise<string> {
  const answers = new Map<string, number>()
  for (let i = 0; i < REQUESTS; i++) {
    const response = await fetch(`http://${vip}/`, {
      signal: AbortSignal.timeout(5_000),
      keepalive: false,
      proxy: false,
    } as RequestInit)
    const who = response.ok ? (await response.text()).trim() : `status ${response.status}`
    answers.set(who, (answers.get(who) ?? 0) + 1)
  }
  const counts = [...answers].sort(([a], [b]) => a.localeCompare(b))
  return `${REQUESTS} to http://${vip}/, ${counts.map(([who, n]) => `${who} answered ${n}`).join(', ')}`
}

async function membersShow(
  client: OctaviaClient,
  story: Story,
  wanted: Readonly<Record<string, string>>,
): Promise<void> {
  const what = Object.entries(wanted).map(([name, status]) => `${name} ${status}`)
  await client.until(what.join(' and '), async () => {
    const tree = await statusTree(client, story.loadBalancerId)
    const shown = new Map(tree.map((node) => [node.name, node.operating_status]))
    return Object.entries(wanted).every(([name, status]) => shown.get(name) === status)
  })
}

interface Node {
  readonly depth: number
  readonly kind: string
  readonly name: string
  readonly provisioning_status: string
  readonly operating_status: string
}

type Json = Record<string, unknown>

async function statusTree(client: OctaviaClient, id: string): Promise<Node[]> {
  const statuses = await client.call('GET', `loadbalancers/${id}/status`)
  const nodes: Node[] = []
  const add = (depth: number, kind: string, value: unknown): void => {
    if (value === null || typeof value !== 'object') return
    const item = value as Json
    nodes.push({
      depth,
      kind,
      name: String(item.name || item.type || ''),
      provisioning_status: String(item.provisioning_status),
      operating_status: String(item.operating_status),
    })
    for (const child of (item.listeners ?? []) as Json[]) add(depth + 1, 'listener', child)
    for (const child of (item.pools ?? []) as Json[]) add(depth + 1, 'pool', child)
    if (kind === 'pool') add(depth + 1, 'health monitor', item.health_monitor)
    for (const child of (item.members ?? []) as Json[]) add(depth + 1, 'member', child)
  }
  add(0, 'load balancer', statuses.loadbalancer)
  return nodes
}

export async function printStatusTree(client: OctaviaClient, id: string, io: Io): Promise<void> {
  const nodes = await statusTree(client, id)
  const rows = nodes.map((node) => [
    `${'  '.repeat(node.depth)}${node.kind} ${node.name}`.trimEnd(),
    node.provisioning_status,
    node.operating_status,
  ])
  io.out(`\n${table([['resource', 'provisioning', 'operating'], ...rows])}\n`)
}

/** Deletes the load balancer with all its children and waits until the API answers 404. */
export async function removeLoadBalancer(client: OctaviaClient, id: string): Promise<void> {
  await client.call('DELETE', `loadbalancers/${id}?cascade=true`)
  await client.until(`load balancer ${id} to be gone`, async () => {
    return !(await client.exists(`loadbalancers/${id}`))
  })
}

export function nextSteps(serve: RunningServe, story: Story, isolated: boolean): string {
  const prefix = isolated ? `nsenter --target ${serve.pid} --net --mount ` : ''
  const openstack = `openstack --os-auth-type none --os-endpoint ${serve.url} loadbalancer`
  return [
    'Left running. Try, in another terminal:',
    `  ${prefix}curl http://${story.vip}/`,
    `  ${prefix}curl ${serve.url}/v2.0/lbaas/loadbalancers`,
    `  ${prefix}${openstack} list`,
    `  ${prefix}${openstack} status show demo`,
    `  ${prefix}${openstack} listener create --name tcp --protocol TCP --protocol-port 8080 demo`,
    `  ${prefix}${process.execPath} jobs list`,
    'Ctrl-C removes everything again.',
    '',
  ].join('\n')
}
