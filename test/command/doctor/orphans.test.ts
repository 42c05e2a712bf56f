/** What is left in a cloud, told and taken away, over fakes of its services. */
import { afterEach, expect, test } from 'vitest'
import type { Owners } from '../../../src/command/doctor/orphan-plan.ts'
import { compare, openStackInventory } from '../../../src/command/doctor/orphans.ts'
import type { Io } from '../../../src/command/io.ts'
import { createNeutron } from '../../../src/driver/openstack/neutron.ts'
import { newId } from '../../../src/system/ids.ts'
import {
  DEPLOYMENT,
  type FakeCloudServices,
  openFakeServices,
} from '../../driver/openstack/cloud.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

const NOBODY: Owners = { amphorae: [], load_balancers: [], busy: new Set() }

/** A pair's first amphora with all that is made for it. */
async function loadBalancer(cloud: FakeCloudServices) {
  const { neutron, nova } = cloud
  nova.boots = 0
  const network = neutron.addNetwork(['10.1.0.0/24'])
  const [driver, compute] = [cloud.network(), cloud.compute({ volumes: true })]
  const [load_balancer_id, amphora_id] = [newId(), newId()]
  const vip = await driver.allocateVip({
    ...{ load_balancer_id, project_id: 'users', network_id: network.id },
    ...{ subnet_id: network.subnets[0], port_id: null, ip_address: null, additional_vips: [] },
  })
  const asked = { amphora_id, load_balancer_id, name: '', files: {}, kept_apart: true }
  const { compute_id } = await compute.build(asked)
  await compute.find(amphora_id)
  const port = await driver.plugVip({ id: amphora_id, compute_id }, vip)
  const none = { security_group_ids: [], qos_policy_id: null }
  await driver.setVipRules({ load_balancer_id, vip, amphora_port_ids: [port.id], ...none }, [])
  const owners: Owners = {
    amphorae: [
      {
        ...{ id: amphora_id, status: 'ALLOCATED', loadbalancer_id: load_balancer_id },
        ...{ compute_id, vrrp_port_id: port.id },
      },
    ],
    load_balancers: [
      { id: load_balancer_id, provisioning_status: 'ACTIVE', vip_port_id: vip.port_id },
    ],
    busy: new Set(),
  }
  return { owners, vip, port, compute_id, amphora_id, load_balancer_id }
}

function setUp(deployment = DEPLOYMENT) {
  const cloud = openFakeServices()
  stops.push(() => cloud.stop())
  const inventory = openStackInventory(
    {
      nova: cloud.client('Nova', 'compute', 'v2.1'),
      neutron: createNeutron(cloud.client('Neutron', 'network', 'v2.0')),
      cinder: cloud.client('Cinder', 'volumev3', 'v3'),
      projectId: cloud.session.projectId,
    },
    deployment,
  )
  const doctor = async (owners: Owners, remove = false) => {
    let out = ''
    const io: Io = { out: (text) => (out += text), err: () => {}, terminal: false, env: {} }
    const options = { remove, ask: false, json: false }
    const exit = await compare(inventory, async () => owners, options, io)
    return { exit, out }
  }
  const left = () => [...cloud.neutron.leftovers(), ...cloud.nova.leftovers()].filter(Boolean)
  return { cloud, doctor, left }
}

test('what has a row is neither left over nor missing', async () => {
  const { cloud, doctor } = setUp()
  const { owners } = await loadBalancer(cloud)
  expect(await doctor(owners)).toEqual({
    exit: 0,
    out: 'nothing is left over, and nothing is missing\n',
  })
})

test('without a row all of it goes but what carries no mark', async () => {
  const { cloud, doctor, left } = setUp()
  const { load_balancer_id, amphora_id } = await loadBalancer(cloud)
  const told = await doctor(NOBODY)
  expect(told.exit).toBe(1)
  const kinds = told.out
    .trim()
    .split('\n')
    .map((line) => line.split('  ')[0])
  expect(kinds).toEqual(['server', 'port', 'port', 'security group', 'volume'])
  expect(left()).toHaveLength(5)

  const { exit, out } = await doctor(NOBODY, true)
  expect(exit).toBe(0)
  expect(out).toContain(`deleted server amphora-${amphora_id}`)
  expect(left()).toEqual([`octavia-lb-${load_balancer_id}`])
  expect(cloud.cinder.volumes.size).toBe(0)
})

