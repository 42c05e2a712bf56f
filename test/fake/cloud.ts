/**
 * A cloud in memory: networks, compute and the agents inside amphorae, with an inventory of all
 * that is in it. It behaves: instances take a moment to boot, agents answer only when they run, and
 * whoever does things in an order that cannot work gets an error.
 */
import { createHash } from 'node:crypto'
import type { AmphoraDriver, Refusal, VrrpPlan } from '../../src/driver/amphora.ts'
import type { CertificateGenerator } from '../../src/driver/certificate.ts'
import type { CertificateManager } from '../../src/driver/certificate-manager.ts'
import type { ComputeDriver, Instance } from '../../src/driver/compute.ts'
import { DriverError } from '../../src/driver/error.ts'
import type { Network, NetworkDriver, Port, Subnet, VipRule } from '../../src/driver/network.ts'
import { createNoopCertificateManager } from '../../src/driver/noop/certificate-manager.ts'
import type { LoadBalancerTree } from '../../src/model/tree.ts'

export const VIP_SUBNET = idOf('vip-subnet')
export const VIP_NETWORK = idOf('vip-network')
/** Two subnets of one network, and one of another. */
export const MEMBER_SUBNETS = [idOf('member-a'), idOf('member-b'), idOf('member-c')] as const
const [SUBNET_A, SUBNET_B, SUBNET_C] = MEMBER_SUBNETS
const NETWORK_OF: Readonly<Record<string, string>> = {
  [VIP_SUBNET]: VIP_NETWORK,
  [SUBNET_A]: idOf('net-ab'),
  [SUBNET_B]: idOf('net-ab'),
  [SUBNET_C]: idOf('net-c'),
}

interface Machine {
  readonly compute_id: string
  readonly files: readonly string[]
  /** Looks until it is ACTIVE. */
  boots: number
  /** Questions until its agent answers. */
  starts: number
  /** On the VIP network. */
  plugged: boolean
  /** The port by which it has the VIP. */
  vip: string | null
  readonly memberNetworks: Set<string>
  /** What haproxy serves: `listener -> members`. */
  config: readonly string[]
  /** Whether the agent was given another certificate after its boot. */
  renewed: boolean
  /** What keepalived runs with. */
  vrrp: VrrpPlan | null
  /** Of the configuration which the agent was given after its boot. */
  agentConfig: string | null
}

export interface FakeCloud {
  readonly network: NetworkDriver
  readonly compute: ComputeDriver
  readonly amphora: AmphoraDriver
  readonly certificates: CertificateGenerator
  /** Has whatever is asked for, but for what begins with `missing`; it cannot be asked for `away`. */
  readonly certificateManager: CertificateManager
  /** What amphorae do not take of a tree; one that stays as it was is served as it is, here. */
  refuse: (tree: LoadBalancerTree) => ReadonlyMap<string, Refusal>
  /** Called before everything that a driver does; what it throws, the driver throws. */
  fault: (operation: string, subject: string) => void
  /** Everything there is, in a comparable form. */
  inventory(): CloudInventory
}

export interface CloudInventory {
  readonly instances: readonly string[]
  /** Load balancers whose amphorae are kept apart. */
  readonly groups: readonly string[]
  readonly ports: readonly string[]
  readonly rules: Readonly<Record<string, readonly VipRule[]>>
  readonly configs: Readonly<Record<string, readonly string[]>>
  /** Amphorae which have the VIP and are on its network. */
  readonly vips: readonly string[]
  /** The peers of each amphora with VRRP; a `!` is one that takes the VIP from others. */
  readonly vrrp: Readonly<Record<string, string>>
  readonly agentConfigs: Readonly<Record<string, string>>
  /** Amphorae whose certificate was replaced. */
  readonly renewed: readonly string[]
}

/** The same id for the same name, so that two histories can be compared. */
export function idOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return [0, 8, 12, 16, 20].map((from, i, cuts) => hex.slice(from, cuts[i + 1] ?? 32)).join('-')
}

