/**
 * The suites of the seams, run by the drivers of OpenStack against a real one: Keystone, Glance,
 * Neutron and a server of Nova for every instance.
 */
import { describe, test } from 'vitest'
import { systemClock } from '../../src/system/clock.ts'
import { newId } from '../../src/system/ids.ts'
import { computeSuite } from '../driver/compute.suite.ts'
import { networkSuite } from '../driver/network.suite.ts'
import { openRealCloud, openStackMissing } from './openstack.ts'

const LOOK_MS = 500

if (openStackMissing !== undefined)
  test.skip(`drivers of a real OpenStack (skipped: ${openStackMissing})`, () => {})
else
  describe('a real OpenStack', () => {
    computeSuite('openstack', async () => {
      const cloud = await openRealCloud()
      return {
        driver: cloud.openstack().compute(),
        restarted: async () => cloud.openstack().compute(),
        wait: () => systemClock.sleep(LOOK_MS),
        close: () => cloud.cleanUp(),
      }
    })

    networkSuite('openstack', async () => {
      const cloud = await openRealCloud()
      const compute = cloud.openstack().compute()
      const network_id = await cloud.makeNetwork('10.250.1.0/24')
      const member_network_id = await cloud.makeNetwork('10.250.2.0/24')
      const amphora_id = newId()
      const files = { '/etc/octavia/amphora-agent.conf': '# settings\n' }
      const request = { amphora_id, load_balancer_id: newId(), name: '', files }
      const booted = async (): Promise<string> => {
        const { compute_id } = await compute.build(request)
        while ((await compute.find(amphora_id))?.status === 'BUILD')
          await systemClock.sleep(LOOK_MS)
        return compute_id
      }
      const users: string[] = []
      return {
        driver: cloud.openstack().network(),
        network_id,
        member_network_id,
        // A server for all of them: booting is for the other suite.
        amphora: async () => ({ id: newId(), compute_id: await booted() }),
        userPort: async () => {
          const { port } = await cloud.send('network', 'POST', '/ports', { port: { network_id } })
          users.push(port.id)
          return { id: port.id, ip_address: port.fixed_ips[0].ip_address }
        },
        restarted: async () => cloud.openstack().network(),
        close: async () => {
          await compute.delete(amphora_id)
          for (const id of users) await cloud.send('network', 'DELETE', `/ports/${id}`)
          await cloud.cleanUp()
        },
      }
    })
  })
