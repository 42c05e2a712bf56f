/** [haproxy_amphora] build_rate_limit: load balancers made at once boot one after the other. */
import { expect, test } from 'vitest'
import { amphoraeOf } from './amphora-faults.ts'
import { createLab, deleteCascade, labMissing, until, vipSubnet } from './harness.ts'

const missing = labMissing()
const why = missing === undefined ? '' : `: ${missing}`
const COUNT = 4

test.skipIf(missing !== undefined)(
  `amphorae boot one at a time, and all in the end${why}`,
  async () => {
    const lab = createLab({ sections: '[haproxy_amphora]\nbuild_rate_limit = 1' })
    const serve = await lab.start()
    const { client } = serve
    const vip_subnet_id = await vipSubnet(client)
    const ids: string[] = []
    for (let n = 0; n < COUNT; n++) {
      const loadbalancer = { name: `lb${n}`, vip_subnet_id }
      ids.push(String((await client.call('POST', 'loadbalancers', { loadbalancer })).id))
    }
    let most = 0
    await until('all of them to be ACTIVE', async () => {
      const rows = (await Promise.all(ids.map((id) => amphoraeOf(client, id)))).flat()
      // Who has an address has booted.
      const booting = rows.filter(({ status, lb_network_ip }) => {
        return status === 'BOOTING' && lb_network_ip === null
      })
      most = Math.max(most, booting.length)
      return rows.length === COUNT && rows.every(({ status }) => status === 'ALLOCATED')
    })
    expect(most).toBeLessThanOrEqual(1)
    for (const id of ids) await client.active(id)
    for (const id of ids) await deleteCascade(client, id)
    expect(await serve.stop()).toBe(0)
    lab.remove()
  },
  240_000,
)
