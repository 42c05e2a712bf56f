import { expect, test } from 'vitest'
import { chooseAddress, countFree } from '../../../src/driver/local/addresses.ts'
import { DEFAULT_MANAGEMENT } from '../../../src/driver/local/cloud.ts'
import {
  createTopology,
  firstSubnet,
  type LocalSubnet,
} from '../../../src/driver/local/topology.ts'

function subnetOf(cidr: string, more: object = {}): LocalSubnet {
  const network = { name: 'n', cidr, host_access: false, ...more }
  const [first] = createTopology('d', [network], DEFAULT_MANAGEMENT).networks
  if (first === undefined) throw new Error('one network was asked for')
  return firstSubnet(first)
}

const v4 = subnetOf('192.0.2.0/29')
const ranged = subnetOf('192.0.2.0/24', { allocation: { first: '192.0.2.10', last: '192.0.2.12' } })
const v6 = subnetOf('2001:db8::/64')

test.each<[string, LocalSubnet, string[], string | null, string | null, string]>([
  ['the first after the gateway', v4, [], null, null, '192.0.2.2'],
  ['the next after the last given', v4, [], null, '192.0.2.4', '192.0.2.5'],
  ['round to the start', v4, [], null, '192.0.2.6', '192.0.2.2'],
  ['over those taken', v4, ['192.0.2.2', '192.0.2.3'], null, null, '192.0.2.4'],
  [
    'the last one left',
    v4,
    ['192.0.2.2', '192.0.2.3', '192.0.2.5', '192.0.2.6'],
    null,
    '192.0.2.5',
    '192.0.2.4',
  ],
  [
    'none left',
    v4,
    ['192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5', '192.0.2.6'],
    null,
    null,
    'exhausted',
  ],
  ['the one wanted', v4, [], '192.0.2.6', null, '192.0.2.6'],
  ['one wanted and taken', v4, ['192.0.2.6'], '192.0.2.6', null, 'in-use'],
  ['the gateway', v4, [], '192.0.2.1', null, 'in-use'],
  ['the network address', v4, [], '192.0.2.0', null, 'in-use'],
  ['the broadcast address', v4, [], '192.0.2.7', null, 'in-use'],
  ['one of another subnet', v4, [], '192.0.2.8', null, 'outside'],
  ['one of another family', v4, [], '2001:db8::1', null, 'outside'],
  ['no address', v4, [], 'hello', null, 'outside'],
  ['the first of the range', ranged, [], null, null, '192.0.2.10'],
  ['after one outside the range', ranged, [], null, '192.0.2.200', '192.0.2.10'],
  [
    'none left in the range',
    ranged,
    ['192.0.2.10', '192.0.2.11', '192.0.2.12'],
    null,
    null,
    'exhausted',
  ],
  ['one wanted outside the range', ranged, [], '192.0.2.77', null, '192.0.2.77'],
  ['IPv6', v6, ['2001:db8::2'], null, null, '2001:db8::3'],
  ['IPv6 wanted in another spelling', v6, [], '2001:DB8:0::a', null, '2001:db8::a'],
  ['IPv6 taken, wanted in another spelling', v6, ['2001:db8::a'], '2001:DB8:0::A', null, 'in-use'],
  [
    'the last of IPv6',
    v6,
    [],
    '2001:db8::ffff:ffff:ffff:ffff',
    null,
    '2001:db8::ffff:ffff:ffff:ffff',
  ],
])('%s', (_, subnet, taken, wanted, after, expected) => {
  const choice = chooseAddress(subnet, new Set(taken), wanted, after)
  expect(choice.ok ? choice.ip_address : choice.why).toBe(expected)
})

test.each<[LocalSubnet, string[], number]>([
  [v4, [], 5],
  [v4, ['192.0.2.3'], 4],
  [v4, ['192.0.2.1'], 5],
  [ranged, [], 3],
  [ranged, ['192.0.2.77', '192.0.2.11'], 2],
  [v6, [], Number.MAX_SAFE_INTEGER],
])('free addresses of %#', (subnet, taken, expected) => {
  expect(countFree(subnet, new Set(taken))).toBe(expected)
})

test('every address of a subnet is given out once before it is full', () => {
  const taken = new Set<string>()
  let last: string | null = null
  for (;;) {
    const choice = chooseAddress(ranged, taken, null, last)
    if (!choice.ok) break
    expect(taken.has(choice.ip_address)).toBe(false)
    taken.add(choice.ip_address)
    last = choice.ip_address
  }
  expect(taken.size).toBe(3)
})
