/** The AmphoraDriver that speaks to agents: configuration rendered here, checked and run there. */
import { createHash } from 'node:crypto'
import {
  type AgentClient,
  AgentRefusal,
  type AgentTransport,
  createAgentClient,
  unlessAbsent,
} from '../../contract/client.ts'
import type {
  AgentDetails,
  HostRoute,
  PlugFixedIp,
  PlugNetworkBody,
  PlugVipBody,
} from '../../contract/routes.ts'
import { type CertificateFile, certificateFiles } from '../../dataplane/haproxy/certificates.ts'
import { renderHaproxy } from '../../dataplane/haproxy/configuration.ts'
import type { AmphoraFacts, HaproxyOptions, Rendering } from '../../dataplane/haproxy/facts.ts'
import {
  type Fate,
  hasListener,
  refusedListeners,
  withFates,
} from '../../dataplane/haproxy/refusal.ts'
import { presentListeners } from '../../dataplane/haproxy/served.ts'
import { renderVrrp, type VrrpInstance, type VrrpOptions } from '../../dataplane/keepalived/vrrp.ts'
import type { Amphora } from '../../model/amphora.ts'
import { NO_TLS_MATERIAL } from '../../model/tls.ts'
import { AssertionFailure, present } from '../../system/assert.ts'
import type { AmphoraDriver, MemberPlug, Refusal, VipPlug, VrrpPlan } from '../amphora.ts'
import { DriverError } from '../error.ts'
import type { Subnet, VipRule } from '../network.ts'
import { removeLvsListeners, updateLvsListeners } from './lvs.ts'
import { type AgentAddress, AgentUnreachable } from './transport.ts'

export interface RestAmphoraDeps {
  /** The way to one agent; createTransport in transport.ts is the real one. */
  readonly connect: (address: AgentAddress) => AgentTransport
  readonly options: HaproxyOptions & VrrpOptions
}

export function createRestAmphoraDriver(deps: RestAmphoraDeps): AmphoraDriver {
  const calling = <T>(
    operation: string,
    amphora: Amphora,
    calls: (client: AgentClient) => Promise<T>,
  ): Promise<T> => translated(operation, amphora, () => calls(clientOf(deps, amphora)))
  return {
    getInfo: (amphora) =>
      calling('get-info', amphora, async (client) => (await client.call('getInfo', {})).value),
    plugVip: (amphora, plug) =>
      calling('plug-vip', amphora, (client) => plugVip(client, amphora, plug)),
    plugMember: (amphora, plug) =>
      calling('plug-member', amphora, async (client) => {
        const { vip } = plug
        const body = vip === undefined ? plugNetworkBody(plug) : extendVipBody(amphora, plug, vip)
        await client.call('plugNetwork', {}, body)
      }),
    updateListeners: (amphora, tree, tls = NO_TLS_MATERIAL) =>
      calling('update-listeners', amphora, async (client) => {
        const refused = await updateListeners(deps, client, amphora, { tree, tls })
        return new Map([...refused, ...(await updateLvsListeners(client, amphora.id, tree))])
      }),
    findInterface: (amphora, ip) =>
      calling('find-interface', amphora, (client) => findInterface(client, ip)),
    updateVrrp: (amphora, plan) =>
      calling('update-vrrp', amphora, async (client) => {
        await client.call('uploadVrrp', {}, renderVrrp(instanceOf(amphora, plan), deps.options))
        await client.call('controlVrrp', { action: 'start' })
      }),
    setVipRules: (amphora, rules) =>
      calling('set-vip-rules', amphora, (client) => {
        // The VIP itself may be on another amphora still; this is on the same interface.
        const ip = present(amphora.vrrp_ip, 'vrrp_ip')
        return setVipRules(client, ip, rules)
      }),
    updateAgentConfig: (amphora, config) =>
      calling('update-agent-config', amphora, async (client) => {
        await client.call('uploadConfig', {}, config)
      }),
    updateCertificate: (amphora, pem) =>
      calling('update-certificate', amphora, async (client) => {
        await client.call('uploadServerCertificate', {}, pem)
      }),
    deleteLoadBalancer: (amphora, load_balancer_id) =>
      calling('delete-load-balancer', amphora, async (client) => {
        await client.call('remove', { object_id: load_balancer_id })
        await removeLvsListeners(client)
      }),
  }
}

function clientOf(deps: RestAmphoraDeps, amphora: Amphora): AgentClient {
  const ip = present(amphora.lb_network_ip, 'lb_network_ip of an amphora')
  return createAgentClient(deps.connect({ amphora_id: amphora.id, ip }))
}

