import { describe, expect, test } from 'vitest'
import {
  InvalidPlug,
  isAutomatic,
  planPortInterface,
  planVipInterface,
  staticAddresses,
} from '../../src/agent/interface-file.ts'
import type { PlugVipBody } from '../../src/contract/routes.ts'

const BODY: PlugVipBody = {
  subnet_cidr: '203.0.113.0/24',
  gateway: '203.0.113.1',
  mac_address: '02:00:00:00:00:01',
  mtu: 1450,
  vrrp_ip: '203.0.113.4',
  host_routes: [{ destination: '198.51.100.0/24', nexthop: '203.0.113.5' }],
}
const onlink = { flags: ['onlink'] }

test('one amphora: the VIP, and a table of its own for what leaves from it', () => {
  expect(planVipInterface('eth1', '203.0.113.2', BODY, 'SINGLE')).toEqual({
    name: 'eth1',
    if_type: 'vip',
    mtu: 1450,
    addresses: [
      { address: '203.0.113.4', prefixlen: 24 },
      { address: '203.0.113.2', prefixlen: 32, octavia_owned: true },
    ],
    routes: [
      { dst: '0.0.0.0/0', gateway: '203.0.113.1', ...onlink },
      { dst: '0.0.0.0/0', gateway: '203.0.113.1', ...onlink, table: 1 },
      { dst: '203.0.113.0/24', scope: 'link' },
      { dst: '203.0.113.0/24', prefsrc: '203.0.113.2', scope: 'link', table: 1 },
      { dst: '198.51.100.0/24', gateway: '203.0.113.5', ...onlink },
      { dst: '198.51.100.0/24', gateway: '203.0.113.5', ...onlink, table: 1 },
    ],
    rules: [{ src: '203.0.113.2', src_len: 32, table: 1 }],
    scripts: { up: [], down: [] },
    is_sriov: false,
  })
})

test('a pair: keepalived owns the VIP and its rules', () => {
  const file = planVipInterface('eth1', '203.0.113.2', BODY, 'ACTIVE_STANDBY')
  expect(file.addresses[1]).toMatchObject({ address: '203.0.113.2', octavia_owned: false })
  expect(file.rules).toEqual([])
  expect(file.routes.filter((route) => route.table === 1)).toEqual([
    { dst: '198.51.100.0/24', gateway: '203.0.113.5', ...onlink, table: 1 },
  ])
})

test('further VIPs, IPv6 among them; routes of one subnet are not repeated', () => {
  const additional_vips = [
    {
      ip_address: '203.0.113.3',
      subnet_cidr: '203.0.113.0/24',
      gateway: '203.0.113.1',
      host_routes: [],
    },
    {
      ip_address: '2001:DB8::2',
      subnet_cidr: '2001:db8::/64',
      gateway: '2001:db8::1',
      host_routes: [],
    },
  ]
  const body = { ...BODY, host_routes: [], additional_vips }
  const file = planVipInterface('eth1', '203.0.113.2', body, 'SINGLE')
  expect(staticAddresses(file).map((a) => `${a.address}/${a.prefixlen}`)).toEqual([
    '203.0.113.4/24',
    '203.0.113.2/32',
    '203.0.113.3/32',
    '2001:db8::2/128',
  ])
  expect(file.routes.filter((r) => r.table === undefined)).toEqual([
    { dst: '0.0.0.0/0', gateway: '203.0.113.1', ...onlink },
    { dst: '203.0.113.0/24', scope: 'link' },
    { dst: '::/0', gateway: '2001:db8::1', ...onlink },
    { dst: '2001:db8::/64', scope: 'link' },
  ])
  expect(file.rules).toContainEqual({ src: '2001:db8::2', src_len: 128, table: 1 })
})

test('a subnet without gateway has no default route', () => {
  const file = planVipInterface('eth1', '203.0.113.2', { ...BODY, gateway: null }, 'SINGLE')
  expect(file.routes.some((route) => route.dst === '0.0.0.0/0')).toBe(false)
})

