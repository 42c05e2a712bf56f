/**
 * What runs in the virtual machine: the whole controller with the local cloud, real keepalived and
 * IPVS, members and clients. Prints one line per row of lvs.lab.test.ts.
 */

import { createLab, deleteCascade, ip, pidsOf, type Serve, until } from '../harness.ts'
import type { RowName } from '../lvs.lab.test.ts'
import { askMany, askSctp, askTcp, askUdp, createMember, type Member } from './members.ts'
import { CHECK_TYPES, PORTS, SETTINGS, Story } from './story.ts'

const SOURCES = Array.from({ length: 8 }, (_, n) => `10.10.10.${60 + n}`)
type World = { readonly story: Story; readonly members: readonly Member[]; readonly serve: Serve }
type Rows = Readonly<Record<RowName, (world: World) => Promise<void>>>

function equal(found: unknown, wanted: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)]
  if (a !== b) throw new Error(`found ${a} where ${b} was wanted`)
}

const sorted = (counts: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(counts).sort()

async function answersBoth(vip: string): Promise<void> {
  await until('both members to answer', async () => {
    const counts = await askMany(4, vip)
    return counts.m1 === 2 && counts.m2 === 2
  })
}

const balancing: Pick<Rows, Extract<RowName, `UDP${string}`>> = {
  'UDP in turn': async ({ story }) => {
    await answersBoth(story.vip)
    equal(sorted(await askMany(8, story.vip)), [
      ['m1', 4],
      ['m2', 4],
    ])
  },
  'UDP by weight': async ({ story }) => {
    await story.change(story.member('UDP-CONNECT', 'm1'), { weight: 3 })
    equal(sorted(await askMany(8, story.vip)), [
      ['m1', 6],
      ['m2', 2],
    ])
    await story.change(story.member('UDP-CONNECT', 'm1'), { weight: 1 })
  },
  'UDP by least connections': async ({ story }) => {
    await story.change(story.pool('UDP-CONNECT'), { lb_algorithm: 'LEAST_CONNECTIONS' })
    // m1 has at least three flows more, which IPVS remembers for minutes.
    equal(await askMany(3, story.vip), { m2: 3 })
  },
  'UDP by source address': async ({ story }) => {
    await story.change(story.pool('UDP-CONNECT'), { lb_algorithm: 'SOURCE_IP' })
    const chosen = new Set<string>()
    for (const source of SOURCES) {
      const counts = await askMany(3, story.vip, PORTS['UDP-CONNECT'], source)
      equal(Object.values(counts), [3])
      chosen.add(Object.keys(counts)[0] ?? '')
    }
    equal([...chosen].sort(), ['m1', 'm2'])
  },
  'UDP with session persistence': async ({ story }) => {
    const session_persistence = { type: 'SOURCE_IP', persistence_timeout: 60 }
    const pool = story.pool('UDP-CONNECT')
    await story.change(pool, { lb_algorithm: 'ROUND_ROBIN', session_persistence })
    equal(Object.values(await askMany(6, story.vip)), [6])
    await story.change(pool, { session_persistence: null })
    await answersBoth(story.vip)
  },
  'UDP, SCTP and TCP on one port': async ({ story }) => {
    for (const ask of [askUdp, askSctp, askTcp]) {
      const answers = new Set<unknown>()
      await until(`both members to answer ${ask.name}`, async () => {
        answers.add(await ask(story.vip))
        return answers.has('m1') && answers.has('m2')
      })
    }
  },
}

type Row = (world: World) => Promise<void>

function checkRows(): Pick<Rows, Extract<RowName, `${string} check: ${string}`>> {
  const well: Record<string, Row> = {}
  const dies: Record<string, Row> = {}
  const comesBack: Record<string, Row> = {}
  for (const type of CHECK_TYPES) {
    const [ask, port] = [type === 'SCTP' ? askSctp : askUdp, PORTS[type]]
    const check = `${type === 'SCTP' || type === 'HTTP' ? 'an' : 'a'} ${type} check`
    const both: Row = async ({ story }) => {
      for (const name of ['m1', 'm2']) await story.untilStatus(story.member(type, name), 'ONLINE')
      await story.untilStatus(story.pool(type), 'ONLINE')
      await story.untilStatus(story.listener(type), 'ONLINE')
    }
    well[`${check}: all members are well`] = both
    dies[`${check}: a member that dies`] = async ({ story, members }) => {
      await members[1]?.kill()
      await story.untilStatus(story.member(type, 'm2'), 'ERROR')
      await story.untilStatus(story.pool(type), 'DEGRADED')
      for (let n = 0; n < 3; n++) equal(await ask(story.vip, port), 'm1')
    }
    comesBack[`${check}: a member that comes back`] = async (world) => {
      // The first row of these starts it for all.
      if (type === CHECK_TYPES[0]) world.members[1]?.start()
      await both(world)
      await until('m2 to answer again', async () => (await ask(world.story.vip, port)) === 'm2')
    }
  }
  return { ...well, ...dies, ...comesBack } as ReturnType<typeof checkRows>
}

const states: Omit<Rows, keyof typeof balancing | keyof ReturnType<typeof checkRows>> = {
  'a change loses no datagram': async ({ story, members }) => {
    const third = members[2]
    let running = true
    const counts: Record<string, number> = {}
    const asking = (async () => {
      while (running) {
        const answer = (await askUdp(story.vip)) ?? 'nobody'
        counts[answer] = (counts[answer] ?? 0) + 1
      }
    })()
    const path = `${story.pool('UDP-CONNECT')}/members`
    const member = { name: 'm3', address: third?.address, protocol_port: 53 }
    const { id } = await story.client.call('POST', path, { member })
    await story.settled()
    await until('the third member to answer', () => (counts.m3 ?? 0) > 3)
    await story.change(`${path}/${id}`, { weight: 5 })
    await story.client.call('DELETE', `${path}/${id}`)
    await story.settled()
    running = false
    await asking
    print(`# answers while a member came and went: ${JSON.stringify(counts)}`)
    equal(counts.nobody, undefined)
    equal(sorted(await askMany(4, story.vip)), [
      ['m1', 2],
      ['m2', 2],
    ])
  },
  'statistics of UDP and SCTP listeners': async ({ story }) => {
    for (const type of ['UDP-CONNECT', 'SCTP'] as const)
      await until(`statistics of ${type}`, async () => {
        const found = await story.client.call('GET', `${story.listener(type)}/stats`)
        const counts = [found.total_connections, found.bytes_in, found.bytes_out]
        return counts.every((count) => Number(count) > 0)
      })
  },
  'a disabled member': async ({ story }) => {
    const member = story.member('UDP-CONNECT', 'm2')
    await story.change(member, { admin_state_up: false })
    equal(await askMany(4, story.vip), { m1: 4 })
    await story.untilStatus(member, 'OFFLINE')
    await story.change(member, { admin_state_up: true })
    await answersBoth(story.vip)
  },
  'a draining member': async ({ story }) => {
    const member = story.member('UDP-CONNECT', 'm2')
    await story.change(member, { weight: 0 })
    equal(await askMany(4, story.vip), { m1: 4 })
    await story.untilStatus(member, 'DRAINING')
    await story.change(member, { weight: 1 })
    await answersBoth(story.vip)
  },
  allowed_cidrs: async ({ story }) => {
    const listener = story.listener('UDP-CONNECT')
    await story.change(listener, { allowed_cidrs: ['192.0.2.0/24', '10.10.10.60/32'] })
    equal(await askMany(2, story.vip), { nobody: 2 })
    equal(Object.keys(await askMany(2, story.vip, PORTS['UDP-CONNECT'], SOURCES[0])).length, 2)
    await story.change(listener, { allowed_cidrs: null })
    await answersBoth(story.vip)
  },
  IPv6: async ({ story, members }) => {
    const address = members[2]?.address6
    const member = { name: 'six', address, protocol_port: PORTS['UDP-CONNECT'] }
    await story.client.call('POST', `${story.pool('UDP-CONNECT')}/members`, { member })
    await story.settled()
    await until('the IPv6 VIP to answer', async () => (await askUdp(story.vip6)) === 'm3')
    await answersBoth(story.vip)
  },
  'a disabled pool': async ({ story }) => {
    const pool = story.pool('UDP-CONNECT')
    await story.change(pool, { admin_state_up: false })
    equal(await askMany(2, story.vip), { nobody: 2 })
    await story.untilStatus(pool, 'OFFLINE')
    await story.change(pool, { admin_state_up: true })
    await answersBoth(story.vip)
  },
  'a disabled listener': async ({ story }) => {
    const listener = story.listener('UDP-CONNECT')
    await story.change(listener, { admin_state_up: false })
    equal(await askMany(2, story.vip), { nobody: 2 })
    await story.untilStatus(listener, 'OFFLINE')
    await story.change(listener, { admin_state_up: true })
    await answersBoth(story.vip)
  },
  'a keepalived that dies': async ({ story }) => {
    const [pid = 0] = await pidsOf(`keepalivedlvs-${story.listener('UDP-CONNECT').split('/')[1]}`)
    process.kill(pid, 'SIGKILL')
    await until(
      'the old one to be gone',
      async () => !(await pidsOf('keepalivedlvs-')).includes(pid),
    )
    await answersBoth(story.vip)
  },
  'a listener that is deleted leaves the others': async ({ story }) => {
    await story.client.call('DELETE', story.listener('UDP-CONNECT'))
    await story.settled()
    equal(await askMany(2, story.vip), { nobody: 2 })
    for (const answer of [await askSctp(story.vip), await askUdp(story.vip, PORTS.TCP)])
      equal(answer === undefined, false)
  },
  'a load balancer that is deleted leaves nothing': async ({ story }) => {
    await deleteCascade(story.client, story.id)
    equal(await pidsOf('keepalivedlvs-'), [])
  },
}

async function prepare(): Promise<World> {
  const serve = await createLab(SETTINGS).start()
  const members = [
    await createMember(1, 200),
    await createMember(2, 204),
    await createMember(3, 200),
  ]
  for (const member of members) member.start()
  // Not on the bridge, which is the cloud's.
  for (const source of SOURCES) await ip('addr', 'add', `${source}/32`, 'dev', 'lo')
  return { serve, members, story: await Story.create(serve.client, members.slice(0, 2)) }
}

async function main(): Promise<void> {
  const { 'a change loses no datagram': lossless, ...rest } = states
  const checks = checkRows()
  const rows: Rows = { ...balancing, 'a change loses no datagram': lossless, ...checks, ...rest }
  const began = performance.now()
  const world = await prepare()
  print(`# ready after ${Math.round(performance.now() - began)} ms`)
  for (const name of Object.keys(rows) as RowName[]) {
    const from = performance.now()
    try {
      await rows[name](world)
      print(`ROW ok ${name} # ${Math.round(performance.now() - from)} ms`)
    } catch (error) {
      print(`ROW failed ${name}: ${(error as Error).message.replaceAll('\n', ' / ')}`)
    }
  }
  print('END')
}

/** The console is all that leaves the machine. */
function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    print(`# the story of the machine ended: ${String(error)}`)
    process.exit(1)
  },
)