async function translated<T>(
  operation: string,
  amphora: Amphora,
  body: () => Promise<T>,
): Promise<T> {
  try {
    return await body()
  } catch (cause) {
    // A bug of ours must not look like a failure of the amphora.
    if (cause instanceof AssertionFailure || cause instanceof DriverError) throw cause
    const known = cause instanceof AgentRefusal || cause instanceof AgentUnreachable
    throw new DriverError({
      operation,
      subject: `amphora ${amphora.id}`,
      reason: known ? cause.message : 'the call failed',
      retryable: known && cause.retryable,
      cause,
    })
  }
}

/**
 * An upload is left out when the agent has this very text. The reload is not: the last upload may
 * have been the end of a controller which never came to it. The agent knows what its haproxy has
 * read and reloads only when that differs.
 */
async function updateListeners(
  { options }: RestAmphoraDeps,
  client: AgentClient,
  amphora: Amphora,
  { tree, tls }: Pick<Rendering, 'tree' | 'tls'>,
): Promise<ReadonlyMap<string, Refusal>> {
  if (presentListeners(tree).length === 0) {
    await client.call('remove', { object_id: tree.id })
    return new Map()
  }
  const { value: details } = await client.call('getDetails', {})
  const present = await findText(client, tree.id)
  const rendering = { tree, tls, options, facts: factsOf(amphora, details, present) }
  for (const file of certificateFiles(rendering)) await uploadCertificate(client, tree.id, file)
  const refused = await uploadConfiguration(client, amphora, rendering, present)
  await client.call('control', { object_id: tree.id, action: 'reload' })
  return refused
}

/**
 * A listener that haproxy refuses stays as the agent has it. Where that is nothing, or is refused
 * as well, it is left out: so this ends, each turn having fewer of what the last one had.
 */
async function uploadConfiguration(
  client: AgentClient,
  amphora: Amphora,
  rendering: Rendering,
  present = '',
): Promise<ReadonlyMap<string, Refusal>> {
  const whole = renderHaproxy(rendering)
  const at = { amphora_id: amphora.id, lb_id: rendering.tree.id }
  const fates = new Map<string, Fate>()
  const reasons = new Map<string, string>()
  for (;;) {
    const text = fates.size === 0 ? whole : withFates(whole, present, fates)
    try {
      if (text !== present) await client.call('uploadHaproxy', at, text)
      return new Map(
        [...reasons].map(([id, why]) => [id, { why, served: fates.get(id) === 'kept' }]),
      )
    } catch (error) {
      if (!(error instanceof AgentRefusal && error.status === 400)) throw error
      const refused = [...refusedListeners(rendering, text, error.message)]
      const news = refused.filter(([id]) => fates.get(id) !== 'left out')
      if (news.length === 0) throw error
      for (const [id, why] of news) {
        fates.set(id, !fates.has(id) && hasListener(present, id) ? 'kept' : 'left out')
        if (!reasons.has(id)) reasons.set(id, why)
      }
    }
  }
}

function factsOf(
  { id: amphora_id }: Amphora,
  details: AgentDetails,
  text: string | undefined,
): AmphoraFacts {
  const [, size] = /^\s*tune\.ssl\.cachesize (\d+)$/m.exec(text ?? '') ?? []
  const facts = { ...details, amphora_id }
  return size === undefined ? facts : { ...facts, session_cache_size: Number(size) }
}

/** The configuration that the agent has. */
function findText(client: AgentClient, lb_id: string): Promise<string | undefined> {
  return unlessAbsent(async () => (await client.call('getHaproxy', { lb_id })).value)
}

async function uploadCertificate(
  client: AgentClient,
  lb_id: string,
  { name: filename, content }: CertificateFile,
): Promise<void> {
  const at = { lb_id, filename }
  const there = await unlessAbsent(async () => (await client.call('getCertificate', at)).value)
  const md5sum = createHash('md5').update(content).digest('hex')
  if (there?.md5sum !== md5sum) await client.call('uploadCertificate', at, content)
}

async function findInterface(client: AgentClient, ip: string): Promise<string | undefined> {
  const found = await unlessAbsent(async () => (await client.call('getInterface', { ip })).value)
  return found?.interface
}

