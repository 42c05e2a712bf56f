/** Rows of lvs-serve.lab.test.ts: what a user changes by the API, and what traffic does then. */
import { until } from '../harness.ts'
import type { RowName } from '../lvs-serve.lab.test.ts'
import { equal, print, sorted } from './guest-rows.ts'
import { PORTS } from './lvs-balancer.ts'
import { asked, BOTH, ipvsOf, type Row, SOURCES } from './lvs-world.ts'
import { askMany, askMeanwhile, openFlow } from './members.ts'

export const changes = {
  'session persistence of a source address and its neighbours': async (world) => {
    const { balancer } = world
    const how = { type: 'SOURCE_IP', persistence_timeout: 77 }
    const session_persistence = { ...how, persistence_granularity: '255.255.255.0' }
    await balancer.change('pools', 'udp', { session_persistence })
    const [, kept] = /^UDP .+ persistent (.+)$/m.exec(await ipvsOf(world)) ?? []
    equal(kept?.trim(), '77 mask 255.255.255.0')
    const chosen = new Set<string>()
    for (const network of SOURCES) {
      const names = new Set<string>()
      for (const source of network)
        for (const name of Object.keys(await askMany(3, balancer.vip, PORTS.udp, source)))
          names.add(name)
      equal(names.size, 1)
      for (const name of names) chosen.add(name)
    }
    equal([...chosen].sort(), ['m1', 'm2'])
    await balancer.change('pools', 'udp', { session_persistence: null })
    equal(await asked(balancer.vip, 4), BOTH)
  },
  'a member that is added, weighted and removed loses no datagram': async (world) => {
    const { balancer, members } = world
    const { answers } = await askMeanwhile(balancer.vip, async (counts) => {
      await balancer.addMember('udp', 'm3', members[2].address)
      await until('the third member to answer', () => (counts.m3 ?? 0) > 3)
      await balancer.changeMember('udp', 'm3', { weight: 5 })
      await balancer.removeMember('udp', 'm3')
    })
    print(`# answers while a member came and went: ${sorted(answers)}`)
    equal(answers.nobody, undefined)
    equal(await asked(balancer.vip, 4), BOTH)
  },
  'members by weight, and one that drains': async ({ balancer }) => {
    await balancer.changeMember('udp', 'm2', { weight: 3 })
    equal(await asked(balancer.vip, 8), 'm1 2, m2 6')
    await balancer.changeMember('udp', 'm2', { weight: 0 })
    equal(await asked(balancer.vip, 4), 'm1 4')
    await balancer.untilStatus('m2', 'DRAINING', ['udp'])
    await balancer.changeMember('udp', 'm2', { weight: 1 })
    equal(await asked(balancer.vip, 4), BOTH)
  },
  'a disabled member': async ({ balancer }) => {
    await balancer.changeMember('udp', 'm2', { admin_state_up: false })
    equal(await asked(balancer.vip, 4), 'm1 4')
    await balancer.untilStatus('m2', 'OFFLINE', ['udp'])
    await balancer.changeMember('udp', 'm2', { admin_state_up: true })
    equal(await asked(balancer.vip, 4), BOTH)
    await balancer.untilStatus('m2', 'ONLINE', ['udp'])
  },
  'a disabled pool': async ({ balancer }) => {
    await balancer.change('pools', 'udp', { admin_state_up: false })
    equal(await asked(balancer.vip, 2), 'nobody 2')
    await balancer.untilPoolStatus('udp', 'OFFLINE')
    await balancer.change('pools', 'udp', { admin_state_up: true })
    equal(await asked(balancer.vip, 4), BOTH)
    await balancer.untilPoolStatus('udp', 'ONLINE')
  },
  allowed_cidrs: async ({ balancer }) => {
    const [[one]] = SOURCES
    await balancer.change('listeners', 'udp', { allowed_cidrs: [`${one}/32`] })
    equal(await asked(balancer.vip, 2), 'nobody 2')
    equal(await asked(balancer.vip, 2, PORTS.udp, one), 'm1 1, m2 1')
    await balancer.change('listeners', 'udp', { allowed_cidrs: null })
    equal(await asked(balancer.vip, 4), BOTH)
  },
  'connection_limit: flows beyond it are refused, those before go on': async ({ balancer }) => {
    // Nobody has asked here yet: IPVS remembers flows for minutes. The limit is that of a member.
    await balancer.change('listeners', 'http', { connection_limit: 2 })
    const flows = Array.from({ length: 5 }, () => openFlow(balancer.vip, PORTS.http))
    const ask = async () => {
      const answers: (string | undefined)[] = []
      for (const flow of flows) answers.push(await flow.ask())
      return answers
    }
    const first = await ask()
    equal(first.toSorted(), ['m1', 'm1', 'm2', 'm2', undefined])
    equal(await ask(), first)
    await balancer.change('listeners', 'http', { connection_limit: -1 })
    equal(
      (await ask()).filter((name) => name === undefined),
      [],
    )
    for (const flow of flows) flow.close()
  },
} satisfies Partial<Record<RowName, Row>>
