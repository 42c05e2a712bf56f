/**
 * /etc/octavia/amphora-agent.conf, in upstream's INI form: rendered by the controller, which puts
 * it into the amphora at boot and by PUT config, and parsed by the agent. Pure.
 * Source: octavia/amphorae/backends/agent/templates/amphora_agent_conf.template.
 */
import { TOPOLOGIES, type Topology } from '../model/load-balancer.ts'
import { assert } from '../system/assert.ts'

/** Where the controller puts files of an amphora at boot. */
export const AGENT_CONFIG_PATH = '/etc/octavia/amphora-agent.conf'
export const AGENT_SERVER_CERT_PATH = '/etc/octavia/certs/server.pem'
export const AGENT_SERVER_CA_PATH = '/etc/octavia/certs/client_ca.pem'
export const LOG_PROTOCOLS = ['UDP', 'TCP'] as const
export const AGENT_TLS_PROTOCOLS = ['TLSv1.2', 'TLSv1.3'] as const
/** What upstream can be told besides, also as the oldest to be spoken; we speak none of them. */
const OLD_TLS_PROTOCOLS = ['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1'] as const

/** The number by which Bun's TLS options name a protocol; its servers and `fetch` take no text. */
export const TLS_MIN_VERSION: Readonly<Record<(typeof AGENT_TLS_PROTOCOLS)[number], number>> = {
  'TLSv1.2': 0x0303,
  'TLSv1.3': 0x0304,
}

export interface AgentConfig {
  readonly amphora_id: string
  readonly base_path: string
  readonly base_cert_dir: string
  readonly bind_host: string
  readonly bind_port: number
  readonly haproxy_cmd: string
  /** PEM files: the CA of controllers; the agent's own key and certificate. */
  readonly agent_server_ca: string
  readonly agent_server_cert: string
  readonly agent_server_network_dir: string
  readonly agent_request_read_timeout_s: number
  /** The oldest that is spoken. */
  readonly agent_tls_protocol: (typeof AGENT_TLS_PROTOCOLS)[number]
  readonly loadbalancer_topology: Topology
  /** `10.0.0.1:5555`, `[fd00::1]:5555` or `name:5555`. Changeable at runtime, as the next two. */
  readonly controller_ip_port_list: readonly string[]
  /** Secret. */
  readonly heartbeat_key: string
  readonly heartbeat_interval_s: number
  /** Log servers, `address:port`; those behind the first are for when it does not answer. */
  readonly tenant_log_targets: readonly string[]
  readonly admin_log_targets: readonly string[]
  readonly log_protocol: (typeof LOG_PROTOCOLS)[number]
  readonly log_retry_count: number
  readonly log_retry_interval_s: number
  readonly log_queue_size: number
  /** The n of syslog's `localn`. */
  readonly user_log_facility: number
  readonly administrative_log_facility: number
  readonly forward_all_logs: boolean
}

/** Everything but what only the controller knows. */
export const AGENT_CONFIG_FALLBACKS = {
  base_path: '/var/lib/octavia',
  base_cert_dir: '/var/lib/octavia/certs',
  bind_host: '::',
  bind_port: 9443,
  haproxy_cmd: '/usr/sbin/haproxy',
  agent_server_ca: AGENT_SERVER_CA_PATH,
  agent_server_cert: AGENT_SERVER_CERT_PATH,
  agent_server_network_dir: '/etc/octavia/interfaces',
  agent_request_read_timeout_s: 180,
  agent_tls_protocol: 'TLSv1.2',
  loadbalancer_topology: 'SINGLE',
  heartbeat_interval_s: 10,
  tenant_log_targets: [],
  admin_log_targets: [],
  log_protocol: 'UDP',
  log_retry_count: 5,
  log_retry_interval_s: 2,
  log_queue_size: 10_000,
  user_log_facility: 0,
  administrative_log_facility: 1,
  forward_all_logs: false,
} as const satisfies Partial<AgentConfig>

