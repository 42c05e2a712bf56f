/** Pairs of amphorae with VIPs of both families: all of them move together, and all answer. */
import { expect, test } from 'vitest'
import { present } from '../../src/system/assert.ts'
import {
  amphoraeOf,
  HANDOVER_MS_MAX,
  isWhole,
  killAmphora,
  ownersOf,
  SWITCH_MS_MAX,
  watchVips,
} from './amphora-faults.ts'
import { createLab, createWebServers, deleteCascade, labMissing, titled, until } from './harness.ts'
import { leftovers, snapshot } from './leftovers.ts'

const missing = labMissing('keepalived')
const named = titled(missing)

const SETTINGS = {
  worker: 'loadbalancer_topology = "ACTIVE_STANDBY"',
  subnets: `[[local_cloud.networks.subnets]]
name = "vip-six"
cidr = "fd10:10::/64"
allocation_start = "fd10:10::1000"
allocation_end = "fd10:10::1fff"`,
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
    const killed = await watchVips(`${first}: killed`, vips, async () => killAmphora(lab, owner))
    for (const { gap_ms } of killed) expect(gap_ms).toBeLessThan(SWITCH_MS_MAX)

    await whole()
    const replaced = await watchVips(`${first}: replaced`, vips, async () => {
      await client.call('PUT', `loadbalancers/${id}/failover`)
      await client.active(id)
    })
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