test('a VIP that is held is planned as if keepalived had it', () => {
  const plan = (over: Partial<PlugVipBody>, topology: 'SINGLE' | 'ACTIVE_STANDBY') =>
    planVipInterface('eth1', '203.0.113.2', { ...BODY, ...over }, topology)
  expect(plan({ hold_vip: true }, 'SINGLE')).toEqual(plan({}, 'ACTIVE_STANDBY'))
  expect(plan({ hold_vip: false }, 'SINGLE')).toEqual(plan({}, 'SINGLE'))
})

describe('a VIP that cannot be set up', () => {
  test.each<[string, string, Partial<PlugVipBody>, string]>([
    ['no address', 'abc', {}, 'Invalid VIP'],
    ['another family', '2001:db8::2', {}, 'Invalid VIP'],
    ['no subnet', '203.0.113.2', { subnet_cidr: '203.0.113.0' }, 'Invalid VIP'],
    ['no gateway address', '203.0.113.2', { gateway: 'dev eth0' }, 'Invalid VIP'],
    ['no own address', '203.0.113.2', { vrrp_ip: 'x' }, 'Invalid VRRP Address'],
    [
      'a route with options in it',
      '203.0.113.2',
      { host_routes: [{ destination: '0.0.0.0/0 table 5', nexthop: '203.0.113.5' }] },
      'Invalid host route',
    ],
  ])('%s', (_, vip, over, message) => {
    const plan = () => planVipInterface('eth1', vip, { ...BODY, ...over }, 'SINGLE')
    expect(plan).toThrow(InvalidPlug)
    expect(plan).toThrow(message)
  })
})

test('a member network', () => {
  const fixed_ips = [
    {
      ip_address: '10.0.0.5',
      subnet_cidr: '10.0.0.0/26',
      gateway: '10.0.0.1',
      host_routes: [{ destination: '10.9.0.0/16', nexthop: '10.0.0.9' }],
    },
  ]
  expect(planPortInterface('eth2', { mac_address: 'm', mtu: 1400, fixed_ips })).toEqual({
    name: 'eth2',
    if_type: 'backend',
    mtu: 1400,
    addresses: [{ address: '10.0.0.5', prefixlen: 26 }],
    routes: [{ dst: '10.9.0.0/16', gateway: '10.0.0.9', ...onlink }],
    rules: [],
    scripts: { up: [], down: [] },
    is_sriov: false,
  })
})

test('without addresses the network gives them', () => {
  expect(planPortInterface('eth2', { mac_address: 'm' }).addresses).toEqual([
    { dhcp: true, ipv6auto: true },
  ])
  const { vrrp_ip: _, ...body } = BODY
  const [own, vip] = planVipInterface('eth1', '203.0.113.2', body, 'SINGLE').addresses
  expect([own, vip]).toMatchObject([{ dhcp: true }, { address: '203.0.113.2' }])
  const six = { ...body, subnet_cidr: '2001:db8::/64', gateway: null, host_routes: [] }
  const file = planVipInterface('eth1', '2001:db8::2', six, 'SINGLE')
  expect(file.addresses[0]).toEqual({ ipv6auto: true })
  expect([isAutomatic(file, 'dhcp'), isAutomatic(file, 'ipv6auto')]).toEqual([false, true])
})

test("the amphora's own addresses in further subnets, and one default route of each family", () => {
  const fixed_ips = [
    { ip_address: '10.0.0.5', subnet_cidr: '10.0.0.0/24', gateway: '10.0.0.1' },
    { ip_address: '2001:db8::5', subnet_cidr: '2001:db8::/64', gateway: '2001:db8::1' },
  ]
  const file = planVipInterface('eth1', '203.0.113.2', { ...BODY, fixed_ips }, 'SINGLE')
  expect(staticAddresses(file).map((a) => `${a.address}/${a.prefixlen}`)).toEqual([
    '203.0.113.4/24',
    '203.0.113.2/32',
    '10.0.0.5/24',
    '2001:db8::5/64',
  ])
  const defaults = file.routes.filter(({ dst }) => dst.endsWith('/0'))
  expect(defaults.map(({ gateway, table }) => [gateway, table])).toEqual([
    ['203.0.113.1', undefined],
    ['203.0.113.1', 1],
    ['2001:db8::1', undefined],
    ['2001:db8::1', 1],
  ])
})
