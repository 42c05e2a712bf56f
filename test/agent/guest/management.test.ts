import { expect, test } from 'vitest'
import { planManagement } from '../../../src/agent/guest/management.ts'

const CARDS = [
  { name: 'eth0', mac: 'fa:16:3e:00:00:01' },
  { name: 'eth1', mac: 'fa:16:3e:00:00:02' },
]
const off = { 'ipv6/conf/eth0/accept_ra': '0', 'ipv6/conf/eth0/autoconf': '0' }

test('an address that is given', () => {
  const link = {
    mac: 'fa:16:3e:00:00:01',
    mtu: 1450,
    networks: [
      {
        kind: 'static' as const,
        address: '172.16.0.5/12',
        routes: [{ destination: '0.0.0.0/0', gateway: '172.16.0.1' }],
      },
      { kind: 'static' as const, address: 'fd00::5/64', routes: [] },
    ],
  }
  expect(planManagement([link], CARDS, [])).toEqual([
    {
      card: 'eth0',
      ip: [
        'link set dev eth0 mtu 1450',
        'link set dev eth0 up',
        'address replace 172.16.0.5/12 dev eth0',
        'address replace fd00::5/64 dev eth0 nodad',
        'route replace 0.0.0.0/0 via 172.16.0.1 dev eth0',
      ],
      dhcp4: false,
      settings: off,
    },
  ])
})

test('without network data the first card asks for everything', () => {
  expect(planManagement(null, CARDS, [])).toEqual([
    {
      card: 'eth0',
      ip: ['link set dev eth0 up'],
      dhcp4: true,
      settings: { 'ipv6/conf/eth0/accept_ra': '2', 'ipv6/conf/eth0/autoconf': '1' },
    },
  ])
})

test('a card that the agent has plugged is its own, also when the drive lists it', () => {
  const links = CARDS.map(({ mac }) => ({ mac, mtu: null, networks: [] }))
  const plans = planManagement(links, CARDS, ['fa:16:3e:00:00:02'])
  expect(plans.map(({ card }) => card)).toEqual(['eth0'])
})

test('a card that is not there is not waited for', () => {
  expect(
    planManagement([{ mac: 'fa:16:3e:00:00:09', mtu: null, networks: [] }], CARDS, []),
  ).toEqual([])
})
