/**
 * What runs in the virtual machine: the agent's service for UDP and SCTP listeners with real
 * keepalived, IPVS and packet filter, members and clients. Prints one line per row of
 * lvs.lab.test.ts.
 */

import { ip, pidsOf, until } from '../harness.ts'
import type { RowName } from '../lvs.lab.test.ts'
import { equal, print, runRows, sorted } from './guest-rows.ts'
import {
  askMany,
  askMeanwhile,
  askSctp,
  askUdp,
  createMember,
  type Member,
  untilSctpBy,
} from './members.ts'
import { CHECK_TYPES, type CheckType, PORTS, Story, VIP, VIP6 } from './story.ts'

const SOURCES = Array.from({ length: 8 }, (_, n) => `10.10.10.${60 + n}`)
const UDP = 'UDP-CONNECT'
type World = { readonly story: Story; readonly members: readonly Member[] }
type Row = (world: World) => Promise<void>

const asked = async (count: number, ...more: [port?: number, from?: string]): Promise<string> =>
  sorted(await askMany(count, VIP, ...more))

const balancing = {
  'UDP in turn': async ({ story }) => {
    await story.serve(UDP)
    equal(await asked(8), 'm1 4, m2 4')
  },
  'UDP by weight': async ({ story }) => {
    await story.serve(UDP, { members: { m1: { weight: 3 } } })
    equal(await asked(8), 'm1 6, m2 2')
  },
  'UDP by least connections': async ({ story }) => {
    await story.serve(UDP, { pool: { lb_algorithm: 'LEAST_CONNECTIONS' } })
    // m1 has four flows more, which IPVS remembers for minutes.
    equal(await asked(3), 'm2 3')
  },
  'UDP by source address': async ({ story }) => {
    await story.serve(UDP, { pool: { lb_algorithm: 'SOURCE_IP' } })
    const chosen = new Set<string>()
    for (const source of SOURCES) {
      const counts = await askMany(3, VIP, PORTS[UDP], source)
      equal(Object.values(counts), [3])
      chosen.add(Object.keys(counts)[0] ?? '')
    }
    equal([...chosen].sort(), ['m1', 'm2'])
  },
  'UDP with session persistence': async ({ story }) => {
    const kept = { type: 'SOURCE_IP', persistence_timeout: 60 } as const
    const session_persistence = { ...kept, cookie_name: null, persistence_granularity: null }
    await story.serve(UDP, { pool: { session_persistence } })
    equal(Object.values(await askMany(6, VIP)), [6])
    await story.serve(UDP)
    equal(await asked(4), 'm1 2, m2 2')
  },
  'SCTP on the same port': async ({ story }) => {
    await story.serve('SCTP')
    await untilSctpBy(['m1', 'm2'], VIP)
    equal(await asked(4), 'm1 2, m2 2')
  },
  IPv6: async ({ story, members }) => {
    const address = members[2]?.address6 ?? ''
    await story.serve(UDP, { members: { 'm3-six': { address } } })
    equal(sorted(await askMany(2, VIP6)), 'm3 2')
    equal(await asked(4), 'm1 2, m2 2')
    await story.serve(UDP)
  },
  'a change loses no datagram': async ({ story }) => {
    const { answers } = await askMeanwhile(VIP, async (counts) => {
      await story.serve(UDP, { members: { m3: {} } })
      await until('the third member to answer', () => (counts.m3 ?? 0) > 3)
      await story.serve(UDP, { members: { m3: { weight: 5 } } })
      await story.serve(UDP)
    })
    print(`# answers while a member came and went: ${sorted(answers)}`)
    equal(answers.nobody, undefined)
    equal(await asked(4), 'm1 2, m2 2')
  },
} satisfies Partial<Record<RowName, Row>>

function checkRows(): Partial<Record<RowName, Row>> {
  const [dies, comesBack] = [{}, {}] as [Record<string, Row>, Record<string, Row>]
  for (const type of CHECK_TYPES) {
    const ask = type === 'SCTP' ? askSctp : askUdp
    const check = `${type === 'SCTP' || type === 'HTTP' ? 'an' : 'a'} ${type} check`
    dies[`${check}: a member that dies`] = async ({ story, members }) => {
      // The first row of these ends it for all.
      if (type === CHECK_TYPES[0]) {
        for (const each of CHECK_TYPES) await bothUp(story, each)
        await members[1]?.kill()
      }
      await story.untilStatus(type, 'm2', 'DOWN')
      equal(await story.memberStatus(type, 'm1'), 'UP')
      for (let n = 0; n < 3; n++) equal(await ask(VIP, PORTS[type]), 'm1')
    }
    comesBack[`${check}: a member that comes back`] = async ({ story, members }) => {
      // The first row of these starts it for all.
      if (type === CHECK_TYPES[0]) members[1]?.start()
      await bothUp(story, type)
      await until('m2 to answer again', async () => (await ask(VIP, PORTS[type])) === 'm2')
    }
  }
  return { ...dies, ...comesBack }
}

