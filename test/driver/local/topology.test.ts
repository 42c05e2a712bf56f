import { expect, test } from 'vitest'
import { DEFAULT_MANAGEMENT, DEFAULT_NETWORKS } from '../../../src/driver/local/cloud.ts'
import {
  createTopology,
  type ManagementOptions,
  type NetworkOptions,
} from '../../../src/driver/local/topology.ts'
import { parseUuid } from '../../../src/system/ids.ts'

test('the default networks', () => {
  const topology = createTopology('d', DEFAULT_NETWORKS, DEFAULT_MANAGEMENT)
  const [vip, management] = topology.networks
  expect(vip).toMatchObject({
    name: 'vip-net',
    bridge_addresses: [{ address: '10.10.10.1', prefix: 24 }],
    subnets: [{ name: 'vip-net', cidr: '10.10.10.0/24', gateway_ip: '10.10.10.1' }],
  })
  expect(management).toBe(topology.management)
  expect(management).toMatchObject({ name: 'lb-mgmt-net', bridge_addresses: [] })
  expect(topology.host_address).toMatchObject({ address: '172.16.0.2', prefix: 22 })
  expect(management?.subnets[0]?.reserved.has('172.16.0.2')).toBe(true)
})

test('ids follow from deployment and name, are UUIDs, and can be configured', () => {
  const networkIn = (deployment: string, more: object = {}) =>
    createTopology(
      deployment,
      [{ name: 'n', cidr: '192.0.2.0/24', host_access: false, ...more }],
      DEFAULT_MANAGEMENT,
    ).networks[0]
  const [a, again, b] = [networkIn('a'), networkIn('a'), networkIn('b')]
  expect(again).toEqual(a)
  expect(parseUuid(a?.id ?? '')).toBe(a?.id)
  expect(b?.id).not.toBe(a?.id)
  expect(b?.bridge).not.toBe(a?.bridge)
  expect(a?.bridge.length).toBe(15)
  const id = '12345678-1234-4234-8234-123456789abc'
  expect(networkIn('a', { id })).toMatchObject({ id, bridge: 'obr-12345678123' })
})

test('a network of several subnets', () => {
  const [network] = createTopology(
    'd',
    [
      {
        ...{ name: 'n', cidr: '192.0.2.0/24', host_access: true, mtu: 1400 },
        host_routes: [{ destination: '198.51.100.7/24', nexthop: '192.0.2.9' }],
        more_subnets: [
          { cidr: '2001:db8:1::/64' },
          { name: 'lonely', cidr: '203.0.113.0/24', gateway_ip: null },
        ],
      },
    ],
    DEFAULT_MANAGEMENT,
  ).networks
  expect(network?.subnets).toMatchObject([
    {
      ...{ name: 'n', gateway_ip: '192.0.2.1' },
      host_routes: [{ destination: '198.51.100.0/24', nexthop: '192.0.2.9' }],
    },
    { name: 'n-2', cidr: '2001:db8:1::/64', gateway_ip: '2001:db8:1::1', host_routes: [] },
    { name: 'lonely', gateway_ip: null },
  ])
  expect(network?.subnet_ids).toEqual(network?.subnets.map(({ id }) => id))
  expect(new Set(network?.subnet_ids).size).toBe(3)
  expect(network?.mtu).toBe(1400)
  expect(network?.bridge_addresses).toMatchObject([
    { address: '192.0.2.1', prefix: 24 },
    { address: '2001:db8:1::1', prefix: 64 },
  ])
})

test.each<[string, Partial<NetworkOptions>[], Partial<ManagementOptions>, RegExp]>([
  ['no CIDR', [{ cidr: 'hello' }], {}, /hello is not a CIDR/],
  ['no room', [{ cidr: '192.0.2.0/31' }], {}, /no room for ports/],
  ['a gateway elsewhere', [{ gateway_ip: '192.0.3.1' }], {}, /gateway 192\.0\.3\.1 is not in/],
  [
    'a range elsewhere',
    [{ allocation: { first: '192.0.2.9', last: '192.0.3.9' } }],
    {},
    /allocation range is not in/,
  ],
  [
    'a range backwards',
    [{ allocation: { first: '192.0.2.9', last: '192.0.2.8' } }],
    {},
    /allocation range is not in/,
  ],
  [
    'a host route over a router elsewhere',
    [{ host_routes: [{ destination: '198.51.100.0/24', nexthop: '198.51.100.1' }] }],
    {},
    /host route to 198\.51\.100\.0\/24 has no next hop in 192\.0\.2\.0\/24/,
  ],
  [
    'a host route of two families',
    [{ host_routes: [{ destination: '2001:db8::/32', nexthop: '192.0.2.9' }] }],
    {},
    /is of two families/,
  ],
  [
    'two subnets which overlap',
    [{ more_subnets: [{ cidr: '192.0.2.128/25' }] }],
    {},
    /192\.0\.2\.128\/25 overlaps network n/,
  ],
  ['a name twice', [{}, { cidr: '198.51.100.0/24' }], {}, /two networks have this name or id/],
  [
    'an overlap',
    [{}, { name: 'other', cidr: '192.0.2.128/25' }],
    {},
    /192\.0\.2\.128\/25 overlaps network n/,
  ],
  ['an overlap with management', [{ cidr: '172.16.0.0/12' }], {}, /overlaps network n/],
  ['a host address elsewhere', [], { host_address: '172.17.0.2' }, /host address is not in/],
  ['no host address', [], { host_address: 'o-hm0' }, /host address is not in/],
])('refused: %s', (_, networks, management, sentence) => {
  const base = { name: 'n', cidr: '192.0.2.0/24', host_access: true }
  expect(() =>
    createTopology(
      'd',
      networks.map((network) => ({ ...base, ...network })),
      { ...DEFAULT_MANAGEMENT, ...management },
    ),
  ).toThrow(sentence)
})
