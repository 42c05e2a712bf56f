/**
 * The networks of amphorae, with the compiled executable, real haproxy and real traffic: both
 * families, several VIPs, member networks that come and go.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { runOk, systemProcesses } from '../../src/system/process.ts'
import {
  bodyOf,
  createLab,
  deleteCascade,
  ip,
  type Lab,
  labMissing,
  type Serve,
  until,
  VIP_NET,
} from './harness.ts'
import { createHost, type Host } from './host.ts'
import { leftovers, type Snapshot, snapshot } from './leftovers.ts'

const missing = labMissing()

const SETTINGS = `[api_settings]
auth_strategy = "noauth"

[health_manager]
heartbeat_interval = 1

${VIP_NET}
[[local_cloud.networks.subnets]]
name = "vip-six"
cidr = "fd10:10::/64"
allocation_start = "fd10:10::1000"
allocation_end = "fd10:10::1fff"

[[local_cloud.networks.subnets]]
name = "vip-more"
cidr = "10.10.11.0/24"

[[local_cloud.networks]]
name = "back-a"
cidr = "10.20.0.0/24"
mtu = 1400
host_routes = [{ destination = "10.99.0.0/24", nexthop = "10.20.0.9" }]

[[local_cloud.networks.subnets]]
name = "back-a-six"
cidr = "fd20::/64"
host_routes = [{ destination = "fd99::/64", nexthop = "fd20::9" }]

[[local_cloud.networks]]
name = "back-b"
cidr = "10.30.0.0/24"
gateway_ip = "none"
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

const subnetOf = (address: string): string => (address.includes(':') ? 'vip-six' : 'vip-net')
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
    ['IPv6 VIP, IPv4 members', 'vip-six', ['10.10.10.11']],
    ['IPv4 VIP, IPv6 members', 'vip-net', ['fd10:10::11']],
  ])('%s', async (_, vip, members) => {
    await host('one', 'vip-net', '10.10.10.11/24', 'fd10:10::11/64')
    const rows = members.map((address) => ({ address, subnet: subnetOf(address) }))
    const { vips } = await balance({ vip, members: rows })
    expect(await asked(vips[0] ?? '')).toMatch(/^one /)
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

  const supervisorOf = async (load_balancer_id: string): Promise<number> => {
    const query = new URLSearchParams({ loadbalancer_id: load_balancer_id })
    const list = await serve.client.call('GET', `../octavia/amphorae?${query}`)
    const [{ id }] = list as unknown as [{ id: string }]
    const record = join(lab.folder, 'data', 'cloud', 'amphorae', id, 'process')
    return Number(readFileSync(record, 'utf8').split(' ')[0])
  }
  /** `ip` in the namespace of the load balancer's one amphora, in JSON. */
  const inside = async (load_balancer_id: string, ...args: string[]): Promise<string> => {
    const pid = String(await supervisorOf(load_balancer_id))
    const enter = ['nsenter', '--target', pid, '--mount', '--net']
    const argv = [...enter, 'ip', 'netns', 'exec', 'amphora-haproxy', 'ip', ...args]
    return (await runOk(systemProcesses, argv)).stdout
  }

  test('members on two networks, one behind a router, unplugged with the last', async () => {
    const { client } = serve
    await host('near', 'back-b', '10.30.0.11/24')
    const router = await host('far', 'back-a', '10.20.0.9/24', 'fd20::9/64')
    for (const address of ['10.99.0.1/24', 'fd99::1/64'])
      await router.ip('addr', 'add', address, 'dev', 'lo')
    const { id, pool, vips } = await balance({
      vip: 'vip-net',
      members: [
        { address: '10.30.0.11', subnet: 'back-b' },
        { address: '10.99.0.1', subnet: 'back-a' },
        { address: 'fd99::1', subnet: 'back-a-six' },
      ],
    })
    const three = async (): Promise<string[]> => {
      const seen = [
        await asked(vips[0] ?? ''),
        await asked(vips[0] ?? ''),
        await asked(vips[0] ?? ''),
      ]
      return seen.map((answer) => answer?.replace(/[^.:]*$/, '') ?? '').sort()
    }
    expect(await three()).toEqual(['far 10.20.0.', 'far fd20::', 'near 10.30.0.'])
    const links = await inside(id, '-o', 'link', 'show')
    expect(links).toMatch(/eth2[^\n]* mtu 1[45]00[^\n]*\n[^\n]*eth3/)
    expect([...links.matchAll(/eth[1-3]@[^\n]* mtu (\d+)/g)].map(([, mtu]) => mtu).sort()).toEqual([
      '1400',
      '1500',
      '1500',
    ])
    const members = (await client.call('GET', `pools/${pool}/members`)) as unknown as {
      id: string
      address: string
    }[]
    const remove = async (address: string): Promise<void> => {
      const member = members.find((each) => each.address === address)
      await client.call('DELETE', `pools/${pool}/members/${member?.id}`)
      await client.active(id)
    }
    await remove('10.99.0.1')
    expect(await inside(id, 'address')).toContain('10.20.0.')
    await remove('fd99::1')
    const left = await inside(id, 'address')
    expect(left).not.toContain('10.20.0.')
    expect(left).toContain('10.30.0.')
    expect(await three()).toEqual(['near 10.30.0.', 'near 10.30.0.', 'near 10.30.0.'])
    // It comes back as it was.
    await client.create(
      `pools/${pool}/members`,
      { member: { address: 'fd99::1', protocol_port: 80, subnet_id: subnet('back-a-six').id } },
      id,
    )
    await until('both to be asked', async () => new Set(await three()).size === 2)
  })

  test('members of no subnet are reached by the gateways of the VIPs', async () => {
    const elsewhere = ['10.77.0.1', 'fd77::1']
    await ip('addr', 'add', '10.77.0.1/32', 'dev', 'lo')
    await ip('addr', 'add', 'fd77::1/128', 'dev', 'lo', 'nodad')
    const servers = elsewhere.map((hostname) =>
      Bun.serve({ hostname, port: 80, fetch: () => new Response(hostname) }),
    )
    try {
      const { vips } = await balance({
        vip: 'vip-six',
        additional: ['vip-net'],
        members: elsewhere.map((address) => ({ address })),
      })
      for (const vip of vips) expect([await asked(vip), await asked(vip)].sort()).toEqual(elsewhere)
    } finally {
      for (const server of servers) await server.stop(true)
      await ip('addr', 'del', '10.77.0.1/32', 'dev', 'lo')
      await ip('addr', 'del', 'fd77::1/128', 'dev', 'lo')
    }
  })

  test('a VIP on the management network', async () => {
    await host('one', 'lb-mgmt-net', '172.16.3.11/22')
    const { vips } = await balance({ vip: 'lb-mgmt-net', members: [{ address: '172.16.3.11' }] })
    expect(await asked(vips[0] ?? '')).toMatch(/^one 172\./)
  })

  test('failover keeps every VIP and reaches every member', async () => {
    await host('near', 'back-b', '10.30.0.11/24')
    await host('four', 'vip-net', '10.10.10.12/24')
    const { id, vips } = await balance({
      vip: 'vip-six',
      additional: ['vip-more'],
      members: [
        { address: '10.30.0.11', subnet: 'back-b' },
        { address: '10.10.10.12', subnet: 'vip-net' },
      ],
    })
    const all = async (): Promise<string[]> => {
      const seen = vips.flatMap((vip) => [vip, vip]).map(async (vip) => await asked(vip))
      const answers = await Promise.all(seen)
      return [...new Set(answers.map((answer) => answer?.replace(/ .*/, '') ?? 'none'))].sort()
    }
    expect(await all()).toEqual(['four', 'near'])
    await serve.client.call('PUT', `loadbalancers/${id}/failover`)
    await serve.client.active(id)
    expect(await all()).toEqual(['four', 'near'])
    const row = await serve.client.call('GET', `loadbalancers/${id}`)
    expect([
      row.vip_address,
      (row.additional_vips as { ip_address: string }[])[0]?.ip_address,
    ]).toEqual(vips)
  })

  test('after a reboot of this machine all networks are back', async () => {
    const { id, vips } = await balance({
      vip: 'vip-six',
      additional: ['vip-more'],
      members: [{ address: '10.30.0.11', subnet: 'back-b' }],
    })
    const pid = await supervisorOf(id)
    await serve.kill()
    process.kill(pid, 'SIGKILL')
    const ours = (await ip('-o', 'link'))
      .split('\n')
      .filter((line) => line.includes('octavia-lite:'))
    for (const [, name = ''] of ours.map((line) => /^\d+: ([^:@]+)/.exec(line) ?? []))
      await systemProcesses.run(['ip', 'link', 'delete', name])
    expect(await ip('-o', 'link')).not.toContain('octavia-lite:')
    serve = await lab.start()
    await host('near', 'back-b', '10.30.0.11/24')
    for (const vip of vips)
      await until(`${vip} to answer`, async () => (await asked(vip))?.startsWith('near') === true)
  }, 60_000)

  test('neighbours with a stale entry learn the VIPs anew', async () => {
    const client = await host('one', 'vip-net', '10.10.10.11/24', 'fd10:10::11/64')
    const { id, vips } = await balance({
      vip: 'vip-six',
      additional: ['vip-net'],
      members: [{ address: 'fd10:10::11' }],
    })
    for (const vip of vips) {
      await client.ip(
        'neigh',
        'replace',
        vip,
        'lladdr',
        '02:00:00:00:00:99',
        'dev',
        'eth0',
        'nud',
        'stale',
      )
    }
    await serve.client.call('PUT', `loadbalancers/${id}/failover`)
    await serve.client.active(id)
    const [{ address: mac }] = JSON.parse(await inside(id, '-json', 'link', 'show', 'eth1')) as [
      { address: string },
    ]
    for (const vip of vips) {
      expect(await client.ip('neigh', 'show', vip)).toContain(mac)
      expect(await client.get(urlOf(vip))).toMatch(/^one /)
    }
  })
})
