/**
 * Requests per second through an amphora, and through a haproxy that was started by hand beside the
 * amphora's own: same namespaces, same configuration but for its port and its sockets. Both are
 * measured in turn, so that whatever else the machine does hits both.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { present } from '../../src/system/assert.ts'
import { runOk, systemProcesses } from '../../src/system/process.ts'
import { amphoraeOf, processesOf } from '../lab/amphora-faults.ts'
import { answers, labMissing, until } from '../lab/harness.ts'
import { type Made, withBalanced } from './balanced.ts'
import type { Result } from './result.ts'
import type { Scenario } from './scenario.ts'

const PORT = 80
/** Of a disabled listener: the filter of the VIP lets it in, and the agent's haproxy leaves it. */
const HAND_PORT = 8080
const CONNECTIONS = 32

export const traffic: Scenario = {
  name: 'traffic',
  missing: () => labMissing() ?? (Bun.which('wrk') === null ? 'wrk is not installed' : undefined),
  run: ({ quick }) => withBalanced({}, (made) => measure(made, quick ? 2 : 8, quick ? 1 : 4)),
}

async function measure(made: Made, rounds: number, seconds: number): Promise<Result[]> {
  const { vip, id, serve } = made
  const listener = { loadbalancer_id: id, protocol: 'HTTP', protocol_port: HAND_PORT }
  await serve.client.create('listeners', { listener: { ...listener, admin_state_up: false } }, id)
  const stop = await startByHand(made)
  try {
    for (const port of [PORT, HAND_PORT])
      await until(`port ${port} to answer`, () => answers(`http://${vip}:${port}/`))
    const [amphora, hand]: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      amphora.push(await requestRate(`http://${vip}:${PORT}/`, seconds))
      hand.push(await requestRate(`http://${vip}:${HAND_PORT}/`, seconds))
    }
    const unit = 'per second'
    const note = `${CONNECTIONS} connections, ${seconds} s each`
    return [
      { name: 'requests through an amphora', unit, samples: amphora, note },
      { name: 'the same through haproxy started by hand', unit, samples: hand, note },
      {
        name: 'amphora over haproxy by hand',
        unit: 'ratio',
        samples: amphora.map((rate, at) => rate / (hand[at] ?? Number.NaN)),
        goal: { above: 0.98 },
      },
    ]
  } finally {
    await stop()
  }
}

/** The configuration which the agent's haproxy has, at another port; returns how to end it. */
async function startByHand({ lab, serve, id, vip }: Made): Promise<() => Promise<void>> {
  const [amphora] = await amphoraeOf(serve.client, id)
  const [master] = processesOf(lab, present(amphora, 'the amphora'), 'haproxy')
  const pid = present(master, 'the haproxy of the amphora')
  const root = `/proc/${pid}/root`
  const folder = join('/var/lib/octavia', id)
  const text = readFileSync(join(root, folder, 'haproxy.cfg'), 'utf8')
    .replaceAll(`bind ${vip}:${PORT}`, `bind ${vip}:${HAND_PORT}`)
    .replace(/^ *stats socket .*$/m, '')
    .replace(/^ *server-state-file .*$/m, '')
    .replace(/^ *daemon$/m, '')
  const file = join(folder, 'by-hand.cfg')
  writeFileSync(join(root, file), text)
  // The kernel shares processors among sessions, and the amphora's is a daemon with one of its own.
  const enter = ['setsid', 'nsenter', `--target=${pid}`, '--mount', '--net', '--pid']
  // The agent's second file lets haproxy start with fewer open files than it asks for.
  const files = ['-f', file, '-f', '/var/lib/octavia/haproxy-default-user-group.conf']
  const child = Bun.spawn([...enter, 'haproxy', '-db', ...files], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return async () => {
    // nsenter passes no signals on: haproxy is the child that it waits for.
    const { stdout } = await systemProcesses.run(['pgrep', '-P', String(child.pid)])
    for (const each of stdout.split('\n').filter(Boolean)) process.kill(Number(each), 'SIGTERM')
    await child.exited
  }
}

async function requestRate(url: string, seconds: number): Promise<number> {
  const argv = ['wrk', '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, url]
  const { stdout } = await runOk(systemProcesses, argv)
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`requests failed:\n${stdout}`)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
}
