import { describe, expect, test } from 'vitest'
import { Refused } from '../../src/agent/answer.ts'
import { parsePlugNetwork, parsePlugVip } from '../../src/agent/bodies.ts'

const VIP = { subnet_cidr: '10.0.0.0/24', gateway: '10.0.0.1', mac_address: '02:00:00:00:00:0A' }
const PORT = { mac_address: '02:00:00:00:00:0A' }

test('upstream sends nulls and leaves things away', () => {
  expect(parsePlugVip(JSON.stringify({ ...VIP, gateway: null, mtu: null, vrrp_ip: null }))).toEqual(
    {
      subnet_cidr: '10.0.0.0/24',
      gateway: null,
      mac_address: '02:00:00:00:00:0a',
      host_routes: [],
      additional_vips: [],
      is_sriov: false,
      fixed_ips: [],
    },
  )
  expect(parsePlugNetwork(JSON.stringify(PORT))).toEqual({
    mac_address: '02:00:00:00:00:0a',
    fixed_ips: [],
    is_sriov: false,
  })
})

function answerTo(parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    expect(error).toBeInstanceOf(Refused)
    return (error as Refused).answer
  }
}

const HOSTILE_MACS = ['', 'dev eth0', '02:00:00:00:00:01 up', '02:00:00:00:00:01\nup', 7, null]

describe('what upstream answers for a body it cannot use', () => {
  test.each<[string, string]>([
    ['nothing', ''],
    ['broken JSON', '{'],
    ['a list', '[]'],
    ['null', 'null'],
    ['no subnet', JSON.stringify({ gateway: null, mac_address: VIP.mac_address })],
    ['no gateway', JSON.stringify({ ...VIP, gateway: undefined })],
    ['an absurd mtu', JSON.stringify({ ...VIP, mtu: 1e9 })],
    ['an mtu as text', JSON.stringify({ ...VIP, mtu: '1500' })],
    ['routes of the wrong shape', JSON.stringify({ ...VIP, host_routes: [1] })],
    ['routes without end', JSON.stringify({ ...VIP, host_routes: Array(300).fill({}) })],
    ['VIPs of the wrong shape', JSON.stringify({ ...VIP, additional_vips: [{}] })],
    ...HOSTILE_MACS.map((mac_address): [string, string] => [
      `the MAC ${JSON.stringify(mac_address)}`,
      JSON.stringify({ ...VIP, mac_address }),
    ]),
  ])('VIP: %s', (_, text) => {
    const body = { error: 'Invalid subnet information', http_code: 400 }
    expect(answerTo(parsePlugVip, text)).toEqual({ status: 400, body })
  })

  test.each([
    ['nothing', ''],
    ['no MAC', '{}'],
    ['addresses of the wrong shape', JSON.stringify({ ...PORT, fixed_ips: ['10.0.0.1'] })],
    ['VIP details without a VIP', JSON.stringify({ ...PORT, vip_net_info: VIP })],
  ])('network: %s', (_, text) => {
    const body = { error: 'Invalid port information', http_code: 400 }
    expect(answerTo(parsePlugNetwork, text)).toEqual({ status: 400, body })
  })
})
