import { expect, test } from 'vitest'
import { createNoopNetwork } from '../../../src/driver/noop/network.ts'
import type { OperationSettings } from '../../../src/operation/change.ts'
import { planVip } from '../../../src/operation/vip.ts'
import { newId } from '../../../src/system/ids.ts'
import { networkSuite } from '../network.suite.ts'

const FORGETFUL = 'it keeps nothing, so it cannot know'

networkSuite(
  'noop',
  async () => ({
    driver: createNoopNetwork(),
    network_id: newId(),
    member_network_id: newId(),
    amphora: async () => ({ id: newId(), compute_id: newId() }),
    userPort: async () => {
      const id = newId()
      const port = await createNoopNetwork().findPort(id)
      return { id, ip_address: port?.fixed_ips[0]?.ip_address ?? '' }
    },
    restarted: async () => createNoopNetwork(),
    close: async () => {},
  }),
  {
    'what does not exist is not found': 'every UUID exists',
    'a VIP port carries our names': FORGETFUL,
    'a wanted address that is taken is refused': FORGETFUL,
    'an address outside the subnet is refused for good': 'every address is inside',
    'an unknown network is refused for good': 'every UUID exists',
    'of many who want one address, one gets it': FORGETFUL,
    'a VIP that is given back is free again': FORGETFUL,
    'an adopted port is not adopted by another': FORGETFUL,
    'free addresses are counted': FORGETFUL,
  },
)

test('what is no UUID is not found', async () => {
  const driver = createNoopNetwork()
  for (const id of ['', 'vip-net', newId().toUpperCase(), `${newId()}0`]) {
    expect(await driver.findNetwork(id)).toBeUndefined()
    expect(await driver.findSubnet(id)).toBeUndefined()
    expect(await driver.findPort(id)).toBeUndefined()
  }
})

test('a network has an IPv4 and an IPv6 subnet, which hold any address', async () => {
  const driver = createNoopNetwork()
  for (let round = 0; round < 100; round++) {
    const id = newId()
    const network = await driver.findNetwork(id)
    const subnets = await Promise.all(
      (network?.subnet_ids ?? []).map((subnet_id) => driver.findSubnet(subnet_id)),
    )
    expect(subnets.map((subnet) => subnet?.cidr)).toEqual(['0.0.0.0/0', '::/0'])
    expect(subnets.every((subnet) => subnet?.network_id === id)).toBe(true)
  }
})

const ALLOWED = {
  allow_vip_network_id: true,
  allow_vip_subnet_id: true,
  allow_vip_port_id: true,
} as OperationSettings

test('any network, subnet and address go together, as tests of upstream name them', async () => {
  const [vip_network_id, vip_subnet_id, other] = [newId(), newId(), newId()]
  const wanted = {
    ...{ vip_network_id, vip_subnet_id, vip_port_id: null, vip_qos_policy_id: null },
    ...{ vip_address: '2001:db8::1', vip_sg_ids: [] },
    additional_vips: [{ subnet_id: other, ip_address: '2001:db8::2' }],
  }
  expect(await planVip(createNoopNetwork(), ALLOWED, wanted)).toEqual({
    ...{ network_id: vip_network_id, subnet_id: vip_subnet_id, port_id: null },
    ip_address: '2001:db8::1',
    additional_vips: [{ subnet_id: other, ip_address: '2001:db8::2' }],
  })
})

test.each([
  ['subnet and address', { vip_subnet_id: newId(), vip_address: '192.0.2.7' }],
  ['a subnet', { vip_subnet_id: newId(), vip_address: null }],
  ['an address', { vip_subnet_id: null, vip_address: '192.0.2.7' }],
])('any port goes with %s', async (_what, { vip_subnet_id, vip_address }) => {
  const wanted = {
    ...{ vip_network_id: null, vip_port_id: newId(), vip_qos_policy_id: null },
    ...{ vip_subnet_id, vip_address, vip_sg_ids: [], additional_vips: [] },
  }
  const plan = await planVip(createNoopNetwork(), ALLOWED, wanted)
  expect(plan.subnet_id).toEqual(vip_subnet_id ?? expect.any(String))
  expect(plan.ip_address).toBe(vip_address)
})

test('a VIP follows the subnet or the address that is asked for', async () => {
  const driver = createNoopNetwork()
  const network_id = newId()
  const [v4, v6] = (await driver.findNetwork(network_id))?.subnet_ids ?? []
  const wish = {
    ...{ load_balancer_id: newId(), project_id: newId(), network_id },
    ...{ subnet_id: null, port_id: null, ip_address: null, additional_vips: [] },
  }
  expect(await driver.allocateVip({ ...wish, ip_address: '192.0.2.1' })).toMatchObject({
    subnet_id: v4,
    ip_address: '192.0.2.1',
  })
  expect(await driver.allocateVip({ ...wish, ip_address: '2001:DB8::1' })).toMatchObject({
    subnet_id: v6,
    ip_address: '2001:db8::1',
  })
  expect((await driver.allocateVip({ ...wish, subnet_id: v6 ?? '' })).ip_address).toMatch(/^fd00::/)
})
