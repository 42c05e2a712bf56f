/** What only the drivers of OpenStack do: groups, views of users, QoS, volumes, offers. */
import { afterEach, expect, test } from 'vitest'
import type { InstanceRequest } from '../../../src/driver/compute.ts'
import { seenBy, type Vip } from '../../../src/driver/network.ts'
import { NO_PROFILE } from '../../../src/driver/openstack/server.ts'
import { newId } from '../../../src/system/ids.ts'
import type { Row } from '../../fake/neutron.ts'
import { type FakeCloudServices, openFakeServices } from './cloud.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

function open(): FakeCloudServices {
  const cloud = openFakeServices()
  stops.push(() => cloud.stop())
  return cloud
}

const request = (over: Partial<InstanceRequest> = {}): InstanceRequest => ({
  amphora_id: newId(),
  load_balancer_id: newId(),
  name: '',
  files: {},
  ...over,
})

async function boot(cloud: FakeCloudServices): Promise<{ id: string; compute_id: string }> {
  const { nova, compute } = cloud
  nova.boots = 0
  const asked = request()
  const { compute_id } = await compute().build(asked)
  await compute().find(asked.amphora_id)
  return { id: asked.amphora_id, compute_id }
}

async function withVip(cloud: FakeCloudServices, network: Row) {
  const driver = cloud.network()
  const load_balancer_id = newId()
  const subnet_id: string = network.subnets[0]
  const vip: Vip = await driver.allocateVip({
    ...{ load_balancer_id, project_id: 'users', network_id: network.id, subnet_id },
    ...{ port_id: null, ip_address: null, additional_vips: [] },
  })
  const amphora = await boot(cloud)
  const port = await driver.plugVip(amphora, vip)
  const target = { load_balancer_id, vip, amphora_port_ids: [port.id] }
  return { driver, amphora, vip, port, target }
}

const OPEN = { security_group_ids: [], qos_policy_id: null }

test("a VIP port is the user's, down, and an amphora may use its address", async () => {
  const cloud = open()
  const { vip, port } = await withVip(cloud, cloud.neutron.addNetwork(['10.1.0.0/24']))
  const { ports } = cloud.neutron
  expect(ports.get(vip.port_id)).toMatchObject({ project_id: 'users', admin_state_up: false })
  expect(ports.get(port.id)).toMatchObject({
    project_id: 'service',
    allowed_address_pairs: [{ ip_address: vip.ip_address }],
    // Nothing gets in before there are rules.
    security_groups: [],
  })
})

test('one security group is on all ports, with the groups of the user and the QoS policy', async () => {
  const cloud = open()
  const { driver, target, port, vip } = await withVip(
    cloud,
    cloud.neutron.addNetwork(['10.1.0.0/24']),
  )
  cloud.neutron.groups.set('users', { id: 'users', name: 'users', project_id: 'users' })
  const rules = [{ protocol: 'TCP', port: 80, cidr: null }] as const
  const chosen = { security_group_ids: ['users'], qos_policy_id: 'qos-1' }
  await driver.setVipRules({ ...target, ...chosen }, rules)
  await driver.setVipRules({ ...target, ...chosen }, rules)
  const { ports, groups } = cloud.neutron
  const group = [...groups.values()].find((row) => row.name === `lb-${target.load_balancer_id}`)
  expect(groups.size).toBe(2)
  for (const id of [port.id, vip.port_id])
    expect(ports.get(id)?.security_groups).toEqual([group?.id, 'users'])
  expect(ports.get(port.id)?.qos_policy_id).toBe('qos-1')
  expect(ports.get(vip.port_id)?.qos_policy_id).toBeNull()
  await driver.setVipRules({ ...target, ...OPEN }, rules)
  expect(ports.get(port.id)).toMatchObject({ security_groups: [group?.id], qos_policy_id: null })
})

