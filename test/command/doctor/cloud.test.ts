/** What the cloud lacks, over fakes of its services. */
import { afterEach, expect, test } from 'vitest'
import { checkCloud } from '../../../src/command/doctor/cloud.ts'
import { apiOf } from '../../../src/command/setup/cloud.ts'
import { checkConfig } from '../../../src/config/load.ts'
import { present } from '../../../src/system/assert.ts'
import { type FakeCloudServices, openFakeServices } from '../../driver/openstack/cloud.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

const NOW = Date.parse('2026-06-01T00:00:00Z')

async function examine(breakIt: (cloud: FakeCloudServices) => unknown, more = '') {
  const cloud = openFakeServices()
  stops.push(() => cloud.stop())
  const { keystone, glance, nova, neutron, management_network } = cloud
  keystone.register({ type: 'load-balancer', name: 'octavia', url: 'http://lb.example:9876' })
  Object.assign(glance.images[0] ?? {}, { name: 'amphora', created_at: '2026-05-01T00:00:00Z' })
  nova.keypairs.add('operators')
  neutron.groups.set('group', { id: 'group', name: 'lb-mgmt-sec-grp' })
  await breakIt(cloud)
  const text = `[service_auth]
auth_type = "password"
auth_url = "${keystone.url}"
username = "octavia"
password = "x"
project_name = "service"
[controller_worker]
compute_driver = "compute_nova_driver"
network_driver = "allowed_address_pairs_driver"
amp_flavor_id = "amphora"
amp_image_tag = "amphora"
amp_ssh_key_name = "operators"
amp_boot_network_list = ["${management_network}"]
amp_secgroup_list = ["lb-mgmt-sec-grp"]
[haproxy_amphora]
lb_network_interface = "lo"
[health_manager]
controller_ip_port_list = ["172.16.0.2:5555"]
${more}`
  const around = { root: false, home: '/home/u', hostname: 'h' }
  const { config, problems } = checkConfig(text, around)
  const api = (title: string, type: string, version: string) =>
    apiOf(cloud.client(title, type, version), 'doctor')
  const findings = await checkCloud(
    present(config, JSON.stringify(problems)),
    {
      session: cloud.session,
      nova: api('Nova', 'compute', 'v2.1'),
      neutron: api('Neutron', 'network', 'v2.0'),
      glance: api('Glance', 'image', 'v2'),
    },
    NOW,
  )
  return findings.map(({ what, state, text }) => `${state} ${what}: ${text}`)
}

test('a cloud with all that is needed', async () => {
  const told = await examine(() => {})
  expect(told.filter((line) => !line.startsWith('ok'))).toEqual([])
  expect(told).toContain('ok room in Nova: 10 of 10 servers')
  expect(told).toContain('ok image of amphorae: amphora (image-1) of 31 days ago')
  expect(told).toContain('ok load balancers in the catalogue: http://lb.example:9876')
})

test.each<[string, (cloud: FakeCloudServices) => unknown, RegExp]>([
  [
    'Keystone is down',
    ({ keystone }) => keystone.goDown(),
    /^fail our user logs in: .*no connection/,
  ],
  [
    'Nova is down',
    ({ nova }) => nova.goDown(),
    /^fail flavor of amphorae: .*Nova at .*no connection/,
  ],
  [
    'the flavor is gone',
    ({ nova }) => nova.flavors.clear(),
    /^fail flavor of amphorae: flavors.amphora is not there; run octavia-lite setup/,
  ],
  [
    'no image has the tag',
    ({ glance }) => glance.images.splice(0),
    /^fail image of amphorae: none has the tag amphora: octavia-lite image upload/,
  ],
  [
    'the image is old',
    ({ glance }) => Object.assign(glance.images[0] ?? {}, { created_at: '2025-05-01T00:00:00Z' }),
    /^warn image of amphorae: amphora \(image-1\) of 396 days ago: build and upload a newer one/,
  ],
  [
    'the key pair is gone',
    ({ nova }) => nova.keypairs.clear(),
    /^fail key pair operators: os-keypairs.operators is not there/,
  ],
  [
    'the network is down',
    ({ neutron, management_network }) =>
      Object.assign(neutron.networks.get(management_network) ?? {}, { status: 'DOWN' }),
    /^fail network .*: it is down/,
  ],
  [
    'the security group is gone',
    ({ neutron }) => neutron.groups.clear(),
    /^fail security group lb-mgmt-sec-grp: it is not there/,
  ],
  [
    'few servers are left',
    ({ nova }) => Object.assign(nova, { servers_max: 1 }),
    /^warn room in Nova: only 1 of 1 servers left in our project of Nova, too few for another pair/,
  ],
  [
    'few ports are left',
    ({ neutron }) => Object.assign(neutron.quota, { ports: 3 }),
    /^warn room in Neutron: only 3 of 3 ports, .* too few/,
  ],
])('%s', async (_name, breakIt, expected) => {
  const told = await examine(breakIt)
  expect(told.filter((line) => !line.startsWith('ok'))).toEqual(
    expect.arrayContaining([expect.stringMatching(expected)]),
  )
})
