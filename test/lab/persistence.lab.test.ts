/**
 * Clients stay with their members, under load, when haproxy is reloaded and when the other amphora
 * of a pair takes over.
 */
import { expect, test } from 'vitest'
import { askHaproxy } from '../../src/agent/haproxy-socket.ts'
import { present } from '../../src/system/assert.ts'
import { systemProcesses } from '../../src/system/process.ts'
import { amphoraeOf, killAmphora, ownersOf, processesOf } from './amphora-faults.ts'
import {
  createBalanced,
  createLab,
  createWebServers,
  deleteCascade,
  ip,
  type Lab,
  labMissing,
  type Serve,
  titled,
  until,
} from './harness.ts'

const missing = labMissing('curl', 'wrk', 'keepalived')
const named = titled(missing)

const CLIENTS = Array.from({ length: 12 }, (_, at) => `10.10.10.${61 + at}`)
const RELOADS = 10
interface Made {
  readonly lab: Lab
  readonly serve: Serve
  readonly id: string
  readonly vip: string
  readonly listener: string
}

/** Three members, and a pool that remembers which of them each address has. */
async function withSticky(worker: string, body: (made: Made) => Promise<void>): Promise<void> {
  const lab = createLab({ worker })
  const serve = await lab.start()
  const servers = await createWebServers(3)
  // The bridge is serve's own, and has only the addresses that it gave it.
  for (const client of CLIENTS) await ip('address', 'replace', `${client}/32`, 'dev', 'lo')
  const made = await createBalanced(serve.client, servers)
  const session_persistence = { type: 'SOURCE_IP' }
  await serve.client.call('PUT', `pools/${made.pool}`, { pool: { session_persistence } })
  await serve.client.active(made.id)
  const load = new AbortController()
  const loading = keepBusy(made.vip, load.signal)
  try {
    await body({ lab, serve, ...made })
    await deleteCascade(serve.client, made.id)
  } finally {
    load.abort()
    await loading
    for (const server of servers) await server.remove()
    for (const client of CLIENTS) await ip('address', 'del', `${client}/32`, 'dev', 'lo')
    expect(await serve.stop()).toBe(0)
    lab.remove()
  }
}

/** Load and nothing else: wrk may wait for ever for a VIP that goes, and is killed then. */
async function keepBusy(vip: string, signal: AbortSignal): Promise<void> {
  const argv = ['wrk', '-t1', '-c4', '-d1s', '--timeout', '5s', `http://${vip}/`]
  while (!signal.aborted)
    await systemProcesses.run(argv, { timeoutMs: 10_000 }).catch(() => undefined)
}

/** What the worker of the only amphora answers. */
async function ask({ lab, serve, id }: Made, command: string): Promise<string> {
  const [amphora] = await amphoraeOf(serve.client, id)
  const [pid] = processesOf(lab, present(amphora, 'the amphora'), 'haproxy')
  const socket = `/proc/${pid}/root/var/lib/octavia/${id}/master.sock`
  return askHaproxy(socket, `@1 ${command}; quit`)
}

/** By client; each has a connection of its own. */
async function members(vip: string): Promise<Readonly<Record<string, string>>> {
  const found = await Promise.all(
    CLIENTS.map(async (client) => {
      const argv = ['curl', '-sS', '--noproxy', '*', '--interface', client, '-m', '5']
      const { stdout } = await systemProcesses.run([...argv, `http://${vip}/`])
      return [client, stdout.trim()] as const
    }),
  )
  return Object.fromEntries(found)
}

test.skipIf(missing !== undefined)(
  named('no client changes its member in ten reloads under load'),
  () =>
    withSticky('', async (made) => {
      const { id, vip, listener, serve } = made
      const { client } = serve
      // One that was just started looks for one before it first, and until then hands on nothing.
      const settled = async () => (await ask(made, 'show peers')).includes('resync_timeout=<PAST>')
      await until('haproxy to have settled', settled)
      const before = await members(vip)
      expect(new Set(Object.values(before))).toEqual(new Set(['web1', 'web2', 'web3']))
      for (let reload = 0; reload < RELOADS; reload++) {
        const changed = { timeout_client_data: 50_001 + reload }
        await client.call('PUT', `listeners/${listener}`, { listener: changed })
        await client.active(id)
        // For some milliseconds it knows nobody yet, and whoever comes then may get another.
        const knows = async () => /used:1[2-9]/.test(await ask(made, 'show table'))
        await until('the new process to know the clients', knows)
        expect(await members(vip), `after reload ${reload + 1}`).toEqual(before)
      }
    }),
  120_000,
)

test.skipIf(missing !== undefined)(
  named('no client changes its member when the other amphora of a pair takes over'),
  () =>
    withSticky('loadbalancer_topology = "ACTIVE_STANDBY"', async ({ lab, serve, id, vip }) => {
      const before = await members(vip)
      expect(new Set(Object.values(before))).toEqual(new Set(['web1', 'web2', 'web3']))
      const rows = await amphoraeOf(serve.client, id)
      const owners = await ownersOf(lab, rows, vip)
      killAmphora(lab, present(owners[0], 'the amphora that has the VIP'))
      await until('the other one to answer', async () => {
        const now = await members(vip)
        return Object.values(now).every((name) => name !== '')
      })
      expect(await members(vip)).toEqual(before)
    }),
  180_000,
)
