/**
 * The compiled executable under test, in the outer network namespace of the lab: started on a
 * folder of its own, spoken to over HTTP, stopped or killed. Everything that waits, waits for a
 * condition.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OctaviaClient } from '../../src/command/demo/client.ts'
import {
  createWebServer,
  findInterface,
  type WebServer,
} from '../../src/command/demo/web-server.ts'
import { systemClock } from '../../src/system/clock.ts'
import { runOk, systemProcesses } from '../../src/system/process.ts'

export const BINARY =
  process.env.OCTAVIA_LITE_BINARY ?? `${import.meta.dirname}/../../dist/octavia-lite`
export const URL = 'http://127.0.0.1:9876'

/** Why lab tests that use these programs, too, cannot run here; undefined when they can. */
export function labMissing(...programs: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  for (const program of ['ip', 'haproxy', 'unshare', ...programs])
    if (Bun.which(program) === null) return `needs ${program}`
  const routes = Bun.spawnSync(['ip', 'route', 'show', 'default']).stdout.toString()
  if (routes.trim() !== '') return 'must run in a network namespace without a default route'
  return undefined
}

/** Titles of tests, with the reason where they are skipped. */
export function titled(missing: string | undefined): (title: string) => string {
  return (title) => (missing === undefined ? title : `${title}: ${missing}`)
}

/** How much slower than usual everything may be: set in an emulated machine. */
const SLOWNESS = Number(process.env.OCTAVIA_LITE_SLOWNESS ?? 1)

export const NETWORK = { gateway: '10.10.10.1', prefix: 24 } as const

/** The network of VIPs; subnets may follow. */
export const VIP_NET = `[[local_cloud.networks]]
name = "vip-net"
cidr = "10.10.10.0/24"
gateway_ip = "10.10.10.1"
host_access = true
allocation_start = "10.10.10.100"
allocation_end = "10.10.10.250"
`

export interface LabSettings {
  /** Lines of [health_manager] and [controller_worker] besides the usual ones. */
  readonly health?: string
  readonly worker?: string
  /** Whole sections. */
  readonly sections?: string
  /** Further subnets of the network of VIPs. */
  readonly subnets?: string
}

/** Nobody logs in, except in the test about that. */
function settingsOf(settings: LabSettings): string {
  const { health = '', worker = '', sections = '', subnets = '' } = settings
  return `[api_settings]
auth_strategy = "noauth"

[health_manager]
heartbeat_interval = 1
${health}

[controller_worker]
${worker}

${sections}

${VIP_NET}
${subnets}
`
}

export interface Serve {
  readonly client: OctaviaClient
  readonly pid: number
  /** The end of the process: exit code, or 128 + signal. */
  readonly exited: Promise<number>
  ended(): boolean
  log(): string
  /** SIGTERM and wait; the exit code. */
  stop(): Promise<number>
  /** SIGKILL and wait. */
  kill(): Promise<void>
}

export interface Lab {
  readonly folder: string
  readonly config: string
  /** Starts serve and waits until the API answers, or throws with the log when it ends first. */
  start(argv?: readonly string[], env?: Readonly<Record<string, string>>): Promise<Serve>
  remove(): void
}

