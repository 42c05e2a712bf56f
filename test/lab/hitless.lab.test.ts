/**
 * Members come, go and change under load, listeners too, and no request fails. HITLESS_CHANGES=1000
 * is the long run.
 */
import { expect, test } from 'vitest'
import { runOk, systemProcesses } from '../../src/system/process.ts'
import {
  createBalanced,
  createLab,
  createWebServers,
  deleteCascade,
  labMissing,
} from './harness.ts'

const missing = labMissing()
const why = missing === undefined ? '' : `: ${missing}`
const CHANGES = Number(process.env.HITLESS_CHANGES ?? 50)
/** After as many changes of members the listener is changed, too, which is a reload. */
const LISTENER_EVERY = 20
const REQUESTS_MIN = CHANGES * 200

test.skipIf(missing !== undefined)(
  `no request fails while members change ${CHANGES} times${why}`,
  async () => {
    const lab = createLab()
    const serve = await lab.start()
    const servers = await createWebServers(4)
    const { client } = serve
    const { id, vip, pool, listener } = await createBalanced(client, servers.slice(0, 2))
    const load = new AbortController()
    // One load keeps its connections, the other opens one for each request.
    const loads = [keepAliveLoad(vip, load.signal), freshLoad(vip, load.signal)]

    const [, , third, fourth] = servers
    const added: string[] = []
    for (let change = 0; change < CHANGES; change++) {
      const path = `pools/${pool}/members`
      const server = change % 2 === 0 ? third : fourth
      if (added.length < 2) {
        const member = { address: server?.address, protocol_port: 80, name: `m${change}` }
        const taken = await memberAt(client, pool, String(server?.address))
        if (taken === undefined) added.push(await client.create(path, { member }, id))
        else await client.call('PUT', `${path}/${taken}`, { member: { weight: 1 + (change % 9) } })
      } else if (change % 3 === 0) {
        await client.call('PUT', `${path}/${added[0]}`, { member: { weight: 1 + (change % 7) } })
      } else {
        await client.call('DELETE', `${path}/${added.shift()}`)
      }
      await client.active(id)
      if (change % LISTENER_EVERY !== LISTENER_EVERY - 1) continue
      const changed = { timeout_client_data: 50_000 + change }
      await client.call('PUT', `listeners/${listener}`, { listener: changed })
      await client.active(id)
    }
    load.abort()
    const [kept, fresh] = await Promise.all(loads)
    process.stdout.write(
      `\nhitless: ${CHANGES} member changes, ` +
        `${Math.floor(CHANGES / LISTENER_EVERY)} listener changes; keep-alive ${kept?.done} requests, ${kept?.failed} failed; ` +
        `new connections ${fresh?.done} requests, ${fresh?.failed} failed\n`,
    )
    expect((kept?.done ?? 0) + (fresh?.done ?? 0)).toBeGreaterThan(REQUESTS_MIN)
    expect({ kept: kept?.failed, fresh: fresh?.failed }).toEqual({ kept: 0, fresh: 0 })

    await deleteCascade(client, id)
    for (const server of servers) await server.remove()
    expect(await serve.stop()).toBe(0)
    lab.remove()
  },
  300_000 + CHANGES * 1_000,
)

async function memberAt(
  client: { call(method: string, path: string): Promise<Record<string, unknown>> },
  pool: string,
  address: string,
): Promise<string | undefined> {
  const members = (await client.call('GET', `pools/${pool}/members`)) as unknown as {
    id: string
    address: string
  }[]
  return members.find((member) => member.address === address)?.id
}

interface Load {
  readonly done: number
  readonly failed: number
}

/**
 * wrk keeps its connections over the whole run and counts every socket error and non-2xx answer.
 */
async function keepAliveLoad(vip: string, signal: AbortSignal): Promise<Load> {
  let done = 0
  let failed = 0
  while (!signal.aborted) {
    const argv = ['wrk', '-t1', '-c8', '-d2s', '--timeout', '5s', `http://${vip}:80/`]
    const { stdout } = await runOk(systemProcesses, argv)
    done += Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0)
    const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(
      stdout,
    )
    for (const count of errors?.slice(1) ?? []) failed += Number(count)
    failed += Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0)
  }
  return { done, failed }
}

/** One connection per request, four at a time. */
async function freshLoad(vip: string, signal: AbortSignal): Promise<Load> {
  let done = 0
  let failed = 0
  const worker = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const response = await fetch(`http://${vip}/`, {
          headers: { connection: 'close' },
          keepalive: false,
          signal: AbortSignal.timeout(5_000),
          proxy: false,
        } as RequestInit)
        await response.arrayBuffer()
        if (!response.ok) failed++
      } catch {
        failed++
      }
      done++
    }
  }
  await Promise.all([worker(), worker(), worker(), worker()])
  return { done, failed }
}