export function createFakeCloud(): FakeCloud {
  const ports = new Map<string, Port>()
  const machines = new Map<string, Machine>()
  const groups = new Set<string>()
  const rules = new Map<string, readonly VipRule[]>()
  const cloud: FakeCloud = {
    fault: () => {},
    refuse: () => new Map(),
    network: createNetwork(ports, machines, rules, (...at) => cloud.fault(...at)),
    compute: createCompute(machines, groups, (...at) => cloud.fault(...at)),
    amphora: createAgents(
      machines,
      (...at) => cloud.fault(...at),
      (tree) => cloud.refuse(tree),
    ),
    certificates: {
      issueServerCertificate: async (id) => {
        cloud.fault('issue-certificate', id)
        return { pem: `SECRET of ${id}`, expiration: '2026-02-01T00:00:00' }
      },
    },
    certificateManager: createSecrets(),
    inventory: () => ({
      instances: [...machines.keys()].sort(),
      groups: [...groups].sort(),
      ports: [...ports.values()].map((port) => `${port.name} on ${port.network_id}`).sort(),
      rules: Object.fromEntries([...rules].filter(([, list]) => list.length > 0)),
      configs: Object.fromEntries([...machines].map(([id, { config }]) => [id, config])),
      vips: [...machines].flatMap(([id, { vip }]) => (vip && ports.has(vip) ? [id] : [])).sort(),
      renewed: [...machines].flatMap(([id, { renewed }]) => (renewed ? [id] : [])),
      vrrp: Object.fromEntries(
        [...machines].flatMap(([id, { vrrp }]) => {
          if (vrrp === null) return []
          const peers = vrrp.peers.map((peer) => peer.id).sort()
          return [[id, `${vrrp.takeover ? '!' : ''}${peers.join(' ')}`]]
        }),
      ),
      agentConfigs: Object.fromEntries(
        [...machines].flatMap(([id, { agentConfig: text }]) => (text === null ? [] : [[id, text]])),
      ),
    }),
  }
  return cloud
}

type Fault = FakeCloud['fault']

function createSecrets(): CertificateManager {
  const all = createNoopCertificateManager()
  const isThere = (ref: string): boolean => {
    if (ref === 'away')
      throw new DriverError({
        ...{ operation: 'get-certificate', subject: ref, reason: 'the store is away' },
        retryable: true,
      })
    return !ref.startsWith('missing')
  }
  return {
    findCertificate: async (ref) => (isThere(ref) ? all.findCertificate(ref, null) : undefined),
    findSecret: async (ref) => (isThere(ref) ? all.findSecret(ref, null) : undefined),
  }
}

function impossible(operation: string, subject: string, reason: string): DriverError {
  return new DriverError({ operation, subject, reason, retryable: false })
}