/** Section and option in which each value is written. */
const PLACES: Readonly<Record<keyof AgentConfig, readonly [section: string, option: string]>> = {
  base_cert_dir: ['haproxy_amphora', 'base_cert_dir'],
  base_path: ['haproxy_amphora', 'base_path'],
  bind_host: ['haproxy_amphora', 'bind_host'],
  bind_port: ['haproxy_amphora', 'bind_port'],
  haproxy_cmd: ['haproxy_amphora', 'haproxy_cmd'],
  controller_ip_port_list: ['health_manager', 'controller_ip_port_list'],
  heartbeat_interval_s: ['health_manager', 'heartbeat_interval'],
  heartbeat_key: ['health_manager', 'heartbeat_key'],
  agent_server_ca: ['amphora_agent', 'agent_server_ca'],
  agent_server_cert: ['amphora_agent', 'agent_server_cert'],
  agent_server_network_dir: ['amphora_agent', 'agent_server_network_dir'],
  agent_request_read_timeout_s: ['amphora_agent', 'agent_request_read_timeout'],
  amphora_id: ['amphora_agent', 'amphora_id'],
  agent_tls_protocol: ['amphora_agent', 'agent_tls_protocol'],
  tenant_log_targets: ['amphora_agent', 'tenant_log_targets'],
  admin_log_targets: ['amphora_agent', 'admin_log_targets'],
  log_protocol: ['amphora_agent', 'log_protocol'],
  log_retry_count: ['amphora_agent', 'log_retry_count'],
  log_retry_interval_s: ['amphora_agent', 'log_retry_interval'],
  log_queue_size: ['amphora_agent', 'log_queue_size'],
  user_log_facility: ['amphora_agent', 'user_log_facility'],
  administrative_log_facility: ['amphora_agent', 'administrative_log_facility'],
  forward_all_logs: ['amphora_agent', 'forward_all_logs'],
  loadbalancer_topology: ['controller_worker', 'loadbalancer_topology'],
}

/** The file of a configuration; secret, because the heartbeat key is in it. */
export function renderAgentConfig(config: AgentConfig): string {
  const sections = new Map<string, string[]>()
  for (const [key, [section, option]] of Object.entries(PLACES)) {
    const value: unknown = config[key as keyof AgentConfig]
    const text = Array.isArray(value) ? value.join(', ') : String(value)
    assert(!/[\r\n\0]/.test(text) && text === text.trim(), `${option} must fit one line of INI`)
    sections.set(section, [...(sections.get(section) ?? []), `${option} = ${text}`])
  }
  return [...sections].map(([name, lines]) => `[${name}]\n${lines.join('\n')}\n`).join('\n')
}

/** The agent cannot work with this file; the message names the option, never a value. */
export class AgentConfigError extends Error {
  override readonly name = 'AgentConfigError'
}

