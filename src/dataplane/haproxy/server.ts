/** A member as haproxy's `server` line. */
import type { HealthMonitor } from '../../model/health-monitor.ts'
import type { Member } from '../../model/member.ts'
import type { Pool } from '../../model/pool.ts'
import { assert } from '../../system/assert.ts'
import { joined, type Line, line } from './line.ts'

const TLS_VERSION_FLAGS = {
  SSLv3: 'no-sslv3',
  TLSv1: 'no-tlsv10',
  'TLSv1.1': 'no-tlsv11',
  'TLSv1.2': 'no-tlsv12',
  'TLSv1.3': 'no-tlsv13',
} as const

/** The order of the options is upstream's. */
export function renderServer(pool: Pool, member: Member, monitor: HealthMonitor | undefined): Line {
  const address = line`${member.address}:${member.protocol_port}`
  return joined([
    line`server ${member.id} ${address} weight ${member.weight}`,
    monitor === undefined ? undefined : check(pool, member, monitor),
    pool.session_persistence?.type === 'HTTP_COOKIE' ? line`cookie ${member.id}` : undefined,
    pool.protocol === 'PROXY' ? line`send-proxy` : undefined,
    pool.protocol === 'PROXYV2' ? line`send-proxy-v2` : undefined,
    member.backup ? line`backup` : undefined,
    member.admin_state_up ? undefined : line`disabled`,
    pool.tls_enabled ? reencryption(pool) : undefined,
  ])
}

/** Monitors that speak TLS also where the pool does not; upstream's TLS-HELLO is then a connect. */
const TLS_MONITORS: readonly string[] = ['HTTPS', 'TLS-HELLO']

function check(pool: Pool, member: Member, monitor: HealthMonitor): Line {
  const alpn = pool.tls_enabled ? pool.alpn_protocols : null
  return joined([
    TLS_MONITORS.includes(monitor.type) ? line`check check-ssl verify none` : line`check`,
    alpn === null || alpn.length === 0 ? undefined : line`check-alpn ${alpn.join(',')}`,
    line`inter ${monitor.delay}s fall ${monitor.max_retries_down} rise ${monitor.max_retries}`,
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

/**
 * TLS towards the members. Certificates of pools are not fetched yet; a pool which names one is
 * refused here, because leaving them out would silently turn verification off.
 */
function reencryption(pool: Pool): Line {
  const refs = [pool.tls_container_ref, pool.ca_tls_container_ref, pool.crl_container_ref]
  assert(
    refs.every((ref) => ref === null),
    'a pool with certificates cannot be rendered without them',
  )
  const versions = pool.tls_versions
  const without = Object.entries(TLS_VERSION_FLAGS).filter(
    ([version]) => versions !== null && !(versions as readonly string[]).includes(version),
  )
  const alpn = pool.alpn_protocols ?? []
  return joined([
    line`ssl verify none sni ssl_fc_sni`,
    pool.tls_ciphers === null ? undefined : line`ciphers ${pool.tls_ciphers}`,
    ...without.map(([, flag]) => line`${flag}`),
    alpn.length === 0 ? undefined : line`alpn ${alpn.join(',')}`,
  ])
}