function createNetwork(
  ports: Map<string, Port>,
  machines: ReadonlyMap<string, Machine>,
  rules: Map<string, readonly VipRule[]>,
  fault: Fault,
): NetworkDriver {
  const subnets = new Map(
    Object.entries(NETWORK_OF).map(([id, network_id], i) => [id, newSubnet(id, network_id, i)]),
  )
  const networkOf = (id: string): Network => ({
    id,
    name: id,
    mtu: 1500,
    subnet_ids: [...subnets.values()].filter((s) => s.network_id === id).map((s) => s.id),
    port_security_enabled: true,
  })
  const putPort = (name: string, network_id: string, subnet_id: string, device: string): Port => {
    const id = idOf(`${name} ${network_id}`)
    const known = ports.get(id)
    const fixed = known?.fixed_ips ?? []
    const has = fixed.some((ip) => ip.subnet_id === subnet_id)
    const ip = {
      subnet_id,
      ip_address: `10.0.0.${10 + (Number.parseInt(id.slice(0, 4), 16) % 200)}`,
    }
    const port: Port = {
      id,
      name,
      network_id,
      mac_address: '02:00:00:00:00:01',
      device_id: device,
      device_owner: 'Octavia',
      fixed_ips: has ? fixed : [...fixed, ip],
    }
    ports.set(id, port)
    return port
  }
  return {
    findNetwork: async (id) =>
      [...subnets.values()].some((s) => s.network_id === id) ? networkOf(id) : undefined,
    findSubnet: async (id) => subnets.get(id),
    findPort: async (id) => ports.get(id),
    hasQosPolicy: async () => true,
    hasSecurityGroup: async () => true,
    listFreeAddresses: async (id) =>
      networkOf(id).subnet_ids.map((subnet_id) => ({ subnet_id, free: 9 })),
    allocateVip: async (request) => {
      const { load_balancer_id, network_id, additional_vips } = request
      const subnet_id = request.subnet_id ?? VIP_SUBNET
      const port = putPort(
        `octavia-lb-${load_balancer_id}`,
        network_id,
        subnet_id,
        `lb-${load_balancer_id}`,
      )
      return {
        port_id: port.id,
        network_id,
        subnet_id,
        ip_address: port.fixed_ips[0]?.ip_address ?? '',
        additional_vips: additional_vips.map((vip) => ({
          ...vip,
          ip_address: vip.ip_address ?? '10.0.0.9',
        })),
      }
    },
    deallocateVip: async (load_balancer_id, port_id) => {
      fault('deallocate-vip', load_balancer_id)
      rules.delete(load_balancer_id)
      ports.delete(port_id ?? idOf(`octavia-lb-${load_balancer_id} ${VIP_NETWORK}`))
    },
    plugVip: async ({ id }, vip) => {
      fault('plug-vip', id)
      if (!machines.has(id)) throw impossible('plug-vip', id, 'there is no such instance')
      if (!ports.has(vip.port_id)) throw impossible('plug-vip', id, 'there is no VIP port')
      return putPort(`octavia-lb-vrrp-${id}`, vip.network_id, vip.subnet_id, id)
    },
    unplugVip: async ({ id }) => {
      fault('unplug-vip', id)
      ports.delete(idOf(`octavia-lb-vrrp-${id} ${VIP_NETWORK}`))
    },
    plugMember: async ({ id }, subnet) => {
      fault('plug-member', id)
      if (!machines.has(id)) throw impossible('plug-member', id, 'there is no such instance')
      const name = subnet.network_id === VIP_NETWORK ? 'octavia-lb-vrrp' : 'octavia-lb-member'
      return putPort(`${name}-${id}`, subnet.network_id, subnet.id, id)
    },
    unplugMember: async ({ id }, network_id) => {
      fault('unplug-member', id)
      ports.delete(idOf(`octavia-lb-member-${id} ${network_id}`))
      machines.get(id)?.memberNetworks.delete(network_id)
    },
    rulesAreForAmphorae: async () => true,
    setVipRules: async ({ load_balancer_id, vip, amphora_port_ids }, list) => {
      fault('set-vip-rules', load_balancer_id)
      for (const id of [vip.port_id, ...amphora_port_ids])
        if (!ports.has(id)) throw impossible('set-vip-rules', id, 'there is no such port')
      rules.set(load_balancer_id, list)
    },
  }
}

function newSubnet(id: string, network_id: string, index: number): Subnet {
  return {
    id,
    name: id,
    network_id,
    cidr: `10.0.${index}.0/24`,
    gateway_ip: null,
    host_routes: [],
  }
}

function createCompute(
  machines: Map<string, Machine>,
  groups: Set<string>,
  fault: Fault,
): ComputeDriver {
  return {
    releaseGroup: async (load_balancer_id) => {
      fault('release-group', load_balancer_id)
      groups.delete(load_balancer_id)
    },
    build: async ({ amphora_id, load_balancer_id, files, kept_apart }) => {
      fault('build', amphora_id)
      if (kept_apart === true) groups.add(load_balancer_id)
      const known = machines.get(amphora_id)
      if (known !== undefined) return { compute_id: known.compute_id }
      const compute_id = idOf(`compute ${amphora_id}`)
      machines.set(amphora_id, {
        compute_id,
        files: Object.keys(files),
        boots: 1,
        starts: 2,
        plugged: false,
        vip: null,
        memberNetworks: new Set(),
        config: [],
        vrrp: null,
        agentConfig: null,
        renewed: false,
      })
      return { compute_id }
    },
    find: async (amphora_id): Promise<Instance | undefined> => {
      fault('find', amphora_id)
      const machine = machines.get(amphora_id)
      if (machine === undefined) return undefined
      const booting = machine.boots-- > 0
      return {
        compute_id: machine.compute_id,
        status: booting ? 'BUILD' : 'ACTIVE',
        lb_network_ip: booting ? null : '172.16.0.9',
        zone: 'nova',
        image_id: null,
        compute_flavor: null,
        fault: null,
      }
    },
    delete: async (amphora_id) => {
      fault('delete', amphora_id)
      machines.delete(amphora_id)
    },
  }
}

