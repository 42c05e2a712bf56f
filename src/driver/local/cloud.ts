/**
 * The local cloud: networks and amphorae on this machine, without any OpenStack. Networks are
 * bridges, ports are veth pairs, an amphora is a set of namespaces in which the same agent runs as
 * in a virtual machine.
 *
 * What always holds: every link we make carries our mark, and links without it are never touched;
 * what should be is in `state_dir` before it is made, so that the next `start` or `heal` finishes
 * or undoes what a crash interrupted; instances do not belong to this process and outlive it.
 *
 * May import system, model and the driver seams. Needs root, iproute2 and util-linux.
 */
import { join } from 'node:path'
import { assert } from '../../system/assert.ts'
import type { Clock } from '../../system/clock.ts'
import type { Launcher } from '../../system/detached.ts'
import { readTextIfExists, writeFileAtomic } from '../../system/files.ts'
import type { Log } from '../../system/log.ts'
import type { Processes } from '../../system/process.ts'
import type { ComputeDriver } from '../compute.ts'
import { DriverError } from '../error.ts'
import type { Thing } from '../inventory.ts'
import type { Network, NetworkDriver, Port, Subnet } from '../network.ts'
import { createLocalCompute } from './compute.ts'
import { foreignLink, refuseLostPorts, refuseOverlaps, refuseWithoutIpv6 } from './conflict.ts'
import { desiredLinks } from './desired.ts'
import { firewallInTheWay } from './firewall.ts'
import { guarded } from './guarded.ts'
import { inspectHost, makeMountPoints, realPaths, removeMountPoints } from './host.ts'
import { Instances } from './instances.ts'
import { createLinkKeeper, type LinkKeeper } from './link-keeper.ts'
import { type DesiredLink, planLinks } from './links.ts'
import { portLinkName, portPeerName } from './naming.ts'
import { createLocalNetwork, toNetwork, toPort, toSubnet } from './network.ts'
import { LocalPorts, wishIn } from './ports.ts'
import { killProcess } from './process.ts'
import { LocalState } from './state.ts'
import { foldersToCover, SUPERVISOR_SCRIPT } from './supervisor.ts'
import {
  createTopology,
  type ManagementOptions,
  type NetworkOptions,
  type Topology,
} from './topology.ts'

export interface LocalCloudDeps {
  readonly processes: Processes
  readonly launcher: Launcher
  readonly clock: Clock
  readonly log: Log
}

export interface LocalCloudOptions {
  /** A folder of our own; made if it is not there. */
  readonly state_dir: string
  readonly networks: readonly NetworkOptions[]
  readonly management: ManagementOptions
  /** What runs in an amphora: an absolute path, then arguments. */
  readonly agent_command: readonly string[]
}

export const DEFAULT_NETWORKS: readonly NetworkOptions[] = [
  { name: 'vip-net', cidr: '10.10.10.0/24', host_access: true },
]
export const DEFAULT_MANAGEMENT: ManagementOptions = {
  name: 'lb-mgmt-net',
  cidr: '172.16.0.0/22',
  host_address: '172.16.0.2',
  host_interface: 'o-hm0',
  bridge_interface: 'o-bhm0',
}

/** Absent from a kernel without IPv6. */
const IPV6_SWITCH = '/proc/sys/net/ipv6/conf/default/disable_ipv6'

/** What a round of healing found, in words; both empty when all was well. */
export interface Healed {
  readonly repaired: readonly string[]
  readonly problems: readonly string[]
}

export interface UserPortRequest {
  readonly name: string
  readonly network_id: string
  /** Absent: a free one of the first subnet. */
  readonly ip_address?: string
  /** Makes a veth pair and gives one end away; else the port only reserves an address. */
  readonly link?: boolean
}

export interface UserPort {
  readonly port: Port
  /**
   * The free end of the pair, on this machine, down and without address: to be moved and
   * configured.
   */
  readonly link: string | null
}

