/** Where the kernel has no IPVS, a UDP listener says so, and everything else goes on. */
import { expect, test } from 'vitest'
import { systemProcesses } from '../../src/system/process.ts'
import {
  answers,
  BINARY,
  bodyOf,
  createBalanced,
  createLab,
  createWebServers,
  deleteCascade,
  hasIpvs,
  labMissing,
  type Serve,
  URL,
  until,
} from './harness.ts'

const missing = labMissing() ?? (hasIpvs() ? 'needs a kernel without IPVS' : undefined)

async function statusOf(serve: Serve, path: string): Promise<unknown> {
  return (await serve.client.call('GET', path)).provisioning_status
}

test.skipIf(missing !== undefined)(
  `a UDP listener without IPVS is in ERROR, and the others go on${missing ? `: ${missing}` : ''}`,
  async () => {
    const place = createLab()
    const serve = await place.start()
    const servers = await createWebServers(1)
    const { id, vip, listener } = await createBalanced(serve.client, servers)
    await until('the VIP to answer', () => answers(`http://${vip}/`))

    const udp = { name: 'dns', protocol: 'UDP', protocol_port: 53, loadbalancer_id: id }
    const { id: refused } = await serve.client.call('POST', 'listeners', { listener: udp })
    await until('the listener to be in ERROR', async () => {
      return (await statusOf(serve, `listeners/${refused}`)) === 'ERROR'
    })
    await serve.client.active(id)
    const argv = [BINARY, 'jobs', 'list', '--load-balancer', id, '--json', '--url', URL]
    const { stdout } = await systemProcesses.run(argv)
    expect(stdout).toContain('has no IPVS, which UDP and SCTP listeners need')
    expect(await bodyOf(`http://${vip}/`)).toBe('web1')

    await serve.client.call('PUT', `listeners/${listener}`, { listener: { name: 'again' } })
    await serve.client.active(id)
    expect(await statusOf(serve, `listeners/${listener}`)).toBe('ACTIVE')
    expect(await statusOf(serve, `listeners/${refused}`)).toBe('ERROR')
    // Its heartbeats count although a listener is missing in them.
    await until('the HTTP listener to be ONLINE', async () => {
      const { operating_status } = await serve.client.call('GET', `listeners/${listener}`)
      return operating_status === 'ONLINE'
    })
    expect(serve.log()).not.toContain('another number of listeners')

    await serve.client.call('DELETE', `listeners/${refused}`)
    await serve.client.active(id)
    expect(await serve.client.exists(`listeners/${refused}`)).toBe(false)
    await deleteCascade(serve.client, id)
    for (const server of servers) await server.remove()
    await serve.stop()
    place.remove()
  },
  240_000,
)