test('a row that is remembered makes the server group ours, too', async () => {
  const { cloud, doctor, left } = setUp()
  const { owners } = await loadBalancer(cloud)
  const [amphora, lb] = [owners.amphorae[0], owners.load_balancers[0]]
  if (amphora === undefined || lb === undefined) throw new Error('rows')
  const gone: Owners = {
    ...{ amphorae: [{ ...amphora, status: 'DELETED' }], busy: new Set() },
    load_balancers: [{ ...lb, provisioning_status: 'DELETED' }],
  }
  expect((await doctor({ ...gone, busy: new Set([lb.id]) }, true)).exit).toBe(0)
  expect(left()).toHaveLength(5)
  expect((await doctor(gone, true)).exit).toBe(0)
  expect(left()).toEqual([])
})

test('nothing of another controller in the same project is listed', async () => {
  const { cloud, doctor, left } = setUp('fedcba9876543210')
  await loadBalancer(cloud)
  expect((await doctor(NOBODY, true)).out).toMatch(/^nothing is left over/)
  expect(left()).toHaveLength(5)
})

/** Made as upstream makes them, or by users who like our names; all but one in our project. */
test('names alone are not enough', async () => {
  const { cloud, doctor } = setUp()
  const { neutron, nova } = cloud
  const network_id: string = neutron.addNetwork(['10.2.0.0/24']).id
  const id = newId()
  const description = `octavia-lite:${DEPLOYMENT}`
  const [vip, vrrp] = [`octavia-lb-${id}`, `octavia-lb-vrrp-${id}`]
  neutron.addPort({ network_id, name: vip, device_owner: 'Octavia', device_id: `lb-${id}` })
  neutron.addPort({ network_id, name: vip, device_owner: 'network:dhcp', description })
  neutron.addPort({ network_id, name: vip, device_owner: 'Octavia', device_id: 'x', description })
  neutron.addPort({ network_id, name: vrrp, device_owner: 'Octavia' })
  neutron.addPort({ network_id, name: vrrp, project_id: 'users', description })
  neutron.addPort({ network_id, name: vrrp, device_owner: 'network:router_interface', description })
  neutron.addPort({ network_id, name: 'octavia-lb-vrrp-me', device_owner: 'Octavia', description })
  neutron.groups.set('g', { id: 'g', name: `lb-${id}`, project_id: 'service', description: '' })
  nova.servers.set('s', { id: 's', name: `amphora-${id}`, metadata: {} })
  nova.servers.set('t', {
    ...{ id: 't', name: 'web' },
    metadata: { octavia_amphora_id: newId() },
  })
  const { out } = await doctor(NOBODY, true)
  expect(out).toBe('nothing is left over, and nothing is missing\n')
})

test('rows whose server or port is gone', async () => {
  const { cloud, doctor } = setUp()
  const { owners, vip, port, compute_id, amphora_id, load_balancer_id } = await loadBalancer(cloud)
  cloud.neutron.ports.delete(port.id)
  cloud.neutron.ports.delete(vip.port_id)
  cloud.nova.servers.delete(compute_id)
  const { exit, out } = await doctor(owners)
  expect(exit).toBe(1)
  expect(out.trim().split('\n')).toEqual([
    `amphora ${amphora_id}: its server ${compute_id} is gone; octavia-lite amphora failover ${amphora_id} replaces it`,
    `amphora ${amphora_id}: its port ${port.id} is gone; octavia-lite amphora failover ${amphora_id} replaces it`,
    `load balancer ${load_balancer_id}: its VIP port ${vip.port_id} is gone; octavia-lite lb failover ${load_balancer_id} makes it again`,
  ])
})

test('a VIP port of the user is found, though nothing of it is ours', async () => {
  const { cloud, doctor } = setUp()
  const { owners, vip } = await loadBalancer(cloud)
  const port = cloud.neutron.ports.get(vip.port_id)
  Object.assign(port ?? {}, { name: 'mine', device_owner: '', description: '' })
  expect((await doctor(owners)).exit).toBe(0)
})

test('what cannot be deleted is told, and the rest goes', async () => {
  const { cloud, doctor, left } = setUp()
  const { load_balancer_id } = await loadBalancer(cloud)
  cloud.neutron.fail({
    ...{ on: /DELETE .security-groups/, status: 409 },
    body: { NeutronError: { type: 'SecurityGroupInUse', message: 'In use' } },
  })
  const { exit, out } = await doctor(NOBODY, true)
  expect(exit).toBe(1)
  expect(out).toMatch(/^not deleted, delete-security-group of lb-.*In use.*: security group lb-/m)
  expect(left()).toEqual([`lb-${load_balancer_id}`, `octavia-lb-${load_balancer_id}`])
})
