/**
 * The main job, shown: `serve` on a throw-away data directory, two web servers, a load balancer
 * made through the API, real requests through its VIP, a crash and a recovery, and every trace
 * removed.
 */
import { systemClock } from '../system/clock.ts'
import { parseArguments } from './arguments.ts'
import { OctaviaClient } from './demo/client.ts'
import { isInside, prepareInside, runInside } from './demo/isolation.ts'
import { type RunningServe, startServe } from './demo/serve.ts'
import * as story from './demo/story.ts'
import { serveName, type WebServer } from './demo/web-server.ts'
import { type Command, CommandFailure, EXIT, type Exit, type Io } from './io.ts'

const URL = 'http://127.0.0.1:9876'

/**
 * A second between heartbeats, so that the demo does not wait for the usual ten; and nobody logs
 * in.
 */
const SETTINGS = `[api_settings]
auth_strategy = "noauth"

[health_manager]
heartbeat_interval = 1

[[local_cloud.networks]]
name = "vip-net"
cidr = "${story.DEMO_NETWORK.cidr}"
gateway_ip = "${story.DEMO_NETWORK.gateway}"
host_access = true
allocation_start = "10.10.10.100"
allocation_end = "10.10.10.199"
`

export const command: Command = {
  summary: 'show a load-balanced request, from nothing to nothing, in ten seconds',
  help: `usage: octavia-lite demo [--keep] [--host-network]

Starts \`serve\` on a throw-away data directory, makes two web servers, creates a load
balancer for them through the API, sends requests through its VIP, kills one server and
brings it back, and removes every trace. Needs root, haproxy, iproute2 and util-linux.

  --keep          leave everything running until Ctrl-C, and print what to try next
  --host-network  use this machine's network (o-hm0, 172.16.0.0/22, 10.10.10.0/24) instead
                  of a private network namespace
`,
  async run(args, io) {
    if (args[0] === 'web-server') {
      serveName(args[1] ?? 'web')
      return await new Promise<Exit>(() => {})
    }
    const options = parseArguments(args, {
      keep: { type: 'boolean' },
      'host-network': { type: 'boolean' },
    })
    requireRoot()
    const isolated = !options.flag('host-network')
    if (isolated && !isInside(io.env)) return await runInside(['demo', ...args])
    if (isolated) await prepareInside()
    await demonstrate(io, isolated, options.flag('keep'))
    return EXIT.ok
  },
}

function requireRoot(): void {
  if (process.getuid?.() !== 0)
    throw new CommandFailure('namespaces and bridges need root; try: sudo octavia-lite demo')
  for (const [program, pack] of [
    ['haproxy', 'haproxy'],
    ['ip', 'iproute2'],
    ['unshare', 'util-linux'],
  ] as const)
    if (Bun.which(program, { PATH: '/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin' }) === null)
      throw new CommandFailure(`${program} is missing; try: apt-get install ${pack}`)
}

async function demonstrate(io: Io, isolated: boolean, keep: boolean): Promise<void> {
  const say = story.storyTeller(io)
  say(isolated ? 'in a network namespace of its own' : "on this machine's network")
  const interrupted = new AbortController()
  const interrupt = (): void => interrupted.abort(new CommandFailure('interrupted'))
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  const made: { serve?: RunningServe; servers: WebServer[]; loadBalancerId?: string } = {
    servers: [],
  }
  try {
    const began = systemClock.now()
    made.serve = await startServe(URL, SETTINGS)
    say(`serve answers at ${URL} after ${systemClock.now() - began} ms`)
    made.servers = await story.makeWebServers(say)
    const client = new OctaviaClient(URL, systemClock)
    const told = await orInterrupted(interrupted.signal, tell(client, made.servers, io, say))
    made.loadBalancerId = told.loadBalancerId
    if (keep) {
      io.out(story.nextSteps(made.serve, told, isolated))
      await new Promise((resolve) => interrupted.signal.addEventListener('abort', resolve))
      io.out('\n')
    }
    await story.removeLoadBalancer(client, told.loadBalancerId)
    say('load balancer deleted, with its children')
  } finally {
    for (const server of made.servers) await server.remove()
    await made.serve?.stop()
  }
  say('web servers, serve and its data directory removed')
}

async function tell(
  client: OctaviaClient,
  servers: readonly WebServer[],
  io: Io,
  say: story.Say,
): Promise<story.Story> {
  const subnets = await client.call('GET', '../subnets')
  const subnet = (subnets as unknown as { id: string; cidr: string }[]).find(
    (each) => each.cidr === story.DEMO_NETWORK.cidr,
  )
  if (subnet === undefined) throw new CommandFailure('the local cloud has no subnet for VIPs')
  const told = await story.balance(client, subnet.id, servers, say)
  say(`requests: ${await story.ask(told.vip)}`)
  await story.surviveCrash(client, told, say)
  await story.printStatusTree(client, told.loadBalancerId, io)
  return told
}

function orInterrupted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const abort = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })
  return Promise.race([work, abort])
}
