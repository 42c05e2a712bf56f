/** One handler per route of contract/routes.ts; the table does not compile when one is missing. */
import { existsSync } from 'node:fs'
import { type AgentConfig, AgentConfigError, parseAgentConfig } from '../contract/agent-config.ts'
import {
  AGENT_API_VERSION,
  type AgentInfo,
  type PlugNetworkBody,
  type RouteName,
  type RouteParameters,
} from '../contract/routes.ts'
import { redirectLogs } from '../contract/rsyslog.ts'
import { parseIp } from '../model/address.ts'
import { errorText } from '../system/log.ts'
import { type Answer, frameworkError, Refused } from './answer.ts'
import { parseInterfaceRules, parsePlugNetwork, parsePlugVip } from './bodies.ts'
import type { CertificateStore } from './certificates.ts'
import { readDetails } from './details.ts'
import { frontendsOf, type HaproxyService, isLbAction, md5 } from './haproxy.ts'
import { InvalidPlug, planPortInterface, planVipInterface } from './interface-file.ts'
import type { KeepalivedService } from './keepalived.ts'
import type { LogService } from './log-service.ts'
import type { LvsService } from './lvs.ts'
import { type NetworkService, NoSuchNic, VIP_INTERFACE } from './network.ts'
import type { Paths } from './paths.ts'

export interface EndpointDeps {
  readonly config: () => AgentConfig
  readonly paths: Paths
  readonly haproxy: HaproxyService
  readonly lvs: LvsService
  readonly certificates: CertificateStore
  readonly keepalived: Pick<KeepalivedService, 'upload' | 'control'>
  readonly network: Pick<
    NetworkService,
    'findPlugged' | 'findByAddress' | 'nextInterface' | 'plug' | 'listNics' | 'setRules'
  >
  readonly logs: Pick<LogService, 'address'>
  readonly info: () => Promise<AgentInfo>
  /** Writes and adopts a new configuration. */
  readonly reconfigure: (text: string, config: AgentConfig) => void
  /** Throws InvalidCertificate before anything is changed. */
  readonly replaceServerCertificate: (pem: string) => void
}

export type Handlers = {
  readonly [N in RouteName]: (
    parameters: RouteParameters<N>,
    body: string,
  ) => Promise<Answer> | Answer
}

/** The certificate for the agent's own server cannot be used. */
export class InvalidCertificate extends Error {
  override readonly name = 'InvalidCertificate'
}

export function createHandlers(deps: EndpointDeps): Handlers {
  return {
    discover: () => ok({ api_version: AGENT_API_VERSION }),
    getInfo: async () => ok(await deps.info()),
    getDetails: async () => ok(await readDetails(deps, await deps.info())),
    getInterface: async ({ ip }) => ok({ message: 'OK', interface: await interfaceOf(deps, ip) }),
    setInterfaceRules: async ({ ip }, body) => {
      await interfaceOf(deps, ip)
      const rules = parseInterfaceRules(body)
      await deps.network.setRules(rules)
      return ok({ message: 'OK', rules: rules.length })
    },
    plugVip: (parameters, body) => plugVip(deps, parameters.vip, body),
    plugNetwork: (_, body) => plugNetwork(deps, body),
    uploadConfig: (_, body) => uploadConfig(deps, body),
    uploadServerCertificate: (_, body) => {
      try {
        deps.replaceServerCertificate(body)
      } catch (error) {
        if (!(error instanceof InvalidCertificate)) throw error
        throw new Refused(400, { message: 'Invalid certificate', details: error.message })
      }
      return accepted()
    },
    ...haproxyHandlers(deps),
    ...lvsHandlers(deps),
    ...objectHandlers(deps),
    ...certificateHandlers(deps),
    ...vrrpHandlers(deps),
  }
}

function haproxyHandlers(deps: EndpointDeps) {
  const { haproxy } = deps
  return {
    uploadHaproxy: async ({ lb_id }, body) => {
      const id = checkedId(lb_id)
      // A controller of before Ussuri sends a group; ours is in the second file.
      const text = redirectLogs(body.replace(/\s+group\s.+/g, ''), deps.logs.address)
      const outcome = await haproxy.upload(id, text)
      if (!outcome.ok)
        throw new Refused(400, { message: 'Invalid request', details: outcome.details })
      return { ...accepted(), etag: md5(body) }
    },
    getHaproxy: ({ lb_id }) => {
      const text = existing(haproxy, lb_id)
      return { status: 200, body: text, etag: md5(text) }
    },
  } satisfies Partial<Handlers>
}

