import { expect, test } from 'vitest'
import {
  type Found,
  type HostLink,
  planInterface,
  planRemoval,
} from '../../../src/driver/openstack/management-plan.ts'

const PORT = {
  id: '0123456789ab-cdef',
  mac_address: 'fa:16:3e:73:07:65',
  mtu: 1450,
  addresses: ['172.16.0.2/12', 'fd00::2/64'],
}
const LINK: HostLink = {
  name: 'o-hm0',
  kind: 'veth',
  mac_address: PORT.mac_address,
  mtu: 1450,
  up: true,
  owner: `octavia-lite:${PORT.id}`,
  peer: 'tap0123456789a',
  addresses: PORT.addresses,
}
const RIGHT: Found = { link: LINK, tap: { up: true, bridged: true }, ovs_iface_id: undefined }
const NOTHING: Found = { link: undefined, tap: undefined, ovs_iface_id: undefined }

const plan = (found: Found, plugging: 'linuxbridge' | 'openvswitch' = 'linuxbridge') =>
  planInterface('o-hm0', plugging, PORT, found).map((argv) => argv.join(' '))

const SETTINGS = [
  `ip link set dev o-hm0 alias octavia-lite:${PORT.id}`,
  'ip link set dev o-hm0 address fa:16:3e:73:07:65',
  'ip link set dev o-hm0 mtu 1450',
  'ip address replace 172.16.0.2/12 dev o-hm0',
  'ip address replace fd00::2/64 dev o-hm0 nodad',
  'ip link set dev o-hm0 up',
]
const ADD = 'ip link add name o-hm0 type veth peer name tap0123456789a'
const TAP = 'ip link set dev tap0123456789a mtu 1450 up'

test('nothing is done where all is right', () => {
  expect(plan(RIGHT)).toEqual([])
})

test('a host without it', () => {
  expect(plan(NOTHING)).toEqual([ADD, ...SETTINGS, TAP])
})

test.each<[string, Partial<HostLink>, string[]]>([
  [
    'the MAC',
    { mac_address: 'fa:16:3e:00:00:00' },
    ['ip link set dev o-hm0 address fa:16:3e:73:07:65'],
  ],
  ['the MTU', { mtu: 1500 }, ['ip link set dev o-hm0 mtu 1450']],
  ['down', { up: false }, ['ip link set dev o-hm0 up']],
  [
    'an address less',
    { addresses: ['fd00::2/64'] },
    ['ip address replace 172.16.0.2/12 dev o-hm0'],
  ],
  [
    'an address more',
    { addresses: [...PORT.addresses, '10.0.0.1/8'] },
    ['ip address delete 10.0.0.1/8 dev o-hm0'],
  ],
])('one thing is mended: %s', (_, wrong, commands) => {
  expect(plan({ ...RIGHT, link: { ...LINK, ...wrong } })).toEqual(commands)
})

test('an end which is down is set up', () => {
  expect(plan({ ...RIGHT, tap: { up: false, bridged: true } })).toEqual([TAP])
})

test('one of a former port is made anew', () => {
  const link = { ...LINK, owner: 'octavia-lite:other', peer: 'tapother' }
  expect(plan({ ...RIGHT, link, tap: undefined })).toEqual([
    'ip link delete dev o-hm0',
    ADD,
    ...SETTINGS,
    TAP,
  ])
})

test('an end that lost its interface goes first', () => {
  expect(plan({ ...NOTHING, tap: { up: true, bridged: true } })[0]).toBe(
    'ip link delete dev tap0123456789a',
  )
})

test('an interface of somebody else is not touched', () => {
  expect(() => plan({ ...RIGHT, link: { ...LINK, owner: '' } })).toThrow('not made by octavia-lite')
})

test('Open vSwitch gets an internal port that says which one it is', () => {
  const [first, ...rest] = plan(NOTHING, 'openvswitch')
  expect(first).toBe(
    'ovs-vsctl --timeout=10 -- --if-exists del-port br-int o-hm0 -- add-port br-int o-hm0 ' +
      '-- set Interface o-hm0 type=internal external-ids:iface-status="active" ' +
      'external-ids:attached-mac="fa:16:3e:73:07:65" ' +
      'external-ids:iface-id="0123456789ab-cdef" external-ids:skip_cleanup="true"',
  )
  expect(rest).toEqual(SETTINGS)
  expect(plan({ link: LINK, tap: undefined, ovs_iface_id: PORT.id }, 'openvswitch')).toEqual([])
})

test('only what is ours is removed', () => {
  const removal = (found: Found) => planRemoval('o-hm0', 'linuxbridge', found)
  expect(removal(RIGHT)).toEqual([['ip', 'link', 'delete', 'dev', 'o-hm0']])
  expect(removal({ ...RIGHT, link: { ...LINK, owner: '' } })).toEqual([])
  expect(removal(NOTHING)).toEqual([])
})
