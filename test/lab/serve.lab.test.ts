/** What `serve` survives, and how it refuses to start. */

import { Database } from 'bun:sqlite'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runOk, systemProcesses } from '../../src/system/process.ts'
import {
  answers,
  BINARY,
  bodyOf,
  createBalanced,
  createLab,
  createWebServers,
  deleteCascade,
  ip,
  type Lab,
  labMissing,
  type Serve,
  URL,
  until,
} from './harness.ts'
import { leftovers, snapshot } from './leftovers.ts'

const missing = labMissing()
const lab = (name: string): string => (missing === undefined ? name : `${name}: ${missing}`)

test.skipIf(missing !== undefined)(
  lab('traffic goes on without serve, and serve goes on where it was'),
  async () => {
    const before = await snapshot()
    const place = createLab()
    let serve = await place.start()
    const servers = await createWebServers(2)
    const { id, vip } = await createBalanced(serve.client, servers)
    const balanced = `http://${vip}/`
    await until('the VIP to answer', () => answers(balanced))

    await serve.kill()
    for (let i = 0; i < 20; i++) expect(await bodyOf(balanced)).toMatch(/^web[12]$/)
    serve = await place.start()
    await membersOnline(serve, id)
    await serve.client.call('PUT', `loadbalancers/${id}`, { loadbalancer: { name: 'again' } })
    await serve.client.active(id)

    expect(await serve.stop()).toBe(0)
    expect(await bodyOf(balanced)).toMatch(/^web[12]$/)
    await reboot(place)
    expect(await bodyOf(balanced)).toBeUndefined()
    serve = await place.start()
    // The servers' side of the bridge went with the reboot, so they are made again.
    for (const server of servers) await server.remove()
    const fresh = await createWebServers(2)
    await until('the VIP to answer after a reboot', () => answers(balanced))
    await membersOnline(serve, id)

    await deleteCascade(serve.client, id)
    for (const server of fresh) await server.remove()
    expect(await serve.stop()).toBe(0)
    expect(await leftovers(before)).toEqual([])
    place.remove()
  },
  240_000,
)

async function membersOnline(serve: Serve, id: string): Promise<void> {
  await until('all members to be ONLINE', async () => {
    const tree = JSON.stringify(await serve.client.call('GET', `loadbalancers/${id}/status`))
    return (tree.match(/"ONLINE"/g)?.length ?? 0) >= 5
  })
}

/**
 * What a power cut leaves: files. Every process of an amphora, every link and every namespace is
 * gone.
 */
async function reboot(place: Lab): Promise<void> {
  // The kernel ends a process namespace with its first process, so some are gone when it is their
  // turn.
  for (const pid of await processesBelow(join(place.folder, 'data')))
    await systemProcesses.run(['kill', '-KILL', String(pid)])
  const namespaces = JSON.parse((await ip('-j', 'netns', 'list')) || '[]') as { name: string }[]
  for (const { name } of namespaces) if (!name.startsWith('web')) await ip('netns', 'del', name)
  const links = JSON.parse(await ip('-j', 'link', 'show')) as { ifname: string }[]
  for (const { ifname } of links)
    if (ifname !== 'lo') await systemProcesses.run(['ip', 'link', 'del', ifname])
}

/**
 * Every process whose root mount table shows that folder: supervisor, agent and haproxy of its
 * amphorae.
 */
async function processesBelow(folder: string): Promise<number[]> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(folder)
      } catch {
        // Ended meanwhile.
        return false
      }
    })
    .map(Number)
    .filter((pid) => pid !== process.pid)
}

test.skipIf(missing !== undefined)(
  lab('o-hm0 is healed while serve runs'),
  async () => {
    const before = await snapshot()
    const place = createLab()
    const serve = await place.start()
    const breakages: [string, readonly string[][]][] = [
      ['o-hm0 deleted', [['link', 'del', 'o-hm0']]],
      ['o-hm0 down', [['link', 'set', 'o-hm0', 'down']]],
      ['address removed', [['addr', 'flush', 'dev', 'o-hm0']]],
      [
        'address changed',
        [
          ['addr', 'flush', 'dev', 'o-hm0'],
          ['addr', 'add', '172.16.0.9/22', 'dev', 'o-hm0'],
        ],
      ],
      ['o-bhm0 out of its bridge', [['link', 'set', 'o-bhm0', 'nomaster']]],
    ]
    for (const [name, commands] of breakages) {
      for (const command of commands) await ip(...command)
      await until(`healing: ${name}`, async () => await healthy(), 30_000)
    }
    expect(await serve.stop()).toBe(0)
    expect(await leftovers(before)).toEqual([])
    place.remove()
  },
  180_000,
)

async function healthy(): Promise<boolean> {
  const { stdout } = await systemProcesses.run(['ip', '-j', 'address', 'show', 'o-hm0'])
  const { stdout: peer } = await systemProcesses.run(['ip', '-j', 'link', 'show', 'o-bhm0'])
  if (stdout.trim() === '' || peer.trim() === '') return false
  const [link] = JSON.parse(stdout) as {
    flags: string[]
    addr_info: { local: string; family: string }[]
  }[]
  const [other] = JSON.parse(peer) as { master?: string; flags: string[] }[]
  const ipv4 = link?.addr_info.filter((info) => info.family === 'inet').map((info) => info.local)
  return (
    link?.flags.includes('UP') === true &&
    JSON.stringify(ipv4) === '["172.16.0.2"]' &&
    other?.master !== undefined
  )
}

