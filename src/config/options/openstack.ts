/** The services of an OpenStack cloud, and the libraries upstream brings along. */
import { list } from '../compound.ts'
import { accepted, obsolete } from '../option.ts'
import { boolean, choice, float, integer, text } from '../scalar.ts'

const catalogue = (service: string) => ({
  service_name: text(`Name of ${service} in the catalogue.`, null),
  endpoint: text(`URL of ${service} instead of the catalogue.`, null),
  region_name: text(`Region of ${service}.`, null),
  endpoint_type: text(`Interface of ${service}.`, 'publicURL'),
  ca_certificates_file: text(`CA of ${service}.`, null),
  insecure: boolean(`Whether the certificate of ${service} is not checked.`, false),
})

export const AUTH_TYPES = ['password', 'v3password', 'v3applicationcredential'] as const

/** Options of keystoneauth1: a session, and plugins for passwords and application credentials. */
const session = {
  auth_type: choice('How we prove who we are, mostly password.', AUTH_TYPES, null, {
    later: ['token', 'v3token', 'v2password', 'none', 'v3oidcpassword', 'v3kerberos'],
  }),
  auth_url: text('URL of Keystone.', null),
  username: text('Our user.', null),
  user_id: text('Or its id.', null),
  password: text('Its password.', null, { secret: true }),
  user_domain_name: text('Its domain.', null),
  user_domain_id: text('Or the id of that.', null),
  project_name: text('Our project.', null),
  project_id: text('Or its id.', null),
  project_domain_name: text('Its domain.', null),
  project_domain_id: text('Or the id of that.', null),
  domain_name: text('A domain as scope.', null),
  domain_id: text('Or its id.', null),
  default_domain_name: text('Domain of user and project.', null),
  default_domain_id: text('Or its id.', null),
  tenant_name: text('An older word for project_name.', null),
  tenant_id: text('An older word for project_id.', null),
  system_scope: text('The system as scope.', null),
  trust_id: text('A trust as scope.', null),
  application_credential_id: text('An application credential instead of a password.', null),
  application_credential_name: text('Or its name, with our user.', null),
  application_credential_secret: text('Its secret.', null, { secret: true }),
  cafile: text('CA of the service.', null),
  certfile: text('Our certificate.', null),
  keyfile: text('Its key.', null),
  insecure: boolean('Whether certificates are not checked.', false),
  timeout: integer('Seconds to wait for an answer.', null, { min: 0 }),
}

/** Options of the library that change nothing about what is asked. */
const unheard = accepted({
  collect_timing: boolean('Whether calls are timed.', false),
  split_loggers: boolean('Whether the parts of a call are logged apart.', false),
})
const section = text('Another section with these options.', null)

const memcached = obsolete('tokens are remembered in memory', {
  memcached_servers: list('Servers of a token cache.', null),
})

export const serviceAuth = {
  ...session,
  ...unheard,
  ...accepted({ auth_section: section }),
  ...memcached,
}

export const neutron = {
  ...session,
  ...unheard,
  cafile: text('CA of Neutron.', null, { formerly: 'ca_certificates_file' }),
  service_type: text('Type of Neutron in the catalogue.', null),
  service_name: text('Its name there.', null),
  valid_interfaces: list('Its interfaces, best first.', null, { formerly: 'endpoint_type' }),
  region_name: text('Its region.', null),
  endpoint_override: text('Its URL instead of the catalogue.', null, { formerly: 'endpoint' }),
  connect_retries: integer('Attempts to connect after the first.', null, { min: 0, max: 10 }),
  status_code_retries: integer('Attempts after an answer of 503.', null, { min: 0, max: 10 }),
  ...accepted({
    auth_section: section,
    version: text('The version to use.', null),
    min_version: text('The oldest version.', null),
    max_version: text('The newest version.', null),
    connect_retry_delay: float('Seconds between them.', null, { min: 0 }),
    status_code_retry_delay: float('Seconds between them.', null, { min: 0 }),
    retriable_status_codes: list('Answers after which we try again.', null),
  }),
}

export const nova = {
  ...catalogue('Nova'),
  enable_anti_affinity: boolean('Whether a pair of amphorae is kept apart.', false),
  anti_affinity_policy: choice(
    'How strictly.',
    ['anti-affinity', 'soft-anti-affinity'],
    'anti-affinity',
  ),
  random_amphora_name_length: integer('Length of random names; 0: amphora-ID.', 0, { min: 0 }),
  availability_zone: text('Where amphorae are made.', null),
}

export const cinder = {
  ...catalogue('Cinder'),
  availability_zone: text('Where volumes are made.', null),
  volume_size: integer('Size of a volume in GB.', 16, { min: 1 }),
  volume_type: text('Type of volumes.', null),
  volume_create_retry_interval: integer('Seconds between looks.', 5, { min: 0 }),
  volume_create_timeout: integer('Seconds until it failed.', 300, { min: 1 }),
  volume_create_max_retries: integer('Attempts to make one.', 5, { min: 0 }),
}

export const glance = catalogue('Glance')

export const keystoneAuthtoken = {
  ...session,
  ...unheard,
  auth_section: section,
  www_authenticate_uri: text('URL of Keystone told to callers; unset: auth_url.', null, {
    formerly: 'auth_uri',
    pattern: /^https?:\/\/[^\s"<>]+$/,
    takes: 'an http or https URL',
  }),
  interface: text('Interface of Keystone in the catalogue.', 'internal'),
  region_name: text('Region of Keystone in the catalogue.', null),
  http_connect_timeout: integer('Seconds to wait for Keystone; unset: timeout, or 10.', null, {
    min: 1,
  }),
  http_request_max_retries: integer('Attempts to reach it after the first.', 3, {
    min: 0,
    max: 10,
  }),
  token_cache_time: integer('Seconds a token is believed; -1: never.', 300, { min: -1 }),
  service_token_roles: list('Roles of a service token.', ['service']),
  service_token_roles_required: boolean('Whether it must have one.', false),
  service_type: text('Our own type in the catalogue, for access rules.', 'load-balancer'),
  ...accepted({
    auth_version: text('Version of the identity API.', null),
    include_service_catalog: boolean('Whether the catalogue is asked for.', true),
    enforce_token_bind: text('Whether bound tokens are checked.', 'permissive'),
  }),
  ...obsolete('every request needs a token', {
    delay_auth_decision: boolean('Whether requests without a token go on.', false),
  }),
  ...memcached,
  ...obsolete('tokens are remembered in memory', {
    cache: text('Name of a cache in the environment.', null),
    memcache_security_strategy: text('Protection of the token cache.', 'None'),
    memcache_secret_key: text('Its key.', null, { secret: true }),
    memcache_use_advanced_pool: boolean('Its kind of pool.', true),
    memcache_pool_dead_retry: integer('Its retry.', 300),
    memcache_pool_maxsize: integer('Its size.', 10),
    memcache_pool_socket_timeout: integer('Its timeout.', 3),
    memcache_pool_unused_timeout: integer('Its idle timeout.', 60),
    memcache_pool_conn_get_timeout: integer('Its wait.', 10),
    memcache_username: text('Its user.', null),
    memcache_password: text('Its password.', null, { secret: true }),
  }),
}

export const osloMessaging = obsolete('there is no message queue', {
  topic: text('Name of a queue.', null),
})

export const notifications = accepted({
  driver: list('How events are announced.', []),
  topics: list('Where to.', ['notifications']),
  transport_url: text('Their message queue.', null, { secret: true }),
  retry: integer('Attempts; -1: without end.', -1, { min: -1 }),
})