function instanceOf(amphora: Amphora, plan: VrrpPlan): VrrpInstance {
  return {
    load_balancer_id: plan.load_balancer_id,
    group: plan.group,
    interface: plan.interface,
    router_id: present(amphora.vrrp_id, 'vrrp_id'),
    priority: present(amphora.vrrp_priority, 'vrrp_priority'),
    vrrp_ip: present(amphora.vrrp_ip, 'vrrp_ip'),
    peers: plan.peers.map((peer) => present(peer.vrrp_ip, 'vrrp_ip of a peer')),
    vips: plan.vips.map(({ ip_address, subnet }) => ({
      ip_address,
      subnet_cidr: subnet.cidr,
      gateway: subnet.gateway_ip,
      host_routes: hostRoutes(subnet),
    })),
    takeover: plan.takeover,
  }
}

/** Agents before 2024.2 do not know the call. */
async function setVipRules(
  client: AgentClient,
  ip: string,
  rules: readonly VipRule[],
): Promise<void> {
  const body = rules.map(({ protocol, cidr, port }) => {
    return { protocol: protocol === 'VRRP' ? ('vrrp' as const) : protocol, cidr, port }
  })
  try {
    const { value } = await client.call('setInterfaceRules', { ip }, body)
    // Upstream's let nobody in at their first call, and obey from the second on.
    if (value.rules === undefined && body.length > 0)
      await client.call('setInterfaceRules', { ip }, body)
  } catch (error) {
    const unknown = error instanceof AgentRefusal && [404, 405, 501].includes(error.status)
    if (!unknown || rules.some((rule) => rule.cidr !== null)) throw error
  }
}

async function plugVip(client: AgentClient, amphora: Amphora, plug: VipPlug): Promise<void> {
  const body = plugVipBody(amphora, plug)
  try {
    await client.call('plugVip', { vip: plug.vip.ip_address }, body)
  } catch (error) {
    if (!(error instanceof AgentRefusal && error.status === 409)) throw error
    // It was plugged before. That is success when the amphora's own address is really on the
    // interface.
    const ip = present(body.vrrp_ip, 'vrrp_ip')
    const { value } = await client.call('getInterface', { ip })
    if (value.interface !== 'eth1') throw error
  }
}

function plugVipBody(amphora: Amphora, plug: VipPlug): PlugVipBody & { vrrp_ip: string } {
  const { subnet } = plug.vip
  const own = plug.port.fixed_ips.find((fixed) => fixed.subnet_id === subnet.id)?.ip_address
  const vrrp_ip = present(own ?? amphora.vrrp_ip, "the amphora's own address in the VIP subnet")
  return {
    subnet_cidr: subnet.cidr,
    gateway: subnet.gateway_ip,
    mac_address: plug.port.mac_address,
    mtu: plug.network.mtu,
    vrrp_ip,
    host_routes: hostRoutes(subnet),
    additional_vips: plug.additional_vips.map((vip) => ({
      ip_address: vip.ip_address,
      subnet_cidr: vip.subnet.cidr,
      gateway: vip.subnet.gateway_ip,
      host_routes: hostRoutes(vip.subnet),
    })),
    is_sriov: false,
    fixed_ips: fixedIps(plug).filter(({ ip_address }) => ip_address !== vrrp_ip),
    ...(plug.hold_vip === true ? { hold_vip: true } : {}),
  }
}

function plugNetworkBody(plug: MemberPlug): PlugNetworkBody {
  return {
    mac_address: plug.port.mac_address,
    mtu: plug.network.mtu,
    fixed_ips: fixedIps(plug),
    is_sriov: false,
  }
}

/** The VIP's interface is described as a whole: an agent sets up what it is told and no more. */
function extendVipBody(amphora: Amphora, plug: MemberPlug, vip: VipPlug): PlugNetworkBody {
  const { fixed_ips, ...info } = plugVipBody(amphora, vip)
  const vip_net_info = { vip: vip.vip.ip_address, ...info }
  return { ...plugNetworkBody(plug), fixed_ips: fixed_ips ?? [], vip_net_info }
}

function fixedIps({ port, subnets }: Pick<MemberPlug, 'port' | 'subnets'>): PlugFixedIp[] {
  return port.fixed_ips.map(({ ip_address, subnet_id }) => {
    const subnet = present(
      subnets.find((each) => each.id === subnet_id),
      'the subnet of an address of a port',
    )
    const { cidr, gateway_ip } = subnet
    const host_routes = hostRoutes(subnet)
    return { ip_address, subnet_cidr: cidr, host_routes, gateway: gateway_ip }
  })
}

function hostRoutes(subnet: Subnet): readonly HostRoute[] {
  return subnet.host_routes.map(({ destination, nexthop }) => ({ destination, nexthop }))
}
