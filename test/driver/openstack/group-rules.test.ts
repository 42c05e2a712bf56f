import { expect, test } from 'vitest'
import type { Vip, VipRule } from '../../../src/driver/network.ts'
import { planGroupChange, planGroupRules } from '../../../src/driver/openstack/group-rules.ts'
import { toGroupRule } from '../../../src/driver/openstack/neutron.ts'

const vip = (...addresses: readonly string[]): Vip => {
  const [ip_address = '', ...more] = addresses
  const subnet_id = 'subnet'
  const additional_vips = more.map((each) => ({ subnet_id, ip_address: each }))
  return { port_id: 'port', network_id: 'network', subnet_id, ip_address, additional_vips }
}
const tcp = (port: number, cidr: string | null = null): VipRule => ({ protocol: 'TCP', port, cidr })

const CASES: readonly [string, Vip, VipRule, readonly string[]][] = [
  ['everybody, IPv4', vip('10.0.0.1'), tcp(80), ['tcp 80 IPv4 any']],
  ['everybody, IPv6', vip('fd00::1'), tcp(80), ['tcp 80 IPv6 any']],
  ['both families', vip('10.0.0.1', 'fd00::1'), tcp(80), ['tcp 80 IPv4 any', 'tcp 80 IPv6 any']],
  ['two VIPs of a family', vip('10.0.0.1', '10.0.0.2'), tcp(80), ['tcp 80 IPv4 any']],
  ['a prefix', vip('10.0.0.1', 'fd00::1'), tcp(80, '192.0.2.0/24'), ['tcp 80 IPv4 192.0.2.0/24']],
  ['host bits', vip('10.0.0.1'), tcp(80, '192.0.2.9/24'), ['tcp 80 IPv4 192.0.2.0/24']],
  ['a prefix of a family without a VIP', vip('10.0.0.1'), tcp(80, '2001:db8::/32'), []],
  ['all of a family', vip('10.0.0.1', 'fd00::1'), tcp(80, '0.0.0.0/0'), ['tcp 80 IPv4 any']],
  ['UDP', vip('10.0.0.1'), { protocol: 'UDP', port: 53, cidr: null }, ['udp 53 IPv4 any']],
  ['SCTP', vip('fd00::1'), { protocol: 'SCTP', port: 9, cidr: null }, ['sctp 9 IPv6 any']],
  [
    'VRRP and its header, in the family of the first VIP, among themselves',
    vip('fd00::1', '10.0.0.1'),
    { protocol: 'VRRP', port: null, cidr: null },
    ['112  IPv6 group', '51  IPv6 group'],
  ],
  [
    'peers',
    vip('10.0.0.1'),
    { protocol: 'TCP', port: 1025, cidr: null, from_peers: true },
    ['tcp 1025 IPv4 group'],
  ],
]
test.each(CASES)('rules for %s', (_, of, rule, expected) => {
  const planned = planGroupRules([rule, rule], of)
  const said = planned.map((each) =>
    [
      ...[each.protocol, each.port, each.ethertype],
      each.from_group ? 'group' : (each.cidr ?? 'any'),
    ].join(' '),
  )
  expect(said).toEqual(expected)
})

const row = (id: string, over: object) =>
  toGroupRule({
    ...{ id, direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp' },
    ...{ port_range_min: 80, port_range_max: 80, remote_ip_prefix: null, remote_group_id: null },
    ...over,
  })
const NO_PORT = { port_range_min: null, port_range_max: null }

test('what is there already is neither made nor removed, however Neutron spells it', () => {
  const of = vip('10.0.0.1')
  const rules: VipRule[] = [tcp(80), tcp(443, '192.0.2.0/24'), { ...tcp(0), protocol: 'VRRP' }]
  const rows = [
    row('any', { remote_ip_prefix: '0.0.0.0/0' }),
    row('cidr', { port_range_min: 443, port_range_max: 443, remote_ip_prefix: '192.0.2.0/24' }),
    row('vrrp', { ...NO_PORT, protocol: 'vrrp', remote_group_id: 'mine' }),
    row('ah', { ...NO_PORT, protocol: '51', remote_group_id: 'mine' }),
    row('icmp of an operator', { ...NO_PORT, protocol: 'icmp' }),
    row('egress', { ...NO_PORT, direction: 'egress', protocol: null }),
  ]
  const change = planGroupChange(planGroupRules(rules, of), rows, 'mine')
  expect(change).toEqual({ create: [], remove: [] })
})

const STALE: readonly [string, object][] = [
  ['another port', { port_range_min: 81, port_range_max: 81 }],
  ['a range of ports', { port_range_max: 90 }],
  ['another source', { remote_ip_prefix: '198.51.100.0/24' }],
  ['another group as source', { remote_group_id: 'other' }],
  ['another family', { ethertype: 'IPv6' }],
  ['another protocol', { protocol: 'udp' }],
  ['VRRP for everybody, as upstream makes it', { ...NO_PORT, protocol: '112' }],
]
test.each(STALE)('%s is removed', (_, over) => {
  const wanted = planGroupRules([tcp(80)], vip('10.0.0.1'))
  const { create, remove } = planGroupChange(wanted, [row('stale', over)], 'mine')
  expect(remove).toEqual(['stale'])
  expect(create).toEqual(wanted)
})

test('of two rules that say the same one goes', () => {
  const wanted = planGroupRules([tcp(80)], vip('10.0.0.1'))
  const rows = [row('a', {}), row('b', { remote_ip_prefix: '0.0.0.0/0' })]
  expect(planGroupChange(wanted, rows, 'mine')).toEqual({ create: [], remove: ['b'] })
})