export interface LocalCloud {
  readonly network: NetworkDriver
  readonly compute: ComputeDriver
  /** Marks what we made, in `octavia-lite:<deployment>:...`. */
  readonly deployment: string
  /**
   * Makes the networks, and starts the instances that should run and do not. Throws a DriverError,
   * before it changes anything, when something of this machine is in the way.
   */
  start(): Promise<void>
  /**
   * Puts right what others changed. Cheap when nothing did: one process, and some files of /proc.
   */
  heal(): Promise<Healed>
  /** Stops looking after things; instances and networks stay. */
  stop(): Promise<void>
  /**
   * Removes the networks if there is no instance and no port left; says whether. `start` makes them
   * again.
   */
  teardownIfIdle(): Promise<boolean>
  /** Ends all instances, and removes all ports and networks. */
  teardown(): Promise<void>
  /**
   * Takes away what belongs to nobody, as `listLocalThings` tells it: instead of `start`, which
   * would start amphorae first.
   */
  remove(things: readonly Thing[]): Promise<void>
  /** Without the management network, which is nobody's but ours. */
  listNetworks(): readonly Network[]
  listSubnets(): readonly Subnet[]
  listPorts(): readonly Port[]
  /** A port of a user's. Throws AddressInUse. */
  createPort(request: UserPortRequest): Promise<UserPort>
  deletePort(id: string): Promise<void>
}

export function createLocalCloud(deps: LocalCloudDeps, options: LocalCloudOptions): LocalCloud {
  return new Cloud(deps, options)
}

class Cloud implements LocalCloud {
  readonly network: NetworkDriver
  readonly compute: ComputeDriver
  readonly deployment: string
  readonly #deps: LocalCloudDeps
  readonly #state: LocalState
  readonly #topology: Topology
  readonly #ports: LocalPorts
  readonly #keeper: LinkKeeper
  readonly #instances: Instances
  readonly #script: string
  /** Before `start` nobody may compare: everything we made earlier would look superfluous. */
  #wanted: 'unknown' | 'networks' | 'nothing' = 'unknown'
  #healing = false

