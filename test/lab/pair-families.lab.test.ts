/** Pairs of amphorae with VIPs of both families: all of them move together, and all answer. */
import { expect, test } from 'vitest'
import { present } from '../../src/system/assert.ts'
import {
  amphoraeOf,
  isWhole,
  killAmphora,
  ownersOf,
  type Seen,
  startClient,
} from './amphora-faults.ts'
import { createLab, createWebServers, deleteCascade, labMissing, until } from './harness.ts'
import { leftovers, snapshot } from './leftovers.ts'

const missing = labMissing() ?? (Bun.which('keepalived') === null ? 'needs keepalived' : undefined)

const named = (title: string): string => `${title}${missing === undefined ? '' : `: ${missing}`}`

const SETTINGS = `[api_settings]
auth_strategy = "noauth"

[health_manager]
heartbeat_interval = 1

[controller_worker]
loadbalancer_topology = "ACTIVE_STANDBY"

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
`
/** Three lost advertisements, the skew, and a machine that is busy. */
const SWITCH_MS_MAX = 8_000
/** SYNs that are lost come again after a second. */
const HANDOVER_MS_MAX = 1_500

/** Asks all of them at once while it happens, and a while longer. */
async function watched(vips: readonly string[], happens: () => Promise<void>): Promise<Seen[]> {
  const hosts = vips.map((vip) => (vip.includes(':') ? `[${vip}]` : vip))
  const clients = hosts.map((host) => startClient(host))
  const allAnswer = (counts: readonly number[], more: number): boolean =>
    clients.every((client, at) => client.answered() > (counts[at] ?? 0) + more)
  await until('answers', () => allAnswer([], 20))
  await happens()
  const counts = clients.map((client) => client.answered())
  await until('answers again', () => allAnswer(counts, 50))
  return Promise.all(clients.map((client) => client.stop()))
}

test.skipIf(missing !== undefined).each(['vip-net', 'vip-six'])(
  named('the VIPs of a pair, the first of them on %s'),
  async (first) => {
    const before = await snapshot()
    const lab = createLab(SETTINGS)
    const serve = await lab.start()
    const { client } = serve
    const servers = await createWebServers(1)
    const subnets = (await client.call('GET', '../subnets')) as unknown as {
      readonly id: string
      readonly name: string
    }[]
    const idOf = (name: string) =>
      present(
        subnets.find((s) => s.name === name),
        name,
      ).id
    const second = first === 'vip-net' ? 'vip-six' : 'vip-net'
    const members = servers.map(({ address }) => ({ address, protocol_port: 80 }))
    const default_pool = { name: 'pool', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', members }
    const id = await client.create('loadbalancers', {
      loadbalancer: {
        vip_subnet_id: idOf(first),
        additional_vips: [{ subnet_id: idOf(second) }],
        listeners: [{ protocol: 'HTTP', protocol_port: 80, default_pool }],
      },
    })
    const row = await client.call('GET', `loadbalancers/${id}`)
    const [more] = row.additional_vips as [{ readonly ip_address: string }]
    const vips = [String(row.vip_address), more.ip_address]
    const whole = () =>
      until('the pair to be whole', async () => {
        const rows = await amphoraeOf(client, id)
        const one = (vip: string) => isWhole(lab, rows, vip)
        return (await Promise.all(vips.map(one))).every(Boolean)
      })

    await whole()
    const rows = await amphoraeOf(client, id)
    const owner = present((await ownersOf(lab, rows, vips[0] ?? ''))[0], 'the owner of the VIPs')
    // Both VIPs are of the same amphora.
    expect(await ownersOf(lab, rows, vips[1] ?? '')).toEqual([owner])
    const killed = await watched(vips, async () => killAmphora(lab, owner))
    process.stdout.write(`\n${first}: killed ${JSON.stringify(killed)}\n`)
    for (const { gap_ms } of killed) expect(gap_ms).toBeLessThan(SWITCH_MS_MAX)

    await whole()
    const replaced = await watched(vips, async () => {
      await client.call('PUT', `loadbalancers/${id}/failover`)
      await client.active(id)
    })
    process.stdout.write(`\n${first}: replaced ${JSON.stringify(replaced)}\n`)
    for (const { gap_ms } of replaced) expect(gap_ms).toBeLessThan(HANDOVER_MS_MAX)
    await whole()

    await deleteCascade(client, id)
    for (const server of servers) await server.remove()
    expect(await serve.stop()).toBe(0)
    lab.remove()
    expect(await leftovers(before)).toEqual([])
  },
  300_000,
)
