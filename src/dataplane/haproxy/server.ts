/** A member as haproxy's `server` line. */
import { atLeastSecond, type HealthMonitor, HTTP_TYPES } from '../../model/health-monitor.ts'
import type { Listener } from '../../model/listener.ts'
import type { Member } from '../../model/member.ts'
import type { Pool } from '../../model/pool.ts'
import { type AmphoraFacts, atLeast, type Rendering } from './facts.ts'
import { joined, type Line, line } from './line.ts'
import { terminatesTls } from './served.ts'
import { memberTls } from './tls.ts'

/** A pool as a listener uses it. */
export interface Used {
  readonly listener: Listener
  readonly pool: Pool
  readonly monitor: HealthMonitor | undefined
}

/** The order of the options is upstream's. */
export function renderServer(
  rendering: Rendering,
  { listener, pool, monitor }: Used,
  member: Member,
): Line {
  const address = line`${member.address}:${member.protocol_port}`
  return joined([
    line`server ${member.id} ${address} weight ${member.weight}`,
    monitor === undefined ? undefined : check(rendering, { pool, monitor }, member),
    pool.session_persistence?.type === 'HTTP_COOKIE' ? line`cookie ${member.id}` : undefined,
    pool.protocol === 'PROXY' ? line`send-proxy` : undefined,
    pool.protocol === 'PROXYV2' ? proxyV2(listener) : undefined,
    member.backup ? line`backup` : undefined,
    member.admin_state_up ? undefined : line`disabled`,
    pool.tls_enabled ? memberTls(rendering, pool) : undefined,
  ])
}

/** Behind TLS the preamble tells of the client's certificate, too. */
function proxyV2(listener: Listener): Line {
  return terminatesTls(listener) ? line`send-proxy-v2-ssl-cn` : line`send-proxy-v2`
}

/** Monitors that speak TLS also where the pool does not; upstream's TLS-HELLO is then a connect. */
const TLS_MONITORS: readonly string[] = ['HTTPS', 'TLS-HELLO']

/** Whether an HTTP check says which host it means. */
export function namesHost({ haproxy_version }: AmphoraFacts, monitor: HealthMonitor): boolean {
  const { http_version, domain_name } = monitor
  return http_version === 1.1 && domain_name !== null && atLeast(haproxy_version, 2, 2)
}

/** Servers of HTTP/2 refuse a request that names no host, so such a check does not offer it. */
function checkAlpn({ facts }: Rendering, pool: Pool, monitor: HealthMonitor): readonly string[] {
  const offered = pool.tls_enabled ? (pool.alpn_protocols ?? []) : []
  const nameless =
    (HTTP_TYPES as readonly string[]).includes(monitor.type) && !namesHost(facts, monitor)
  if (!nameless || !offered.includes('h2')) return offered
  const older = offered.filter((protocol) => protocol !== 'h2')
  return older.length === 0 ? ['http/1.1'] : older
}

function check(
  rendering: Rendering,
  { pool, monitor }: { readonly pool: Pool; readonly monitor: HealthMonitor },
  member: Member,
): Line {
  const byTls = TLS_MONITORS.includes(monitor.type)
  const alpn = checkAlpn(rendering, pool, monitor)
  return joined([
    line`check`,
    // Where the pool speaks TLS it says what is verified, and one word holds for both.
    byTls ? (pool.tls_enabled ? line`check-ssl` : line`check-ssl verify none`) : undefined,
    alpn.length === 0 ? undefined : line`check-alpn ${alpn.join(',')}`,
    line`inter ${atLeastSecond(monitor.delay)}s fall ${monitor.max_retries_down} rise ${monitor.max_retries}`,
    member.monitor_address === null ? undefined : line`addr ${bracketed(member.monitor_address)}`,
    member.monitor_port === null ? undefined : line`port ${member.monitor_port}`,
  ])
}

/**
 * Without brackets `addr` takes the last group of an IPv6 address for a port; `server` needs none.
 */
function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}
