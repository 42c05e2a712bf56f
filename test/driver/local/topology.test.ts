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
    bridge_address: { address: '10.10.10.1', prefix: 24 },
    subnet: { cidr: '10.10.10.0/24', gateway_ip: '10.10.10.1' },
  })
  expect(management).toBe(topology.management)
  expect(management).toMatchObject({ name: 'lb-mgmt-net', bridge_address: null })
  expect(topology.host_address).toEqual({ address: '172.16.0.2', prefix: 22 })
  expect(management?.subnet.reserved.has('172.16.0.2')).toBe(true)
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