  constructor(deps: LocalCloudDeps, options: LocalCloudOptions) {
    const { processes } = deps
    const { agent_command, networks, management } = options
    const state = new LocalState(options.state_dir)
    const { deployment } = state
    const topology = createTopology(deployment, networks, management)
    const ports = new LocalPorts(state, topology)
    const script = join(state.folder, 'supervise')
    const covered = foldersToCover([state.folder, ...realPaths(agent_command)])
    const made = (links: ReadonlySet<string>): void => instances.forgetConfigured(links)
    const keeper = createLinkKeeper({ processes, made }, deployment, () => this.#desired())
    const instances = new Instances(
      { ...deps, state, topology, keeper },
      { script, covered, agent_command },
    )
    const prepareHost = (): void => {
      assert(this.#wanted === 'networks', 'an instance needs the networks of the local cloud')
      makeMountPoints(state)
    }
    this.network = guarded(createLocalNetwork({ state, ports, keeper }))
    this.compute = guarded(
      createLocalCompute({ state, topology, ports, instances, keeper, prepareHost }),
    )
    this.deployment = deployment
    this.#deps = deps
    this.#state = state
    this.#topology = topology
    this.#ports = ports
    this.#keeper = keeper
    this.#instances = instances
    this.#script = script
  }

  async start(): Promise<void> {
    const { processes, log } = this.#deps
    const found = await inspectHost(processes)
    refuseOverlaps(this.deployment, this.#topology, found)
    refuseWithoutIpv6(this.#topology, readTextIfExists(IPV6_SWITCH))
    refuseLostPorts(this.#topology, this.#state.ports)
    this.#instances.adopt()
    const [stranger] = planLinks(this.deployment, this.#networkLinks(), found.links).foreign
    if (stranger !== undefined) throw foreignLink(stranger.name, stranger.alias)
    const warning = await firewallInTheWay(processes)
    if (warning !== undefined) log.warning(warning)
    writeFileAtomic(this.#script, SUPERVISOR_SCRIPT, 0o700)
    this.#wanted = 'networks'
    const { changes, failed } = await this.#keeper.reconcile()
    for (const [link, said] of failed) throw notMade(link, said)
    const { repaired, problems } = await this.#instances.recover()
    this.#healing = true
    const made = [...changes, ...repaired]
    if (made.length > 0) log.info('local cloud made or repaired', { made })
    for (const problem of problems) log.error('an amphora does not start', { problem })
  }

  async heal(): Promise<Healed> {
    if (!this.#healing) return { repaired: [], problems: [] }
    const links = await this.#keeper.reconcile()
    const recovered = await this.#instances.recover()
    const problems = [
      ...links.foreign.map(({ name, alias }) => foreignLink(name, alias).message),
      ...[...links.failed].map(([link, said]) => `${link}: ${said}`),
      ...recovered.problems,
    ]
    return { repaired: [...links.changes, ...recovered.repaired], problems }
  }

  async stop(): Promise<void> {
    this.#healing = false
  }

  async teardownIfIdle(): Promise<boolean> {
    if (!this.#state.isEmpty()) return false
    await this.#removeNetworks()
    return true
  }

  async teardown(): Promise<void> {
    // Otherwise a healing round could start what is about to be deleted.
    this.#wanted = 'nothing'
    this.#healing = false
    const instances = [...this.#state.instances]
    await Promise.all(instances.map(({ amphora_id }) => this.compute.delete(amphora_id)))
    for (const port of [...this.#state.ports]) this.#ports.remove(port)
    await this.#removeNetworks()
  }

  async remove(things: readonly Thing[]): Promise<void> {
    assert(this.#wanted === 'unknown', 'what belongs to nobody is removed before a start')
    this.#instances.adopt()
    this.#wanted = 'networks'
    for (const { kind, id } of things) {
      if (kind === 'process') killProcess(Number(id))
      if (kind === 'amphora') await this.compute.delete(id)
      const port = kind === 'port' ? this.#state.findPort(id) : undefined
      if (port !== undefined) this.#ports.remove(port)
    }
    // What is left of links has no port any more.
    await this.#keeper.reconcile()
    await this.teardownIfIdle()
  }

  listNetworks(): readonly Network[] {
    return this.#topology.networks.map(toNetwork)
  }

  listSubnets(): readonly Subnet[] {
    return this.#topology.networks.flatMap(({ subnets }) => subnets.map(toSubnet))
  }

  listPorts(): readonly Port[] {
    return [...this.#state.ports].map(toPort)
  }

  async createPort({ name, network_id, ip_address, link }: UserPortRequest): Promise<UserPort> {
    const network = this.#ports.findNetwork(network_id)
    if (network === undefined) throw unknownNetwork(network_id)
    const port = this.#ports.create({
      ...{ name, network, device_id: '', device_owner: '' },
      link: link ? 'given-away' : 'none',
      addresses: [wishIn(network, ip_address ?? null)],
    })
    if (!link) return { port: toPort(port), link: null }
    try {
      await this.#keeper.ensure('create-port', portLinkName(port.id))
    } catch (error) {
      this.#ports.remove(port)
      throw error
    }
    return { port: toPort(port), link: portPeerName(port.id) }
  }

  async deletePort(id: string): Promise<void> {
    const port = this.#state.findPort(id)
    if (port !== undefined) this.#ports.remove(port)
    await this.#keeper.reconcile()
  }

  #networkLinks(): DesiredLink[] {
    return desiredLinks(this.deployment, this.#topology, this.#state.ports, (amphora_id) =>
      this.#instances.pidOf(amphora_id),
    )
  }

  #desired(): DesiredLink[] {
    assert(this.#wanted !== 'unknown', 'the local cloud is started before it is used')
    return this.#wanted === 'networks' ? this.#networkLinks() : []
  }

  async #removeNetworks(): Promise<void> {
    this.#wanted = 'nothing'
    this.#healing = false
    await this.#keeper.reconcile()
    removeMountPoints(this.#state)
  }
}

function notMade(link: string, reason: string): DriverError {
  const subject = `link ${link}`
  return new DriverError({ operation: 'start', subject, reason, retryable: true })
}

function unknownNetwork(id: string): DriverError {
  const reason = 'there is no such network on this host'
  const subject = `network ${id}`
  return new DriverError({ operation: 'create-port', subject, reason, retryable: false })
}