/** How a start is spoilt, what the one sentence must name, and what must not change. */
const REFUSALS: readonly [string, RegExp, (place: Lab) => void | Promise<void>][] = [
  [
    'a corrupt database',
    /database .* cannot be used/,
    (place) =>
      writeFileSync(
        join(place.folder, 'data', 'octavia-lite.db'),
        'not a database at all '.repeat(500),
      ),
  ],
  [
    'a newer database',
    /newer/,
    (place) => {
      const database = new Database(join(place.folder, 'data', 'octavia-lite.db'))
      database.run('PRAGMA user_version = 999')
      database.close()
    },
  ],
  [
    'a key that is no key',
    /server_ca/,
    (place) => writeFileSync(join(place.folder, 'data', 'certs', 'server_ca.pem'), 'garbage'),
  ],
]

test.skipIf(missing !== undefined).each(REFUSALS)(
  lab('serve refuses %s in one sentence and overwrites nothing'),
  async (_name, sentence, spoil) => {
    const place = createLab()
    const serve = await place.start()
    expect(await serve.stop()).toBe(0)
    await spoil(place)
    const files = fingerprints(join(place.folder, 'data'))
    const { code, stderr } = await systemProcesses.run([
      BINARY,
      'serve',
      '--config-file',
      place.config,
    ])
    expect(code).toBe(1)
    const sentences = stderr
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('octavia-lite: '))
    expect(sentences.length, stderr).toBe(1)
    expect(sentences[0]).toMatch(sentence)
    expect(fingerprints(join(place.folder, 'data'))).toEqual(files)
    place.remove()
  },
  60_000,
)

test.skipIf(missing !== undefined)(
  lab('serve refuses a port in use, a second serve on its data, and a full disk'),
  async () => {
    const place = createLab()
    const serve = await place.start()
    const again = await systemProcesses.run([BINARY, 'serve', '--config-file', place.config])
    expect(again.code).toBe(1)
    expect(again.stderr).toMatch(/another octavia-lite/)

    const other = createLab()
    const busy = await systemProcesses.run([BINARY, 'serve', '--config-file', other.config])
    expect(busy.code).toBe(1)
    expect(busy.stderr).toMatch(/octavia-lite: .*(in use|o-hm0|172\.16)/)
    other.remove()
    expect(await answers(URL)).toBe(true)
    expect(await serve.stop()).toBe(0)
    place.remove()

    const full = createLab()
    const data = join(full.folder, 'data')
    mkdirSync(data)
    await runOk(systemProcesses, ['mount', '-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', data])
    const refused = await systemProcesses.run([BINARY, 'serve', '--config-file', full.config])
    await runOk(systemProcesses, ['umount', data])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/octavia-lite: .*(full|space|ENOSPC)/i)
    full.remove()
  },
  60_000,
)

/** Name, size and mode of every secret and database file. */
function fingerprints(folder: string): Record<string, string> {
  const out: Record<string, string> = {}
  for (const name of [
    'octavia-lite.db',
    'heartbeat.key',
    'certs/server_ca.pem',
    'certs/client_ca.pem',
  ])
    out[name] = Bun.hash(readFileSync(join(folder, name))).toString(16)
  return out
}

test.skipIf(missing !== undefined)(
  lab('SIGHUP changes what can change, and a file that is wrong changes nothing'),
  async () => {
    const place = createLab()
    const serve = await place.start()
    const first = readFileSync(place.config, 'utf8')
    const readAgain = async (text: string, told: RegExp): Promise<void> => {
      writeFileSync(place.config, text)
      process.kill(serve.pid, 'SIGHUP')
      await until(`the log to have ${told}`, () => told.test(serve.log()))
    }
    expect(serve.log()).not.toMatch(/\bdebug\b/i)
    const chatty = first.replace('[DEFAULT]', '[DEFAULT]\ndebug = true')
    await readAgain(chatty, /configuration read again.*DEFAULT\.debug/)
    await answers(URL)
    await until('a line for debugging', () => /\bdebug\b.*GET/i.test(serve.log()))
    await readAgain(`${chatty}\n[task_flow]\nmax_parallel_flows = 3\n`, /need a restart/)
    await readAgain(`${chatty}\n[nonsense`, /configuration is wrong and was not taken over/)
    expect(await answers(URL)).toBe(true)
    expect(await serve.stop()).toBe(0)
    place.remove()
  },
  60_000,
)

test.skipIf(missing !== undefined)(
  lab('secret files are 0600'),
  async () => {
    const place = createLab()
    const serve = await place.start()
    for (const name of [
      'octavia-lite.db',
      'octavia-lite.db-wal',
      'heartbeat.key',
      'certs/server_ca.pem',
      'certs/client_ca.pem',
      'certs/client.pem',
    ])
      expect(statSync(join(place.folder, 'data', name)).mode & 0o777, name).toBe(0o600)
    expect(statSync(join(place.folder, 'data')).mode & 0o777).toBe(0o700)
    expect(await serve.stop()).toBe(0)
    place.remove()
  },
  60_000,
)
