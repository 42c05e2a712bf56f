/**
 * Creating a load balancer: which VIP it gets, what is refused, and that nothing is left behind.
 */
import { describe, expect, test } from 'vitest'
import type { OperationSettings } from '../../src/operation/change.ts'
import {
  createHarness,
  type FakeNetwork,
  type Harness,
  NETWORK,
  OTHER_NETWORK,
  OTHER_SUBNET,
  PROJECT,
  SUBNET,
  SUBNET6,
} from '../api/harness.ts'

const NIL = '00000000-0000-4000-8000-000000000000'

interface Case {
  readonly name: string
  readonly ask: Readonly<Record<string, unknown>> | ((network: FakeNetwork) => object)
  readonly settings?: Partial<OperationSettings>
  readonly given?: (network: FakeNetwork) => void
  readonly vip?: object
  readonly refused?: readonly [status: number, fault: string | RegExp]
}

const PORT = '33333333-0000-4000-8000-000000000001'
const withPort =
  (over: Parameters<FakeNetwork['addPort']>[0] = {}) =>
  (network: FakeNetwork): void =>
    void network.addPort({ id: PORT, ...over })

const CASES: readonly Case[] = [
  {
    name: 'a subnet gives its network',
    ask: { vip_subnet_id: SUBNET },
    vip: { vip_subnet_id: SUBNET, vip_network_id: NETWORK },
  },
  {
    name: 'an address of the subnet',
    ask: { vip_subnet_id: SUBNET, vip_address: '10.0.0.9' },
    vip: { vip_address: '10.0.0.9' },
  },
  {
    name: 'an address outside the subnet',
    ask: { vip_subnet_id: SUBNET, vip_address: '10.0.1.9' },
    refused: [400, /IP address 10\.0\.1\.9 is not a valid IP for the subnet/],
  },
  {
    name: 'the network and broadcast addresses are no hosts',
    ask: { vip_subnet_id: SUBNET, vip_address: '10.0.0.255' },
    refused: [400, /is not a valid IP/],
  },
  {
    name: 'an address of the other family',
    ask: { vip_subnet_id: SUBNET, vip_address: '2001:db8::5' },
    refused: [400, /is not a valid IP/],
  },
  {
    name: 'a busy address',
    given: withPort({ fixed_ips: [{ subnet_id: SUBNET, ip_address: '10.0.0.9' }] }),
    ask: { vip_subnet_id: SUBNET, vip_address: '10.0.0.9' },
    refused: [409, `The VIP IP address is already in use: 10.0.0.9 on network ${NETWORK}.`],
  },
  {
    name: 'an unknown subnet',
    ask: { vip_subnet_id: NIL },
    refused: [400, `Subnet ${NIL} not found.`],
  },
  {
    name: 'a network prefers its IPv4 subnet',
    ask: { vip_network_id: NETWORK },
    vip: { vip_subnet_id: SUBNET },
  },
  {
    name: 'a network finds the subnet of an address',
    ask: { vip_network_id: NETWORK, vip_address: '2001:DB8::0005' },
    vip: { vip_subnet_id: SUBNET6, vip_address: '2001:db8::5' },
  },
  {
    name: 'a network without the address',
    ask: { vip_network_id: NETWORK, vip_address: '192.0.2.1' },
    refused: [
      400,
      'Validation failure: Supplied network does not contain a subnet for VIP address specified.',
    ],
  },
  {
    name: 'a full network',
    given: (network) => {
      network.free = 1
    },
    ask: { vip_network_id: NETWORK },
    refused: [
      400,
      'Validation failure: Subnet(s) in the supplied network do not contain enough available IPs.',
    ],
  },
  {
    name: 'a network without subnets',
    given: (network) =>
      void network.networks.push({
        id: NIL,
        name: 'n',
        mtu: 1500,
        subnet_ids: [],
        port_security_enabled: true,
      }),
    ask: { vip_network_id: NIL },
    refused: [400, 'Validation failure: Supplied network does not contain a subnet.'],
  },
  {
    name: 'an unknown network',
    ask: { vip_network_id: NIL },
    refused: [400, `Network ${NIL} not found.`],
  },
  {
    name: 'a subnet of another network',
    ask: { vip_network_id: NETWORK, vip_subnet_id: OTHER_SUBNET },
    refused: [400, `Subnet ${OTHER_SUBNET} not found.`],
  },
  {
    name: 'a port gives everything',
    given: withPort(),
    ask: { vip_port_id: PORT },
    vip: { vip_port_id: PORT, vip_address: '10.0.0.77', vip_subnet_id: SUBNET },
  },
  {
    name: 'a port in use',
    given: withPort({ device_id: 'vm' }),
    ask: { vip_port_id: PORT },
    refused: [400, `Validation failure: Port ${PORT} is already used by device vm `],
  },
  {
    name: 'an unknown port',
    ask: { vip_port_id: NIL },
    refused: [400, `Port ${NIL} not found.`],
  },
  {
    name: 'a port without the address',
    given: withPort(),
    ask: { vip_port_id: PORT, vip_address: '10.0.0.78' },
    refused: [
      400,
      'Validation failure: Specified VIP address not found on the specified VIP port.',
    ],
  },
  {
    name: 'a port in the subnet gives its address, whatever else is asked for',
    given: withPort(),
    ask: { vip_port_id: PORT, vip_subnet_id: SUBNET, vip_address: '192.0.2.9' },
    vip: { vip_port_id: PORT, vip_address: '10.0.0.77', vip_subnet_id: SUBNET },
  },
  {
    name: 'a port outside the subnet',
    given: withPort(),
    ask: { vip_port_id: PORT, vip_subnet_id: SUBNET6 },
    refused: [
      400,
      'Validation failure: No VIP address found on the specified VIP port within the specified subnet.',
    ],
  },
  {
    name: 'a port with several addresses',
    given: withPort({
      fixed_ips: [
        { subnet_id: SUBNET, ip_address: '10.0.0.7' },
        { subnet_id: SUBNET6, ip_address: '2001:db8::7' },
      ],
    }),
    ask: { vip_port_id: PORT },
    refused: [
      400,
      "Validation failure: VIP port's subnet could not be determined. Please specify either a VIP subnet or address.",
    ],
  },
  {
    name: 'no VIP at all',
    ask: {},
    refused: [
      400,
      'Validation failure: VIP must contain one of: vip_port_id, vip_network_id, vip_subnet_id.',
    ],
  },
  {
    name: 'a source which the operator switched off',
    settings: { allow_vip_subnet_id: false },
    ask: { vip_subnet_id: SUBNET },
    refused: [
      400,
      "Validation failure: use of vip_subnet_id is disallowed by this deployment's configuration.",
    ],
  },
  {
    name: 'a network that is not allowed',
    settings: { valid_vip_networks: [OTHER_NETWORK] },
    ask: { vip_subnet_id: SUBNET },
    refused: [
      400,
      'Validation failure: Supplied VIP network_id is not allowed by the configuration of this deployment.',
    ],
  },
  {
    name: 'a network that is denied',
    settings: { denylist_vip_networks: [NETWORK.toUpperCase()] },
    ask: { vip_subnet_id: SUBNET },
    refused: [400, /is not allowed by the configuration/],
  },
  {
    name: 'a second VIP on another subnet',
    ask: {
      vip_subnet_id: SUBNET,
      additional_vips: [{ subnet_id: SUBNET6, ip_address: '2001:db8::9' }],
    },
    vip: {
      additional_vips: [
        { subnet_id: SUBNET6, ip_address: '2001:db8::9', port_id: expect.any(String) },
      ],
    },
  },
  {
    name: 'two VIPs on one subnet',
    ask: { vip_subnet_id: SUBNET, additional_vips: [{ subnet_id: SUBNET }] },
    refused: [
      400,
      'Validation failure: Duplicate VIP subnet(s) specified. Only one IP can be bound per subnet.',
    ],
  },
  {
    name: 'VIPs on two networks',
    ask: { vip_subnet_id: SUBNET, additional_vips: [{ subnet_id: OTHER_SUBNET }] },
    refused: [400, 'Validation failure: All VIP subnets must belong to the same network.'],
  },
  {
    name: 'a flavor, of which there are none',
    ask: { vip_subnet_id: SUBNET, flavor_id: NIL },
    refused: [400, 'Validation failure: Invalid flavor_id.'],
  },
  {
    name: 'a provider that is not enabled',
    ask: { vip_subnet_id: SUBNET, provider: 'ovn' },
    refused: [400, "Provider 'ovn' is not enabled."],
  },
  {
    name: 'security groups that are not there',
    ask: { vip_subnet_id: SUBNET, vip_sg_ids: [NIL] },
    refused: [400, `Security Group ${NIL} not found.`],
  },
  {
    name: 'a quota that is met',
    settings: {
      quotas: {
        load_balancer: 0,
        listener: -1,
        pool: -1,
        member: -1,
        health_monitor: -1,
        l7policy: -1,
        l7rule: -1,
      },
    },
    ask: { vip_subnet_id: SUBNET },
    refused: [403, 'Quota has been met for resources: Load Balancer'],
  },
]