test('a group of the same name in another project is left alone', async () => {
  const cloud = open()
  const { driver, target } = await withVip(cloud, cloud.neutron.addNetwork(['10.1.0.0/24']))
  const trap = { id: 'trap', name: `lb-${target.load_balancer_id}`, project_id: 'users' }
  cloud.neutron.groups.set('trap', trap)
  await driver.setVipRules({ ...target, ...OPEN }, [{ protocol: 'TCP', port: 80, cidr: null }])
  const rules = [...cloud.neutron.rules.values()]
  expect(rules.filter((rule) => rule.security_group_id === 'trap')).toEqual([])
  await driver.deallocateVip(target.load_balancer_id, target.vip.port_id)
  expect([...cloud.neutron.groups.keys()]).toEqual(['trap'])
})

test('a network without port security has neither groups nor pairs', async () => {
  const cloud = open()
  const network = cloud.neutron.addNetwork(['10.1.0.0/24'], { port_security_enabled: false })
  const { driver, target, port } = await withVip(cloud, network)
  await driver.setVipRules({ ...target, ...OPEN }, [{ protocol: 'TCP', port: 80, cidr: null }])
  expect(cloud.neutron.ports.get(port.id)).toMatchObject({
    allowed_address_pairs: [],
    security_groups: [],
  })
})

test('a Neutron without allowed address pairs is told so', async () => {
  const cloud = open()
  cloud.neutron.extensions.delete('allowed-address-pairs')
  const network = cloud.neutron.addNetwork(['10.1.0.0/24'])
  await expect(withVip(cloud, network)).rejects.toThrow(/enable its extension/)
})

test('SR-IOV ports are asked for as such', async () => {
  const cloud = open()
  const network = cloud.neutron.addNetwork(['10.1.0.0/24'])
  const { driver } = await withVip(cloud, network)
  const amphora = await boot(cloud)
  const subnet = await driver.findSubnet(network.subnets[0])
  if (subnet === undefined) throw new Error('a subnet')
  const port = await driver.plugMember(amphora, subnet, 'direct')
  expect(cloud.neutron.ports.get(port.id)).toMatchObject({ 'binding:vnic_type': 'direct' })
})

test('subnets of one network share a port, which gets an address in each', async () => {
  const cloud = open()
  const network = cloud.neutron.addNetwork(['10.2.0.0/24', '10.3.0.0/24'])
  const driver = cloud.network()
  const amphora = await boot(cloud)
  const ids = new Set<string>()
  for (const id of network.subnets) {
    const subnet = await driver.findSubnet(id)
    if (subnet !== undefined) ids.add((await driver.plugMember(amphora, subnet)).id)
  }
  const [port] = [...ids].map((id) => cloud.neutron.ports.get(id))
  expect(ids.size).toBe(1)
  expect(port?.fixed_ips.map((ip: Row) => ip.subnet_id)).toEqual(network.subnets)
})

test('an instance that does not let go of a port loses it after a while', async () => {
  const cloud = open()
  const { driver, amphora, port } = await withVip(cloud, cloud.neutron.addNetwork(['10.1.0.0/24']))
  const since = cloud.clock.now()
  cloud.nova.fail({ on: /DELETE .*os-interface/, status: 202 })
  await driver.unplugVip(amphora)
  expect(cloud.neutron.ports.has(port.id)).toBe(false)
  expect(cloud.clock.now() - since).toBe(300_000)
})

test('users see what is theirs and what is shared', async () => {
  const cloud = open()
  const driver = cloud.network()
  const shared = cloud.neutron.addNetwork(['10.1.0.0/24'])
  const hidden = cloud.neutron.addNetwork(['10.2.0.0/24'], { shared: false })
  const view = seenBy(driver, cloud.keystone.issue({ project_id: 'users' }))
  expect(await view.findNetwork(shared.id)).toMatchObject({ id: shared.id })
  expect(await view.findNetwork(hidden.id)).toBeUndefined()
  expect(await view.findSubnet(hidden.subnets[0])).toBeUndefined()
  expect(await driver.findNetwork(hidden.id)).toMatchObject({ id: hidden.id })
  expect(await seenBy(driver, null).findNetwork(hidden.id)).toMatchObject({ id: hidden.id })
})

