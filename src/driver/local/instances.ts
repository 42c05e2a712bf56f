/**
 * The instances of this machine. Each is a process which does not belong to us and outlives us;
 * what we know of it is its record, and its process, found again by number and start time. One that
 * should run and does not is started again, with the same addresses, MAC addresses and files: so
 * after a reboot of the host.
 */
import { copyFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../system/clock.ts'
import type { Launcher } from '../../system/detached.ts'
import { applyIp } from '../../system/ip.ts'
import type { Log } from '../../system/log.ts'
import type { Processes } from '../../system/process.ts'
import { DriverError } from '../error.ts'
import { SerialTasks } from '../serial.ts'
import { MANAGEMENT_INTERFACE } from './desired.ts'
import type { LinkKeeper } from './link-keeper.ts'
import { portLinkName } from './naming.ts'
import {
  endProcess,
  findProcess,
  findStartedProcess,
  type InstanceProcess,
  isAlive,
  startProcess,
} from './process.ts'
import type { InstanceRecord, LocalState, PortRecord } from './state.ts'
import { AGENT_LOG } from './supervisor.ts'
import type { Topology } from './topology.ts'

export interface InstancesDeps {
  readonly processes: Processes
  readonly launcher: Launcher
  readonly clock: Clock
  readonly log: Log
  readonly state: LocalState
  readonly topology: Topology
  readonly keeper: LinkKeeper
}

export interface InstancesOptions {
  /** The file of the supervisor script. */
  readonly script: string
  /** Folders which an amphora has for itself, empty at first. */
  readonly covered: readonly string[]
  readonly agent_command: readonly string[]
}

export type InstanceState = 'booting' | 'running' | 'ended'

const LOG_MAX_BYTES = 4 << 20
const BOOTS_AT_ONCE = 4

export class Instances {
  readonly #deps: InstancesDeps
  readonly #options: InstancesOptions
  readonly #tasks = new SerialTasks()
  readonly #processes = new Map<string, InstanceProcess>()
  readonly #booting = new Set<string>()
  /** Instances whose management interface is known to be configured. */
  readonly #configured = new Set<string>()

  constructor(deps: InstancesDeps, options: InstancesOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** The running process of an instance: its ports go to the network namespace of that. */
  pidOf(amphora_id: string): number | undefined {
    const process = this.#processes.get(amphora_id)
    return process !== undefined && isAlive(process) ? process.pid : undefined
  }

  stateOf(amphora_id: string): InstanceState {
    if (this.#booting.has(amphora_id)) return 'booting'
    return this.pidOf(amphora_id) === undefined ? 'ended' : 'running'
  }

  /** One task at a time for each instance. */
  exclusively<T>(amphora_id: string, task: () => Promise<T>): Promise<T> {
    return this.#tasks.run(amphora_id, task)
  }

  /** Finds the processes which an earlier life of ours started. */
  adopt(): void {
    for (const { amphora_id } of this.#deps.state.instances) {
      const process = findStartedProcess(this.#deps.state.folderOf(amphora_id))
      if (process !== undefined) this.#processes.set(amphora_id, process)
    }
  }

  /**
   * Starts what should run and does not, and configures what is not; returns what it did, in words.
   */
  async recover(): Promise<{ repaired: readonly string[]; problems: readonly string[] }> {
    const repaired: string[] = []
    const problems: string[] = []
    const queue = [...this.#deps.state.instances]
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { amphora_id, name } = next
        try {
          const done = await this.exclusively(amphora_id, () => this.ensureRunning(amphora_id))
          if (done) repaired.push(`${name}: started again`)
          this.#boundLog(amphora_id)
        } catch (error) {
          problems.push(`${name}: ${error instanceof Error ? error.message : error}`)
        }
      }
    }
    await Promise.all(Array.from({ length: BOOTS_AT_ONCE }, work))
    return { repaired, problems }
  }

  /** Must run `exclusively`. Says whether it had to be started. */
  async ensureRunning(amphora_id: string): Promise<boolean> {
    const record = this.#deps.state.findInstance(amphora_id)
    if (record === undefined) return false
    if (this.pidOf(amphora_id) !== undefined) {
      if (!this.#configured.has(amphora_id)) await this.#configure(record)
      return false
    }
    this.#booting.add(amphora_id)
    try {
      await this.#boot(record)
      return true
    } finally {
      this.#booting.delete(amphora_id)
    }
  }

  /** Must run `exclusively`. Ends the process of an instance, recorded or not. */
  async end(amphora_id: string): Promise<void> {
    const process = findProcess(this.#deps.state.folderOf(amphora_id))
    if (process !== undefined) await endProcess(this.#deps.clock, process)
    this.#processes.delete(amphora_id)
    this.#configured.delete(amphora_id)
  }

  /** The links of these ports were made anew: what was configured in them is lost. */
  forgetConfigured(links: ReadonlySet<string>): void {
    for (const { amphora_id, port_id } of this.#deps.state.instances)
      if (links.has(portLinkName(port_id))) this.#configured.delete(amphora_id)
  }

  async #boot(record: InstanceRecord): Promise<void> {
    const { amphora_id } = record
    const { state, keeper } = this.#deps
    const folder = state.folderOf(amphora_id)
    // What is left of an earlier process: links into a namespace that is going away would look
    // right.
    const known = this.#processes.has(amphora_id)
    await this.end(amphora_id)
    if (known) await keeper.reconcile()
    const supervisor = { ...this.#options, folder, hostname: record.name }
    await startProcess(this.#deps, supervisor, async (process) => {
      this.#processes.set(amphora_id, process)
      await keeper.ensure('build', portLinkName(record.port_id))
      await this.#configure(record)
    })
  }

  /** Gives the management interface its address. Can be repeated. */
  async #configure(record: InstanceRecord): Promise<void> {
    const port = this.#portOf(record)
    const address = port.fixed_ips[0]
    const pid = this.pidOf(record.amphora_id)
    if (address === undefined || pid === undefined) return
    const { prefix, family } = this.#deps.topology.host_address.range
    const once = family === 6 ? ['nodad'] : []
    const device = ['dev', MANAGEMENT_INTERFACE]
    await applyIp(
      this.#deps.processes,
      [
        ['link', 'set', 'dev', 'lo', 'up'],
        ['address', 'replace', `${address.ip_address}/${prefix}`, ...device, ...once],
        ['link', 'set', ...device, 'up'],
      ],
      { pid },
    )
    this.#configured.add(record.amphora_id)
  }

  #portOf(record: InstanceRecord): PortRecord {
    const port = this.#deps.state.findPort(record.port_id)
    if (port !== undefined) return port
    throw new DriverError({
      operation: 'build',
      subject: `amphora ${record.amphora_id}`,
      reason: `the record of its port ${record.port_id} is gone`,
      hint: 'fail the load balancer over',
      retryable: false,
    })
  }

  /** The agent appends to its log, so it can be copied away and cut while it runs. */
  #boundLog(amphora_id: string): void {
    const path = join(this.#deps.state.folderOf(amphora_id), AGENT_LOG)
    const { size } = statSync(path, { throwIfNoEntry: false }) ?? { size: 0 }
    if (size <= LOG_MAX_BYTES) return
    copyFileSync(path, `${path}.1`)
    truncateSync(path)
  }
}
