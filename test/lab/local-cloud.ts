/** A local cloud for lab tests, on a folder of its own, with a stand-in for the agent. */
import { connect } from 'node:net'
import type { InstanceRequest } from '../../src/driver/compute.ts'
import {
  createLocalCloud,
  DEFAULT_MANAGEMENT,
  DEFAULT_NETWORKS,
  type LocalCloud,
  type LocalCloudDeps,
  type LocalCloudOptions,
} from '../../src/driver/local/cloud.ts'
import { systemClock } from '../../src/system/clock.ts'
import { systemLauncher } from '../../src/system/detached.ts'
import { newId } from '../../src/system/ids.ts'
import { silentLog } from '../../src/system/log.ts'
import { runOk, systemProcesses } from '../../src/system/process.ts'

/**
 * Why the lab cannot run here; undefined where it can. Never in the network of the machine itself.
 */
export function labMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  for (const program of ['ip', 'unshare', 'nsenter'])
    if (Bun.which(program) === null) return `needs ${program}`
  const routes = Bun.spawnSync(['ip', 'route', 'show', 'default']).stdout.toString()
  if (routes.trim() !== '')
    return 'must run by test/lab/in-netns.sh, not in the network of the machine'
  return undefined
}

export const labDeps: LocalCloudDeps = {
  processes: systemProcesses,
  launcher: systemLauncher,
  clock: systemClock,
  log: silentLog,
}

export const LAB_NETWORKS = [
  ...DEFAULT_NETWORKS,
  { name: 'member-net', cidr: '10.20.0.0/24', host_access: false },
  { name: 'small-net', cidr: '10.30.0.0/29', host_access: false },
] as const

export function openLabCloud(
  state_dir: string,
  overrides: Partial<LocalCloudOptions> = {},
  deps: Partial<LocalCloudDeps> = {},
): LocalCloud {
  return createLocalCloud(
    { ...labDeps, ...deps },
    {
      state_dir,
      networks: LAB_NETWORKS,
      management: DEFAULT_MANAGEMENT,
      agent_command: [process.execPath, `${import.meta.dirname}/stand-in-agent.ts`],
      ...overrides,
    },
  )
}

export function newInstanceRequest(): InstanceRequest {
  const amphora_id = newId()
  return {
    amphora_id,
    load_balancer_id: newId(),
    name: `amphora-${amphora_id}`,
    files: { '/etc/octavia/amphora-agent.conf': `id = ${amphora_id}\n` },
  }
}

/** What the stand-in reports; see stand-in-agent.ts. */
export interface Report {
  readonly hostname: string
  readonly pid: number
  readonly parent: number
  readonly child: string
  readonly childAlive: boolean
  readonly processes: number
  readonly settings: string
  readonly mode: string
  readonly kept: boolean
  readonly namespaces: readonly string[]
  readonly temporary: readonly string[]
  readonly environment: readonly string[]
  readonly macs: readonly string[]
  readonly addresses: readonly string[]
}

/** Asks the agent of an amphora over the management network, until it answers. */
export async function askAgent(cloud: LocalCloud, amphora_id: string): Promise<Report> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const answer = await say(cloud, amphora_id, 'hello')
    if (answer !== '') return JSON.parse(answer) as Report
    await systemClock.sleep(10)
  }
  throw new Error(`the agent of ${amphora_id} does not answer`)
}

/** One word to the agent, and its answer; empty when there is none. */
export async function say(cloud: LocalCloud, amphora_id: string, word: string): Promise<string> {
  const host = (await cloud.compute.find(amphora_id))?.lb_network_ip ?? ''
  return await new Promise((resolve) => {
    let answer = ''
    const socket = connect({ host, port: 9443, timeout: 300 }, () => socket.write(word))
    socket.on('data', (data) => {
      answer += String(data)
    })
    socket.on('timeout', () => socket.destroy())
    socket.on('error', () => resolve(''))
    socket.on('close', () => resolve(answer))
  })
}

/** `ip` and other commands, one a line. */
export async function sh(...lines: readonly string[]): Promise<string> {
  let output = ''
  for (const line of lines) output = (await runOk(systemProcesses, ['sh', '-c', line])).stdout
  return output
}
