import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { importOslo } from '../../src/config/import.ts'
import { checkConfig } from '../../src/config/load.ts'
import { SECTIONS } from '../../src/config/options.ts'
import { parseToml } from '../../src/config/toml.ts'

function imported(text: string) {
  const result = importOslo(text)
  if ('error' in result) throw new Error(result.error)
  const parsed = parseToml(result.toml)
  if ('error' in parsed) throw new Error(parsed.error.message)
  return { ...result, values: parsed.value as Record<string, Record<string, unknown>> }
}

test('values become what their option takes', () => {
  const { values, problems } = imported(`
[api_settings]
bind_port = 9877
allow_pagination = False
enabled_provider_drivers = amphora: The amphora driver, octavia: Its old name
pagination_max_limit = 1000
default_listener_tls_versions = TLSv1.2, TLSv1.3
tls_cipher_blacklist = AES128-SHA
[controller_worker]
amp_flavor_id = 200
amp_secgroup_list = one
amp_boot_network_list =
[haproxy_amphora]
rest_request_conn_timeout = 2.5
`)
  expect(problems).toEqual([])
  expect(values.api_settings).toMatchObject({
    bind_port: 9877,
    allow_pagination: false,
    enabled_provider_drivers: { amphora: 'The amphora driver', octavia: 'Its old name' },
    default_listener_tls_versions: ['TLSv1.2', 'TLSv1.3'],
    tls_cipher_prohibit_list: 'AES128-SHA',
  })
  expect(values.controller_worker).toMatchObject({
    amp_flavor_id: '200',
    amp_secgroup_list: ['one'],
    amp_boot_network_list: [],
  })
  expect(values.haproxy_amphora).toMatchObject({ rest_request_conn_timeout: 2.5 })
})

test('where the file is silent, the cloud goes on with the defaults it had', () => {
  expect(imported('').values).toMatchObject({ api_settings: { auth_strategy: 'keystone' } })
  const noauth = imported('[api_settings]\nauth_strategy = noauth\n')
  expect(noauth.values.api_settings).toEqual({ auth_strategy: 'noauth' })
})

test('what means nothing here is listed with the reason', () => {
  const { dropped, toml } = imported(`[DEFAULT]
transport_url = rabbit://openstack:secret-1@controller
bind_port = 9999
[oslo_messaging_rabbit]
ssl = true
[database]
connection = mysql+pymysql://octavia:secret-2@controller/octavia
[nonsense]
a = 1
[api_settings]
b = 1
`)
  expect(dropped).toEqual([
    { where: 'DEFAULT.transport_url', line: 2, message: 'there is no message queue' },
    { where: 'oslo_messaging_rabbit.ssl', line: 5, message: 'there is no message queue' },
    {
      where: 'database.connection',
      line: 7,
      message: 'the database is embedded, in [DEFAULT] data_dir',
    },
    { where: 'nonsense.a', line: 9, message: 'Octavia has no section [nonsense]' },
    { where: 'api_settings.b', line: 11, message: 'Octavia has no such option' },
  ])
  expect(toml).toContain('bind_port = 9999  # formerly DEFAULT.bind_port')
  expect(JSON.stringify({ dropped, toml })).not.toContain('secret')
})

test('what cannot be taken over is a problem, and shows no value', () => {
  const { problems, toml } = imported(`[health_manager]
heartbeat_key = a\tsecret
heartbeat_interval = often
heartbeat_timeout = $nowhere
`)
  expect(problems.map(({ where, line }) => [where, line])).toEqual([
    ['health_manager.heartbeat_key', 2],
    ['health_manager.heartbeat_interval', 3],
    ['health_manager.heartbeat_timeout', 4],
  ])
  expect(JSON.stringify({ problems, toml })).not.toContain('secret')
})

test('another form is told by its line', () => {
  expect(importOslo('[api_settings]\n<xml/>\n')).toEqual({
    error: 'line 2 is neither a section nor name = value',
  })
})

