/**
 * Who makes changes real, and how patiently: [controller_worker], [task_flow], [compute],
 * [networking].
 */
import { TOPOLOGIES } from '../../model/load-balancer.ts'
import { list, map } from '../compound.ts'
import { obsolete } from '../option.ts'
import { boolean, choice, integer, path, port, text } from '../scalar.ts'

/** The registry in command/ has exactly these: one that is missing there does not compile. */
export const AMPHORA_DRIVERS = ['amphora_haproxy_rest_driver', 'amphora_noop_driver'] as const
export const COMPUTE_DRIVERS = ['local', 'compute_nova_driver', 'compute_noop_driver'] as const
export const NETWORK_DRIVERS = [
  'local',
  'allowed_address_pairs_driver',
  'network_noop_driver',
] as const
export const VOLUME_DRIVERS = ['volume_noop_driver', 'volume_cinder_driver'] as const
export type AmphoraDriverName = (typeof AMPHORA_DRIVERS)[number]
export type ComputeDriverName = (typeof COMPUTE_DRIVERS)[number]
export type NetworkDriverName = (typeof NETWORK_DRIVERS)[number]

export const controllerWorker = {
  amphora_driver: choice('How amphorae are told what to do.', AMPHORA_DRIVERS, AMPHORA_DRIVERS[0]),
  compute_driver: choice(
    'Where amphorae run. local: in namespaces of this machine.',
    COMPUTE_DRIVERS,
    'local',
  ),
  network_driver: choice(
    'Where ports and subnets are. local: bridges of this machine, see [local_cloud].',
    NETWORK_DRIVERS,
    'local',
    { later: ['containers_driver'] },
  ),
  loadbalancer_topology: choice(
    'Amphorae of a load balancer: one, or a pair of which one serves.',
    TOPOLOGIES,
    'SINGLE',
    { mutable: true },
  ),
  amp_active_retries: integer('How often an amphora is looked at until it runs.', 30, { min: 1 }),
  amp_active_wait_sec: integer('Seconds per look; a second is waited at most.', 10, { min: 0 }),
  amphora_delete_retries: integer('Attempts to delete an amphora.', 5, { min: 0 }),
  amphora_delete_retry_interval: integer('Seconds between them.', 5, { min: 0 }),
  client_ca: path('CA of controllers, put into amphorae; unset: made at first start.', null),
  amp_flavor_id: text('Nova flavor of amphorae.', ''),
  amp_image_tag: text('Glance tag of the image of amphorae.', ''),
  amp_image_owner_id: text('The project that image must belong to.', ''),
  amp_ssh_key_name: text('Nova key pair put into amphorae.', ''),
  amp_timezone: text('Time zone of amphorae.', 'UTC'),
  amp_boot_network_list: list('Networks of amphorae, the management network first.', []),
  amp_secgroup_list: list('Security groups of amphorae.', []),
  volume_driver: choice(
    'Whether amphorae in Nova boot from volumes, see [cinder].',
    VOLUME_DRIVERS,
    'volume_noop_driver',
  ),
  statistics_drivers: list('Where statistics go. stats_logger: into the log.', ['stats_db'], {
    choices: ['stats_db', 'stats_logger'],
  }),
  event_notifications: boolean(
    'Whether the log has a line when a load balancer was made, changed or deleted.',
    true,
  ),
  ...obsolete('a final status is part of the last transaction of a job', {
    db_commit_retry_attempts: integer('Attempts to write a final status.', 2000),
    db_commit_retry_initial_delay: integer('Seconds before the second.', 1),
    db_commit_retry_backoff: integer('Seconds more each time.', 1),
    db_commit_retry_max: integer('Seconds at most.', 5),
  }),
  ...obsolete('one process runs all flows: see [task_flow] max_parallel_flows', {
    workers: integer('Processes of the worker.', 1, { min: 1 }),
  }),
  ...obsolete('images of Nova are those of Glance', {
    image_driver: text('Where images come from.', 'image_glance_driver'),
  }),
  ...obsolete('upstream no longer reads it', {
    distributor_driver: text('What spreads load over amphorae.', 'distributor_noop_driver'),
    user_data_config_drive: boolean('How files get into an amphora.', false),
  }),
  ...obsolete(
    'an image is found by its tag: openstack image set --tag amphora ID, and amp_image_tag = "amphora"',
    { amp_image_id: text('The image of amphorae: see amp_image_tag.', null) },
  ),
}

