/** What clients of Octavia ask Neutron, answered in the local cloud. */
import { expect, test } from 'vitest'
import { createHeaderIdentity } from '../../src/api/identity.ts'
import { createNoopNetwork } from '../../src/driver/noop/network.ts'
import { createHarness, makeTree, PROJECT } from './harness.ts'

const NETWORK = {
  ...{ id: '11111111-0000-4000-8000-000000000001', name: 'vip-net', mtu: 1500 },
  ...{ subnet_ids: ['22222222-0000-4000-8000-000000000001'], port_security_enabled: false },
}
const localNetworks = { listNetworks: () => [NETWORK], listSubnets: () => [] }

test('networks are found by id and by name', async () => {
  const { send } = createHarness({ api: { localNetworks } })
  const { body } = await send('GET', '/v2.0/networks?name=vip-net&fields=id')
  expect(body).toEqual({ networks: [{ id: NETWORK.id }] })
  expect((await send('GET', '/v2.0/networks?name=no-net')).body).toEqual({ networks: [] })
  expect((await send('GET', `/v2.0/networks/${NETWORK.id}`)).body.network.name).toBe('vip-net')
  expect((await send('GET', `/v2.0/networks/${PROJECT}`)).status).toBe(404)
})

test('clients without a catalog take the version of networks from the document of the root', async () => {
  const { send } = createHarness({ api: { localNetworks } })
  const { body } = await send('GET', '/v2/networks?name=vip-net')
  expect(body).toEqual({ networks: [expect.objectContaining({ id: NETWORK.id })] })
  expect((await send('GET', `/v2/networks/${NETWORK.id}`)).body.network.name).toBe('vip-net')
})

test('the port of a VIP is shown with its addresses and security groups', async () => {
  const harness = createHarness({ api: { localNetworks } })
  const { lb } = await makeTree(harness)
  const row = (await harness.send('GET', `/v2.0/lbaas/loadbalancers/${lb}`)).body.loadbalancer
  const { port } = (await harness.send('GET', `/v2.0/ports/${row.vip_port_id}`)).body
  expect(port).toMatchObject({
    id: row.vip_port_id,
    network_id: row.vip_network_id,
    device_id: `lb-${lb}`,
    device_owner: 'Octavia',
    security_groups: [],
    project_id: PROJECT,
  })
  expect(port.fixed_ips[0]).toEqual({ subnet_id: row.vip_subnet_id, ip_address: row.vip_address })
  const listed = await harness.send('GET', `/v2.0/ports?device_id=lb-${lb}`)
  expect(listed.body.ports).toEqual([port])
})

test("the port of another project's VIP is not found", async () => {
  const harness = createHarness({ api: { localNetworks } })
  const { lb } = await makeTree(harness)
  const row = (await harness.send('GET', `/v2.0/lbaas/loadbalancers/${lb}`)).body.loadbalancer
  const identity = createHeaderIdentity({ is_admin: false, default_project_id: null })
  const member = createHarness({ api: { localNetworks, identity, store: harness.store } })
  const [path, list] = [`/v2.0/ports/${row.vip_port_id}`, '/v2.0/ports']
  const roles = { 'x-roles': 'member,reader' }
  const other = { ...roles, 'x-project-id': 'other' }
  expect((await member.send('GET', path, undefined, roles)).status).toBe(200)
  expect((await member.send('GET', path, undefined, other)).status).toBe(404)
  expect((await member.send('GET', list, undefined, other)).body).toEqual({ ports: [] })
})

test('without the local cloud another service answers', async () => {
  const { send } = createHarness()
  for (const kind of ['networks', 'subnets', 'ports'])
    expect((await send('GET', `/v2.0/${kind}`)).status).toBe(404)
})

test('where networks are made up, whatever is asked for by its id is there', async () => {
  const network = createNoopNetwork()
  const madeUp = { listNetworks: () => [], listSubnets: () => [], madeUp: network }
  const { send } = createHarness({ api: { network, localNetworks: madeUp } })
  const id = '33333333-0000-4000-8000-000000000001'
  const kinds = { networks: 'network', subnets: 'subnet', ports: 'port' }
  const more = { 'security-groups': 'security_group', 'qos/policies': 'policy' }
  for (const [path, singular] of Object.entries({ ...kinds, ...more })) {
    const shown = await send('GET', `/v2.0/${path}/${id}`)
    expect([path, shown.status, shown.body[singular].id]).toEqual([path, 200, id])
    const [listed] = Object.values((await send('GET', `/v2.0/${path}?id=${id}`)).body)
    expect([path, listed]).toEqual([path, [shown.body[singular]]])
    const [unnamed] = Object.values((await send('GET', `/v2.0/${path}?name=web`)).body)
    expect([path, unnamed]).toEqual([path, []])
    expect((await send('GET', `/v2.0/${path}/web`)).status).toBe(404)
  }
})
