/** Watching amphorae and cleaning up: [health_manager], [house_keeping], [driver_agent]. */
import { list } from '../compound.ts'
import { accepted, Derived, type Lookup, obsolete } from '../option.ts'
import { boolean, choice, float, integer, ip, path, port, text } from '../scalar.ts'

export const MANAGEMENT_PORTS = ['none', 'auto', 'linuxbridge', 'openvswitch'] as const

/** Amphorae of the local cloud send to its management address; others say where. */
function receiverAddress(lookup: Lookup): string {
  // Its address is known only once Neutron has told it.
  if (lookup('health_manager', 'management_port') !== 'none') return '::'
  if (lookup('controller_worker', 'network_driver') !== 'local') return '127.0.0.1'
  return String(lookup('local_cloud', 'management_host_ip'))
}

function receivers(lookup: Lookup): readonly string[] {
  if (lookup('controller_worker', 'network_driver') !== 'local') return []
  const address = receiverAddress(lookup)
  const host = address.includes(':') ? `[${address}]` : address
  return [`${host}:${String(lookup('health_manager', 'bind_port'))}`]
}

export const healthManager = {
  bind_ip: ip(
    'Where heartbeats are received.',
    new Derived(
      '[local_cloud] management_host_ip; `::` with management_port, else 127.0.0.1',
      (_, lookup) => receiverAddress(lookup),
    ),
  ),
  bind_port: port('The UDP port of heartbeats.', 5555),
  controller_ip_port_list: list(
    'Where amphorae send heartbeats.',
    new Derived(
      'the management address of the local cloud, or of management_port, and bind_port',
      (_, lookup) => receivers(lookup),
    ),
    { mutable: true, itemTakes: 'address:port', pattern: /^(\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d{1,5}$/ },
  ),
  management_port: choice(
    'Whether serve makes its interface on the first of amp_boot_network_list. auto: as Neutron says.',
    MANAGEMENT_PORTS,
    'none',
  ),
  management_port_security_groups: list('Security groups of that port.', []),
  heartbeat_key: text(
    'What heartbeats are signed with; unset: made at first start, in data_dir.',
    null,
    {
      secret: true,
      mutable: true,
      pattern: /^\S.*\S$|^\S$/,
      takes: 'a string without spaces at its ends',
    },
  ),
  accept_replayed_heartbeats: boolean(
    'Whether repeated heartbeats count: for senders that do not raise seq; not for production.',
    false,
    { mutable: true },
  ),
  heartbeat_interval: integer('Seconds between heartbeats.', 10, { min: 1, mutable: true }),
  heartbeat_timeout: integer('Seconds without one until an amphora is overdue.', 60, { min: 1 }),
  health_check_interval: integer('Seconds between looks for overdue amphorae.', 3, { min: 1 }),
  sock_rlimit: integer('Receive buffer in bytes; 0: as large as allowed.', 0, {
    min: 0,
    max: 1 << 30,
  }),
  failover_threads: integer('Failovers of silent amphorae at a time.', 10, { min: 1 }),
  failover_threshold: integer(
    'So many silent amphorae at once are a fault of something else: none is replaced.',
    null,
    { min: 1 },
  ),
  ...obsolete('heartbeats are handled in batches by one process', {
    health_update_threads: integer('Processes for statuses.', null),
    stats_update_threads: integer('Processes for statistics.', null),
  }),
}

export const houseKeeping = {
  cleanup_interval: integer('Seconds between cleanings of the database.', 30, { min: 1 }),
  amphora_expiry_age: integer('Seconds a deleted amphora is remembered.', 604_800, { min: 0 }),
  load_balancer_expiry_age: integer('Seconds a deleted load balancer is remembered.', 604_800, {
    min: 0,
  }),
  cert_interval: integer('Seconds between looks for certificates that end.', 3600, { min: 1 }),
  cert_expiry_buffer: integer('Seconds before its end a certificate is renewed.', 1_209_600, {
    min: 0,
  }),
  cert_rotate_threads: integer('Certificates renewed at a time.', 10, { min: 1 }),
}

const seconds = (help: string, fallback: number) => integer(help, fallback, { min: 1 })

/** The sockets are there where they are named, and where a provider is enabled that needs them. */
export const driverAgent = {
  status_socket_path: path('Where provider drivers tell statuses; unset: in data_dir.', null),
  stats_socket_path: path('Where they tell statistics; unset: in data_dir.', null),
  get_socket_path: path('Where they ask; unset: in data_dir.', null),
  status_request_timeout: seconds('Seconds for a status.', 5),
  stats_request_timeout: seconds('Seconds for statistics.', 5),
  get_request_timeout: seconds('Seconds for a question.', 5),
  status_max_processes: integer('Statuses at a time.', 50, { min: 1 }),
  stats_max_processes: integer('Statistics at a time.', 50, { min: 1 }),
  get_max_processes: integer('Questions at a time.', 50, { min: 1 }),
  max_process_warning_percent: float('Share of those that is worth a warning.', 0.75, {
    min: 0.01,
    max: 0.99,
  }),
  ...accepted({
    provider_agent_shutdown_timeout: integer('Seconds a provider agent gets to stop.', 60, {
      min: 0,
    }),
    enabled_provider_agents: list('Provider agents to start.', []),
  }),
}
