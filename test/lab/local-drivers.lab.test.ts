/** The suites of the seams, run by the local cloud with real links and real namespaces. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'vitest'
import { systemClock } from '../../src/system/clock.ts'
import { computeSuite } from '../driver/compute.suite.ts'
import { networkSuite } from '../driver/network.suite.ts'
import { labMissing, newInstanceRequest, openLabCloud } from './local-cloud.ts'

const missing = labMissing()
if (missing !== undefined) test.skip(`local drivers (skipped: ${missing})`, () => {})
else {
  networkSuite('local', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-local-'))
    let cloud = openLabCloud(folder)
    await cloud.start()
    const [vip, member] = cloud.listNetworks()
    return {
      driver: cloud.network,
      network_id: vip?.id ?? '',
      member_network_id: member?.id ?? '',
      amphora: async () => {
        const request = newInstanceRequest()
        const { compute_id } = await cloud.compute.build(request)
        return { id: request.amphora_id, compute_id }
      },
      userPort: async () => {
        const { port } = await cloud.createPort({ name: 'mine', network_id: vip?.id ?? '' })
        return { id: port.id, ip_address: port.fixed_ips[0]?.ip_address ?? '' }
      },
      restarted: async () => {
        await cloud.stop()
        cloud = openLabCloud(folder)
        await cloud.start()
        return cloud.network
      },
      close: async () => {
        await cloud.teardown()
        rmSync(folder, { recursive: true })
      },
    }
  })

  computeSuite('local', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-local-'))
    let cloud = openLabCloud(folder)
    await cloud.start()
    return {
      driver: cloud.compute,
      restarted: async () => {
        await cloud.stop()
        cloud = openLabCloud(folder)
        await cloud.start()
        return cloud.compute
      },
      wait: () => systemClock.sleep(10),
      close: async () => {
        await cloud.teardown()
        rmSync(folder, { recursive: true })
      },
    }
  })
}