function lvsHandlers({ lvs }: EndpointDeps) {
  return {
    uploadLvs: async ({ listener_id }, body) => {
      const outcome = await lvs.upload(checkedId(listener_id), body)
      if (!outcome.ok)
        throw new Refused(500, { message: 'Invalid request', details: outcome.details })
      return { ...ok({ message: 'OK' }), etag: md5(body) }
    },
    getLvs: ({ listener_id }) => {
      const text = isId(listener_id) ? lvs.read(listener_id) : undefined
      if (text !== undefined) return { status: 200, body: text, etag: md5(text) }
      const details = `No UDP listener with UUID: ${listener_id}`
      throw new Refused(404, { message: 'UDP Listener Not Found', details })
    },
  } satisfies Partial<Handlers>
}

/** What is there of both kinds: load balancers of haproxy, and UDP and SCTP listeners. */
function objectHandlers({ haproxy, lvs }: EndpointDeps) {
  const isLvs = (id: string): boolean => isId(id) && lvs.read(id) !== undefined
  return {
    control: async ({ object_id, action }) => {
      const name = action.toLowerCase()
      if (!isLbAction(name))
        throw new Refused(400, { message: 'Invalid Request', details: `Unknown action: ${name}` })
      const service = isLvs(object_id) ? lvs : haproxy
      if (service === haproxy) existing(haproxy, object_id)
      const { ok: done, details } = await service.control(object_id, name)
      const program = service === haproxy ? 'haproxy' : 'keepalivedlvs'
      if (!done) throw new Refused(500, { message: `Error ${name}ing ${program}`, details })
      return accepted(details)
    },
    remove: async ({ object_id }) => {
      const service = isLvs(object_id) ? lvs : haproxy
      if (!isId(object_id) || service.read(object_id) === undefined) return ok({ message: 'OK' })
      const { ok: done, details } = await service.remove(object_id)
      const program = service === haproxy ? 'haproxy' : 'keepalivedlvs'
      if (!done) throw new Refused(500, { message: `Error stopping ${program}`, details })
      return ok({ message: 'OK' })
    },
    listListeners: () => {
      const frontends = haproxy.list().flatMap((id) => frontendsOf(haproxy.read(id) ?? ''))
      return ok([
        ...frontends.map(({ id, mode }) => ({ status: 'ACTIVE', uuid: id, type: mode })),
        ...lvs.list().map((id) => ({ status: lvs.statusOf(id), uuid: id, type: 'UDP' })),
      ])
    },
  } satisfies Partial<Handlers>
}

function vrrpHandlers({ keepalived }: EndpointDeps) {
  return {
    uploadVrrp: async (_, body) => {
      const outcome = await keepalived.upload(body)
      // Upstream's agent takes whatever it is given.
      if (!outcome.ok)
        throw new Refused(400, { message: 'Invalid request', details: outcome.details })
      return { ...ok({ message: 'OK' }), etag: md5(body) }
    },
    controlVrrp: async ({ action }) => {
      const name = action.toLowerCase()
      if (!isLbAction(name))
        throw new Refused(400, { message: 'Invalid Request', details: `Unknown action: ${name}` })
      const { ok: done, details } = await keepalived.control(name)
      const message = `Failed to ${name} octavia-keepalived service`
      if (!done) throw new Refused(500, { message, details })
      return accepted(details)
    },
  } satisfies Partial<Handlers>
}

function certificateHandlers({ certificates, haproxy }: EndpointDeps) {
  /** Upstream's pattern finds `.pem` anywhere; this is what it means. */
  const checkName = (filename: string): void => {
    if (!/^[\w-]+(\.[\w-]+)*\.pem$/.test(filename))
      throw new Refused(400, { message: 'Filename has wrong format' })
  }
  return {
    uploadCertificate: async ({ lb_id, filename }, body) => {
      checkName(filename)
      const id = checkedId(lb_id)
      if (await stored(() => certificates.write(id, filename, body)))
        haproxy.noteCertificates(lb_id)
      return { ...ok({ message: 'OK' }), etag: md5(body) }
    },
    getCertificate: ({ lb_id, filename }) => {
      checkName(filename)
      const content = certificates.read(checkedId(lb_id), filename)
      if (content === undefined) {
        const details = `No certificate with filename: ${filename}`
        throw new Refused(404, { message: 'Certificate Not Found', details })
      }
      const md5sum = md5(content)
      return { ...ok({ md5sum }), etag: md5sum }
    },
    deleteCertificate: ({ lb_id, filename }) => {
      checkName(filename)
      certificates.delete(checkedId(lb_id), filename)
      return ok({ message: 'OK' })
    },
  } satisfies Partial<Handlers>
}

async function stored(write: () => Promise<boolean>): Promise<boolean> {
  try {
    return await write()
  } catch (error) {
    throw new Refused(500, { message: 'Error storing certificate', details: errorText(error) })
  }
}

