import { expect, test } from 'vitest'
import type { InterfaceFile } from '../../src/agent/interface-file.ts'
import { type Found, planInterface } from '../../src/agent/interface-plan.ts'

const WANT: InterfaceFile = {
  name: 'eth1',
  if_type: 'vip',
  mtu: 1450,
  addresses: [
    { address: '10.0.0.4', prefixlen: 24 },
    { address: '10.0.0.2', prefixlen: 32, octavia_owned: true },
    { address: '2001:db8::2', prefixlen: 128, octavia_owned: true },
  ],
  routes: [
    { dst: '0.0.0.0/0', gateway: '10.0.0.1', flags: ['onlink'] },
    { dst: '0.0.0.0/0', gateway: '10.0.0.1', flags: ['onlink'], table: 1 },
    { dst: '10.0.0.0/24', prefsrc: '10.0.0.2', scope: 'link', table: 1 },
    { dst: '::/0', gateway: '2001:db8::1', flags: ['onlink'] },
  ],
  rules: [
    { src: '10.0.0.2', src_len: 32, table: 1 },
    { src: '2001:db8::2', src_len: 128, table: 1 },
  ],
  scripts: { up: [], down: [] },
  is_sriov: false,
}
const NOTHING: Found = { addresses: [], routes: [], rules: [] }
/** What `ip -json` shows once WANT is set up, with what the kernel adds. */
const DONE: Found = {
  addresses: [
    { local: '10.0.0.4', prefixlen: 24, scope: 'global' },
    { local: '10.0.0.2', prefixlen: 32, scope: 'global' },
    { local: '2001:db8::2', prefixlen: 128, scope: 'global' },
    { local: 'fe80::1', prefixlen: 64, scope: 'link' },
    { local: '2001:db8:7::9', prefixlen: 64, scope: 'global', dynamic: true },
  ],
  routes: [
    { dst: 'default', gateway: '10.0.0.1' },
    { dst: 'default', gateway: '10.0.0.1', table: '1' },
    { dst: '10.0.0.0/24', prefsrc: '10.0.0.2', table: '1' },
    { dst: 'default', gateway: '2001:db8::1' },
  ],
  rules: [
    { src: 'all', table: 'local' },
    { src: '10.0.0.2', table: '1' },
    { src: '2001:db8::2', table: '1' },
  ],
}

test('from nothing', () => {
  expect(planInterface(WANT, NOTHING)).toEqual({
    strict: [
      'link set dev eth1 mtu 1450 up',
      'addr add 10.0.0.4/24 dev eth1',
      'addr add 10.0.0.2/32 dev eth1',
      'addr add 2001:db8::2/128 dev eth1 nodad preferred_lft 0',
    ],
    rules: {
      4: ['rule add from 10.0.0.2/32 table 1'],
      6: ['rule add from 2001:db8::2/128 table 1'],
    },
    lenient: [
      'route add 0.0.0.0/0 via 10.0.0.1 dev eth1 proto static onlink',
      'route add 0.0.0.0/0 via 10.0.0.1 dev eth1 table 1 proto static onlink',
      'route add 10.0.0.0/24 dev eth1 scope link src 10.0.0.2 table 1 proto static',
      'route add ::/0 via 2001:db8::1 dev eth1 proto static onlink',
    ],
  })
})

test('what is there is left alone', () => {
  const { strict, rules, lenient } = planInterface(WANT, DONE)
  expect(strict).toEqual(['link set dev eth1 mtu 1450 up'])
  expect(rules).toEqual({ 4: [], 6: [] })
  expect(lenient).toEqual([])
})

test('what was set once and is not wanted any more is taken away', () => {
  const have: Found = {
    addresses: [...DONE.addresses, { local: '10.0.0.9', prefixlen: 32, scope: 'global' }],
    routes: [...DONE.routes, { dst: '192.0.2.1', gateway: '10.0.0.7' }],
    rules: [...DONE.rules, { src: '10.0.0.9', table: '1' }],
  }
  const plan = planInterface(WANT, have)
  expect(plan.lenient).toEqual([
    'route del 192.0.2.1/32 via 10.0.0.7 dev eth1 proto static',
    'addr del 10.0.0.9/32 dev eth1',
  ])
  expect(plan.rules[4]).toEqual(['rule del from 10.0.0.9/32 table 1'])
})

test('addresses of keepalived are neither added nor removed', () => {
  const addresses = [{ address: '10.0.0.2', prefixlen: 32, octavia_owned: false }]
  const pair: InterfaceFile = { ...WANT, addresses, routes: [], rules: [] }
  const own = [{ local: '10.0.0.2', prefixlen: 32, scope: 'global' }]
  expect(planInterface(pair, NOTHING).strict).toHaveLength(1)
  expect(planInterface(pair, { ...NOTHING, addresses: own }).lenient).toEqual([])
})

test('rules of keepalived stay where they are', () => {
  const rules = [{ src: '10.0.0.2', table: '1', protocol: 'keepalived' }]
  const pair: InterfaceFile = { ...WANT, rules: [] }
  expect(planInterface(pair, { ...DONE, rules }).rules).toEqual({ 4: [], 6: [] })
})

test('a member network never touches rules', () => {
  const member: InterfaceFile = { ...WANT, if_type: 'backend', rules: [] }
  expect(planInterface(member, DONE).rules).toEqual({ 4: [], 6: [] })
})
