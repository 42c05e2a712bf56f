/** From the kernel's table and keepalived's configuration to what a listener reports. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { reportsOf } from '../../src/dataplane/haproxy/statistics.ts'
import {
  isInForce,
  limitChanges,
  parseIpvsCounters,
  parseIpvsTable,
} from '../../src/dataplane/keepalived/ipvs.ts'
import { type LvsConfig, parseLvs } from '../../src/dataplane/keepalived/lvs-reading.ts'
import { lvsRows } from '../../src/dataplane/keepalived/lvs-statistics.ts'

const conf = (name: string): LvsConfig =>
  parseLvs(readFileSync(join(import.meta.dirname, 'lvs-cases', `${name}.conf`), 'utf8'))

const HEAD = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
`
/** 10.0.0.2:53 with the first member of case udp up and the second draining. */
const TABLE = `${HEAD}TCP  0A000002:0035 rr 
  -> 0A00000B:0035      Masq    9      9          9
UDP  0A000002:0035 wrr persistent 360 FFFFFFFF
  -> 0A00000B:0035      Masq    13     4          1         
  -> 0A00000C:14E9      Masq    0      2          0         
SCTP [fd00:0000:0000:0000:0000:0000:0000:0002]:0F1C sh 
  -> [fd00:0000:0000:0000:0000:0000:0000:0012]:0F1C      Masq    1      1          0
`
const COUNTERS = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
UDP  10.0.0.2:53                         7       20       19     1500     9000
  -> 10.0.0.11:53                        7       20       19     1500     9000
SCTP [fd00::2]:3868                      1        5        5      400      500
  -> [fd00::12]:3868                     1        5        5      400      500
`
const kernel = { table: parseIpvsTable(TABLE), counters: parseIpvsCounters(COUNTERS) }
const nothing = { table: parseIpvsTable(HEAD), counters: parseIpvsCounters('') }

test('the table of the kernel', () => {
  expect([...kernel.table.keys()]).toEqual([
    'TCP 10.0.0.2:53',
    'UDP 10.0.0.2:53',
    'SCTP [fd00::2]:3868',
  ])
  expect(kernel.table.get('UDP 10.0.0.2:53')).toEqual({
    scheduler: 'wrr',
    persistent: true,
    active: 6,
    servers: new Map([
      ['10.0.0.11:53', 13],
      ['10.0.0.12:5353', 0],
    ]),
  })
  expect(kernel.table.get('SCTP [fd00::2]:3868')?.servers).toEqual(
    new Map([['[fd00::12]:3868', 1]]),
  )
})

test('the counters of ipvsadm', () => {
  expect(kernel.counters.get('UDP 10.0.0.2:53')).toEqual({
    connections: 7,
    in_bytes: 1500,
    out_bytes: 9000,
  })
  expect([...kernel.counters.keys()]).toEqual(['UDP 10.0.0.2:53', 'SCTP [fd00::2]:3868'])
})

test('a configuration is read back', () => {
  expect(conf('both-families')).toEqual({
    disabled: false,
    pool_id: 'pool-1',
    services: [
      ...['10.0.0.2:3868', '10.0.1.2:3868'].map((vip) => ({
        protocol: 'SCTP',
        scheduler: 'sh',
        persistent: true,
        endpoints: [vip],
        servers: [{ member_id: 'member-1', endpoint: '10.0.0.11:3868', weight: 1, limit: 0 }],
      })),
      {
        protocol: 'SCTP',
        scheduler: 'sh',
        persistent: true,
        endpoints: ['[fd00::2]:3868'],
        servers: [{ member_id: 'member-2', endpoint: '[fd00::12]:3868', weight: 1, limit: 0 }],
      },
    ],
    disabled_members: [],
    checked: true,
    allowed_cidrs: ['10.0.0.0/8', 'fd00::/8'],
  })
  expect(conf('udp').disabled_members).toEqual(['member-3'])
  expect(conf('head-check').checked).toBe(false)
  expect(conf('disabled-listener')).toMatchObject({ disabled: true, services: [] })
  expect(conf('disabled-pool')).toMatchObject({ disabled: false, pool_id: undefined, services: [] })
})

test('what upstream renders is read as well', () => {
  const text = `
net_namespace amphora-haproxy

virtual_server_group ipv4-group {
    10.0.0.2 80
}

