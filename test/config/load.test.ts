import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  ConfigError,
  checkConfig,
  configDefaults,
  loadConfig,
  type Problem,
} from '../../src/config/load.ts'

const AROUND = { root: true, home: '/root', hostname: 'lab-1' }

function problemsOf(text: string): readonly Problem[] {
  return checkConfig(text, AROUND).problems
}

test('without a file the embedded default is complete', () => {
  const config = configDefaults(AROUND)
  const port: number = config.api_settings.bind_port
  expect(port).toBe(9876)
  expect(config.DEFAULT.data_dir).toBe('/var/lib/octavia-lite')
  expect(config.DEFAULT.host).toBe('lab-1')
  expect(config.api_settings.auth_strategy).toBe('local')
  expect(config.health_manager.bind_ip).toBe('172.16.0.2')
  expect(config.health_manager.controller_ip_port_list).toEqual(['172.16.0.2:5555'])
  expect(config.local_cloud.networks.map((network) => network.name)).toEqual(['vip-net'])
  expect(checkConfig('', AROUND).problems).toEqual([])
})

test('an ordinary user gets a folder of their own', () => {
  const around = { root: false, home: '/home/ada', hostname: 'lab-1' }
  expect(configDefaults(around).DEFAULT.data_dir).toBe('/home/ada/.local/share/octavia-lite')
})

test('defaults follow the options they depend on', () => {
  const text = `
    [local_cloud]
    management_cidr = "fd00:1::/64"
    management_host_ip = "fd00:1::2"
    [health_manager]
    bind_port = 6000
    [DEFAULT]
    data_dir = "/srv/lb"`
  const { config } = checkConfig(text, AROUND)
  expect(config?.health_manager.bind_ip).toBe('fd00:1::2')
  expect(config?.health_manager.controller_ip_port_list).toEqual(['[fd00:1::2]:6000'])
})

test('without the local cloud heartbeats are received on the loopback', () => {
  const text = `[controller_worker]
    network_driver = "network_noop_driver"
    compute_driver = "compute_noop_driver"
    amphora_driver = "amphora_noop_driver"`
  const { config, problems } = checkConfig(text, AROUND)
  expect(problems).toEqual([])
  expect(config?.health_manager.bind_ip).toBe('127.0.0.1')
  expect(config?.health_manager.controller_ip_port_list).toEqual([])
})

test('the configuration cannot be changed, at any depth', () => {
  const config = configDefaults(AROUND)
  for (const part of [
    config,
    config.nova,
    config.local_cloud.networks,
    config.local_cloud.networks[0],
  ])
    expect(Object.isFrozen(part)).toBe(true)
})

