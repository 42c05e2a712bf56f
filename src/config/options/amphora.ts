/**
 * What amphorae are told and how they are reached: [haproxy_amphora], [amphora_agent],
 * [keepalived_vrrp].
 */

import { TLS_VERSIONS } from '../../model/tls.ts'
import { list } from '../compound.ts'
import { accepted, obsolete } from '../option.ts'
import { boolean, choice, float, integer, ip, path, port, text } from '../scalar.ts'

const MILLISECONDS = { min: 0, max: 24 * 86_400_000 }

export const haproxyAmphora = {
  base_path: path('Folder of the load balancers inside an amphora.', '/var/lib/octavia'),
  base_cert_dir: path('Folder of their certificates.', '/var/lib/octavia/certs'),
  bind_host: ip('Where the agent listens.', '::'),
  bind_port: port('The port of the agent.', 9443),
  haproxy_cmd: path('The haproxy of an amphora.', '/usr/sbin/haproxy'),
  haproxy_stick_size: text('Size of stick tables.', '10k', {
    pattern: /^\d{1,9}[kmg]?$/,
    takes: 'a number with k, m or g behind it',
  }),
  connection_logging: boolean('Whether haproxy logs connections.', true),
  user_log_format: text(
    'How haproxy logs a connection; {{ project_id }} and {{ lb_id }} are filled in.',
    '{{ project_id }} {{ lb_id }} %f %ci %cp %t %{+Q}r %ST %B %U %[ssl_c_verify] ' +
      '%{+Q}[ssl_c_s_dn] %b %s %Tt %tsc',
  ),
  haproxy_template: path(
    'Lines of your own for haproxy: a file of sections global, defaults, frontend and backend.',
    null,
  ),
  connection_max_retries: integer('Attempts to reach an agent that is booting.', 120, { min: 0 }),
  connection_retry_interval: integer('Seconds between them.', 5, { min: 0 }),
  active_connection_max_retries: integer('Attempts to reach an agent that worked.', 15, { min: 0 }),
  active_connection_retry_interval: integer('Seconds between them.', 2, {
    min: 0,
    formerly: 'active_connection_rety_interval',
  }),
  failover_connection_max_retries: integer(
    'Attempts to reach the other amphora of one that is replaced.',
    2,
    { min: 0 },
  ),
  failover_connection_retry_interval: integer('Seconds between them.', 5, { min: 0 }),
  rest_request_conn_timeout: float('Seconds to connect to an agent.', 10, { min: 0.001 }),
  rest_request_read_timeout: float('Seconds for its answer.', 60, { min: 0.001 }),
  timeout_client_data: integer(
    'Idle client, ms, of listeners that name none.',
    50_000,
    MILLISECONDS,
  ),
  timeout_member_connect: integer('Connecting to a member, ms.', 5_000, MILLISECONDS),
  timeout_member_data: integer('Idle member, ms.', 50_000, MILLISECONDS),
  timeout_tcp_inspect: integer('Waiting for content to look at, ms.', 0, MILLISECONDS),
  default_connection_limit: integer('Connections of a listener whose limit is -1.', 50_000, {
    min: 1,
  }),
  client_cert: path('Key and certificate shown to agents; unset: made at first start.', null),
  server_ca: path('CA of the agents; unset: made at first start.', null),
  lb_network_interface: text('Our interface on the management network.', 'o-hm0', {
    pattern: /^[A-Za-z0-9_.-]{1,15}$/,
    takes: 'the name of a network interface',
  }),
  build_rate_limit: integer('Amphorae that boot at a time; -1: any number.', -1, { min: -1 }),
  ...obsolete('a place to boot is waited for as a service that is away, twenty minutes', {
    build_active_retries: integer('Attempts to get a place to boot.', 120, { min: 0 }),
    build_retry_interval: integer('Seconds between them.', 5, { min: 0 }),
  }),
  ...obsolete('a change is one transaction, so nothing waits for its commit', {
    api_db_commit_retry_attempts: integer('Attempts to see a change.', 15),
    api_db_commit_retry_initial_delay: integer('Seconds before the first.', 1),
    api_db_commit_retry_backoff: integer('Seconds more each time.', 1),
    api_db_commit_retry_max: integer('Seconds at most.', 5),
  }),
  ...obsolete('upstart is gone', {
    respawn_count: integer('Restarts of haproxy by upstart.', 2),
    respawn_interval: integer('Seconds between them.', 2),
  }),
}

const facility = (help: string, fallback: number) => integer(help, fallback, { min: 0, max: 7 })

const AGENT_TLS = ['TLSv1.2', 'TLSv1.3'] as const

export const amphoraAgent = {
  agent_request_read_timeout: integer('Seconds a request to the agent may take.', 180, { min: 1 }),
  user_log_facility: facility('LOG_LOCAL facility of connections.', 0),
  administrative_log_facility: facility('LOG_LOCAL facility of other logs.', 1),
  agent_tls_protocol: choice('The oldest TLS the agent speaks.', AGENT_TLS, 'TLSv1.2', {
    later: TLS_VERSIONS,
  }),
  admin_log_targets: list('Log servers, host:port, for the logs of amphorae.', null),
  tenant_log_targets: list('Log servers, host:port, for connections.', null),
  log_protocol: choice('How log servers are reached.', ['UDP', 'TCP'], 'UDP'),
  log_retry_count: integer('Attempts to reach a log server.', 5, { min: 0 }),
  log_retry_interval: integer('Seconds between them.', 2, { min: 0 }),
  log_queue_size: integer('Lines kept while none is reached.', 10_000, { min: 0 }),
  forward_all_logs: boolean('Whether all logs of an amphora are sent.', false),
  ...obsolete('amphorae keep no logs, and have no rsyslog', {
    disable_local_log_storage: boolean('Whether nothing is kept in the amphora.', false),
    logging_template_override: path('A template of your own for rsyslog.', null),
  }),
  ...accepted({
    agent_server_ca: path('CA of controllers, in the amphora.', '/etc/octavia/certs/client_ca.pem'),
    agent_server_cert: path('Key and certificate of the agent.', '/etc/octavia/certs/server.pem'),
    agent_server_network_dir: path('Where the agent keeps its interfaces.', null),
  }),
  ...obsolete('the controller writes it into the configuration of each amphora', {
    amphora_id: text('The id of an amphora.', null),
  }),
  ...obsolete('there is only keepalived_lvs', {
    amphora_udp_driver: text('What balances UDP.', 'keepalived_lvs'),
  }),
}

export const keepalivedVrrp = {
  vrrp_advert_int: float(
    'Seconds between advertisements; after three lost ones the VIP moves. Below 1 needs VRRP version 3.',
    1,
    { min: 0.05, max: 255 },
  ),
  vrrp_check_interval: integer('Seconds between checks of haproxy.', 5, { min: 1 }),
  vrrp_fail_count: integer('Failed checks that make it down.', 2, { min: 1 }),
  vrrp_success_count: integer('Good checks that make it up.', 2, { min: 1 }),
  vrrp_garp_refresh_interval: integer('Seconds between gratuitous ARPs.', 5, { min: 0 }),
  vrrp_garp_refresh_count: integer('Gratuitous ARPs each time.', 2, { min: 1 }),
}
