/**
 * What runs in the virtual machine: serve with its local cloud, a load balancer with UDP and SCTP
 * listeners made by its API, members and clients. Prints one line per row of
 * lvs-serve.lab.test.ts.
 */
import { BINARY, createLab, type Lab, pidsOf, type Serve, until } from '../harness.ts'
import { leftovers, type Snapshot, snapshot } from '../leftovers.ts'
import type { RowName } from '../lvs-serve.lab.test.ts'
import { equal, print, runRows, sorted } from './guest-rows.ts'
import { LvsLoadBalancer, PORTS, prepareClients, SETTINGS, SOURCES } from './lvs-balancer.ts'
import { askMany, askSctp, createMember, type Member } from './members.ts'

interface World {
  readonly lab: Lab
  readonly serve: Serve
  readonly members: readonly Member[]
  readonly balancer: LvsLoadBalancer
  readonly before: Snapshot
}

const asked = async (vip: string, count: number, port: number = PORTS.udp, from?: string) =>
  sorted(await askMany(count, vip, port, from))

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
  'session persistence of a source address and its neighbours': async ({ balancer }) => {
    const how = { type: 'SOURCE_IP', persistence_timeout: 60 }
    const session_persistence = { ...how, persistence_granularity: '255.255.255.0' }
    await balancer.change('pools', 'udp', { session_persistence })
    const chosen = new Set<string>()
    for (const [one = '', other = ''] of SOURCES) {
      const counts = [
        await askMany(3, balancer.vip, PORTS.udp, one),
        await askMany(3, balancer.vip, PORTS.udp, other),
      ]
      const names = counts.flatMap((each) => Object.keys(each))
      equal(new Set(names).size, 1)
      chosen.add(names[0] ?? '')
    }
    equal([...chosen].sort(), ['m1', 'm2'])
    await balancer.change('pools', 'udp', { session_persistence: null })
    equal(await asked(balancer.vip, 4), 'm1 2, m2 2')
  },
  'a member that is added, weighted and removed loses no datagram': async (world) => {
    const { balancer, members } = world
    let running = true
    const counts: Record<string, number> = {}
    const asking = (async () => {
      while (running)
        for (const [name, count] of Object.entries(await askMany(1, balancer.vip)))
          counts[name] = (counts[name] ?? 0) + count
    })()
    await balancer.addMember('udp', 'm3', members[2]?.address ?? '')
    await until('the third member to answer', () => (counts.m3 ?? 0) > 3)
    await balancer.changeMember('udp', 'm3', { weight: 5 })
    await balancer.removeMember('udp', 'm3')
    running = false
    await asking
    print(`# answers while a member came and went: ${sorted(counts)}`)
    equal(counts.nobody, undefined)
    equal(await asked(balancer.vip, 4), 'm1 2, m2 2')
  },
  'a disabled member': async ({ balancer }) => {
    await balancer.changeMember('udp', 'm2', { admin_state_up: false })
    equal(await asked(balancer.vip, 4), 'm1 4')
    await balancer.untilStatus('m2', 'OFFLINE', ['udp'])
    await balancer.changeMember('udp', 'm2', { admin_state_up: true })
    await until('it to answer', async () => (await asked(balancer.vip, 4)) === 'm1 2, m2 2')
  },
  allowed_cidrs: async ({ balancer }) => {
    const [one = ''] = SOURCES[0] ?? []
    await balancer.change('listeners', 'udp', { allowed_cidrs: [`${one}/32`] })
    equal(await asked(balancer.vip, 2), 'nobody 2')
    equal(await asked(balancer.vip, 2, PORTS.udp, one), 'm1 1, m2 1')
    await balancer.change('listeners', 'udp', { allowed_cidrs: null })
    equal(await asked(balancer.vip, 4), 'm1 2, m2 2')
  },
  'a member that dies is in ERROR by every check': async ({ balancer, members }) => {
    await members[1]?.kill()
    await balancer.untilStatus('m2', 'ERROR')
    await balancer.untilStatus('m1', 'ONLINE')
    equal(await asked(balancer.vip, 4), 'm1 4')
  },
  'a member that comes back is ONLINE by every check': async ({ balancer, members }) => {
    members[1]?.start()
    await balancer.untilStatus('m2', 'ONLINE')
    equal(await asked(balancer.vip, 4), 'm1 2, m2 2')
  },
  'a listener that is deleted leaves the others': async ({ balancer }) => {
    await balancer.removeListener('udp')
    equal(await asked(balancer.vip, 2), 'nobody 2')
    equal(await asked(balancer.vip, 4, PORTS.tcp), 'm1 2, m2 2')
  },
  'a load balancer that is deleted leaves nothing': async (world) => {
    const { balancer, serve, before } = world
    await balancer.remove()
    equal(await pidsOf('octavia-keepalivedlvs-'), [])
    equal(await serve.stop(), 0)
    equal(await leftovers(before), [])
  },
} satisfies Readonly<Record<RowName, (world: World) => Promise<void>>>

async function prepare(): Promise<World> {
  const before = await snapshot()
  const lab = createLab(SETTINGS)
  // Without it the C library, by which heartbeats are received, cannot be called.
  const serve = await lab.start([BINARY, 'serve'], { BUN_JSC_useJIT: '1' })
  print(`# serve answers after ${Math.round(performance.now())} ms`)
  await prepareClients()
  const members = [
    await createMember(1, 200),
    await createMember(2, 204),
    await createMember(3, 200),
  ]
  for (const member of members) member.start()
  const balancer = new LvsLoadBalancer(serve.client)
  try {
    await balancer.create(members.slice(0, 2))
  } catch (error) {
    print(`# serve said: ${serve.log().slice(-3_000)}`)
    throw error
  }
  return { lab, serve, members, balancer, before }
}

await runRows<World>(prepare, rows)
