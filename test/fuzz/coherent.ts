/** Attributes that ask for or exclude one another: few bodies would have them right by chance. */
import { isObject } from './known.ts'
import type { Random } from './random.ts'

export type Body = Readonly<Record<string, unknown>>

export interface Choice {
  readonly random: Random
  /** A plausible value of an attribute. */
  readonly pick: (name: string) => unknown
  /** The id of some pool. */
  readonly somePool: () => unknown
}

/** The body with what does not go together left out, and what is missing put in. */
export function coherent(choice: Choice, body: Body, names: readonly string[]): Body {
  if (names.includes('redirect_url')) return coherentPolicy(choice, body)
  if (names.includes('compare_type')) return coherentRule(choice, body)
  if (names.includes('sni_container_refs')) return coherentListener(choice, body)
  if (names.includes('lb_algorithm')) return coherentPool(choice, body)
  if (names.includes('max_retries_down')) return coherentMonitor(body)
  return body
}

function without(body: Body, ...names: readonly string[]): Body {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)))
}

function coherentPolicy({ pick, somePool }: Choice, body: Body): Body {
  const { action, redirect_pool_id, redirect_http_code } = body
  if (typeof action !== 'string') return body
  const plain = without(
    body,
    ...['redirect_url', 'redirect_prefix', 'redirect_pool', 'redirect_pool_id'],
    'redirect_http_code',
  )
  const coded = redirect_http_code === undefined ? plain : { ...plain, redirect_http_code }
  if (action === 'REDIRECT_TO_URL') return { ...coded, redirect_url: pick('redirect_url') }
  if (action === 'REDIRECT_PREFIX') return { ...coded, redirect_prefix: pick('redirect_prefix') }
  if (action !== 'REDIRECT_TO_POOL') return plain
  return { ...plain, redirect_pool_id: redirect_pool_id ?? somePool() }
}

function coherentRule({ random }: Choice, body: Body): Body {
  const rest = without(body, 'key')
  const equal = { ...rest, compare_type: 'EQUAL_TO' }
  switch (body.type) {
    case 'HEADER':
    case 'COOKIE':
      return { ...rest, key: body.key ?? 'X-Header' }
    case 'SSL_DN_FIELD':
      return { ...rest, key: random.pick(['CN', 'O']) }
    case 'SSL_CONN_HAS_CERT':
      return { ...equal, value: 'True' }
    case 'SSL_VERIFY_RESULT':
      return { ...equal, value: random.pick(['0', '10']) }
    case 'FILE_TYPE':
      return { ...rest, compare_type: random.pick(['EQUAL_TO', 'REGEX']) }
    default:
      return rest
  }
}

const TLS = [
  ...['default_tls_container_ref', 'sni_container_refs', 'client_ca_tls_container_ref'],
  ...['client_authentication', 'client_crl_container_ref', 'tls_ciphers', 'tls_versions'],
  ...['alpn_protocols', 'hsts_max_age', 'hsts_include_subdomains', 'hsts_preload'],
]
/** Pools which a listener of a protocol takes, where not those of its own. */
const POOLS_OF: Readonly<Record<string, readonly string[]>> = {
  HTTP: ['HTTP', 'PROXY', 'PROXYV2'],
  TERMINATED_HTTPS: ['HTTP', 'PROXY', 'PROXYV2'],
  HTTPS: ['HTTPS', 'PROXY', 'PROXYV2', 'TCP'],
  TCP: ['HTTP', 'HTTPS', 'PROXY', 'PROXYV2', 'TCP'],
}

function coherentListener(choice: Choice, body: Body): Body {
  const { protocol } = body
  if (typeof protocol !== 'string') return body
  if (protocol === 'TERMINATED_HTTPS') return coherentTls(choice, withPool(choice, body, protocol))
  if (protocol === 'PROMETHEUS')
    return without(body, ...TLS, 'default_pool', 'default_pool_id', 'l7policies')
  const plain = withPool(choice, without(body, ...TLS), protocol)
  if (protocol === 'HTTP') return plain
  return without(plain, 'insert_headers', 'l7policies')
}

function withPool(choice: Choice, body: Body, protocol: string): Body {
  const { default_pool } = body
  // A pool by its name alone is one beside the listeners.
  if (!isObject(default_pool) || default_pool.protocol === undefined) return body
  const pool = { ...default_pool, protocol: choice.random.pick(POOLS_OF[protocol] ?? [protocol]) }
  return { ...body, default_pool: coherentPool(choice, pool) }
}

function coherentTls({ pick, random }: Choice, body: Body): Body {
  const certificate = pick('default_tls_container_ref')
  const authenticated =
    body.client_authentication !== undefined || body.client_crl_container_ref !== undefined
  const flags = body.hsts_preload !== undefined || body.hsts_include_subdomains !== undefined
  return {
    ...body,
    default_tls_container_ref: certificate,
    ...(authenticated ? { client_ca_tls_container_ref: certificate } : {}),
    ...(flags ? { hsts_max_age: pick('hsts_max_age') } : {}),
    ...(random.chance(0.3) ? { insert_headers: { 'X-SSL-Client-DN': 'true' } } : {}),
  }
}

function coherentPool({ pick, random }: Choice, body: Body): Body {
  const { protocol, session_persistence, healthmonitor, lb_algorithm } = body
  if (typeof protocol !== 'string') return body
  const datagrams = protocol === 'UDP' || protocol === 'SCTP'
  const offered = lb_algorithm === 'SOURCE_IP_PORT' ? { lb_algorithm: 'ROUND_ROBIN' } : {}
  const types = datagrams
    ? ['UDP-CONNECT', 'SCTP', 'TCP', 'HTTP']
    : ['HTTP', 'HTTPS', 'PING', 'TCP', 'TLS-HELLO']
  const monitor = isObject(healthmonitor)
    ? { healthmonitor: coherentMonitor({ ...healthmonitor, type: random.pick(types) }) }
    : {}
  const whole = { ...body, ...offered, ...monitor }
  if (datagrams) {
    const rest = without(whole, 'tls_enabled', 'tls_container_ref', 'ca_tls_container_ref')
    const plain = without(rest, 'crl_container_ref', 'alpn_protocols', 'session_persistence')
    if (session_persistence === undefined) return plain
    return { ...plain, session_persistence: pick('datagram_persistence') }
  }
  if (body.crl_container_ref === undefined) return whole
  return { ...whole, ca_tls_container_ref: pick('default_tls_container_ref') }
}

function coherentMonitor(body: Body): Body {
  const http = body.type === 'HTTP' || body.type === 'HTTPS'
  if (!http)
    return without(
      body,
      ...['http_method', 'url_path', 'expected_codes', 'http_version', 'domain_name'],
    )
  return body.domain_name === undefined ? body : { ...body, http_version: 1.1 }
}
