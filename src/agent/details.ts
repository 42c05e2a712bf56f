/** What the amphora says of itself: GET info and GET details. */
import { readFileSync, statfsSync } from 'node:fs'
import { cpus, hostname } from 'node:os'
import type { AgentConfig } from '../contract/agent-config.ts'
import { AGENT_API_VERSION, type AgentDetails, type AgentInfo } from '../contract/routes.ts'
import { readTextIfExists } from '../system/files.ts'
import { CommandError, type Processes } from '../system/process.ts'
import { Refused } from './answer.ts'
import { frontendsOf, type HaproxyService } from './haproxy.ts'
import type { LogService } from './log-service.ts'
import type { LvsService } from './lvs.ts'
import type { NetworkService } from './network.ts'

export interface DetailsDeps {
  readonly processes: Processes
  readonly haproxy_cmd: string
}

/**
 * Versions are asked for once, for programs do not change under a running agent. One that does not
 * answer in time, as on a busy host right after the boot, is there all the same: then there is no
 * answer yet.
 */
export function createInfo(deps: DetailsDeps): () => Promise<AgentInfo> {
  let versions: Promise<readonly [string, string, string]> | undefined
  return async () => {
    versions ??= Promise.all([
      versionOf(deps.processes, [deps.haproxy_cmd, '-v']),
      versionOf(deps.processes, ['keepalived', '--version']),
      versionOf(deps.processes, ['ipvsadm', '--version']),
    ]).catch((error) => {
      versions = undefined
      throw error
    })
    const [haproxy_version, keepalived_version, ipvsadm_version] = await versions
    return {
      hostname: hostname(),
      haproxy_version,
      api_version: AGENT_API_VERSION,
      keepalived_version,
      ipvsadm_version,
    }
  }
}

/** The first version number a program prints; empty where it cannot be started. */
async function versionOf(processes: Processes, argv: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await processes.run(argv)
    return /\bv?(\d+\.\d+[^\s,]*)/.exec(`${stdout}${stderr}`)?.[1] ?? ''
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    if (error.result === undefined) return ''
    throw new Refused(503, { message: 'Not ready', details: error.message })
  }
}

export async function readDetails(
  deps: {
    readonly haproxy: HaproxyService
    readonly lvs: Pick<LvsService, 'list' | 'isRunning'>
    readonly network: Pick<NetworkService, 'listNics'>
    readonly config: () => Pick<AgentConfig, 'loadbalancer_topology'>
    readonly logs: Pick<LogService, 'address'>
  },
  info: AgentInfo,
): Promise<AgentDetails> {
  const { haproxy, lvs, network, config } = deps
  const lbs = haproxy.list()
  const datagram = lvs.list()
  const frontends = lbs.flatMap((id) => frontendsOf(haproxy.read(id) ?? ''))
  const nics = (await network.listNics('namespace')).filter((nic) => nic.name.startsWith('eth'))
  const disk = statfsSync('/')
  return {
    ...info,
    networks: Object.fromEntries(
      nics.map((nic) => [nic.name, { network_tx: nic.tx_bytes, network_rx: nic.rx_bytes }]),
    ),
    active: true,
    haproxy_count: lbs.filter((id) => haproxy.isRunning(id)).length,
    cpu_count: cpus().length,
    cpu: parseCpu(readFileSync('/proc/stat', 'utf8')),
    memory: parseMemory(readFileSync('/proc/meminfo', 'utf8')),
    disk: { used: (disk.blocks - disk.bfree) * disk.bsize, available: disk.bavail * disk.bsize },
    load: readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3),
    active_tuned_profiles:
      readTextIfExists('/etc/tuned/active_profile')?.slice(0, 1024).trim() ?? '',
    topology: config().loadbalancer_topology,
    topology_status: 'OK',
    listeners: [...frontends.map((frontend) => frontend.id), ...datagram].sort(),
    packages: {},
    lvs_listener_process_count: datagram.filter((id) => lvs.isRunning(id)).length,
    log_address: deps.logs.address,
  }
}

/** The first line of /proc/stat; upstream hands most of it on as text. */
export function parseCpu(text: string): AgentDetails['cpu'] {
  const [user = '0', nice = '0', system = '0', ...rest] =
    text.split('\n')[0]?.trim().split(/\s+/).slice(1) ?? []
  const all = [user, nice, system, ...rest]
  return {
    total: all.reduce((sum, ticks) => sum + Number(ticks), 0),
    user,
    system,
    // idle, iowait, irq, softirq follow.
    soft_irq: rest[3] ?? '0',
  }
}

/** /proc/meminfo, KiB. */
export function parseMemory(text: string): AgentDetails['memory'] {
  const kib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)?.[1] ?? 0)
  return {
    total: kib('MemTotal'),
    free: kib('MemFree'),
    buffers: kib('Buffers'),
    cached: kib('Cached'),
    // The name promises more than upstream's source of it.
    swap_used: kib('SwapCached'),
    shared: kib('Shmem'),
    slab: kib('Slab'),
  }
}
