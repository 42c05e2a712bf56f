/** How often haproxy is reloaded: once for all that a request changes, if it has to be at all. */
import { expect, test } from 'vitest'
import { askHaproxy, parseMaster } from '../../src/agent/haproxy-socket.ts'
import { present } from '../../src/system/assert.ts'
import { systemClock } from '../../src/system/clock.ts'
import { amphoraeOf, processesOf } from './amphora-faults.ts'
import {
  createLab,
  deleteCascade,
  type Lab,
  labMissing,
  type Serve,
  until,
  vipSubnet,
} from './harness.ts'

const missing = labMissing()
const why = missing === undefined ? '' : `: ${missing}`

const LISTENERS = 10
const members = (backup: readonly boolean[]): readonly object[] =>
  backup.map((each, at) => ({
    ...{ address: `10.10.10.${20 + at}`, protocol_port: 80, backup: each },
  }))

/** Its socket. */
async function masterOf(lab: Lab, { client }: Serve, id: string): Promise<string> {
  const [amphora] = await amphoraeOf(client, id)
  // The first may be a worker that is just ending.
  const [pid] = processesOf(lab, present(amphora, 'the amphora'), 'haproxy')
  return `/proc/${pid}/root/var/lib/octavia/${id}/master.sock`
}

async function reloadsOf(lab: Lab, serve: Serve, id: string): Promise<number> {
  let reloads: number | undefined
  await until('the master to answer', async () => {
    const socket = await masterOf(lab, serve, id)
    const said = await askHaproxy(socket, 'show proc; quit').catch(() => '')
    reloads = parseMaster(said)?.reloads
    return reloads !== undefined
  })
  return present(reloads, 'the count of reloads')
}

/** The most that its master told of while all was deleted by one request. */
async function reloadsUntilGone(lab: Lab, serve: Serve, id: string): Promise<number> {
  const before = await reloadsOf(lab, serve, id)
  const socket = await masterOf(lab, serve, id)
  let [most, deleted] = [before, false]
  const deleting = deleteCascade(serve.client, id).finally(() => {
    deleted = true
  })
  while (!deleted) {
    const said = await askHaproxy(socket, 'show proc; quit').catch(() => '')
    most = Math.max(most, parseMaster(said)?.reloads ?? 0)
    await systemClock.sleep(1)
  }
  await deleting
  return most - before
}

test.skipIf(missing !== undefined)(
  `whatever one request changes is at most one reload${why}`,
  async () => {
    const lab = createLab()
    const serve = await lab.start()
    const { client } = serve
    const listeners = Array.from({ length: LISTENERS }, (_, at) => ({
      ...{ name: `l${at}`, protocol: 'HTTP', protocol_port: 8000 + at },
      default_pool: {
        ...{ name: `p${at}`, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' },
        members: members([false, false, false]),
      },
    }))
    const loadbalancer = { name: 'web', vip_subnet_id: await vipSubnet(client), listeners }
    const id = await client.create('loadbalancers', { loadbalancer })
    const row = await client.call('GET', `loadbalancers/${id}`)
    const pools = (row.pools as { id: string }[]).map((pool) => pool.id)
    const [first = '', second = '', third = ''] = pools
    const [listener] = (row.listeners as { id: string }[]).map((each) => each.id)

    const counted: Record<string, number> = { created: await reloadsOf(lab, serve, id) }
    const count = async (what: string, change: () => Promise<unknown>): Promise<void> => {
      const before = await reloadsOf(lab, serve, id)
      await change()
      await client.active(id)
      counted[what] = (await reloadsOf(lab, serve, id)) - before
    }
    const batch = (pool: string, backup: readonly boolean[]) => () =>
      client.call('PUT', `pools/${pool}/members`, { members: members(backup) })
    await count('the same members', batch(first, [false, false, false]))
    await count('two more members', batch(first, [false, false, false, false, false]))
    await count('all members are backups now', batch(first, [true, true, true, true, true]))
    await count('some members go', batch(first, [true]))
    await count('a name', () => client.call('PUT', `pools/${second}`, { pool: { name: 'other' } }))
    await count('a pool goes', () => client.call('DELETE', `pools/${third}`))
    await count('a listener goes', () => client.call('DELETE', `listeners/${listener}`))
    expect(counted).toEqual({
      ...{ created: 0, 'the same members': 0, 'two more members': 0 },
      ...{ 'all members are backups now': 1, 'some members go': 0, 'a name': 0 },
      ...{ 'a pool goes': 1, 'a listener goes': 1 },
    })
    expect(await reloadsUntilGone(lab, serve, id)).toBe(0)
    expect(await serve.stop()).toBe(0)
    lab.remove()
  },
  120_000,
)
