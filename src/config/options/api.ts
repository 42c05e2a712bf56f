/** The HTTP API: [api_settings], [quotas], [audit], and what wraps requests. */
import { ALPN_PROTOCOLS, TLS_VERSIONS } from '../../model/tls.ts'
import { list, map } from '../compound.ts'
import { accepted, obsolete } from '../option.ts'
import { boolean, choice, integer, ip, port, text } from '../scalar.ts'

export const AUTH_STRATEGIES = ['local', 'keystone', 'noauth', 'testing'] as const
export type AuthStrategy = (typeof AUTH_STRATEGIES)[number]
const MODERN_TLS = ['TLSv1.2', 'TLSv1.3']

/** OWASP's cipher suite B, as upstream has it (octavia/common/constants.py). */
const OWASP_SUITE_B = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'DHE-RSA-AES128-GCM-SHA256',
  'DHE-RSA-AES256-GCM-SHA384',
  'DHE-RSA-CHACHA20-POLY1305',
].join(':')

export const apiSettings = {
  bind_host: ip('Where the API listens.', '127.0.0.1'),
  bind_port: port('The port of the API.', 9876),
  auth_strategy: choice(
    'Who knows callers. local: this program, at /identity. noauth: nobody, all are administrators.',
    AUTH_STRATEGIES,
    'local',
  ),
  allow_pagination: boolean('Whether lists obey limit and marker.', true),
  allow_sorting: boolean('Whether lists obey sort.', true),
  allow_filtering: boolean('Whether lists obey filters.', true),
  allow_field_selection: boolean('Whether answers obey fields.', true),
  pagination_max_limit: text(
    'The longest list of one answer; infinite or a negative number: no limit.',
    '1000',
    { pattern: /^(infinite|-?\d{1,9})$/, takes: 'a number in a string, or "infinite"' },
  ),
  api_base_uri: text('What links in answers begin with; unset: as the request.', null, {
    pattern: /^https?:\/\/[^\s"<>]+$/,
    takes: 'an http or https URL',
  }),
  enabled_provider_drivers: map('Providers a load balancer may name, with descriptions.', {
    amphora: 'The Octavia Amphora driver.',
    octavia: 'Deprecated alias of the Octavia Amphora driver.',
  }),
  default_provider_driver: text('The provider of a load balancer that names none.', 'amphora'),
  allow_tls_terminated_listeners: boolean('Whether TERMINATED_HTTPS may be used.', true),
  allow_ping_health_monitors: boolean('Whether PING health monitors may be made.', true),
  allow_prometheus_listeners: boolean('Whether PROMETHEUS listeners may be made.', true),
  udp_connect_min_interval_health_monitor: integer(
    'The least delay of UDP-CONNECT health monitors in seconds; negative: any.',
    3,
  ),
  default_listener_ciphers: text('Ciphers of TLS listeners that name none.', OWASP_SUITE_B),
  default_pool_ciphers: text('Ciphers of TLS pools that name none.', OWASP_SUITE_B),
  tls_cipher_prohibit_list: text('Ciphers nobody may use, with colons between.', '', {
    formerly: 'tls_cipher_blacklist',
  }),
  default_listener_tls_versions: list('TLS versions of listeners that name none.', MODERN_TLS, {
    choices: TLS_VERSIONS,
  }),
  default_pool_tls_versions: list('TLS versions of pools that name none.', MODERN_TLS, {
    choices: TLS_VERSIONS,
  }),
  minimum_tls_version: choice('The oldest TLS version anybody may use.', TLS_VERSIONS, null),
  default_listener_alpn_protocols: list(
    'ALPN protocols of TLS listeners that name none.',
    ALPN_PROTOCOLS,
    { choices: ALPN_PROTOCOLS },
  ),
  default_pool_alpn_protocols: list('ALPN protocols of TLS pools that name none.', ALPN_PROTOCOLS, {
    choices: ALPN_PROTOCOLS,
  }),
  healthcheck_enabled: boolean('Whether /healthcheck answers.', false),
  healthcheck_refresh_interval: integer('Seconds a look at the database is kept.', 5, { min: 0 }),
}

const quota = (what: string) =>
  integer(`How many ${what} a project may have; -1: any number.`, -1, { min: -1 })

export const quotas = {
  default_load_balancer_quota: quota('load balancers'),
  default_listener_quota: quota('listeners'),
  default_pool_quota: quota('pools'),
  default_member_quota: quota('members'),
  default_health_monitor_quota: quota('health monitors'),
  default_l7policy_quota: quota('L7 policies'),
  default_l7rule_quota: quota('L7 rules'),
}

/** Upstream's default, which need not be there. */
export const AUDIT_MAP_FILE = '/etc/octavia/octavia_api_audit_map.conf'

export const audit = {
  enabled: boolean(
    'Whether requests and answers are recorded in the log, as events of CADF.',
    false,
  ),
  audit_map_file: text(
    'Which request is which action, in the form of upstream; without this file: as upstream.',
    AUDIT_MAP_FILE,
  ),
  ignore_req_list: text('HTTP methods not to audit, with commas between.', ''),
}

export const osloPolicy = {
  policy_file: text(
    'A file with changed policy rules, YAML or TOML; from the folder of this file.',
    'policy.yaml',
  ),
  policy_dirs: list('Folders with more of them, which win.', ['policy.d']),
  enforce_scope: boolean('Whether tokens of the system are no administrators.', true),
  enforce_new_defaults: boolean('Whether the roles of before Wallaby are left out.', true),
  ...obsolete('every action has a rule', {
    policy_default_rule: text('The rule for actions without one.', 'default'),
  }),
  ...obsolete('rules are not asked of another server', {
    remote_content_type: text('How it is asked.', 'application/x-www-form-urlencoded'),
    remote_ssl_verify_server_crt: boolean('Whether its certificate is checked.', false),
    remote_ssl_ca_crt_file: text('Its CA.', null),
    remote_ssl_client_crt_file: text('Our certificate for it.', null),
    remote_ssl_client_key_file: text('The key of that certificate.', null),
    remote_timeout: integer('Seconds to wait for it.', 60, { min: 0 }),
  }),
}

const CORS_METHODS = ['GET', 'PUT', 'POST', 'DELETE']
const CORS_HEADERS = ['X-Auth-Token', 'X-Openstack-Request-Id']

export const cors = {
  allowed_origin: list('Web pages of these origins may call the API.', null),
  allow_credentials: boolean('Whether they may send credentials.', true),
  allow_headers: list('Request headers they may set.', CORS_HEADERS),
  allow_methods: list('Methods they may use.', CORS_METHODS),
  expose_headers: list('Answer headers they may read.', CORS_HEADERS),
  max_age: integer('Seconds a browser may remember this.', 3600, { min: 0 }),
}

export const osloMiddleware = {
  max_request_body_size: integer('The longest request body in bytes.', 114_688, { min: 1 }),
  enable_proxy_headers_parsing: boolean(
    'Whether Forwarded and X-Forwarded-* headers are believed, for links.',
    false,
  ),
  ...accepted({
    http_basic_auth_user_file: text('Users for basic authentication.', '/etc/htpasswd'),
  }),
}

export const HEALTH_CHECKS = ['octavia_db_check', 'disable_by_file', 'enable_by_files'] as const

export const healthcheck = {
  detailed: boolean('Whether it tells details.', false),
  backends: list('What it checks.', ['octavia_db_check'], { choices: HEALTH_CHECKS }),
  disable_by_file_path: text('disable_by_file: a file whose existence makes it fail.', null),
  enable_by_file_paths: list('enable_by_files: files that must all exist.', []),
  ...accepted({
    allowed_source_ranges: list('Networks that may ask; empty: all.', []),
    ignore_proxied_requests: boolean('Whether requests through a proxy are refused.', false),
    disable_by_file_paths: list('disable_by_file by port, as port:path.', []),
  }),
  ...obsolete('the path is /healthcheck', {
    path: text('The path of the health check.', '/healthcheck'),
  }),
}