async function create(harness: Harness, body: object) {
  return harness.send('POST', '/v2/lbaas/loadbalancers', { loadbalancer: body })
}

describe('the VIP', () => {
  test.each(CASES)('$name', async ({ ask, settings, given, vip, refused }) => {
    const harness = createHarness(settings === undefined ? {} : { settings })
    given?.(harness.network)
    const body = typeof ask === 'function' ? ask(harness.network) : ask
    const answer = await create(harness, body)
    const { load_balancer, job } = await harness.dump()
    if (refused === undefined) {
      expect(answer.status).toBe(201)
      expect(answer.body.loadbalancer).toMatchObject(vip ?? {})
      expect(load_balancer).toHaveLength(1)
      // The held job that would release the VIP is gone with the commit.
      expect(job).toEqual([expect.objectContaining({ flow: 'load-balancer-create' })])
      return
    }
    const [status, fault] = refused
    expect(answer.status).toBe(status)
    expect(answer.body.faultstring).toEqual(
      typeof fault === 'string' ? fault : expect.stringMatching(fault),
    )
    expect(load_balancer).toEqual([])
  })

  test('is released when the transaction after it fails', async () => {
    const harness = createHarness({
      settings: {
        quotas: {
          load_balancer: 0,
          listener: -1,
          pool: -1,
          member: -1,
          health_monitor: -1,
          l7policy: -1,
          l7rule: -1,
        },
      },
    })
    expect((await create(harness, { vip_subnet_id: SUBNET })).status).toBe(403)
    const { job } = await harness.dump()
    const [only] = job as { flow: string; status: string; input: string; load_balancer_id: null }[]
    expect(job).toHaveLength(1)
    expect(only).toMatchObject({ flow: 'vip-release', status: 'QUEUED', load_balancer_id: null })
    expect(JSON.parse(only?.input ?? '')).toEqual({
      load_balancer_id: expect.any(String),
      port_id: null,
    })
    expect(harness.wakes()).toBe(1)
  })

  test('is held while it is being allocated', async () => {
    const harness = createHarness()
    const allocate = harness.network.allocateVip
    let held: unknown[] = []
    harness.network.allocateVip = async (request) => {
      held = (await harness.dump()).job ?? []
      return allocate(request)
    }
    await create(harness, { vip_subnet_id: SUBNET })
    expect(held).toEqual([expect.objectContaining({ flow: 'vip-release', status: 'HELD' })])
  })
})

