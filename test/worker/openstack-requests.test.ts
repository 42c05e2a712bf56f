/** What a request makes of the cloud: which server its flavor and zone get, and what users see. */
import { afterEach, describe, expect, test } from 'vitest'
import { LBS, openController } from './openstack.ts'

type Controller = Awaited<ReturnType<typeof openController>>

let controller: Controller | undefined
afterEach(async () => await controller?.stop())
const setUp = async () => (controller = await openController())

const LBAAS = '/v2.0/lbaas'

/** The id of a new one. */
async function make({ harness }: Controller, path: string, body: Record<string, object>) {
  const answer = await harness.send('POST', `${LBAAS}/${path}`, body)
  expect(answer.status, JSON.stringify(answer.body)).toBe(201)
  return Object.values<{ readonly id: string }>(answer.body)[0]?.id ?? ''
}

async function makeFlavor(on: Controller, data: object): Promise<string> {
  const flavor_data = JSON.stringify(data)
  const flavor_profile_id = await make(on, 'flavorprofiles', {
    flavorprofile: { name: 'p', provider_name: 'amphora', flavor_data },
  })
  return await make(on, 'flavors', { flavor: { name: 'gold', flavor_profile_id } })
}

async function makeZone(on: Controller, data: object): Promise<string> {
  const availability_zone_data = JSON.stringify(data)
  const availability_zone_profile_id = await make(on, 'availabilityzoneprofiles', {
    availability_zone_profile: { name: 'p', provider_name: 'amphora', availability_zone_data },
  })
  await make(on, 'availabilityzones', {
    availability_zone: { name: 'east', availability_zone_profile_id },
  })
  return 'east'
}

describe('the server and the ports of a load balancer', () => {
  test.each<[string, object, object, object]>([
    ['what is configured', {}, {}, { flavorRef: 'amphora', imageRef: 'image-1' }],
    ['compute_flavor', { compute_flavor: 'big' }, {}, { flavorRef: 'big' }],
    ['amp_image_tag', { amp_image_tag: 'gold' }, {}, { imageRef: 'image-2' }],
    ['compute_zone', {}, { compute_zone: 'other' }, { availability_zone: 'other' }],
  ])('follow %s', async (_, flavor, zone, asked) => {
    const on = await setUp()
    const { cloud, create, status, idle } = on
    cloud.glance.images.unshift({ id: 'image-2', tags: ['gold'], owner: 'o', status: 'active' })
    const flavor_id = await makeFlavor(on, flavor)
    const availability_zone = await makeZone(on, zone)
    const { body } = await create({ flavor_id, availability_zone })
    await idle()
    expect(await status(body.loadbalancer.id)).toBe('ACTIVE')
    expect([...cloud.nova.servers.values()]).toEqual([expect.objectContaining(asked)])
  })

  test('follow management_network', async () => {
    const on = await setUp()
    const { cloud, create, status, idle } = on
    const network: string = cloud.neutron.addNetwork(['172.20.0.0/24']).id
    const availability_zone = await makeZone(on, { management_network: network })
    const { body } = await create({ availability_zone })
    await idle()
    expect(await status(body.loadbalancer.id)).toBe('ACTIVE')
    const [server] = [...cloud.nova.servers.values()]
    expect(server?.networks).toEqual([{ uuid: network }])
    const { amphorae } = (await on.harness.send('GET', '/v2.0/octavia/amphorae')).body
    expect(amphorae[0].lb_network_ip).toMatch(/^172\.20\.0\./)
  })

  test.each([true, false])('follow sriov_vip %s', async (sriov_vip) => {
    const on = await setUp()
    const { cloud, create, status, idle } = on
    const { body } = await create({ flavor_id: await makeFlavor(on, { sriov_vip }) })
    await idle()
    expect(await status(body.loadbalancer.id)).toBe('ACTIVE')
    const plugged = [...cloud.neutron.ports.values()].filter(({ name }) => /-vrrp-/.test(name))
    const types = plugged.map((port) => port['binding:vnic_type'] ?? 'normal')
    expect([types, body.loadbalancer.vip_vnic_type]).toEqual(
      sriov_vip ? [['direct'], 'direct'] : [['normal'], 'normal'],
    )
  })
})

describe('what a user names is looked up with his token', () => {
  /** What may be named, in a network that he sees or does not. */
  const NAMED = [
    ['vip_network_id', 'Network'],
    ['vip_subnet_id', 'Subnet'],
    ['vip_port_id', 'Port'],
    ['vip_sg_ids', 'Security Group'],
    ['additional_vips', 'Subnet'],
    ['subnet_id of a member', 'Subnet'],
  ] as const

  function prepare({ cloud: { neutron } }: Controller, project_id: string) {
    const network = neutron.addNetwork(['10.9.0.0/24'], { shared: false, project_id })
    const [subnet_id] = network.subnets
    const port = neutron.addPort({ network_id: network.id, project_id })
    const group = { id: crypto.randomUUID(), name: 'web', project_id }
    neutron.groups.set(group.id, group)
    const member = { address: '10.9.0.7', protocol_port: 80, subnet_id }
    const pool = { name: 'p', protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN', members: [member] }
    const listener = { protocol: 'TCP', protocol_port: 80, default_pool: pool }
    return {
      vip_network_id: { vip_subnet_id: undefined, vip_network_id: network.id },
      vip_subnet_id: { vip_subnet_id: subnet_id },
      vip_port_id: { vip_subnet_id: undefined, vip_port_id: port.id },
      vip_sg_ids: { vip_sg_ids: [group.id] },
      additional_vips: { additional_vips: [{ subnet_id }] },
      'subnet_id of a member': { listeners: [listener] },
    }
  }

  test.each(NAMED)('%s of another project: %s ... not found', async (name, title) => {
    const on = await setUp()
    const token = on.cloud.keystone.issue({ project_id: 'users' })
    const body = prepare(on, 'others')[name]
    const { status, body: answer } = await on.create(body, { 'x-auth-token': token })
    expect(answer.faultstring).toMatch(new RegExp(`${title} [0-9a-f-]{36} not found`))
    expect(status).toBe(400)
    expect((await on.harness.send('GET', LBS)).body.loadbalancers).toEqual([])
  })

  // A subnet of another network is no place for a second VIP.
  const alone = NAMED.filter(([name]) => name !== 'additional_vips')
  test.each(alone)('%s of his own is taken', async (name) => {
    const on = await setUp()
    const token = on.cloud.keystone.issue({ project_id: 'users' })
    const body = prepare(on, 'users')[name]
    const { status, body: answer } = await on.create(body, { 'x-auth-token': token })
    expect(status, JSON.stringify(answer)).toBe(201)
  })
})