test('QoS policies are known where Neutron has any', async () => {
  const cloud = open()
  expect(await cloud.network().hasQosPolicy('qos-1')).toBe(true)
  expect(await cloud.network().hasQosPolicy('qos-2')).toBe(false)
  cloud.neutron.extensions.delete('qos')
  expect(await cloud.network().hasQosPolicy('qos-1')).toBeUndefined()
})

test('a pair is in one server group, which goes when it is released', async () => {
  const cloud = open()
  const compute = cloud.compute()
  const load_balancer_id = newId()
  const kept = () => compute.build(request({ load_balancer_id, kept_apart: true }))
  // Both at once, as they are made.
  await Promise.all([kept(), kept()])
  await compute.build(request({ load_balancer_id }))
  const [group, ...more] = [...cloud.nova.groups.values()]
  expect(more).toEqual([])
  expect(group).toMatchObject({
    name: `octavia-lb-${load_balancer_id}`,
    policies: ['soft-anti-affinity'],
  })
  await compute.releaseGroup?.(load_balancer_id)
  await compute.releaseGroup?.(load_balancer_id)
  expect(cloud.nova.groups.size).toBe(0)
})

test('why no host takes a server is told, though lists of Nova do not say it', async () => {
  const cloud = open()
  Object.assign(cloud.nova, { boots: 0, full: true })
  const asked = request()
  await cloud.compute().build(asked)
  const instance = await cloud.compute().find(asked.amphora_id)
  expect(instance).toMatchObject({ status: 'ERROR' })
  expect(instance?.fault).toMatch(/^No valid host was found.*no compute host has room/)
})

test('without anti-affinity there is no group', async () => {
  const cloud = open()
  await cloud.compute({ enable_anti_affinity: false }).build(request({ kept_apart: true }))
  expect(cloud.nova.groups.size).toBe(0)
})

test('the newest image with the tag is taken, of the owner if one is named', async () => {
  const cloud = open()
  const { glance, nova } = cloud
  glance.images.push({ id: 'image-2', tags: ['amphora'], owner: 'other', status: 'active' })
  glance.images.push({ id: 'image-3', tags: ['amphora'], owner: 'other', status: 'queued' })
  await cloud.compute().build(request())
  await cloud.compute({ amp_image_owner_id: 'service' }).build(request())
  const profile = { ...NO_PROFILE, amp_image_tag: 'nothing' }
  await expect(cloud.compute().build(request({ profile }))).rejects.toThrow(/no active image/)
  expect([...nova.servers.values()].map(({ image }) => image.id)).toEqual(['image-2', 'image-1'])
})

test('a volume that breaks is made again, and goes with an instance that never was', async () => {
  const cloud = open()
  const compute = cloud.compute({ volumes: true })
  cloud.cinder.broken = 1
  const asked = request()
  await compute.build(asked)
  expect([...cloud.cinder.volumes.values()]).toMatchObject([
    { status: 'available', size: 16, imageRef: 'image-1' },
  ])
  cloud.cinder.broken = 2
  await expect(compute.build(request())).rejects.toThrow(/a volume in status error/)
  await compute.delete(asked.amphora_id)
  expect(cloud.cinder.volumes.size).toBe(0)
})

test('a volume that takes too long is given up', async () => {
  const cloud = open()
  cloud.cinder.copies = 1_000
  const compute = cloud.compute({ volumes: true })
  await expect(compute.build(request())).rejects.toThrow(/needs more than 300 s/)
  expect(cloud.cinder.volumes.size).toBe(0)
})

test('offers of flavors and zones are looked up', async () => {
  const { hasOffer } = open().compute({ volumes: true })
  const has = async (...args: Parameters<NonNullable<typeof hasOffer>>) => await hasOffer?.(...args)
  expect(await has('compute_flavor', 'big')).toBe(true)
  expect(await has('compute_flavor', 'none')).toBe(false)
  expect(await has('compute_zone', 'other')).toBe(true)
  expect(await has('compute_zone', 'none')).toBe(false)
  expect(await has('amp_image_tag', 'amphora')).toBe(true)
  expect(await has('amp_image_tag', 'none')).toBe(false)
  expect(await has('volume_zone', 'nova')).toBe(true)
  expect(await has('volume_zone', 'other')).toBe(false)
})
