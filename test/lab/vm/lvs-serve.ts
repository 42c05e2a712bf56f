/**
 * What runs in the virtual machine: serve with its local cloud, a load balancer with UDP and SCTP
 * listeners made by its API, members and clients. Prints one line per row of
 * lvs-serve.lab.test.ts.
 */
import { BINARY, createLab, until } from '../harness.ts'
import type { RowName } from '../lvs-serve.lab.test.ts'
import { equal, print, runRows, sorted } from './guest-rows.ts'
import { LvsLoadBalancer, PORTS, SETTINGS } from './lvs-balancer.ts'
import { askMany, askSctp, createMember, type Member } from './members.ts'

interface World {
  readonly members: readonly Member[]
  readonly balancer: LvsLoadBalancer
}

const asked = async (vip: string, count: number) => sorted(await askMany(count, vip, PORTS.udp))

const rows = {
  'members become ONLINE by the checks of their pools': async ({ balancer }) => {
    for (const name of ['m1', 'm2']) await balancer.untilStatus(name, 'ONLINE')
  },
  'UDP by both members': async ({ balancer: { vip } }) => equal(await asked(vip, 8), 'm1 4, m2 4'),
  'UDP over IPv6': async ({ balancer, members }) => {
    await balancer.addMember('udp', 'six', members[1]?.address6 ?? '')
    await until('its member to answer', async () => (await asked(balancer.vip6, 1)) === 'm2 1')
    equal(await asked(balancer.vip6, 4), 'm2 4')
    equal(await asked(balancer.vip, 4), 'm1 2, m2 2')
  },
  'SCTP by both members': async ({ balancer: { vip } }) => {
    const answers = new Set<unknown>()
    await until('both to answer', async () => {
      answers.add(await askSctp(vip))
      return answers.has('m1') && answers.has('m2')
    })
  },
  'statistics of a listener': async ({ balancer }) => {
    for (const name of ['udp', 'sctp'] as const)
      await until('what was sent to be counted', async () => {
        const {
          bytes_in = 0,
          bytes_out = 0,
          total_connections = 0,
        } = await balancer.statistics(name)
        if (!(bytes_in > 0 && bytes_out > 0 && total_connections > 0)) return false
        print(`# ${name}: ${bytes_in} bytes in, ${bytes_out} out, ${total_connections} connections`)
        return true
      })
  },
} satisfies Readonly<Record<RowName, (world: World) => Promise<void>>>

async function prepare(): Promise<World> {
  const lab = createLab(SETTINGS)
  // Without it the C library, by which heartbeats are received, cannot be called.
  const serve = await lab.start([BINARY, 'serve'], { BUN_JSC_useJIT: '1' })
  print(`# serve answers after ${Math.round(performance.now())} ms`)
  const members = [await createMember(1, 200), await createMember(2, 204)]
  for (const member of members) member.start()
  const balancer = new LvsLoadBalancer(serve.client)
  try {
    await balancer.create(members)
  } catch (error) {
    print(`# serve said: ${serve.log().slice(-3_000)}`)
    throw error
  }
  return { members, balancer }
}

await runRows<World>(prepare, rows)