/** A folder with a configuration; a text replaces the usual one. */
export function createLab(wanted: LabSettings | string = {}): Lab {
  const settings = typeof wanted === 'string' ? wanted : settingsOf(wanted)
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-lab-'))
  const config = join(folder, 'octavia-lite.toml')
  writeFileSync(
    config,
    `[DEFAULT]\ndata_dir = ${JSON.stringify(join(folder, 'data'))}\n\n${settings}`,
  )
  return {
    folder,
    config,
    start: async (argv = [BINARY, 'serve'], env = {}) => {
      const log = join(folder, `serve-${systemClock.now()}.log`)
      const child = Bun.spawn([...argv, '--config-file', config], {
        stdio: ['ignore', Bun.file(log), Bun.file(log)],
        env: { ...process.env, ...env },
      })
      const serve: Serve = {
        client: new OctaviaClient(URL, systemClock),
        pid: child.pid,
        exited: child.exited,
        ended: () => child.exitCode !== null || child.signalCode !== null,
        log: () => readFileSync(log, 'utf8'),
        stop: async () => {
          child.kill('SIGTERM')
          return await child.exited
        },
        kill: async () => {
          child.kill('SIGKILL')
          await child.exited
        },
      }
      await until('serve to answer', async () => {
        if (serve.ended()) throw new Error(`serve ended with ${child.exitCode}:\n${serve.log()}`)
        return await answers(URL)
      })
      return serve
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Whether the kernel can serve UDP and SCTP. */
export function hasIpvs(): boolean {
  Bun.spawnSync(['modprobe', '-q', 'ip_vs'])
  return existsSync('/proc/net/ip_vs')
}

/** Polls a condition; fails loudly after `ms`. */
export async function until(
  what: string,
  done: () => Promise<boolean> | boolean,
  usual_ms = 60_000,
): Promise<void> {
  const ms = usual_ms * SLOWNESS
  const end = systemClock.now() + ms
  while (!(await done())) {
    if (systemClock.now() > end) throw new Error(`waited ${ms} ms in vain for ${what}`)
    await systemClock.sleep(20 * SLOWNESS)
  }
}

export async function answers(url: string): Promise<boolean> {
  return (await bodyOf(url)) !== undefined
}

/** The body of a GET on a fresh connection, undefined when there is no 2xx answer. */
export async function bodyOf(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(2_000 * SLOWNESS),
      keepalive: false,
      proxy: false,
    } as RequestInit)
    const text = await response.text()
    return response.ok ? text.trim() : undefined
  } catch {
    return undefined
  }
}

/** The subnet of `vip-net`, as any client finds it. */
export async function vipSubnet(client: OctaviaClient): Promise<string> {
  const subnets = await client.call('GET', '../subnets')
  return String((subnets as unknown as { id: string }[])[0]?.id)
}

/** Web servers on vip-net from 10.10.10.11 up, started. */
export async function createWebServers(count: number): Promise<WebServer[]> {
  const bridge = await findInterface(NETWORK.gateway)
  const servers: WebServer[] = []
  for (let i = 1; i <= count; i++) {
    const place = { name: `web${i}`, address: `10.10.10.${10 + i}`, prefix: NETWORK.prefix, bridge }
    const server = await createWebServer({ ...place, executable: BINARY })
    server.start()
    servers.push(server)
  }
  for (const server of servers)
    await until(`${server.name} to answer`, () => answers(`http://${server.address}/`))
  return servers
}

/** One load balancer with an HTTP listener, a pool, a monitor and these servers, in one request. */
export async function createBalanced(
  client: OctaviaClient,
  servers: readonly WebServer[],
  name = 'web',
): Promise<{ id: string; vip: string; pool: string; listener: string }> {
  const members = servers.map((s) => ({ name: s.name, address: s.address, protocol_port: 80 }))
  const healthmonitor = { type: 'HTTP', delay: 1, timeout: 1, max_retries: 1, max_retries_down: 2 }
  const pool = {
    name: 'pool',
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
    healthmonitor,
    members,
  }
  const listener = { name: 'http', protocol: 'HTTP', protocol_port: 80, default_pool: pool }
  const loadbalancer = { name, vip_subnet_id: await vipSubnet(client), listeners: [listener] }
  const id = await client.create('loadbalancers', { loadbalancer })
  const row = await client.call('GET', `loadbalancers/${id}`)
  return {
    id,
    vip: String(row.vip_address),
    pool: String((row.pools as { id: string }[])[0]?.id),
    listener: String((row.listeners as { id: string }[])[0]?.id),
  }
}

/** DELETE with cascade, and wait for the 404. */
export async function deleteCascade(client: OctaviaClient, id: string): Promise<void> {
  await client.call('DELETE', `loadbalancers/${id}?cascade=true`)
  await until(
    `load balancer ${id} to be gone`,
    async () => !(await client.exists(`loadbalancers/${id}`)),
  )
}

/** Pids whose command line contains `text`. */
export async function pidsOf(text: string): Promise<number[]> {
  const { stdout } = await systemProcesses.run(['pgrep', '-f', '--', text])
  return stdout
    .split('\n')
    .filter(Boolean)
    .map(Number)
    .filter((pid) => pid !== process.pid)
}

export async function ip(...args: string[]): Promise<string> {
  return (await runOk(systemProcesses, ['ip', ...args])).stdout
}