function createAgents(
  machines: ReadonlyMap<string, Machine>,
  fault: Fault,
  refuse: FakeCloud['refuse'],
): AmphoraDriver {
  const reach = (operation: string, id: string): Machine => {
    fault(operation, id)
    const machine = machines.get(id)
    if (machine === undefined || machine.starts > 0)
      throw new DriverError({ operation, subject: id, reason: 'no answer', retryable: true })
    return machine
  }
  return {
    getInfo: async ({ id }) => {
      const machine = machines.get(id)
      if (machine !== undefined && machine.starts > 0) machine.starts--
      reach('get-info', id)
      const versions = { haproxy_version: '2.6', keepalived_version: '2.2', api_version: '1.0' }
      return { hostname: id, ...versions }
    },
    plugVip: async ({ id }, { port, hold_vip }) => {
      const machine = reach('agent-plug-vip', id)
      machine.plugged = true
      if (hold_vip !== true) machine.vip = port.id
    },
    plugMember: async ({ id }, { port, subnets }) => {
      const machine = reach('agent-plug-member', id)
      if (subnets.length === 0) throw impossible('agent-plug-member', id, 'a port without subnets')
      machine.memberNetworks.add(port.network_id)
    },
    updateListeners: async ({ id }, tree) => {
      const machine = reach('update-listeners', id)
      if (!machine.plugged) throw impossible('update-listeners', id, 'the VIP is not plugged')
      const refused = refuse(tree)
      for (const subnet of subnetsOf(tree)) {
        const network = NETWORK_OF[subnet ?? VIP_SUBNET] ?? ''
        if (network !== VIP_NETWORK && !machine.memberNetworks.has(network))
          throw impossible('update-listeners', id, `subnet ${subnet} is not plugged`)
      }
      const listeners = tree.listeners.filter(({ id }) => refused.get(id)?.served !== false)
      machine.config = rendered({ ...tree, listeners })
      return refused
    },
    setVipRules: async ({ id }) => {
      reach('set-vip-rules-in-amphora', id)
    },
    updateCertificate: async ({ id }, pem) => {
      const machine = reach('update-certificate', id)
      if (pem !== `SECRET of ${id}`)
        throw impossible('update-certificate', id, 'a certificate of another')
      machine.renewed = true
    },
    findInterface: async ({ id, vrrp_ip }, ip) => {
      const machine = reach('find-interface', id)
      const has = ip === vrrp_ip ? machine.plugged : vrrpOwner(machines) === id
      return has ? 'eth1' : undefined
    },
    updateVrrp: async ({ id }, plan) => {
      const machine = reach('update-vrrp', id)
      if (!machine.plugged) throw impossible('update-vrrp', id, 'the VIP is not plugged')
      machine.vrrp = plan
    },
    updateAgentConfig: async ({ id }, config) => {
      reach('update-agent-config', id).agentConfig = createHash('md5').update(config).digest('hex')
    },
    deleteLoadBalancer: async ({ id }) => {
      reach('delete-load-balancer', id).config = []
    },
  }
}

/** One that takes the VIP, else the first that runs keepalived. */
function vrrpOwner(machines: ReadonlyMap<string, Machine>): string | undefined {
  const running = [...machines].filter(([, { vrrp }]) => vrrp !== null)
  return (running.find(([, { vrrp }]) => vrrp?.takeover) ?? running[0])?.[0]
}

const isLeft = ({ provisioning_status }: { provisioning_status: string }): boolean =>
  provisioning_status !== 'PENDING_DELETE'

function rendered(tree: LoadBalancerTree): string[] {
  return tree.listeners.filter(isLeft).map((listener) => {
    const pool = tree.pools.find((p) => p.id === listener.default_pool_id && isLeft(p))
    const members = (pool?.members ?? [])
      .filter(isLeft)
      .map((m) => `${m.address}:${m.protocol_port}`)
    const monitor = pool?.healthmonitor
    const check = monitor === null || monitor === undefined || !isLeft(monitor) ? '' : ' checked'
    return `${listener.protocol_port} -> ${members.sort().join(' ')}${check}`
  })
}

function subnetsOf(tree: LoadBalancerTree): (string | null)[] {
  const members = tree.pools.filter(isLeft).flatMap((pool) => pool.members.filter(isLeft))
  // What failed before may be without its network; the worker does not promise it one.
  return members.filter((m) => m.provisioning_status !== 'ERROR').map((m) => m.subnet_id)
}