const POOL = { name: 'p', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }
const LISTENER = { protocol: 'HTTP', protocol_port: 80 }

describe('a load balancer with its children', () => {
  test('is one transaction and answered in full', async () => {
    const harness = createHarness()
    const { status, body } = await create(harness, {
      vip_subnet_id: SUBNET,
      project_id: PROJECT,
      listeners: [
        { ...LISTENER, name: 'a', default_pool: { name: 'p' } },
        {
          ...LISTENER,
          name: 'b',
          protocol_port: 81,
          default_pool: {
            ...POOL,
            name: 'q',
            members: [{ address: '10.0.0.8', protocol_port: 80, tags: ['t'] }],
            healthmonitor: { type: 'TCP', delay: 1, timeout: 1, max_retries: 1 },
          },
        },
        { ...LISTENER, protocol: 'TCP', protocol_port: 82 },
      ],
      pools: [POOL, { ...POOL, name: 'free', members: [{ address: '::1', protocol_port: 1 }] }],
    })
    expect(status).toBe(201)
    const { listeners, pools } = body.loadbalancer
    const pool = (name: string) => pools.find((each: { name: string }) => each.name === name)
    expect(pools.map((each: { name: string }) => each.name).sort()).toEqual(['free', 'p', 'q'])
    expect(
      listeners.map((each: { default_pool_id: string }) => each.default_pool_id).sort(),
    ).toEqual([pool('p').id, pool('q').id, null].sort())
    expect(pool('q')).toMatchObject({
      provisioning_status: 'PENDING_CREATE',
      healthmonitor: { type: 'TCP' },
      members: [{ address: '10.0.0.8', operating_status: 'OFFLINE', tags: ['t'] }],
    })
    expect(pool('free').members).toMatchObject([{ operating_status: 'NO_MONITOR' }])
    expect(pool('free').healthmonitor).toBeUndefined()
    const { job, quota } = await harness.dump()
    expect(job).toHaveLength(1)
    expect(quota).toMatchObject([{ project_id: PROJECT }])
  })

  test.each([
    [{ listeners: [{ ...LISTENER, default_pool: {} }] }, /Pools must be named/],
    [
      { listeners: [{ ...LISTENER, default_pool: { name: 'x' } }] },
      "Validation failure: Pool 'x' was referenced but no full definition was found.",
    ],
    [{ pools: [POOL, POOL] }, /Pool names must be unique/],
    [
      { pools: [{ name: 'p', protocol: 'HTTP' }] },
      "Validation failure: Pool definition for 'p' missing required attribute: lb_algorithm",
    ],
    [
      { pools: [{ ...POOL, members: [{ protocol_port: 1 }] }] },
      "Invalid input for field/attribute address. Value: 'None'. Mandatory field missing.",
    ],
    [
      { pools: [{ ...POOL, members: [{ address: '10.0.0.1', protocol_port: 1, evil: 1 }] }] },
      'Unknown attribute for argument load_balancer.loadbalancer.pools.members: evil',
    ],
    [
      { listeners: [{ ...LISTENER, loadbalancer_id: NIL }] },
      'Unknown attribute for argument load_balancer.loadbalancer.listeners: loadbalancer_id',
    ],
    [
      { listeners: [{ ...LISTENER, default_pool: { ...POOL, protocol: 'TCP' } }] },
      "Validation failure: The pool protocol 'TCP' is invalid while the listener protocol is 'HTTP'.",
    ],
    [
      { pools: [{ ...POOL, members: [{ address: '169.254.169.254', protocol_port: 1 }] }] },
      '169.254.169.254 is not a valid option for member address',
    ],
    [
      { pools: [{ ...POOL, members: [{ address: '::1', protocol_port: 1, subnet_id: NIL }] }] },
      `Subnet ${NIL} not found.`,
    ],
  ] as const)('is refused as a whole: %j', async (over, fault) => {
    const harness = createHarness()
    const before = await harness.dump()
    const answer = await create(harness, { vip_subnet_id: SUBNET, ...over })
    expect([answer.status, answer.body.faultstring]).toEqual([
      400,
      typeof fault === 'string' ? fault : expect.stringMatching(fault),
    ])
    expect(await harness.dump()).toEqual(before)
    expect(harness.network.ports.size).toBe(0)
  })

  test.each([
    [{ listeners: [LISTENER, { ...LISTENER, protocol: 'TCP' }] }, 409],
    [
      {
        pools: [
          {
            ...POOL,
            members: [
              { address: '2001:db8::1', protocol_port: 1 },
              { address: '2001:DB8:0::1', protocol_port: 1 },
            ],
          },
        ],
      },
      409,
    ],
    [{ listeners: [{ ...LISTENER, default_pool_id: NIL }] }, 404],
    [{ listeners: [{ ...LISTENER, l7policies: [{}] }] }, 400],
  ] as const)('%j is %d', async (over, status) => {
    const harness = createHarness()
    const answer = await create(harness, { vip_subnet_id: SUBNET, ...over })
    expect(answer.status).toBe(status)
    expect(harness.network.ports.size).toBe(0)
  })

  test('counts every child against its quota', async () => {
    const graph = {
      vip_subnet_id: SUBNET,
      listeners: [{ ...LISTENER, default_pool: { name: 'p' } }],
      pools: [
        {
          ...POOL,
          members: [
            { address: '10.0.0.1', protocol_port: 1 },
            { address: '10.0.0.1', protocol_port: 2 },
          ],
          healthmonitor: { type: 'TCP', delay: 1, timeout: 1, max_retries: 1 },
        },
      ],
    }
    const enough = {
      load_balancer: 1,
      listener: 1,
      pool: 1,
      member: 2,
      health_monitor: 1,
      l7policy: -1,
      l7rule: -1,
    }
    expect((await create(createHarness({ settings: { quotas: enough } }), graph)).status).toBe(201)
    for (const [name, title] of [
      ['listener', 'Listener'],
      ['pool', 'Pool'],
      ['member', 'Member'],
      ['health_monitor', 'Health Monitor'],
    ] as const) {
      const quotas = { ...enough, [name]: enough[name] - 1 }
      const harness = createHarness({ settings: { quotas } })
      const answer = await create(harness, graph)
      expect([answer.status, answer.body.faultstring]).toEqual([
        403,
        `Quota has been met for resources: ${title}`,
      ])
      expect((await harness.dump()).load_balancer).toEqual([])
    }
  })
})
