/**
 * The networks of amphorae, with the compiled executable, real haproxy and real traffic: both
 * families, several VIPs, member networks that come and go.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { bodyOf, createLab, deleteCascade, type Lab, labMissing, type Serve } from './harness.ts'
import { createHost, type Host } from './host.ts'
import { leftovers, type Snapshot, snapshot } from './leftovers.ts'

const missing = labMissing()

const SETTINGS = `[api_settings]
auth_strategy = "noauth"

[health_manager]
heartbeat_interval = 1

[[local_cloud.networks]]
name = "vip-net"
cidr = "10.10.10.0/24"
host_access = true
allocation_start = "10.10.10.100"
allocation_end = "10.10.10.250"

[[local_cloud.networks.subnets]]
name = "vip-six"
cidr = "fd10:10::/64"
allocation_start = "fd10:10::1000"
allocation_end = "fd10:10::1fff"

[[local_cloud.networks.subnets]]
name = "vip-more"
cidr = "10.10.11.0/24"
`

interface Subnet {
  readonly id: string
  readonly name: string
  readonly network_id: string
}

interface Wanted {
  readonly vip: string
  readonly additional?: readonly string[]
  readonly members: readonly { readonly address: string; readonly subnet?: string }[]
}

interface Balancer {
  readonly id: string
  readonly pool: string
  /** The VIP, then the additional ones. */
  readonly vips: readonly string[]
}

const urlOf = (address: string): string =>
  address.includes(':') ? `http://[${address}]/` : `http://${address}/`

describe.skipIf(missing !== undefined)(`networks${missing ? ` (${missing})` : ''}`, () => {
  let before: Snapshot
  let lab: Lab
  let serve: Serve
  let subnets: ReadonlyMap<string, Subnet>
  const hosts: Host[] = []
  const made: Balancer[] = []

  beforeAll(async () => {
    before = await snapshot()
    lab = createLab(SETTINGS)
    serve = await lab.start()
    const list = (await serve.client.call('GET', '../subnets')) as unknown as Subnet[]
    subnets = new Map(list.map((subnet) => [subnet.name, subnet]))
  })
  afterEach(async () => {
    for (const { id } of made.splice(0)) await deleteCascade(serve.client, id)
    for (const host of hosts.splice(0)) await host.remove()
  })
  afterAll(async () => {
    expect(await serve.stop()).toBe(0)
    const left = await leftovers(before)
    lab.remove()
    expect(left).toEqual([])
  })

  const subnet = (name: string): Subnet => {
    const found = subnets.get(name)
    if (found === undefined) throw new Error(`the lab has no subnet ${name}`)
    return found
  }
  const bridgeOf = (name: string): string =>
    `obr-${subnet(name).network_id.replaceAll('-', '').slice(0, 11)}`
  const host = async (name: string, on: string, ...addresses: string[]): Promise<Host> => {
    const made = await createHost({ name, bridge: bridgeOf(on), addresses })
    hosts.push(made)
    await made.serve()
    return made
  }
  const balance = async ({ vip, additional = [], members }: Wanted): Promise<Balancer> => {
    const { client } = serve
    const rows = members.map(({ address, subnet: name }) => ({
      ...{ address, protocol_port: 80 },
      ...(name === undefined ? {} : { subnet_id: subnet(name).id }),
    }))
    const monitor = { type: 'TCP', delay: 1, timeout: 1, max_retries: 1, max_retries_down: 2 }
    const pool = { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', members: rows }
    const default_pool = { ...pool, name: 'pool', healthmonitor: monitor }
    const listener = { protocol: 'HTTP', protocol_port: 80, default_pool }
    const additional_vips = additional.map((name) => ({ subnet_id: subnet(name).id }))
    const wish = { name: 'net', vip_subnet_id: subnet(vip).id, additional_vips }
    const id = await client.create('loadbalancers', {
      loadbalancer: { ...wish, listeners: [listener] },
    })
    const row = await client.call('GET', `loadbalancers/${id}`)
    const more = row.additional_vips as { ip_address: string }[]
    const vips = [String(row.vip_address), ...more.map(({ ip_address }) => ip_address)]
    const balancer = { id, vips, pool: String((row.pools as { id: string }[])[0]?.id) }
    made.push(balancer)
    return balancer
  }
  /** By this machine, and only once: a VIP answers as soon as its load balancer is ACTIVE. */
  const asked = (address: string): Promise<string | undefined> => bodyOf(urlOf(address))

  test.each<[string, string, readonly string[]]>([
    ['IPv4 VIP, IPv4 members', 'vip-net', ['10.10.10.11']],
    ['IPv6 VIP, IPv6 members', 'vip-six', ['fd10:10::11']],
  ])('%s', async (_, vip, members) => {
    await host('one', 'vip-net', '10.10.10.11/24', 'fd10:10::11/64')
    const { vips } = await balance({ vip, members: members.map((address) => ({ address })) })
    for (const _ of members) expect(await asked(vips[0] ?? '')).toMatch(/^one /)
  })

  test('a VIP of each family and of several subnets', async () => {
    await host('one', 'vip-net', '10.10.10.11/24')
    await host('two', 'vip-net', 'fd10:10::12/64')
    await host('three', 'vip-net', '10.10.11.13/24')
    const { vips } = await balance({
      vip: 'vip-six',
      additional: ['vip-net', 'vip-more'],
      members: ['10.10.10.11', 'fd10:10::12', '10.10.11.13'].map((address) => ({ address })),
    })
    expect(vips.map((vip) => vip.replace(/[^.:]*$/, ''))).toEqual([
      'fd10:10::',
      '10.10.10.',
      '10.10.11.',
    ])
    for (const vip of vips) {
      const answers = [await asked(vip), await asked(vip), await asked(vip)]
      // Each member was asked, from the amphora's own address in its subnet.
      const seen = answers.map((answer) => answer?.replace(/[^.:]*$/, '')).sort()
      expect(seen).toEqual(['one 10.10.10.', 'three 10.10.11.', 'two fd10:10::'])
    }
  })
})
