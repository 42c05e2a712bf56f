/**
 * A listener that haproxy refuses, because of a value that an older version of the API took: it is
 * in ERROR with haproxy's words and goes on as it was, all others are changed, and a correction
 * makes it whole.
 */
import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  bodyOf,
  createBalanced,
  createLab,
  createWebServers,
  deleteCascade,
  labMissing,
  type Serve,
  until,
} from './harness.ts'

const missing = labMissing()
const why = missing === undefined ? '' : `: ${missing}`

const BAD_CIPHERS = 'HIGH:!ALL'
const PORTS = [80, 81, 82]

/** As a row of an older version: the API itself refuses it. */
function writeBadCiphers(folder: string, pool: string): void {
  const db = new Database(join(folder, 'data/octavia-lite.db'), { strict: true })
  db.run('pragma busy_timeout = 5000')
  const { changes } = db
    .query('update pool set tls_enabled = 1, tls_ciphers = $ciphers where id = $pool')
    .run({ ciphers: BAD_CIPHERS, pool })
  db.close()
  expect(changes).toBe(1)
}

async function statusOf({ client }: Serve, path: string): Promise<string> {
  const row = await client.call('GET', path)
  return `${row.provisioning_status} ${row.operating_status}`
}

async function lastError({ client }: Serve, id: string): Promise<string> {
  const path = `../octavia-lite/jobs?load_balancer_id=${id}`
  const jobs = (await client.call('GET', path)) as unknown as readonly { error: string | null }[]
  return jobs[0]?.error ?? ''
}

test.skipIf(missing !== undefined)(
  `what haproxy refuses of one listener is told, and everything else goes on${why}`,
  async () => {
    const lab = createLab()
    const serve = await lab.start()
    const { client } = serve
    const servers = await createWebServers(1)
    const { id, vip, listener, pool: first } = await createBalanced(client, servers)
    const members = servers.map(({ address }) => ({ address, protocol_port: 80 }))
    const pool = { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', loadbalancer_id: id }
    const other = String((await client.call('POST', 'pools', { pool })).id)
    await client.active(id)
    await client.call('PUT', `pools/${other}/members`, { members })
    await client.active(id)
    const add = async (protocol_port: number, default_pool_id: string): Promise<string> => {
      const made = { protocol: 'HTTP', protocol_port, default_pool_id, loadbalancer_id: id }
      const { id: listener_id } = await client.call('POST', 'listeners', { listener: made })
      await client.active(id)
      return String(listener_id)
    }
    const update = async (path: string, body: Record<string, unknown>): Promise<void> => {
      await client.call('PUT', path, body)
      await client.active(id)
    }
    const refused = await add(81, other)
    const served = async (): Promise<readonly number[]> => {
      const bodies = await Promise.all(PORTS.map((port) => bodyOf(`http://${vip}:${port}/`)))
      return PORTS.filter((_, at) => bodies[at] === 'web1')
    }
    await until('both listeners to answer', async () => (await served()).length === 2)
    await expect(
      client.call('PUT', `pools/${other}`, { pool: { tls_ciphers: BAD_CIPHERS } }),
    ).rejects.toThrow('Invalid cipher string: it takes away all that it names')

    writeBadCiphers(lab.folder, other)
    await update(`pools/${other}`, { pool: { name: 'other' } })
    expect(await lastError(serve, id)).toMatch(
      new RegExp(`^listener ${refused} goes on as it was: haproxy says: .*cipher list`),
    )
    expect(await statusOf(serve, `pools/${other}`)).toMatch(/^ERROR/)
    expect(await statusOf(serve, `listeners/${refused}`)).toMatch(/^ERROR/)
    expect(await served()).toEqual([80, 81])

    // Others are changed, made and deleted meanwhile.
    await update(`listeners/${listener}`, { listener: { connection_limit: 1_000 } })
    expect(await statusOf(serve, `listeners/${listener}`)).toMatch(/^ACTIVE/)
    const third = await add(82, first)
    expect(await statusOf(serve, `listeners/${third}`)).toMatch(/^ACTIVE/)
    expect(await served()).toEqual([80, 81, 82])
    await client.call('DELETE', `listeners/${third}`)
    await client.active(id)
    expect(await served()).toEqual([80, 81])
    expect(await statusOf(serve, `listeners/${refused}`)).toMatch(/^ERROR/)

    // A new amphora has nothing that it could go on with.
    await client.call('PUT', `loadbalancers/${id}/failover`)
    await client.active(id)
    expect(await served()).toEqual([80])
    expect(await statusOf(serve, `listeners/${refused}`)).toBe('ERROR ERROR')
    expect(await lastError(serve, id)).toContain(`listener ${refused} is not served: haproxy says`)

    await update(`pools/${other}`, { pool: { tls_enabled: false, tls_ciphers: null } })
    expect(await lastError(serve, id)).toBe('')
    expect(await statusOf(serve, `pools/${other}`)).toMatch(/^ACTIVE/)
    expect(await statusOf(serve, `listeners/${refused}`)).toMatch(/^ACTIVE/)
    expect(await served()).toEqual([80, 81])
    expect(serve.log()).not.toContain('another number of listeners')

    await deleteCascade(client, id)
    for (const server of servers) await server.remove()
    expect(await serve.stop()).toBe(0)
    lab.remove()
  },
  240_000,
)
