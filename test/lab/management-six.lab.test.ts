/** A management network of IPv6 alone: the agent is reached, and its heartbeats are heard. */
import { expect, test } from 'vitest'
import { amphoraeOf } from './amphora-faults.ts'
import {
  bodyOf,
  createBalanced,
  createLab,
  createWebServers,
  deleteCascade,
  labMissing,
  titled,
  until,
} from './harness.ts'
import { leftovers, snapshot } from './leftovers.ts'

const missing = labMissing()
const named = titled(missing)

const SIX = `[local_cloud]
management_cidr = "fd00:172::/64"
management_host_ip = "fd00:172::2"`

test.skipIf(missing !== undefined)(
  named('heartbeats over IPv6 tell that a member died and came back'),
  async () => {
    const before = await snapshot()
    const lab = createLab({ sections: SIX })
    const serve = await lab.start()
    const { client } = serve
    const servers = await createWebServers(2)
    const { id, vip, pool } = await createBalanced(client, servers)
    const [amphora] = await amphoraeOf(client, id)
    expect(amphora).toMatchObject({ lb_network_ip: expect.stringMatching(/^fd00:172::/) })

    const memberIs = (status: string): Promise<void> =>
      until(`web2 to be ${status}`, async () => {
        const rows = await client.call('GET', `pools/${pool}/members?name=web2`)
        const [member] = rows as unknown as { operating_status: string }[]
        return member?.operating_status === status
      })
    await memberIs('ONLINE')
    await servers[1]?.kill()
    await memberIs('ERROR')
    expect(await bodyOf(`http://${vip}/`)).toBe('web1')
    servers[1]?.start()
    await memberIs('ONLINE')

    await deleteCascade(client, id)
    for (const server of servers) await server.remove()
    expect(await serve.stop()).toBe(0)
    lab.remove()
    expect(await leftovers(before)).toEqual([])
  },
  120_000,
)