const jobboardTls = (help: string) => map(help, {})

export const taskFlow = {
  max_parallel_flows: integer('Jobs that run at a time; one load balancer has one.', 8, {
    min: 1,
    max: 1000,
  }),
  ...obsolete('the engine runs the steps of a flow in order', {
    engine: choice('How steps are run.', ['parallel', 'serial'], 'parallel'),
    max_workers: integer('Threads of a flow: see max_parallel_flows.', 5),
  }),
  ...obsolete('flows always undo what they cannot finish', {
    disable_revert: boolean('Whether failed flows leave things as they are.', false),
  }),
  ...obsolete('jobs and their steps are in the database; every flow goes on after a crash', {
    persistence_connection: text('Database of steps.', 'sqlite://', { secret: true }),
    jobboard_enabled: boolean('Whether another worker takes over.', false),
    jobboard_backend_driver: choice(
      'Where jobs are announced.',
      ['redis_taskflow_driver', 'zookeeper_taskflow_driver', 'etcd_taskflow_driver'],
      'redis_taskflow_driver',
    ),
    jobboard_backend_hosts: list('Its hosts.', ['127.0.0.1']),
    jobboard_backend_port: port('Its port.', 6379),
    jobboard_backend_username: text('Its user.', null),
    jobboard_backend_password: text('Its password.', null, { secret: true }),
    jobboard_backend_namespace: text('Prefix of its keys.', 'octavia_jobboard'),
    jobboard_redis_backend_db: integer('Number of the Redis database.', 0, { min: 0 }),
    jobboard_redis_sentinel: text('Name of a Redis sentinel.', null),
    jobboard_redis_sentinel_username: text('Its user.', null),
    jobboard_redis_sentinel_password: text('Its password.', null, { secret: true }),
    jobboard_redis_backend_ssl_options: jobboardTls('TLS to Redis.'),
    jobboard_redis_sentinel_ssl_options: jobboardTls('TLS to the sentinel.'),
    jobboard_zookeeper_ssl_options: jobboardTls('TLS to Zookeeper.'),
    jobboard_etcd_ssl_options: jobboardTls('TLS to etcd.'),
    jobboard_etcd_timeout: integer('Seconds to wait for etcd.', null),
    jobboard_etcd_api_path: text('Path of the etcd API.', null),
    jobboard_expiration_time: integer('Seconds a job is claimed for.', 30),
    jobboard_save_logbook: boolean('Whether finished jobs are kept.', false),
  }),
}

const retries = (service: string) => ({
  max_retries: integer(`Attempts to have ${service} do something.`, 15, { min: 0 }),
  retry_backoff: integer('How much longer each wait is than the one before.', 1, { min: 0 }),
  retry_max: integer('Seconds to wait at most.', 10, { min: 0 }),
  ...obsolete('the first wait is a quarter of a second', {
    retry_interval: integer('Seconds before the second.', 1, { min: 0 }),
  }),
})

export const compute = retries('compute')

export const networking = {
  allow_vip_network_id: boolean('Whether a VIP may be asked for by network.', true),
  allow_vip_subnet_id: boolean('Whether a VIP may be asked for by subnet.', true),
  allow_vip_port_id: boolean('Whether a VIP may be asked for by port.', true),
  valid_vip_networks: list('Networks VIPs may be on; unset: all.', null),
  denylist_vip_networks: list('Networks no VIP may be on.', []),
  reserved_ips: list('Addresses no member may have.', ['169.254.169.254'], {
    itemTakes: 'IP addresses',
    pattern: /^[0-9A-Fa-f:.]{2,45}$/,
  }),
  ...retries('the network'),
  port_detach_timeout: integer('Seconds to wait for a port to be free.', 300, { min: 0 }),
  allow_invisible_resource_usage: boolean(
    'Whether users may use networks and ports that their token does not show.',
    false,
  ),
}