virtual_server group ipv4-group {
    lb_algo wrr
    protocol UDP


    # Configuration for Pool p
    # Configuration for Member m
    real_server 10.0.0.9 82 {
        weight 13

    }
    # Member n is disabled
}
`
  expect(parseLvs(text)).toMatchObject({
    pool_id: 'p',
    services: [{ servers: [{ member_id: 'm', endpoint: '10.0.0.9:82', weight: 13 }] }],
    disabled_members: ['n'],
  })
})

function report(config: LvsConfig, state = kernel, restarting = false) {
  const rows = lvsRows({ listener_id: 'l', config, restarting }, state)
  return reportsOf(rows, { l: { bin: 500, bout: 0, ereq: 0, stot: 2 } })
}

describe('a listener reports', () => {
  test('traffic since the last time, and its members', () => {
    const { listeners, pools } = report(conf('udp'))
    expect(listeners).toEqual({
      l: { status: 'OPEN', stats: { tx: 9000, rx: 1000, conns: 6, totconns: 5, ereq: 0 } },
    })
    expect(pools).toEqual({
      'pool-1': {
        status: 'UP',
        members: { 'member-1': 'UP', 'member-2': 'DRAIN', 'member-3': 'MAINT' },
      },
    })
  })

  test.each([
    [
      'none is there',
      'udp',
      false,
      'DOWN',
      { 'member-1': 'DOWN', 'member-2': 'DOWN', 'member-3': 'MAINT' },
    ],
    [
      'none is there yet',
      'udp',
      true,
      'UP',
      { 'member-1': 'RESTARTING', 'member-2': 'RESTARTING', 'member-3': 'MAINT' },
    ],
    ['none is checked', 'head-check', false, 'UP', { 'member-1': 'no check' }],
  ] as const)('%s', (_, name, restarting, status, members) => {
    expect(report(conf(name), nothing, restarting).pools).toEqual({ 'pool-1': { status, members } })
  })

  test('one of them is not there', () => {
    const table = parseIpvsTable(TABLE.replace(/ {2}-> 0A00000C.*\n/, ''))
    const state = { ...kernel, table }
    expect(report(conf('udp'), state).pools['pool-1']?.members['member-2']).toBe('DOWN')
    expect(report(conf('udp'), state, true).pools['pool-1']?.members['member-2']).toBe('RESTARTING')
  })

  test.each(['no-pool', 'disabled-pool', 'disabled-load-balancer'])('%s: itself alone', (name) => {
    const { listeners, pools } = report(conf(name))
    expect(Object.keys(listeners)).toEqual(['l'])
    expect(pools).toEqual({})
  })

  test('nothing at all while it is disabled', () => {
    expect(report(conf('disabled-listener'))).toMatchObject({ listeners: {}, pools: {} })
  })
})

const plain = (weight: number, ...hosts: number[]): LvsConfig => ({
  ...conf('no-pool'),
  services: [
    {
      protocol: 'UDP',
      scheduler: 'wrr',
      persistent: false,
      endpoints: ['10.0.0.2:53'],
      servers: hosts.map((n) => ({
        ...{ member_id: `m${n}`, endpoint: `10.0.0.${n}:53`, weight, limit: 0 },
      })),
    },
  ],
})
const tableOf = (weight: number, ...hosts: number[]) =>
  parseIpvsTable(
    `${HEAD}UDP  0A000002:0035 wrr \n${hosts.map((n) => `  -> 0A0000${n.toString(16).toUpperCase().padStart(2, '0')}:0035 Masq ${weight} 0 0`).join('\n')}\n`,
  )

const sticky = (config: LvsConfig): LvsConfig => ({
  ...config,
  services: config.services.map((service) => ({ ...service, persistent: true })),
})
const STICKY = parseIpvsTable(
  `${HEAD}UDP  0A000002:0035 wrr persistent 90000 FFFFFF00\n  -> 0A00000B:0035 Masq 1 0 0\n`,
)

test.each([
  ['equal', plain(1, 11, 12), tableOf(1, 11, 12), undefined, true],
  ['one too few', plain(1, 11, 12), tableOf(1, 11), undefined, false],
  ['one too many', plain(1, 11), tableOf(1, 11, 12), undefined, false],
  ['another weight', plain(2, 11), tableOf(1, 11), undefined, false],
  [
    'sources that do not keep their member yet',
    sticky(plain(1, 11)),
    tableOf(1, 11),
    undefined,
    false,
  ],
  ['sources that keep their member', sticky(plain(1, 11)), STICKY, undefined, true],
  ['sources that still keep their member', plain(1, 11), STICKY, undefined, false],
  ['no service', plain(1, 11), tableOf(1), undefined, false],
  [
    'one that failed its check',
    { ...plain(1, 11, 12), checked: true },
    tableOf(1, 11),
    plain(1, 11, 12),
    true,
  ],
  [
    'a new one that is checked',
    { ...plain(1, 11, 12), checked: true },
    tableOf(1, 11),
    plain(1, 11),
    false,
  ],
  ['nothing wanted', plain(1), parseIpvsTable(HEAD), undefined, false],
  ['nothing at all', { ...plain(1), services: [] }, parseIpvsTable(HEAD), undefined, true],
] as const)('in force: %s', (_, config, table, before, expected) => {
  expect(isInForce(table, config, before)).toBe(expected)
})

const limited = (config: LvsConfig, limit: number): LvsConfig => ({
  ...config,
  services: config.services.map((service) => ({
    ...service,
    servers: service.servers.map((server) => ({ ...server, limit })),
  })),
})
const change = (host: number, limit: number) => ({
  ...{ service: 'UDP 10.0.0.2:53', server: `10.0.0.${host}:53`, weight: 3, limit },
})

test.each([
  ['a new limit', limited(plain(3, 11, 12), 5), plain(3, 11, 12), [change(11, 5), change(12, 5)]],
  ['the limit taken away', plain(3, 11), limited(plain(3, 11), 5), [change(11, 0)]],
  ['the same limit', limited(plain(3, 11, 12), 5), limited(plain(3, 11, 12), 5), []],
  ['a new server: keepalived tells its limit', limited(plain(3, 11), 5), plain(3, 12), []],
  ['one that failed its check', limited(plain(3, 13), 5), plain(3, 13), []],
  ['what keepalived was told is unknown', plain(3, 11), undefined, [change(11, 0)]],
] as const)('limits after a reload: %s', (_, config, before, expected) => {
  expect(limitChanges(tableOf(3, 11, 12), config, before)).toEqual(expected)
})
