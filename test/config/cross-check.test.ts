import { expect, test } from 'vitest'
import { checkConfig } from '../../src/config/load.ts'

const AROUND = { root: true, home: '/root', hostname: 'lab-1' }

const NETWORK = '[[local_cloud.networks]]\nname = "a"\n'

const NOVA = `[service_auth]
auth_type = "password"
auth_url = "http://keystone:5000"
username = "octavia"
password = "secret"
[controller_worker]
compute_driver = "compute_nova_driver"
network_driver = "allowed_address_pairs_driver"
amp_flavor_id = "f"
amp_image_tag = "t"
amp_boot_network_list = ["n"]
[health_manager]
controller_ip_port_list = ["172.16.0.2:5555"]
`

const CASES: readonly (readonly [title: string, text: string, said: readonly string[]])[] = [
  ['Nova and Neutron with all they need', NOVA, []],
  [
    'Nova without Neutron',
    NOVA.replace('"allowed_address_pairs_driver"', '"local"'),
    [
      'controller_worker.network_driver: compute_nova_driver needs allowed_address_pairs_driver: servers are plugged into Neutron',
    ],
  ],
  [
    'Nova with nothing to boot, and nobody to tell',
    NOVA.replace('"f"', '""')
      .replace('"t"', '""')
      .replace('["n"]', '[]')
      .replace('"172.16.0.2:5555"', ''),
    [
      'controller_worker.amp_flavor_id: compute_nova_driver needs amp_flavor_id: the flavor of amphorae, which octavia-lite setup makes',
      'controller_worker.amp_image_tag: compute_nova_driver needs amp_image_tag: the tag of the image of amphorae, "amphora" as octavia-lite image upload sets it',
      'controller_worker.amp_boot_network_list: compute_nova_driver needs amp_boot_network_list: the management network, which octavia-lite setup makes',
      'health_manager.controller_ip_port_list: amphorae in Nova need the address and port where this controller hears heartbeats',
    ],
  ],
  [
    'Neutron without a user',
    '[controller_worker]\ncompute_driver = "compute_noop_driver"\namphora_driver = "amphora_noop_driver"\nnetwork_driver = "allowed_address_pairs_driver"',
    [
      'service_auth.auth_type: allowed_address_pairs_driver needs auth_type in [service_auth]',
      'service_auth.auth_url: allowed_address_pairs_driver needs auth_url in [service_auth]',
      'service_auth.username: allowed_address_pairs_driver needs username in [service_auth]',
      'service_auth.password: allowed_address_pairs_driver needs password in [service_auth]',
    ],
  ],
  [
    'the host outside its network',
    '[local_cloud]\nmanagement_host_ip = "10.0.0.1"',
    ['local_cloud.management_host_ip: 10.0.0.1 is not in 172.16.0.0/22'],
  ],
  [
    'the host at the broadcast address',
    '[local_cloud]\nmanagement_host_ip = "172.16.3.255"',
    ['local_cloud.management_host_ip: 172.16.3.255 is the broadcast address of 172.16.0.0/22'],
  ],
  [
    'a gateway outside',
    `${NETWORK}cidr = "10.1.0.0/24"\ngateway_ip = "10.2.0.1"`,
    ['local_cloud.networks: gateway_ip 10.2.0.1 of network a is not in 10.1.0.0/24'],
  ],
  [
    'a gateway at the network address',
    `${NETWORK}cidr = "10.1.0.0/24"\ngateway_ip = "10.1.0.0"`,
    ['local_cloud.networks: gateway_ip 10.1.0.0 of network a is the address of 10.1.0.0/24 itself'],
  ],
  [
    'an allocation range backwards',
    `${NETWORK}cidr = "10.1.0.0/24"\nallocation_start = "10.1.0.9"\nallocation_end = "10.1.0.8"`,
    ['local_cloud.networks: network a: allocation_end is before allocation_start'],
  ],
  [
    'half an allocation range',
    `${NETWORK}cidr = "10.1.0.0/24"\nallocation_start = "10.1.0.9"`,
    ['local_cloud.networks: network a: allocation_start and allocation_end go together'],
  ],
  [
    'a network of one address',
    `${NETWORK}cidr = "10.1.0.0/32"`,
    ['local_cloud.networks: network a: 10.1.0.0/32 has no room for ports'],
  ],
  [
    'a network inside the management network',
    `${NETWORK}cidr = "172.16.1.0/24"`,
    [
      'local_cloud.networks: network a (172.16.1.0/24) overlaps the management network (172.16.0.0/22)',
    ],
  ],
  [
    'two networks with one name and common addresses',
    `${NETWORK}cidr = "10.1.0.0/16"\n${NETWORK}cidr = "10.1.2.0/24"`,
    [
      'local_cloud.networks: two networks are called a',
      'local_cloud.networks: network a (10.1.2.0/24) overlaps network a (10.1.0.0/16)',
    ],
  ],
  [
    'heartbeats received where none arrive',
    '[health_manager]\nbind_ip = "127.0.0.1"',
    [
      'health_manager.bind_ip: amphorae of the local cloud send heartbeats to 172.16.0.2: use that, 0.0.0.0 or ::',
    ],
  ],
  ['heartbeats received everywhere', '[health_manager]\nbind_ip = "::"', []],
  [
    'overdue before due',
    '[health_manager]\nheartbeat_timeout = 10',
    ['health_manager.heartbeat_timeout: 10 s pass before the next heartbeat, due after 10 s'],
  ],
  [
    'a receiver without a port',
    '[health_manager]\ncontroller_ip_port_list = ["10.0.0.1:0"]',
    ['health_manager.controller_ip_port_list: 10.0.0.1:0 is no address and port'],
  ],
  ['a receiver by name', '[health_manager]\ncontroller_ip_port_list = ["lb.example:5555"]', []],
  [
    'compute needs its network',
    '[controller_worker]\nnetwork_driver = "network_noop_driver"',
    [
      'controller_worker.network_driver: compute_driver local needs network_driver local: amphorae are plugged into its bridges',
    ],
  ],
  [
    'no agent without compute',
    '[controller_worker]\ncompute_driver = "compute_noop_driver"',
    [
      'controller_worker.amphora_driver: compute_driver compute_noop_driver makes no agent to talk to; use amphora_noop_driver',
    ],
  ],
  [
    'two who say who is who',
    '[keystone_authtoken]\nauth_url = "http://keystone:5000"',
    [
      'api_settings.auth_strategy: [keystone_authtoken] auth_url names a Keystone, and auth_strategy local is an identity service of our own: remove one of them',
    ],
  ],
  [
    'nobody who says it',
    '[api_settings]\nauth_strategy = "noauth"\n[keystone_authtoken]\nauth_url = "http://keystone:5000"',
    [],
  ],
  [
    'an unknown provider',
    '[api_settings]\ndefault_provider_driver = "ovn"',
    ['api_settings.default_provider_driver: ovn is not one of enabled_provider_drivers'],
  ],
  [
    'Keystone without what a login needs',
    '[api_settings]\nauth_strategy = "keystone"\n[keystone_authtoken]\nauth_type = "password"',
    [
      'keystone_authtoken.auth_url: auth_strategy keystone needs auth_url in [keystone_authtoken]',
      'keystone_authtoken.username: auth_strategy keystone needs username in [keystone_authtoken]',
      'keystone_authtoken.password: auth_strategy keystone needs password in [keystone_authtoken]',
    ],
  ],
  [
    'Keystone with half an application credential, in another section',
    '[api_settings]\nauth_strategy = "keystone"\n' +
      '[keystone_authtoken]\nauth_section = "service_auth"\n[service_auth]\n' +
      'auth_type = "v3applicationcredential"\nauth_url = "http://k"\n' +
      'application_credential_id = "x"',
    [
      'service_auth.application_credential_secret: auth_strategy keystone needs application_credential_secret in [service_auth]',
    ],
  ],
  [
    'Barbican with callers that have no tokens of Keystone',
    '[api_settings]\nauth_strategy = "local"\n[certificates]\ncert_manager = "barbican_cert_manager"',
    ['certificates.cert_manager: barbican_cert_manager needs auth_strategy keystone, not local'],
  ],
  [
    'Barbican without our user',
    '[api_settings]\nauth_strategy = "keystone"\n[keystone_authtoken]\nauth_type = "password"\n' +
      'auth_url = "http://k"\nusername = "octavia"\npassword = "x"\n[service_auth]\n' +
      'auth_type = "password"\nusername = "octavia"\npassword = "x"\n' +
      '[certificates]\ncert_manager = "barbican_cert_manager"',
    ['service_auth.auth_url: cert_manager barbican_cert_manager needs auth_url in [service_auth]'],
  ],
  [
    'a section that cannot say who we are',
    '[api_settings]\nauth_strategy = "keystone"\n[keystone_authtoken]\nauth_section = "nova"',
    [
      'keystone_authtoken.auth_section: nova is not a section that says who we are: use service_auth',
    ],
  ],
  [
    'defaults older than allowed',
    '[api_settings]\nminimum_tls_version = "TLSv1.3"',
    [
      'api_settings.default_listener_tls_versions: TLSv1.2 is older than minimum_tls_version TLSv1.3',
      'api_settings.default_pool_tls_versions: TLSv1.2 is older than minimum_tls_version TLSv1.3',
    ],
  ],
  [
    'defaults that are prohibited',
    '[api_settings]\ntls_cipher_prohibit_list = "RC4:TLS_AES_128_GCM_SHA256"',
    [
      'api_settings.default_listener_ciphers: TLS_AES_128_GCM_SHA256 is in tls_cipher_prohibit_list',
      'api_settings.default_pool_ciphers: TLS_AES_128_GCM_SHA256 is in tls_cipher_prohibit_list',
    ],
  ],
]

test.each(CASES)('%s', (_title, text, said) => {
  const errors = checkConfig(text, AROUND).problems.filter(({ severity }) => severity === 'error')
  expect(errors.map(({ where, message }) => `${where}: ${message}`)).toEqual(said)
})

test('networks of a local cloud that is not used may be anything', () => {
  const text = `[controller_worker]
    network_driver = "network_noop_driver"
    compute_driver = "compute_noop_driver"
    amphora_driver = "amphora_noop_driver"
    [local_cloud]
    management_host_ip = "10.0.0.1"`
  expect(checkConfig(text, AROUND).problems).toEqual([])
})
