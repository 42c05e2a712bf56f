/** Rows of lvs-serve.lab.test.ts: members and amphorae that die, and the end of listeners. */
import { killAmphora, ownersOf } from '../amphora-faults.ts'
import { deleteCascade, pidsOf, until } from '../harness.ts'
import { leftovers } from '../leftovers.ts'
import type { RowName } from '../lvs-serve.lab.test.ts'
import { equal, print, sorted } from './guest-rows.ts'
import { createPairFlavor, LvsLoadBalancer, PORTS } from './lvs-balancer.ts'
import { amphorae, asked, BOTH, ipvsOf, type Row } from './lvs-world.ts'
import { type Answers, askMeanwhile, untilSctpBy } from './members.ts'

async function untilMore(answers: Answers): Promise<void> {
  const sum = (): number => (answers.m1 ?? 0) + (answers.m2 ?? 0)
  const before = sum()
  await until('more answers', () => sum() > before + 3)
}

export const faults = {
  'a member that dies is in ERROR by every check': async ({ balancer, members }) => {
    await members[1].kill()
    await balancer.untilStatus('m2', 'ERROR')
    await balancer.untilStatus('m1', 'ONLINE')
    equal(await asked(balancer.vip, 4), 'm1 4')
  },
  'a member that comes back is ONLINE by every check': async ({ balancer, members }) => {
    members[1].start()
    await balancer.untilStatus('m2', 'ONLINE')
    equal(await asked(balancer.vip, 4), BOTH)
  },
  'failover: the new amphora serves UDP and SCTP at the same VIP': async (world) => {
    const { balancer } = world
    const [old] = await amphorae(world, balancer)
    const { answers, gap_ms } = await askMeanwhile(balancer.vip, async (counts) => {
      await balancer.failOver()
      await untilMore(counts)
    })
    print(`# failover: ${sorted(answers)}, nobody for ${gap_ms} ms`)
    const rows = await amphorae(world, balancer)
    equal(
      rows.map(({ id, status }) => [id === old?.id, status]),
      [[false, 'ALLOCATED']],
    )
    equal(await asked(balancer.vip, 4), BOTH)
    await untilSctpBy(['m1', 'm2'], balancer.vip)
  },
  'a listener that is deleted leaves the others': async (world) => {
    const { balancer } = world
    await balancer.removeListener('udp')
    equal(await asked(balancer.vip, 2), 'nobody 2')
    equal(await asked(balancer.vip, 4, PORTS.tcp), BOTH)
    const services = (await ipvsOf(world)).matchAll(/^(UDP|SCTP) +\S+:(\d+) /gm)
    const found = [...services].map(([, protocol, port]) => `${protocol} ${port}`).sort()
    equal(found, [`SCTP ${PORTS.sctp}`, `UDP ${PORTS.tcp}`, `UDP ${PORTS.http}`])
  },
  'a pair goes on when the amphora with the VIP dies': async (world) => {
    const { lab, serve, members } = world
    const pair = new LvsLoadBalancer(serve.client)
    const flavor_id = await createPairFlavor(serve.client)
    await pair.create(members.slice(0, 2), { names: ['udp'], flavor_id })
    equal(await asked(pair.vip, 4), BOTH)
    const rows = await amphorae(world, pair)
    const [owner] = await ownersOf(lab, rows, pair.vip)
    if (owner === undefined) throw new Error('neither amphora has the VIP')
    const others = rows.filter(({ id }) => id !== owner.id)
    const { answers, gap_ms } = await askMeanwhile(pair.vip, async (counts) => {
      await untilMore(counts)
      killAmphora(lab, owner)
      const moved = async () => (await ownersOf(lab, others, pair.vip)).length === 1
      await until('the other to have the VIP', moved)
      await untilMore(counts)
    })
    print(`# its ${owner.role} killed: ${sorted(answers)}, nobody for ${gap_ms} ms`)
    equal(await asked(pair.vip, 4), BOTH)
    await deleteCascade(serve.client, pair.id)
  },
  'load balancers that are deleted leave nothing': async (world) => {
    const { lab, serve, balancer, members, before } = world
    await deleteCascade(serve.client, balancer.id)
    equal(await pidsOf('octavia-keepalivedlvs-'), [])
    equal(await serve.client.call('GET', '../octavia/amphorae'), [])
    for (const member of members) await member.remove()
    equal(await serve.stop(), 0)
    lab.remove()
    equal(await leftovers(before), [])
  },
} satisfies Partial<Record<RowName, Row>>
