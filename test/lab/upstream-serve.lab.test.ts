/**
 * The compiled `serve` with amphorae in which upstream's agent runs: made, changed, failed over by
 * request and because it fell silent, deleted. Runs where a Python has the package octavia
 * (OCTAVIA_LITE_UPSTREAM_PYTHON, else Debian's).
 */
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { present } from '../../src/system/assert.ts'
import { amphoraeOf, freeze, processesOf } from './amphora-faults.ts'
import {
  BINARY,
  bodyOf,
  createBalanced,
  createLab,
  createWebServers,
  deleteCascade,
  type Lab,
  labMissing,
  type Serve,
  until,
} from './harness.ts'
import { pythonMissing } from './python.ts'
import { createUpstreamAgent, UPSTREAM_AGENT_MODULES } from './upstream-amphora.ts'

const PYTHON = process.env.OCTAVIA_LITE_UPSTREAM_PYTHON ?? '/usr/bin/python3'
const missing = labMissing() ?? pythonMissing(UPSTREAM_AGENT_MODULES, PYTHON)
const why = missing === undefined ? '' : ` (${missing})`
const FAILOVER_MS = 120_000

const SETTINGS = {
  health: 'heartbeat_timeout = 12\nhealth_check_interval = 1',
  // Few, because nobody may raise the limit of files here as upstream's units do.
  sections: '[haproxy_amphora]\ndefault_connection_limit = 1000',
}

/**
 * `serve` runs what its file was; amphorae run what that file is by then, which is upstream's agent.
 */
async function startWithUpstream(lab: Lab): Promise<{ serve: Serve; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-upstream-'))
  createUpstreamAgent(PYTHON, 'SINGLE').prepare(folder)
  const executable = join(folder, 'octavia-lite')
  copyFileSync(BINARY, executable)
  const serve = await lab.start([executable, 'serve'])
  writeFileSync(join(folder, 'comm'), 'systemd\n')
  // The agent asks what PID 1 is called.
  const script = `#!/bin/sh
grep -q systemd /proc/1/comm || mount --bind ${folder}/comm /proc/1/comm
exec ${folder}/bin/start ${folder}
`
  writeFileSync(join(folder, 'agent'), script)
  chmodSync(join(folder, 'agent'), 0o755)
  renameSync(join(folder, 'agent'), executable)
  return { serve, folder }
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
}

test.skipIf(missing !== undefined)(
  `amphorae with upstream's agent serve and are failed over${why}`,
  async () => {
    const lab = createLab(SETTINGS)
    const { serve, folder } = await startWithUpstream(lab)
    const { client } = serve
    const servers = await createWebServers(2)
    const second = present(servers[1], 'web2')
    const { id, vip, pool, listener } = await createBalanced(client, servers.slice(0, 1))
    const said = () => bodyOf(`http://${vip}/`)
    await until('the VIP to answer', async () => (await said()) === 'web1')
    const [made] = await amphoraeOf(client, id)
    // Which agent it is, and that there is no other.
    const commands = processesOf(lab, present(made, 'the amphora')).map(commandOf)
    expect(commands.filter((each) => each.includes('/amphora-agent'))).not.toEqual([])
    expect(commands.filter((each) => /^\S*octavia-lite agent/.test(each))).toEqual([])

    const member = { address: second.address, protocol_port: 80 }
    await client.call('POST', `pools/${pool}/members`, { member })
    await client.active(id)
    await until('the new member to answer', async () => (await said()) === 'web2')
    await until('statuses by its heartbeats', async () => {
      const row = await client.call('GET', `listeners/${listener}`)
      return row.operating_status === 'ONLINE'
    })
    await until('statistics by them', async () => {
      const stats = await client.call('GET', `listeners/${listener}/stats`)
      return Number(stats.total_connections) > 0
    })

    await client.call('PUT', `loadbalancers/${id}/failover`)
    await client.active(id)
    const [next] = await amphoraeOf(client, id)
    expect(next?.id).not.toBe(made?.id)
    await until('the VIP to answer from the next amphora', async () => (await said()) !== undefined)

    const thaw = await freeze(lab, present(next, 'the second amphora'))
    await until(
      'a silent one to be replaced',
      async () => {
        const [now] = await amphoraeOf(client, id)
        return now !== undefined && now.id !== next?.id && (await said()) !== undefined
      },
      FAILOVER_MS,
    )
    await thaw().catch(() => undefined)
    await client.active(id)

    await deleteCascade(client, id)
    expect(await said()).toBeUndefined()
    for (const server of servers) await server.remove()
    expect(await serve.stop()).toBe(0)
    lab.remove()
    rmSync(folder, { recursive: true, force: true })
  },
  600_000,
)