/** A file, and what is said about it: `severity line message`. */
const CASES: readonly (readonly [title: string, text: string, said: readonly string[]])[] = [
  [
    'a misspelt option names the nearest',
    '[api_settings]\nbind_hots = "::"',
    ['error 2 unknown option api_settings.bind_hots; did you mean bind_host?'],
  ],
  [
    'a misspelt section names the nearest',
    '[api_setings]\nx = 1',
    ['error 1 unknown section [api_setings]; did you mean api_settings?'],
  ],
  ['a strange section names none', '[zzzzzzzz]', ['error 1 unknown section [zzzzzzzz]']],
  [
    'an option of another section says where it belongs',
    '[api_settings]\nheartbeat_key = "k"',
    ['error 2 unknown option api_settings.heartbeat_key; it belongs in [health_manager]'],
  ],
  [
    'an option before any section says where it belongs',
    'debug = true',
    ['error 1 debug is not in a section; put it under [DEFAULT]'],
  ],
  ['a section is no value', 'nova = 1', ['error 1 [nova] is a section, not a value']],
  [
    'an array of tables is no section',
    '[[nova]]\ninsecure = true',
    ['error 1 [nova] is a section, not a value'],
  ],
  [
    'names of the language are no options',
    '[DEFAULT]\nconstructor = 1\n[toString]\nx = 1\n[__proto__]\ny = 1',
    [
      'error 2 unknown option DEFAULT.constructor',
      'error 3 unknown section [toString]',
      'error 5 unknown section [__proto__]',
    ],
  ],
  [
    'all problems are told, in the order of the file',
    '[api_settings]\nbind_port = 70000\nauth_strategy = "none"\n[nova]\ninsecure = "no"',
    [
      'error 2 api_settings.bind_port = 70000: takes an integer from 0 to 65535',
      'error 3 api_settings.auth_strategy = "none": takes one of local, keystone, noauth, testing',
      'error 5 nova.insecure = "no": takes true or false; not a string',
    ],
  ],
  [
    'a number as text is not a number',
    '[api_settings]\nbind_port = "80"',
    ['error 2 api_settings.bind_port = "80": takes an integer from 0 to 65535; not a string'],
  ],
  [
    'a fraction is not an integer',
    '[quotas]\ndefault_pool_quota = 1.5',
    ['error 2 quotas.default_pool_quota = 1.5: takes an integer of at least -1; not a fraction'],
  ],
  [
    'nan and inf are no numbers',
    '[haproxy_amphora]\nrest_request_conn_timeout = nan\nrest_request_read_timeout = inf',
    [
      'error 2 haproxy_amphora.rest_request_conn_timeout = NaN: takes a number of at least 0.001; not a number',
      'error 3 haproxy_amphora.rest_request_read_timeout = Infinity: takes a number of at least 0.001; not a number',
    ],
  ],
  [
    'text of one line only',
    '[DEFAULT]\ndata_dir = "/a\\nb"\n',
    ['error 2 DEFAULT.data_dir = "/a\\nb": takes an absolute path; without control characters'],
  ],
  [
    'a relative path',
    '[DEFAULT]\ndata_dir = "data"',
    ['error 2 DEFAULT.data_dir = "data": takes an absolute path'],
  ],
  [
    'an address with a prefix is not an address',
    '[api_settings]\nbind_host = "10.0.0.1/24"',
    ['error 2 api_settings.bind_host = "10.0.0.1/24": takes an IP address'],
  ],
  [
    'a list written as oslo does',
    '[health_manager]\ncontroller_ip_port_list = "10.0.0.1:5555"',
    [
      'error 2 health_manager.controller_ip_port_list = "10.0.0.1:5555": takes an array of strings (address:port); not a string: put it in [ ]',
    ],
  ],
  [
    'a wrong item of a list',
    '[api_settings]\ndefault_pool_tls_versions = ["TLSv1.2", "TLSv2"]',
    [
      'error 2 api_settings.default_pool_tls_versions: takes an array of strings (SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3); item 2 is wrong',
    ],
  ],
  [
    'a driver of upstream which is not in this release',
    '[controller_worker]\nnetwork_driver = "containers_driver"',
    [
      'error 2 controller_worker.network_driver = "containers_driver": takes one of local, allowed_address_pairs_driver, network_noop_driver; containers_driver is not in this release',
    ],
  ],
  [
    'host bits in a network',
    '[local_cloud]\nmanagement_cidr = "172.16.0.2/22"',
    [
      'error 2 local_cloud.management_cidr = "172.16.0.2/22": takes a network such as 10.0.0.0/24; did you mean 172.16.0.0/22?',
    ],
  ],
  [
    'an unknown field of a network',
    '[[local_cloud.networks]]\nname = "a"\ncidr = "10.1.0.0/24"\ngateway = "10.1.0.1"',
    [
      'error 1 local_cloud.networks: takes tables; the first has an unknown "gateway"; it takes name, cidr, host_access, mtu, id, gateway_ip, allocation_start, allocation_end, host_routes, subnets',
    ],
  ],
  [
    'a network without addresses',
    '[[local_cloud.networks]]\nname = "a"',
    ['error 1 local_cloud.networks: takes tables; the first has no cidr'],
  ],
  [
    'a server database is not in this release',
    '[database]\nconnection = "mysql+pymysql://octavia:hunter2@db/octavia"',
    ['error 2 database.connection: takes sqlite:// (database servers are not in this release)'],
  ],
  [
    'what is known but not used',
    '[neutron]\nmin_version = "2.0"',
    ['note 2 accepted, not used by this release: neutron.min_version'],
  ],
  [
    'what means nothing here',
    '[DEFAULT]\ntransport_url = "rabbit://u:hunter2@mq"\n[oslo_messaging_rabbit]\nssl = true',
    [
      'note 2 obsolete, ignored: DEFAULT.transport_url (there is no message queue)',
      'note 3 obsolete, ignored: [oslo_messaging_rabbit] (there is no message queue)',
    ],
  ],
  [
    'an older spelling',
    '[haproxy_amphora]\nactive_connection_rety_interval = 4',
    [
      'note 2 haproxy_amphora.active_connection_rety_interval is now haproxy_amphora.active_connection_retry_interval',
    ],
  ],
  ['no TOML', '[DEFAULT]\ndebug = yes', ['error 2 not TOML: unexpected "y"']],
  [
    'twice the same',
    '[DEFAULT]\ndebug = true\ndebug = true',
    ["error 3 not TOML: Cannot redefine existing key 'DEFAULT.debug'."],
  ],
]

