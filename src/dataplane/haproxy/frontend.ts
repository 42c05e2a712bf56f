/** A listener as haproxy's `frontend`. */
import type { Listener } from '../../model/listener.ts'
import type { LoadBalancerTree, PoolTree } from '../../model/tree.ts'
import { present } from '../../system/assert.ts'
import { atLeast, connectionLimit, logsConnections, type Rendering } from './facts.ts'
import { joined, type Line, line, phrase, type Section } from './line.ts'
import { hasExporter, metricsBackend } from './metrics.ts'
import { renderPolicies } from './policies.ts'
import { modeOf } from './served.ts'
import { bindTls } from './tls.ts'

/**
 * Linux makes a socket that is bound to one IPv6 address one for IPv6 alone. Unless haproxy is told
 * so it takes the old one for another at each reload, and closes it with what waits there.
 */
const V6ONLY = line`v6only`

export function renderFrontend(
  rendering: Rendering,
  listener: Listener,
  pool: PoolTree | undefined,
): Section {
  const { tree, options } = rendering
  const inspect_ms = listener.timeout_tcp_inspect || options.timeout_tcp_inspect
  const client_ms = listener.timeout_client_data || options.timeout_client_data
  return {
    head: line`frontend ${listener.id}`,
    lines: [
      line`maxconn ${connectionLimit(listener, options)}`,
      ...(listener.protocol === 'TERMINATED_HTTPS' ? onlyTls(listener) : []),
      ...vipAddresses(tree).map((address) =>
        joined([
          line`bind ${address}:${listener.protocol_port}`,
          bindTls(rendering, listener),
          address.includes(':') ? V6ONLY : undefined,
        ]),
      ),
      line`mode ${modeOf(listener)}`,
      ...(modeOf(listener) === 'http' ? renderPolicies(tree, listener) : []),
      ...defaultBackend(rendering, listener, pool),
      line`timeout client ${client_ms}`,
      ...(inspect_ms > 0 ? [line`tcp-request inspect-delay ${inspect_ms}`] : []),
      ...(logsConnections(rendering) ? [logFormat(rendering, listener)] : []),
      ...closing(rendering, listener),
    ],
  }
}

function onlyTls(listener: Listener): readonly Line[] {
  const redirect = line`redirect scheme https if !{ ssl_fc }`
  if (listener.hsts_max_age === null) return [redirect]
  const parts = joined([
    line`max-age=${listener.hsts_max_age};`,
    listener.hsts_include_subdomains ? line`includeSubDomains;` : undefined,
    listener.hsts_preload ? line`preload;` : undefined,
  ])
  return [redirect, line`http-response set-header Strict-Transport-Security "${parts}"`]
}

function defaultBackend(
  { facts }: Rendering,
  listener: Listener,
  pool: PoolTree | undefined,
): readonly Line[] {
  if (listener.protocol === 'PROMETHEUS') return hasExporter(facts) ? [metricsBackend()] : []
  return pool === undefined ? [] : [line`default_backend ${pool.id}:${listener.id}`]
}

export function vipAddresses(tree: LoadBalancerTree): readonly string[] {
  const additional = tree.additional_vips.map((vip) => present(vip.ip_address, 'additional VIP'))
  return [present(tree.vip_address, 'vip_address'), ...additional]
}

/**
 * After a reload the old process would close idle connections at once, under a client that is just
 * sending its next request. So it answers that one and then closes; upstream does not, and such
 * requests fail.
 */
function closing({ facts }: Rendering, listener: Listener): readonly Line[] {
  const idle = modeOf(listener) === 'http' && atLeast(facts.haproxy_version, 2, 5)
  return idle ? [line`option idle-close-on-response`] : []
}

/** Fields of HTTP mean an error in a TCP listener's format, so upstream replaces them by `-`. */
function logFormat({ tree, options }: Rendering, listener: Listener): Line {
  const literal = (text: string | null): string => (text ?? '-').replaceAll('%', '%%')
  const format =
    modeOf(listener) === 'http'
      ? options.user_log_format
      : options.user_log_format.replace(/%(\{\+Q\})?(r|ST)/g, '-')
  const filled = format
    .replaceAll('{{ project_id }}', () => literal(tree.project_id))
    .replaceAll('{{ lb_id }}', () => literal(tree.id))
  return line`log-format ${phrase(filled)}`
}