async function bothUp(story: Story, type: CheckType): Promise<void> {
  for (const name of ['m1', 'm2']) await story.untilStatus(type, name, 'UP')
}

const states = {
  'statistics of UDP and SCTP listeners': async ({ story }) => {
    const { listeners } = await story.report()
    for (const type of [UDP, 'SCTP'] as const) {
      const report = listeners[story.listener(type)]
      equal(report?.status, 'OPEN')
      const { rx = 0, tx = 0, totconns = 0 } = report?.stats ?? {}
      print(`# ${type}: ${rx} bytes in, ${tx} bytes out, ${totconns} connections`)
      equal(rx > 0 && tx > 0 && totconns > 0, true)
    }
  },
  'a disabled member': async ({ story }) => {
    await story.serve(UDP, { members: { m2: { admin_state_up: false } } })
    equal(await asked(4), 'm1 4')
    equal(await story.memberStatus(UDP, 'm2'), 'MAINT')
  },
  'a draining member': async ({ story }) => {
    await story.serve(UDP, { members: { m2: { weight: 0 } } })
    equal(await asked(4), 'm1 4')
    equal(await story.memberStatus(UDP, 'm2'), 'DRAIN')
    await story.serve(UDP)
  },
  allowed_cidrs: async ({ story }) => {
    const allowed_cidrs = ['192.0.2.0/24', `${SOURCES[0]}/32`]
    await story.serve(UDP, { listener: { allowed_cidrs } })
    equal(await asked(2), 'nobody 2')
    equal(await asked(2, PORTS[UDP], SOURCES[0]), 'm1 1, m2 1')
    await story.serve(UDP)
    equal(await asked(4), 'm1 2, m2 2')
  },
  'a disabled pool': async ({ story }) => {
    await story.serve(UDP, { pool: { admin_state_up: false } })
    equal(await asked(2), 'nobody 2')
    equal(await story.memberStatus(UDP, 'm1'), undefined)
    equal(story.service.statusOf(story.listener(UDP)), 'OFFLINE')
  },
  'a disabled listener': async ({ story }) => {
    await story.serve(UDP, { listener: { admin_state_up: false } })
    equal(await asked(2), 'nobody 2')
    equal((await story.report()).listeners[story.listener(UDP)], undefined)
    await story.serve(UDP)
    equal(await asked(4), 'm1 2, m2 2')
  },
  'a keepalived that dies': async ({ story }) => {
    const pids = await pidsOf(`octavia-keepalivedlvs-${story.listener(UDP)}`)
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    await until('it to be gone', () => !story.service.isRunning(story.listener(UDP)))
    await story.service.supervise()
    equal(await asked(4), 'm1 2, m2 2')
  },
  'a listener that is deleted leaves the others': async ({ story }) => {
    equal((await story.service.remove(story.listener(UDP))).ok, true)
    equal(await asked(2), 'nobody 2')
    equal(await asked(2, PORTS.TCP), 'm1 1, m2 1')
    for (const type of CHECK_TYPES) await story.service.remove(story.listener(type))
    equal(await pidsOf('octavia-keepalivedlvs-'), [])
  },
} satisfies Partial<Record<RowName, Row>>

async function prepare(): Promise<World> {
  await Story.prepareNetwork()
  const members = [
    await createMember(1, 200),
    await createMember(2, 204),
    await createMember(3, 200),
  ]
  for (const member of members) member.start()
  for (const source of SOURCES) await ip('addr', 'add', `${source}/32`, 'dev', 'lo')
  for (const { address } of members)
    await until(`${address} to answer`, async () => (await askUdp(address)) !== undefined)
  const story = new Story(members)
  for (const type of ['TCP', 'HTTP'] as const) await story.serve(type)
  return { members, story }
}

await runRows<World>(prepare, { ...balancing, ...checkRows(), ...states })
