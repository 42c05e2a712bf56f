/** From options to services: which endpoint, which user, whose token. */
import { afterEach, expect, test } from 'vitest'
import { openOpenStack } from '../../../src/command/serve/openstack.ts'
import { checkConfig } from '../../../src/config/load.ts'
import { parseRsyslog, RSYSLOG_PATH } from '../../../src/contract/rsyslog.ts'
import { seenBy } from '../../../src/driver/network.ts'
import { present } from '../../../src/system/assert.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { newId } from '../../../src/system/ids.ts'
import { silentLog } from '../../../src/system/log.ts'
import { openFakeServices } from '../../driver/openstack/cloud.ts'
import { createFakeKeystone, SERVICE_PASSWORD } from '../../fake/keystone.ts'
import { createFakeNeutron } from '../../fake/neutron.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

function open(more: string) {
  const keystone = createFakeKeystone({ now: Date.now })
  const neutron = createFakeNeutron(keystone)
  stops.push(neutron.stop, keystone.stop)
  const text = `[service_auth]
auth_type = "password"
auth_url = "${keystone.url}"
username = "octavia"
password = "${SERVICE_PASSWORD}"
default_domain_id = "default"
project_name = "service"
[controller_worker]
compute_driver = "compute_noop_driver"
amphora_driver = "amphora_noop_driver"
network_driver = "allowed_address_pairs_driver"
${more.replaceAll('NEUTRON', neutron.url)}`
  const around = { root: false, home: '/home/u', hostname: 'h' }
  const { config, problems } = checkConfig(text, around)
  const checked = present(config, JSON.stringify(problems))
  const openstack = openOpenStack({
    deployment: '0123456789abcdef',
    config: checked,
    clock: systemClock,
    log: silentLog,
  })
  return { keystone, neutron, network: openstack.network() }
}

test.each([
  ['the catalogue', ''],
  [
    'the catalogue, of an interface and a region',
    '[neutron]\nregion_name = "RegionOne"\nvalid_interfaces = ["internal"]',
  ],
  ['the interface as it was spelt before', '[neutron]\nendpoint_type = ["internalURL"]'],
  ['a URL', '[neutron]\nendpoint_override = "NEUTRON"'],
  ['a URL as it was spelt before', '[neutron]\nendpoint = "NEUTRON/v2.0/"'],
])('Neutron is found by %s', async (_, more) => {
  const { neutron, network } = open(more)
  const { id } = neutron.addNetwork(['10.0.0.0/24'])
  expect(await network.findNetwork(id)).toMatchObject({ id })
})

test('Neutron may have a user of its own, the rest is taken from [service_auth]', async () => {
  const { keystone, neutron, network } = open('[neutron]\nusername = "neutron-user"')
  await network.findNetwork(neutron.addNetwork(['10.0.0.0/24']).id)
  expect(JSON.stringify(keystone.logins)).toContain('neutron-user')
  expect(JSON.stringify(keystone.logins)).not.toContain('"octavia"')
})

test.each([
  ['keystone', '', false],
  ['keystone', '[networking]\nallow_invisible_resource_usage = true', true],
  ['noauth', '', true],
])('with %s and %j the token of a user hides nothing: %s', async (strategy, more, seen) => {
  const { keystone, neutron, network } = open(
    `[api_settings]\nauth_strategy = "${strategy}"\n${
      strategy === 'keystone'
        ? '[keystone_authtoken]\nauth_type = "password"\nauth_url = "http://k"\nusername = "u"\npassword = "p"\n'
        : ''
    }${more}`,
  )
  const hidden = neutron.addNetwork(['10.0.0.0/24'], { shared: false })
  const view = seenBy(network, keystone.issue({ project_id: 'users' }))
  expect((await view.findNetwork(hidden.id)) !== undefined).toBe(seen)
})

test.each<[string, string, readonly string[] | null]>([
  ['no log servers', '', null],
  [
    'log servers',
    '[amphora_agent]\nadmin_log_targets = ["10.0.0.9:514"]\ntenant_log_targets = ["10.0.0.8:514"]',
    ['10.0.0.9:514'],
  ],
])("with %s upstream's images get a file for rsyslog, or none", async (_, more, targets) => {
  const cloud = openFakeServices()
  stops.push(() => cloud.stop())
  const text = `[service_auth]
auth_type = "password"
auth_url = "${cloud.keystone.url}"
username = "octavia"
password = "${SERVICE_PASSWORD}"
default_domain_id = "default"
project_name = "service"
[controller_worker]
network_driver = "allowed_address_pairs_driver"
compute_driver = "compute_nova_driver"
amp_flavor_id = "amphora"
amp_image_tag = "amphora"
amp_boot_network_list = ["${cloud.management_network}"]
[health_manager]
controller_ip_port_list = ["172.16.0.2:5555"]
${more}`
  const around = { root: false, home: '/home/u', hostname: 'h' }
  const { config, problems } = checkConfig(text, around)
  const openstack = openOpenStack({
    ...{ deployment: '0123456789abcdef', clock: systemClock, log: silentLog },
    config: present(config, JSON.stringify(problems)),
  })
  const files = { '/etc/octavia/amphora-agent.conf': 'the agent' }
  const ids = { amphora_id: newId(), load_balancer_id: newId() }
  await openstack.compute().build({ ...ids, name: '', files })
  const [server] = [...cloud.nova.servers.values()]
  const personality: { path: string; contents: string }[] = server?.personality
  const found = personality.find(({ path }) => path === RSYSLOG_PATH)?.contents
  const read = found && parseRsyslog(Buffer.from(found, 'base64').toString())
  expect(personality).toHaveLength(targets === null ? 1 : 2)
  expect(read ? read.admin_log_targets : null).toEqual(targets)
})
