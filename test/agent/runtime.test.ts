/**
 * Random changes of members, told to a real haproxy at runtime: in the end it must be as one that
 * was started with the last configuration.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { askHaproxy } from '../../src/agent/haproxy-socket.ts'
import { isDone, planRuntime } from '../../src/dataplane/haproxy/runtime.ts'
import { systemClock } from '../../src/system/clock.ts'
import { createRandom, type Random } from '../fuzz/random.ts'

const HAPROXY =
  process.env.HAPROXY_ALSO ?? Bun.which('haproxy', { PATH: `${process.env.PATH}:/usr/sbin` })
const ROUNDS = 40
const SEED = 20_260_102

interface Member {
  readonly name: string
  readonly weight: number
  readonly disabled: boolean
  readonly checked: boolean
}

/** Pool a is checked, pool b is not. */
type Pools = Readonly<Record<'a' | 'b', readonly Member[]>>

function configOf(pools: Pools, folder: string): string {
  const backends = Object.entries(pools).map(([pool, members]) => {
    const lines = members.map(({ name, weight, disabled, checked }) => {
      const check = checked ? ' check inter 3600s fall 3 rise 3' : ''
      const last = disabled ? ' disabled' : ''
      return `    server ${name} 192.0.2.${name.slice(1)}:80 weight ${weight}${check}${last}`
    })
    const own = [`backend ${pool}:l`, '    mode http', '    balance roundrobin']
    return [...own, ...lines].join('\n')
  })
  const timeouts = ['client', 'server', 'connect'].map((name) => `    timeout ${name} 1s`)
  const front = `frontend l\n    mode http\n    bind unix@${folder}/front.sock\n`
  return `${[`defaults\n${timeouts.join('\n')}`, front, ...backends].join('\n\n')}\n`
}

function changed(random: Random, pools: Pools, next: () => string): Pools {
  const pool = random.pick(['a', 'b'] as const)
  const members = pools[pool]
  const at = random.between(0, Math.max(members.length - 1, 0))
  const edit = (change: Partial<Member>): Pools => ({
    ...pools,
    [pool]: members.map((member, index) => (index === at ? { ...member, ...change } : member)),
  })
  switch (random.between(0, 4)) {
    case 0: {
      const member = { name: next(), checked: pool === 'a', disabled: random.chance(0.3) }
      return { ...pools, [pool]: [...members, { ...member, weight: random.between(0, 256) }] }
    }
    case 1:
      return { ...pools, [pool]: members.filter((_, index) => index !== at) }
    case 2:
      return edit({ disabled: random.chance(0.5) })
    default:
      return edit({ weight: random.chance(0.4) ? 0 : random.between(0, 256) })
  }
}

interface Running {
  readonly folder: string
  states(): Promise<readonly string[]>
  tell(command: string): Promise<string>
  end(): Promise<void>
}

async function run(text: (folder: string) => string): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-runtime-'))
  const [file, socket] = [join(folder, 'haproxy.cfg'), join(folder, 'master.sock')]
  writeFileSync(file, text(folder))
  const argv = [HAPROXY ?? '', '-W', '-D', '-S', socket, '-f', file, '-p', join(folder, 'pid')]
  expect(Bun.spawnSync(argv).exitCode).toBe(0)
  const tell = async (command: string): Promise<string> =>
    (await askHaproxy(socket, `@1 ${command}; quit`)).trim()
  while (!(await tell('show info').catch(() => '')).includes('Uptime')) await systemClock.sleep(5)
  return {
    folder,
    tell,
    states: async () => (await tell('show servers state')).split('\n').flatMap(essence).sort(),
    end: async () => {
      const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
      process.kill(pid, 'SIGTERM')
      while (isAlive(pid)) await systemClock.sleep(5)
      rmSync(folder, { recursive: true })
    },
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Pool, server, address, whether it serves, forced out of service, weight, checks, port. */
function essence(line: string): readonly string[] {
  const cells = line.split(' ')
  if (line.startsWith('#') || cells.length < 20) return []
  const [, pool, , name, address, operation, admin, weight] = cells
  const forced = Number(admin) & 1
  // Not whether one is under way or paused in this moment.
  const checks = Number(cells[13]) & 6
  return [`${pool} ${name} ${address} ${operation} ${forced} ${weight} ${checks} ${cells[18]}`]
}

test.skipIf(HAPROXY === null)(
  `${ROUNDS} random changes at runtime leave what a start leaves${HAPROXY === null ? ' (needs haproxy)' : ''}`,
  async () => {
    const random = createRandom(SEED)
    let count = 0
    const next = (): string => `m${++count}`
    let pools: Pools = { a: [], b: [] }
    for (let n = 0; n < 6; n++) pools = changed(random, pools, next)
    const old = await run((folder) => configOf(pools, folder))
    let running = configOf(pools, old.folder)
    let told = 0
    for (let round = 0; round < ROUNDS; round++) {
      for (let n = random.between(1, 4); n > 0; n--) pools = changed(random, pools, next)
      const text = configOf(pools, old.folder)
      const plan = planRuntime(running, text)
      if (plan.kind === 'reload') throw new Error(`a reload in round ${round}`)
      for (const { text: command } of plan.commands) {
        const answer = await old.tell(command)
        expect(isDone(answer), `${command}: ${answer}`).toBe(true)
        told++
      }
      running = text
      if (round % 10 !== 9) continue
      const fresh = await run((folder) => configOf(pools, folder))
      expect(await old.states()).toEqual(await fresh.states())
      await fresh.end()
    }
    await old.end()
    expect(told).toBeGreaterThan(ROUNDS)
  },
)
