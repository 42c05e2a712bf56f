/**
 * Every route of the amphora's REST API 1.0 which this release speaks, once: method, path, what
 * goes in and what comes out. The agent's server and the controller's client are both typed by this
 * table.
 * Source: octavia/amphorae/backends/agent/api_server/server.py.
 */
export const AGENT_API_VERSION = '1.0'
/** A configuration of 1,000 members in 20 listeners stays below it. */
export const AGENT_BODY_MAX_BYTES = 16 << 20

/** What a request carries: nothing, a JSON document, or text (configuration, PEM). */
export type BodyKind = 'none' | 'json' | 'text'

export interface Route<P extends string = string, B = unknown, A = unknown> {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly path: P
  readonly body: BodyKind
  /** `text`: the answer itself is the value; otherwise JSON. */
  readonly answer: 'json' | 'text'
  /** Only types: never there. */
  readonly types?: { readonly body: B; readonly answer: A }
}

function route<B, A>(body: BodyKind = 'none', answer: 'json' | 'text' = 'json') {
  return <const P extends string>(method: Route['method'], path: P): Route<P, B, A> => ({
    method,
    path,
    body,
    answer,
  })
}

/** `{name}` in a path. */
export type PathParameters<P extends string> = P extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [K in Name | keyof PathParameters<Rest>]: string }
  : unknown

/** How many are in force; upstream's agents do not say. */
interface RulesSet {
  readonly message: string
  readonly rules?: number
}

export interface Done {
  readonly message: string
  readonly details?: string
}

export interface AgentInfo {
  readonly hostname: string
  readonly haproxy_version: string
  readonly api_version: string
  /** Empty where it is not installed. */
  readonly keepalived_version: string
  readonly ipvsadm_version: string
}

export interface AgentDetails extends AgentInfo {
  readonly networks: Readonly<Record<string, { network_tx: number; network_rx: number }>>
  readonly active: boolean
  readonly haproxy_count: number
  /** Neither this nor the tuned profiles before upstream's 2023.1. */
  readonly cpu_count?: number
  /** Ticks since boot; text where upstream gives text. */
  readonly cpu: { total: number; user: string; system: string; soft_irq: string }
  /** KiB. */
  readonly memory: {
    total: number
    free: number
    buffers: number
    cached: number
    swap_used: number
    shared: number
    slab: number
  }
  /** Bytes. */
  readonly disk: { used: number; available: number }
  readonly load: readonly string[]
  readonly active_tuned_profiles?: string
  readonly topology: string
  readonly topology_status: string
  readonly listeners: readonly string[]
  readonly packages: Readonly<Record<string, string>>
  readonly lvs_listener_process_count: number
  /**
   * Where haproxy is to send its logs; null: nobody wants them. Upstream's agent has no such key:
   * its logs go to a socket of rsyslog.
   */
  readonly log_address?: string | null
}

export interface ListenerStatus {
  readonly status: string
  readonly uuid: string
  readonly type: string
}

export interface HostRoute {
  readonly destination: string
  readonly nexthop: string
}

export interface PlugFixedIp {
  readonly ip_address: string
  readonly subnet_cidr: string
  readonly host_routes?: readonly HostRoute[]
  readonly gateway?: string | null
}

export interface PlugVipBody {
  readonly subnet_cidr: string
  readonly gateway: string | null
  readonly mac_address: string
  readonly mtu?: number
  /** The amphora's own address in the VIP subnet. */
  readonly vrrp_ip?: string
  readonly host_routes?: readonly HostRoute[]
  readonly additional_vips?: readonly {
    readonly ip_address: string
    readonly subnet_cidr: string
    readonly gateway: string | null
    readonly host_routes: readonly HostRoute[]
  }[]
  readonly is_sriov?: boolean
  /**
   * Everything but the VIPs themselves, which a second call without this sets and announces: until
   * then another amphora has them. Not known to upstream's agent, which sets them at once.
   */
  readonly hold_vip?: boolean
  /**
   * The amphora's own addresses in further subnets of the VIP network. Not known to upstream's
   * agent, which takes them by `vip_net_info` only.
   */
  readonly fixed_ips?: readonly PlugFixedIp[]
}

export interface PlugNetworkBody {
  readonly mac_address: string
  readonly mtu?: number
  readonly fixed_ips?: readonly PlugFixedIp[]
  /** The port is also that of the VIP: what `PlugVipBody` has, and the VIP. */
  readonly vip_net_info?: PlugVipBody & { readonly vip: string }
  readonly is_sriov?: boolean
}

