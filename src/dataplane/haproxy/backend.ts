/** A pool as one listener uses it: haproxy's `backend`. */
import { type HealthMonitor, HTTP_FALLBACKS, HTTP_TYPES } from '../../model/health-monitor.ts'
import type { INSERT_TLS_HEADERS, Listener } from '../../model/listener.ts'
import type { LB_ALGORITHMS, PoolProtocol } from '../../model/pool.ts'
import type { PoolTree } from '../../model/tree.ts'
import { assert, present } from '../../system/assert.ts'
import { connectionLimit, PING_WRAPPER, peersName, type Rendering } from './facts.ts'
import { argument, joined, type Line, line, type Section } from './line.ts'
import { modeOf } from './served.ts'
import { namesHost, renderServer } from './server.ts'

/** SOURCE_IP_PORT is refused by the provider; upstream, too, would render it as round robin. */
const BALANCE: Readonly<Record<(typeof LB_ALGORITHMS)[number], string>> = {
  ROUND_ROBIN: 'roundrobin',
  LEAST_CONNECTIONS: 'leastconn',
  SOURCE_IP: 'source',
  SOURCE_IP_PORT: 'roundrobin',
}
/** The mode of a pool; `listener` takes that of the listener in front of it. Datagrams have none. */
const POOL_MODE: Readonly<Partial<Record<PoolProtocol, 'http' | 'tcp' | 'listener'>>> = {
  HTTP: 'http',
  HTTPS: 'tcp',
  PROXY: 'listener',
  PROXYV2: 'listener',
  TCP: 'tcp',
}

export function renderBackend(rendering: Rendering, listener: Listener, pool: PoolTree): Section {
  const { options } = rendering
  const mode = present(POOL_MODE[pool.protocol], 'the mode of a pool of haproxy')
  const actual = mode === 'listener' ? modeOf(listener) : mode
  const connect_ms = listener.timeout_member_connect || options.timeout_member_connect
  const server_ms = listener.timeout_member_data || options.timeout_member_data
  const monitor = activeMonitor(pool)
  const members = pool.members.filter((m) => m.provisioning_status !== 'PENDING_DELETE')
  return {
    head: line`backend ${pool.id}:${listener.id}`,
    lines: [
      line`mode ${actual}`,
      ...(actual === 'http' ? [line`http-reuse safe`] : []),
      line`balance ${BALANCE[pool.lb_algorithm]}`,
      ...persistence(rendering, pool),
      ...(monitor === undefined ? [] : checks(rendering, monitor)),
      ...insertedHeaders(listener, pool),
      ...clientCertificateHeaders(listener),
      line`fullconn ${connectionLimit(listener, options)}`,
      line`option allbackups`,
      line`timeout connect ${connect_ms}`,
      line`timeout server ${server_ms}`,
      ...members.map((member) => renderServer(rendering, { listener, pool, monitor }, member)),
    ],
  }
}

export function activeMonitor(pool: PoolTree): HealthMonitor | undefined {
  const monitor = pool.healthmonitor
  if (monitor === null || !monitor.admin_state_up) return undefined
  return monitor.provisioning_status === 'PENDING_DELETE' ? undefined : monitor
}

function persistence(rendering: Rendering, pool: PoolTree): readonly Line[] {
  const kind = pool.session_persistence?.type
  if (kind === undefined || kind === null) return []
  if (kind === 'HTTP_COOKIE') return [line`cookie SRV insert indirect nocache`]
  const peers = peersName(rendering)
  const shared = peers === undefined ? undefined : line`peers ${peers}`
  const size = line`size ${rendering.options.haproxy_stick_size}`
  if (kind === 'SOURCE_IP')
    return [joined([line`stick-table type ipv6 ${size}`, shared]), line`stick on src`]
  const name = pool.session_persistence?.cookie_name
  assert(typeof name === 'string', 'APP_COOKIE persistence has a cookie name')
  return [
    joined([line`stick-table type string len 64 ${size}`, shared]),
    line`stick store-response res.cook(${argument(name)})`,
    line`stick match req.cook(${argument(name)})`,
  ]
}