/** Unknown options are passed over, so that a newer controller can configure an older agent. */
export function parseAgentConfig(text: string): AgentConfig {
  const values = parseIni(text)
  const find = (key: keyof AgentConfig): string | undefined => {
    const value = values.get(PLACES[key].join('.'))
    return value === '' ? undefined : value
  }
  const read = <K extends keyof typeof AGENT_CONFIG_FALLBACKS>(key: K): string =>
    find(key) ?? String(AGENT_CONFIG_FALLBACKS[key])
  const need = (key: keyof AgentConfig): string => {
    const value = find(key)
    if (value === undefined) throw new AgentConfigError(`${PLACES[key].join('.')} is missing`)
    return value
  }
  const whole = (key: keyof typeof AGENT_CONFIG_FALLBACKS, min: number, max: number): number => {
    const value = Number(read(key))
    if (Number.isInteger(value) && value >= min && value <= max) return value
    throw new AgentConfigError(`${PLACES[key].join('.')} must be a number of ${min} to ${max}`)
  }
  const choice = <T extends string>(
    key: keyof typeof AGENT_CONFIG_FALLBACKS,
    list: readonly T[],
  ): T => {
    const found = list.find((item) => item === read(key))
    if (found !== undefined) return found
    throw new AgentConfigError(`${PLACES[key].join('.')} must be one of ${list.join(', ')}`)
  }
  return {
    amphora_id: need('amphora_id'),
    base_path: read('base_path'),
    base_cert_dir: read('base_cert_dir'),
    bind_host: read('bind_host'),
    bind_port: whole('bind_port', 0, 65_535),
    haproxy_cmd: read('haproxy_cmd'),
    agent_server_ca: read('agent_server_ca'),
    agent_server_cert: read('agent_server_cert'),
    agent_server_network_dir: read('agent_server_network_dir'),
    agent_request_read_timeout_s: whole('agent_request_read_timeout_s', 1, 86_400),
    agent_tls_protocol: newEnough(
      choice('agent_tls_protocol', [...AGENT_TLS_PROTOCOLS, ...OLD_TLS_PROTOCOLS]),
    ),
    loadbalancer_topology: choice('loadbalancer_topology', TOPOLOGIES),
    controller_ip_port_list: addresses('controller_ip_port_list', find),
    tenant_log_targets: addresses('tenant_log_targets', find),
    admin_log_targets: addresses('admin_log_targets', find),
    log_protocol: choice('log_protocol', LOG_PROTOCOLS),
    log_retry_count: whole('log_retry_count', 0, 1_000_000),
    log_retry_interval_s: whole('log_retry_interval_s', 0, 86_400),
    log_queue_size: whole('log_queue_size', 0, 10_000_000),
    user_log_facility: whole('user_log_facility', 0, 7),
    administrative_log_facility: whole('administrative_log_facility', 0, 7),
    forward_all_logs: read('forward_all_logs').toLowerCase() === 'true',
    heartbeat_key: need('heartbeat_key'),
    heartbeat_interval_s: whole('heartbeat_interval_s', 1, 86_400),
  }
}

function newEnough(protocol: string): AgentConfig['agent_tls_protocol'] {
  return protocol === 'TLSv1.3' ? protocol : 'TLSv1.2'
}

function addresses(
  key: keyof AgentConfig,
  find: (key: keyof AgentConfig) => string | undefined,
): readonly string[] {
  const list = (find(key) ?? '').split(',').map((item) => item.trim())
  const named = list.filter((item) => item !== '')
  if (named.some((item) => parseController(item) === undefined))
    throw new AgentConfigError(`${PLACES[key].join('.')} must hold address:port`)
  return named
}

/** `address:port`; upstream lets an IPv6 address stand with brackets or without. */
export function parseController(text: string): { host: string; port: number } | undefined {
  const found = /^(.+):(\d{1,5})$/.exec(text)
  const port = Number(found?.[2])
  const host = hostOf(found?.[1] ?? '')
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port }
}

function hostOf(text: string): string | undefined {
  const bare = /^\[([0-9a-fA-F:.]+)\]$/.exec(text)?.[1]
  const isPlain = /^[^\s:[\]]+$/.test(text) || /^([0-9a-fA-F]*:){2,}[0-9a-fA-F.]*$/.test(text)
  return bare ?? (isPlain ? text : undefined)
}

/** `section.option` to value; comments are whole lines. */
function parseIni(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  let section = 'DEFAULT'
  for (const raw of text.split('\n')) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    const heading = /^\[(.+)\]$/.exec(line)
    if (heading !== null) {
      section = heading[1] ?? section
      continue
    }
    const equals = line.indexOf('=')
    if (equals < 1) throw new AgentConfigError(`not an option: a line of section ${section}`)
    values.set(`${section}.${line.slice(0, equals).trim()}`, line.slice(equals + 1).trim())
  }
  return values
}
