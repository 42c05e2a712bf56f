/**
 * The plan as a table: what there is of a bridge and of a pair, and the commands that put it right.
 */
import { expect, test } from 'vitest'
import {
  type DesiredLink,
  type LinkEnd,
  type OwnAddress,
  planLinks,
} from '../../../src/driver/local/links.ts'
import { linkMac } from '../../../src/driver/local/naming.ts'
import { parseCidr } from '../../../src/model/address.ts'
import { present } from '../../../src/system/assert.ts'
import type { Link } from '../../../src/system/ip.ts'

const DEPLOYMENT = 'abcd1234'
const mark = (name: string): string => `octavia-lite:${DEPLOYMENT}:network:${name}`

function end(name: string, more: Partial<LinkEnd> = {}): LinkEnd {
  return {
    ...{ name, mac: linkMac(DEPLOYMENT, name), mark: mark(name), mtu: 1500 },
    ...{ master: null, addresses: [] },
    ...more,
  }
}

function link(name: string, more: Partial<Link> = {}): Link {
  return {
    ...{ name, mac: linkMac(DEPLOYMENT, name), alias: mark(name), mtu: 1500 },
    ...{ up: true, master: null, addresses: [] },
    ...more,
  }
}

const address = { address: '192.0.2.1', prefix: 24 }
const own = (address: string, cidr: string): OwnAddress => {
  const range = present(parseCidr(cidr), 'a CIDR')
  return { address, prefix: range.prefix, range }
}
const own4 = own('192.0.2.1', '192.0.2.0/24')
const bridge: DesiredLink = { kind: 'bridge', end: end('br', { addresses: [own4] }) }
const address6 = { address: '2001:db8::1', prefix: 64 }
const both: DesiredLink = {
  kind: 'bridge',
  end: end('br', { addresses: [own4, own('2001:db8::1', '2001:db8::/64')] }),
}
const setAddress6 = 'address replace 2001:db8::1/64 dev br nodad'
const pair: DesiredLink = {
  kind: 'pair',
  end: end('out', { master: 'br' }),
  peer: { where: 'process', name: 'eth0', mac: '02:00:00:00:00:01', pid: 42 },
}
const hostPair: DesiredLink = {
  kind: 'pair',
  end: end('b', { master: 'br' }),
  peer: { where: 'here', end: end('a') },
}
const good = link('br', { addresses: [address] })
const makeBridge = `link add name br address ${linkMac(DEPLOYMENT, 'br')} mtu 1500 type bridge`
const upBridge = `link set dev br alias ${mark('br')} up`
const setAddress = 'address replace 192.0.2.1/24 dev br'

test.each<[string, DesiredLink[], Link[], string[]]>([
  ['nothing there', [bridge], [], [makeBridge, upBridge, setAddress]],
  ['all as it should be', [bridge], [good], []],
  ['down', [bridge], [{ ...good, up: false }], ['link set dev br up']],
  ['no address', [bridge], [link('br')], [setAddress]],
  [
    'a wrong address of its subnet',
    [bridge],
    [link('br', { addresses: [{ address: '192.0.2.9', prefix: 24 }, address] })],
    ['address delete 192.0.2.9/24 dev br', setAddress],
  ],
  [
    'the right address with a wrong prefix',
    [bridge],
    [link('br', { addresses: [{ address: '192.0.2.1', prefix: 32 }] })],
    ['address delete 192.0.2.1/32 dev br', setAddress],
  ],
  [
    'an address elsewhere, which somebody added',
    [bridge],
    [link('br', { addresses: [address, { address: '198.51.100.1', prefix: 24 }] })],
    [],
  ],
  ['two families, nothing there', [both], [], [makeBridge, upBridge, setAddress, setAddress6]],
  ['two families, one address there', [both], [good], [setAddress6]],
  [
    'two families, a wrong address of one',
    [both],
    [link('br', { addresses: [address, address6, { address: '2001:db8::9', prefix: 64 }] })],
    ['address delete 2001:db8::9/64 dev br', setAddress6],
  ],
  [
    'made but not marked',
    [bridge],
    [{ ...good, alias: null }],
    [`link set dev br alias ${mark('br')}`],
  ],
  [
    'everything wrong',
    [bridge],
    [link('br', { mac: '02:00:00:00:00:99', mtu: 9000, up: false })],
    [`link set dev br address ${linkMac(DEPLOYMENT, 'br')} mtu 1500 up`, setAddress],
  ],
  [
    'a port not there',
    [pair],
    [],
    [
      `link add name out address ${linkMac(DEPLOYMENT, 'out')} mtu 1500 type veth` +
        ' peer name eth0 address 02:00:00:00:00:01 mtu 1500 netns 42',
      `link set dev out alias ${mark('out')} addrgenmode none master br up`,
    ],
  ],
  ['a port off its bridge', [pair], [link('out')], ['link set dev out master br']],
  ['a port no longer wanted', [], [link('out', { master: 'br' })], ['link delete dev out']],
  ['not marked and no longer wanted', [], [link('out', { alias: null })], ['link delete dev out']],
  [
    'a link of somebody else, whatever its name',
    [],
    [link('opt-1', { alias: null, mac: '02:00:00:00:00:07' }), link('x', { alias: 'mine' })],
    [],
  ],
  [
    'a link of another deployment',
    [],
    [link('opt-1', { alias: 'octavia-lite:ffff0000:port:1' })],
    [],
  ],
  [
    'one end of a pair taken away',
    [hostPair],
    [link('b', { master: 'br' })],
    [
      'link delete dev b',
      `link add name b address ${linkMac(DEPLOYMENT, 'b')} mtu 1500 type veth` +
        ` peer name a address ${linkMac(DEPLOYMENT, 'a')} mtu 1500`,
      `link set dev b alias ${mark('b')} addrgenmode none master br up`,
      `link set dev a alias ${mark('a')} up`,
    ],
  ],
  ['a pair as it should be', [hostPair], [link('b', { master: 'br' }), link('a')], []],
])('%s', (_, desired, actual, expected) => {
  const plan = planLinks(DEPLOYMENT, desired, actual)
  expect(plan.foreign).toEqual([])
  expect(plan.changes.flatMap(({ commands }) => commands.map((words) => words.join(' ')))).toEqual(
    expected,
  )
})

test.each<[string, DesiredLink, Link]>([
  [
    'no alias and another MAC address',
    bridge,
    link('br', { alias: null, mac: '02:00:00:00:00:9a' }),
  ],
  ['an alias of its own', bridge, link('br', { alias: 'mine' })],
  ['another deployment', bridge, link('br', { alias: 'octavia-lite:ffff0000:network:br' })],
  [
    'a deployment whose id starts like ours',
    bridge,
    link('br', { alias: 'octavia-lite:abcd12345:network:br' }),
  ],
  ['one end of a pair', hostPair, link('a', { alias: 'mine' })],
])('left alone and reported: a foreign link with our name, %s', (_, desired, actual) => {
  expect(planLinks(DEPLOYMENT, [desired], [actual])).toEqual({ changes: [], foreign: [actual] })
})