function checks({ facts, options }: Rendering, monitor: HealthMonitor): readonly Line[] {
  const common = [line`load-server-state-from-file global`, line`timeout check ${monitor.timeout}s`]
  if (monitor.type === 'PING')
    return [
      ...common,
      line`option external-check`,
      line`external-check command ${options.base_path}/${PING_WRAPPER}`,
    ]
  if (!(HTTP_TYPES as readonly string[]).includes(monitor.type)) return common
  const method = monitor.http_method ?? HTTP_FALLBACKS.http_method
  const path = monitor.url_path ?? HTTP_FALLBACKS.url_path
  const version = monitor.http_version?.toFixed(1)
  const codes = expandCodes(monitor.expected_codes ?? HTTP_FALLBACKS.expected_codes)
  const host = namesHost(facts, monitor)
  return [
    ...common,
    version === undefined
      ? line`option httpchk ${method} ${path}`
      : line`option httpchk ${method} ${path} HTTP/${version}`,
    ...(host ? [line`http-check send hdr Host ${monitor.domain_name ?? ''}`] : []),
    line`http-check expect rstatus ${codes.join('|')}`,
  ]
}

/** `200-202` and `200, 202` as a sorted list. */
export function expandCodes(text: string): readonly string[] {
  const codes = new Set<number>()
  for (const part of text.split(',')) {
    const [low = '', high = low] = part.trim().split('-')
    assert(/^\d{3}$/.test(low) && /^\d{3}$/.test(high), 'an expected code has three digits')
    for (let code = Number(low); code <= Number(high); code++) codes.add(code)
  }
  assert(codes.size > 0, 'at least one code is expected')
  return [...codes].sort((a, b) => a - b).map(String)
}

/** Other names of the client's address; upstream takes them and sends nothing. */
const CLIENT_ADDRESS_HEADERS = ['X-Forwarded-IP', 'X-Client-IP', 'X-Real-IP'] as const

function insertedHeaders(listener: Listener, pool: PoolTree): readonly Line[] {
  const wants = (name: string): boolean => wantsHeader(listener, name)
  const toHttp = pool.protocol === 'HTTP'
  const lines = [
    toHttp && wants('X-Forwarded-For') && line`option forwardfor`,
    toHttp &&
      wants('X-Forwarded-Port') &&
      line`http-request set-header X-Forwarded-Port %[dst_port]`,
    wants('X-Forwarded-Proto') && forwardedProto(listener),
    ...CLIENT_ADDRESS_HEADERS.map(
      (name) => toHttp && wants(name) && line`http-request set-header ${name} %[src]`,
    ),
  ]
  return lines.filter((each) => each !== false)
}

function wantsHeader(listener: Listener, name: string): boolean {
  return listener.insert_headers[name]?.toLowerCase() === 'true'
}

function forwardedProto({ protocol }: Listener): Line | false {
  if (protocol === 'HTTP') return line`http-request set-header X-Forwarded-Proto http`
  return protocol === 'TERMINATED_HTTPS' && line`http-request set-header X-Forwarded-Proto https`
}

/** `+Q` puts quotes around what may have blanks in it. */
const CLIENT_CERTIFICATE: Readonly<Record<(typeof INSERT_TLS_HEADERS)[number], Line>> = {
  'X-SSL-Client-Verify': line`%[ssl_c_verify]`,
  'X-SSL-Client-Has-Cert': line`%[ssl_c_used]`,
  'X-SSL-Client-DN': line`%{+Q}[ssl_c_s_dn]`,
  'X-SSL-Client-CN': line`%{+Q}[ssl_c_s_dn(cn)]`,
  'X-SSL-Issuer': line`%{+Q}[ssl_c_i_dn]`,
  'X-SSL-Client-SHA1': line`%{+Q}[ssl_c_sha1,hex]`,
  'X-SSL-Client-Not-Before': line`%{+Q}[ssl_c_notbefore]`,
  'X-SSL-Client-Not-After': line`%{+Q}[ssl_c_notafter]`,
}

/** They replace what a client sends under these names. */
function clientCertificateHeaders(listener: Listener): readonly Line[] {
  if (listener.protocol !== 'TERMINATED_HTTPS') return []
  return Object.entries(CLIENT_CERTIFICATE)
    .filter(([name]) => wantsHeader(listener, name))
    .map(([name, value]) => line`http-request set-header ${name} ${value}`)
}