test.each(CASES)('%s', (_title, text, said) => {
  expect(problemsOf(text).map((p) => `${p.severity} ${p.line} ${p.message}`)).toEqual(said)
})

test('an older spelling sets the option', () => {
  const { config } = checkConfig('[haproxy_amphora]\nactive_connection_rety_interval = 4', AROUND)
  expect(config?.haproxy_amphora.active_connection_retry_interval).toBe(4)
})

test('no message ever quotes a secret', () => {
  const text = `
    [health_manager]
    heartbeat_key = 1234567
    [certificates]
    ca_private_key_passphrase = ["hunter2"]
    server_certs_key_passphrase = ["hunter2"]
    [service_auth]
    password = { hunter2 = "hunter2" }
    [database]
    connection = "hunter2"`
  const { config, problems } = checkConfig(text, AROUND)
  expect(config).toBeNull()
  expect(problems.length).toBe(5)
  expect(JSON.stringify(problems)).not.toMatch(/hunter2|1234567/)
})

test('a networks table replaces the default network and keeps what it does not name', () => {
  const text = '[[local_cloud.networks]]\nname = "web"\ncidr = "192.0.2.0/24"\nmtu = 9000'
  expect(checkConfig(text, AROUND).config?.local_cloud.networks).toEqual([
    {
      name: 'web',
      cidr: '192.0.2.0/24',
      gateway_ip: null,
      host_access: false,
      mtu: 9000,
      id: null,
      allocation_start: null,
      allocation_end: null,
      host_routes: [],
      subnets: [],
    },
  ])
})

test('a network of both families, with routes and without a gateway', () => {
  const text = `
    [[local_cloud.networks]]
    name = "both"
    cidr = "192.0.2.0/24"
    gateway_ip = "none"
    [[local_cloud.networks.host_routes]]
    destination = "198.51.100.0/24"
    nexthop = "192.0.2.9"
    [[local_cloud.networks.subnets]]
    cidr = "2001:db8::/64"
    allocation_start = "2001:db8::100"
    allocation_end = "2001:db8::1ff"`
  const { config, problems } = checkConfig(text, AROUND)
  expect(problems).toEqual([])
  expect(config?.local_cloud.networks).toMatchObject([
    {
      gateway_ip: 'none',
      host_routes: [{ destination: '198.51.100.0/24', nexthop: '192.0.2.9' }],
      subnets: [{ name: null, cidr: '2001:db8::/64', gateway_ip: null, host_routes: [] }],
    },
  ])
})

test('a file is read, and its problems carry its name and lines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-config-'))
  try {
    const file = join(folder, 'a.toml')
    writeFileSync(file, '[api_settings]\nbind_port = 1\n')
    expect(loadConfig(file, AROUND).api_settings.bind_port).toBe(1)
    writeFileSync(file, '[api_settings]\nbind_port = -1\nbind_prot = 1\n')
    expect(() => loadConfig(file, AROUND)).toThrow(ConfigError)
    expect(() => loadConfig(file, AROUND)).toThrow(
      `${file}:2: api_settings.bind_port = -1: takes an integer from 0 to 65535\n` +
        `${file}:3: unknown option api_settings.bind_prot; did you mean bind_port?`,
    )
    expect(() => loadConfig(join(folder, 'none.toml'), AROUND)).toThrow('there is no such file')
    expect(() => loadConfig(folder, AROUND)).toThrow('cannot be read')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
