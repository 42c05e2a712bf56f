/** What every part of the rendering looks at, and what several parts must name alike. */
import { createHash } from 'node:crypto'
import { RSYSLOG_SOCKET } from '../../contract/rsyslog.ts'
import type { Listener } from '../../model/listener.ts'
import type { TlsMaterial } from '../../model/tls.ts'
import type { LoadBalancerTree, PoolTree } from '../../model/tree.ts'
import type { Additions } from './additions.ts'

export interface Rendering {
  readonly tree: LoadBalancerTree
  readonly facts: AmphoraFacts
  readonly options: HaproxyOptions
  /** All that the served part of the tree refers to. */
  readonly tls: TlsMaterial
}

/** The amphora on which the configuration will run; from its GET details but for its id. */
export interface AmphoraFacts {
  readonly amphora_id?: string
  /** `2.6.12-1+deb12u4`; may be empty. */
  readonly haproxy_version: string
  readonly cpu_count?: number
  /** Names, blank-separated; CPUs are pinned only where `amphora` is among them. */
  readonly active_tuned_profiles?: string
  /** KiB. */
  readonly memory?: {
    readonly total: number
    readonly free: number
    readonly buffers: number
    readonly cached: number
  }
  /** Of the configuration that it has: what is free changes, and that is no reason to reload. */
  readonly session_cache_size?: number
  /** Where to log to; null: not at all; undefined: where upstream's amphorae have their rsyslog. */
  readonly log_address?: string | null
}

/** Values of `[haproxy_amphora]` and `[amphora_agent]` of the configuration. */
export interface HaproxyOptions {
  readonly base_path: string
  readonly base_cert_dir: string
  readonly connection_logging: boolean
  readonly user_log_format: string
  readonly user_log_facility: number
  readonly administrative_log_facility: number
  /** `10k`. */
  readonly haproxy_stick_size: string
  readonly default_connection_limit: number
  /** Milliseconds, used for a stored 0. */
  readonly timeout_client_data: number
  readonly timeout_member_connect: number
  readonly timeout_member_data: number
  readonly timeout_tcp_inspect: number
  /** Whether an amphora shares its memory with nobody. */
  readonly own_memory: boolean
  /** Lines of the operator's, at the end of every section of a kind. */
  readonly additions: Additions
}

export const HAPROXY_OPTION_FALLBACKS: HaproxyOptions = {
  base_path: '/var/lib/octavia',
  base_cert_dir: '/var/lib/octavia/certs',
  connection_logging: true,
  user_log_format:
    '{{ project_id }} {{ lb_id }} %f %ci %cp %t %{+Q}r %ST %B %U %[ssl_c_verify] %{+Q}[ssl_c_s_dn] %b %s %Tt %tsc',
  user_log_facility: 0,
  administrative_log_facility: 1,
  haproxy_stick_size: '10k',
  default_connection_limit: 50_000,
  timeout_client_data: 50_000,
  timeout_member_connect: 5_000,
  timeout_member_data: 50_000,
  timeout_tcp_inspect: 0,
  own_memory: true,
  additions: {},
}

/** Where to log to; undefined where nobody wants to read it. */
export function logAddress({ log_address }: AmphoraFacts): string | undefined {
  return log_address === undefined ? RSYSLOG_SOCKET : (log_address ?? undefined)
}

export function logsConnections({ facts, options }: Rendering): boolean {
  return options.connection_logging && logAddress(facts) !== undefined
}

/** The program below `base_path` that checks a member by an echo; the agent writes it. */
export const PING_WRAPPER = 'ping-wrapper.sh'

/** Whether a version text is at least major.minor; an unreadable one is taken to be current. */
export function atLeast(version: string, major: number, minor: number): boolean {
  const found = /^(\d+)\.(\d+)/.exec(version)
  if (found === null) return true
  const [has, hasMinor] = [Number(found[1]), Number(found[2])]
  return has > major || (has === major && hasMinor >= minor)
}

export function connectionLimit(listener: Listener, options: HaproxyOptions): number {
  const limit = listener.connection_limit
  // Upstream takes 0 for "not set", like -1.
  return limit > 0 ? limit : options.default_connection_limit
}

/**
 * The `peers` section's name. Where there is only one amphora it has itself for a peer, since it is
 * by this way that a process hands its stick tables on to the one that takes over in a reload.
 */
export function peersName({ tree, facts }: Pick<Rendering, 'tree' | 'facts'>): string | undefined {
  const alone = tree.topology !== 'ACTIVE_STANDBY'
  if (alone && (facts.amphora_id === undefined || !tree.pools.some(hasStickTable))) return undefined
  return `${tree.id.replaceAll('-', '')}_peers`
}

/** Whether it remembers which member a client has; a cookie of haproxy's own tells by itself. */
function hasStickTable({ session_persistence }: PoolTree): boolean {
  const type = session_persistence?.type
  return type === 'SOURCE_IP' || type === 'APP_COOKIE'
}

/**
 * The name of an amphora among its peers, and its `-L` on the command line; haproxy limits its
 * length.
 */
export function peerName(amphora_id: string): string {
  const hash = createHash('sha1').update(amphora_id).digest('base64')
  return hash.replaceAll('+', '_').replaceAll('/', '-').replaceAll('=', '').replace(/^-/, 'x')
}