test('every default of every option comes back as it is', () => {
  const around = { root: true, home: '/root', hostname: 'host' }
  const lines = Object.entries(SECTIONS).map(([section, options]) => {
    const values = Object.entries(options)
      .filter(([, { status, fallback }]) => status !== 'obsolete' && isPlain(fallback))
      .map(([name, { fallback }]) => `${name} = ${spelt(fallback)}\n`)
    return `[${section}]\n${values.join('')}`
  })
  const { toml, problems } = imported(lines.join(''))
  expect(problems).toEqual([])
  const plain = checkConfig('', around).config
  const again = checkConfig(toml.replaceAll(/^.*# upstream's default\n/gm, ''), around).config
  expect(again).toEqual(plain)
})

function isPlain(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string')
  return value !== null && typeof value !== 'object'
}

/** As oslo writes it. */
function spelt(value: unknown): string {
  if (Array.isArray(value)) return value.join(',')
  return String(value).replaceAll('$', '$$$$')
}

/** As upstream's installation guide makes it, of a release that still had amp_image_id. */
test('the file of a whole deployment', () => {
  const text = readFileSync(join(import.meta.dirname, 'octavia.conf'), 'utf8')
  const { values, toml, dropped, problems } = imported(text)
  expect(problems).toEqual([])
  expect(dropped.map(({ where, message }) => `${where}: ${message}`)).toEqual([
    'DEFAULT.transport_url: there is no message queue',
    'controller_worker.amp_image_id: an image is found by its tag: openstack image set --tag amphora ID, and amp_image_tag = "amphora"',
    'database.connection: the database is embedded, in [DEFAULT] data_dir',
    'keystone_authtoken.memcached_servers: tokens are remembered in memory',
    'oslo_messaging.topic: there is no message queue',
    'service_auth.memcached_servers: tokens are remembered in memory',
  ])
  const user = {
    ...{ auth_url: 'http://controller:5000', auth_type: 'password', username: 'octavia' },
    ...{ password: 'USER_SECRET', user_domain_name: 'Default' },
    ...{ project_name: 'service', project_domain_name: 'Default' },
  }
  expect(values).toEqual({
    api_settings: { bind_host: '0.0.0.0', bind_port: 9876, auth_strategy: 'keystone' },
    certificates: {
      cert_generator: 'local_cert_generator',
      ca_certificate: '/etc/octavia/certs/server_ca.cert.pem',
      ca_private_key: '/etc/octavia/certs/server_ca.key.pem',
      ca_private_key_passphrase: 'CA_SECRET',
      cert_manager: 'barbican_cert_manager',
    },
    controller_worker: {
      amp_image_owner_id: '0b8a1d2e5f6a4c70912f0d3f4f5a6b7c',
      amp_ssh_key_name: 'mykey',
      amp_secgroup_list: ['6a1fbb44-8f3b-4d0a-94f6-6a3f5d9f1e21'],
      amp_boot_network_list: ['91c0a3f5-1f0a-4f53-8f3e-2b7c5a9d0c31'],
      amp_flavor_id: '200',
      network_driver: 'allowed_address_pairs_driver',
      compute_driver: 'compute_nova_driver',
      amphora_driver: 'amphora_haproxy_rest_driver',
      client_ca: '/etc/octavia/certs/client_ca.cert.pem',
      loadbalancer_topology: 'ACTIVE_STANDBY',
    },
    haproxy_amphora: {
      client_cert: '/etc/octavia/certs/client.cert-and-key.pem',
      server_ca: '/etc/octavia/certs/server_ca.cert.pem',
    },
    health_manager: {
      bind_port: 5555,
      bind_ip: '172.16.0.2',
      controller_ip_port_list: ['172.16.0.2:5555'],
    },
    keystone_authtoken: { ...user, www_authenticate_uri: 'http://controller:5000' },
    service_auth: user,
  })
  expect(JSON.stringify(dropped)).not.toContain('SECRET')
  // What the file cannot say is asked for; then it is a whole configuration.
  const around = { root: true, home: '/root', hostname: 'controller' }
  const errors = (given: string) =>
    checkConfig(given, around)
      .problems.filter(({ severity }) => severity === 'error')
      .map(({ message }) => message)
  expect(errors(toml)).toEqual([
    expect.stringMatching(/^compute_nova_driver needs amp_image_tag: /),
  ])
  const worker = '[controller_worker]\n'
  expect(errors(toml.replace(worker, `${worker}amp_image_tag = "amphora"\n`))).toEqual([])
})