async function plugVip(deps: EndpointDeps, vip: string, text: string): Promise<Answer> {
  const { network } = deps
  const body = parsePlugVip(text)
  const topology = deps.config().loadbalancer_topology
  const file = planned(() => planVipInterface(VIP_INTERFACE, vip, body, topology))
  const already = await network.findPlugged(body.mac_address)
  if (already !== undefined && already !== VIP_INTERFACE)
    throw new Refused(409, { message: 'Interface already exists' })
  // A call that was cut off is finished by its repetition, although the answer to that is a
  // conflict.
  await plugged(() => network.plug(body.mac_address, file))
  if (already !== undefined) throw new Refused(409, { message: 'Interface already exists' })
  const vips = [vip, ...(body.additional_vips ?? []).map((each) => each.ip_address)]
  return accepted(`VIPs plugged on interface ${VIP_INTERFACE}: ${vips.join(', ')}`)
}

async function plugNetwork(deps: EndpointDeps, text: string): Promise<Answer> {
  const { network } = deps
  const body = parsePlugNetwork(text)
  const already = await network.findPlugged(body.mac_address)
  const name = already ?? (await network.nextInterface())
  const file = planned(() => memberInterface(deps, name, already, body))
  await plugged(() => network.plug(body.mac_address, file))
  return accepted(
    already === undefined ? `Plugged on interface ${name}` : `Updated existing interface ${name}`,
  )
}

/** A member subnet may be reached by the VIP's own port: then the VIP's interface is extended. */
function memberInterface(
  deps: EndpointDeps,
  name: string,
  already: string | undefined,
  body: PlugNetworkBody,
) {
  const vip = body.vip_net_info
  if (already === undefined || vip === undefined) return planPortInterface(name, body)
  const topology = deps.config().loadbalancer_topology
  return planVipInterface(name, vip.vip, { ...vip, ...fixedIps(body) }, topology)
}

function fixedIps({ fixed_ips }: PlugNetworkBody): Pick<PlugNetworkBody, 'fixed_ips'> {
  return fixed_ips === undefined ? {} : { fixed_ips }
}

function planned<T>(plan: () => T): T {
  try {
    return plan()
  } catch (error) {
    if (error instanceof InvalidPlug) throw new Refused(400, { message: error.message })
    throw error
  }
}

async function plugged(plug: () => Promise<void>): Promise<void> {
  try {
    await plug()
  } catch (error) {
    if (!(error instanceof NoSuchNic)) throw error
    rescanPci()
    throw new Refused(404, { details: 'No suitable network interface found' })
  }
}

/**
 * A hot-plugged card is sometimes only seen when the kernel is told to look; the caller repeats.
 */
function rescanPci(): void {
  const file = '/sys/bus/pci/rescan'
  try {
    if (existsSync(file)) Bun.write(file, '1').catch(() => {})
  } catch {
    // Containers may not: they have no cards to find either.
  }
}

async function interfaceOf(deps: EndpointDeps, text: string): Promise<string> {
  const ip = parseIp(text)
  if (ip === undefined) throw new Refused(400, { message: 'Invalid IP address' })
  const name = await deps.network.findByAddress(ip.text)
  if (name === undefined)
    throw new Refused(404, { message: 'Error interface not found for IP address' })
  return name
}

/**
 * Upstream writes first and parses then; a file that cannot be read again would be the agent's end.
 */
function uploadConfig(deps: EndpointDeps, text: string): Answer {
  const message = 'Unable to update amphora-agent configuration.'
  try {
    const config = parseAgentConfig(text)
    if (config.amphora_id !== deps.config().amphora_id)
      throw new AgentConfigError('amphora_agent.amphora_id is that of another amphora')
    deps.reconfigure(text, config)
  } catch (error) {
    throw new Refused(500, { message, details: errorText(error) })
  }
  return accepted()
}

function ok(body: unknown): Answer {
  return { status: 200, body }
}

function accepted(details?: string): Answer {
  const body = details === undefined ? { message: 'OK' } : { message: 'OK', details }
  return { status: 202, body }
}

function existing(haproxy: HaproxyService, lb_id: string): string {
  const text = isId(lb_id) ? haproxy.read(lb_id) : undefined
  if (text !== undefined) return text
  const details = `No loadbalancer with UUID: ${lb_id}`
  throw new Refused(404, { message: 'Loadbalancer Not Found', details })
}

/** Ids become names of files. */
function isId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(text)
}

function checkedId(text: string): string {
  if (isId(text)) return text
  const { status, body } = frameworkError(404, 'Not Found')
  throw new Refused(status, body as Record<string, unknown>)
}