export const PACKET_PROTOCOLS = ['TCP', 'UDP', 'SCTP', 'vrrp'] as const

/** What may come in by the VIP interface; a cidr of null is everybody. */
export interface PacketRule {
  readonly protocol: (typeof PACKET_PROTOCOLS)[number]
  readonly cidr: string | null
  /** VRRP has none. */
  readonly port: number | null
}

export const LB_ACTIONS = ['start', 'stop', 'reload'] as const
export type LbAction = (typeof LB_ACTIONS)[number]

export const ROUTES = {
  discover: route<undefined, { api_version: string }>()('GET', '/'),
  getInfo: route<undefined, AgentInfo>()('GET', '/1.0/info'),
  getDetails: route<undefined, AgentDetails>()('GET', '/1.0/details'),
  uploadHaproxy: route<string, Done>('text')(
    'PUT',
    '/1.0/loadbalancer/{amphora_id}/{lb_id}/haproxy',
  ),
  getHaproxy: route<undefined, string>('none', 'text')('GET', '/1.0/loadbalancer/{lb_id}/haproxy'),
  uploadLvs: route<string, Done>('text')(
    'PUT',
    '/1.0/listeners/{amphora_id}/{listener_id}/udp_listener',
  ),
  getLvs: route<undefined, string>('none', 'text')(
    'GET',
    '/1.0/listeners/{listener_id}/udp_listener',
  ),
  /**
   * `action` is one of LB_ACTIONS; the object is a load balancer, or a UDP or SCTP listener. So it
   * is for `remove`.
   */
  control: route<undefined, Done>()('PUT', '/1.0/loadbalancer/{object_id}/{action}'),
  remove: route<undefined, Done>()('DELETE', '/1.0/listeners/{object_id}'),
  listListeners: route<undefined, readonly ListenerStatus[]>()('GET', '/1.0/listeners'),
  uploadCertificate: route<string, Done>('text')(
    'PUT',
    '/1.0/loadbalancer/{lb_id}/certificates/{filename}',
  ),
  getCertificate: route<undefined, { md5sum: string }>()(
    'GET',
    '/1.0/loadbalancer/{lb_id}/certificates/{filename}',
  ),
  deleteCertificate: route<undefined, Done>()(
    'DELETE',
    '/1.0/loadbalancer/{lb_id}/certificates/{filename}',
  ),
  plugVip: route<PlugVipBody, Done>('json')('POST', '/1.0/plug/vip/{vip}'),
  plugNetwork: route<PlugNetworkBody, Done>('json')('POST', '/1.0/plug/network'),
  /** Before the route with an action in this place. */
  uploadVrrp: route<string, Done>('text')('PUT', '/1.0/vrrp/upload'),
  /** `action` is one of LB_ACTIONS. */
  controlVrrp: route<undefined, Done>()('PUT', '/1.0/vrrp/{action}'),
  uploadServerCertificate: route<string, Done>('text')('PUT', '/1.0/certificate'),
  uploadConfig: route<string, Done>('text')('PUT', '/1.0/config'),
  getInterface: route<undefined, { message: string; interface: string }>()(
    'GET',
    '/1.0/interface/{ip}',
  ),
  setInterfaceRules: route<readonly PacketRule[], RulesSet>('json')(
    'PUT',
    '/1.0/interface/{ip}/rules',
  ),
} as const
export type RouteName = keyof typeof ROUTES

type Typed<N extends RouteName> = NonNullable<(typeof ROUTES)[N]['types']>
export type RouteBody<N extends RouteName> = Typed<N>['body']
export type RouteAnswer<N extends RouteName> = Typed<N>['answer']
export type RouteParameters<N extends RouteName> = PathParameters<(typeof ROUTES)[N]['path']>

/** The path with its parameters filled in. Values are escaped, so none can change the route. */
export function fillPath(path: string, parameters: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parameters[name] ?? ''))
}

/** The parameters of `path` under this template, or undefined if it is another route. */
export function matchPath(
  template: string,
  path: string,
): Readonly<Record<string, string>> | undefined {
  const [want, have] = [template.split('/'), path.split('/')]
  if (want.length !== have.length) return undefined
  const parameters: Record<string, string> = {}
  for (const [at, part] of want.entries()) {
    const value = have[at] ?? ''
    if (!part.startsWith('{')) {
      if (part !== value) return undefined
      continue
    }
    try {
      parameters[part.slice(1, -1)] = decodeURIComponent(value)
    } catch {
      // A broken percent escape names nothing that exists.
      return undefined
    }
    if (value === '') return undefined
  }
  return parameters
}
