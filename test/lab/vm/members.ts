/** Members in namespaces of the machine, and clients of theirs in the namespace of the test. */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { findInterface } from '../../../src/command/demo/web-server.ts'
import { ip, NETWORK } from '../harness.ts'

const PYTHON = '/usr/bin/python3'
const PROGRAM = `${import.meta.dirname}/member.py`
/** How long a client waits before it takes silence for an answer. */
const PATIENCE_MS = 1_500
export const PORT = 53

export interface Member {
  readonly name: string
  readonly address: string
  readonly address6: string
  start(): void
  /** As a crash would. */
  kill(): Promise<void>
}

/** `status` is what its web server answers to checks. */
export async function createMember(n: number, status: number): Promise<Member> {
  const [name, address, address6] = [`m${n}`, `10.10.10.${10 + n}`, `fd00:10::${10 + n}`]
  const bridge = await findInterface(NETWORK.gateway)
  const outer = `ol-${name}`
  await ip('netns', 'add', name)
  await ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  await ip('link', 'set', outer, 'master', bridge, 'up')
  await ip('-n', name, 'addr', 'add', `${address}/${NETWORK.prefix}`, 'dev', 'eth0')
  await ip('-n', name, 'addr', 'add', `${address6}/64`, 'dev', 'eth0', 'nodad')
  await ip('-n', name, 'link', 'set', 'eth0', 'up')
  await ip('-n', name, 'link', 'set', 'lo', 'up')
  let child: Bun.Subprocess | undefined
  return {
    name,
    address,
    address6,
    start: () => {
      const argv = ['ip', 'netns', 'exec', name, PYTHON, PROGRAM, 'serve', name]
      child = Bun.spawn([...argv, String(PORT), String(status)], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
    },
    kill: async () => {
      child?.kill('SIGKILL')
      await child?.exited
    },
  }
}

/** Whoever answers a datagram from a port of its own; undefined: nobody. */
export function askUdp(address: string, port = PORT, from?: string): Promise<string | undefined> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  socket.on('message', (data) => resolve(String(data).split(' ')[0]))
  socket.on('error', () => resolve(undefined))
  socket.bind(0, from, () => socket.send('hello', port, address))
  const timer = setTimeout(() => resolve(undefined), PATIENCE_MS)
  return promise.finally(() => {
    clearTimeout(timer)
    socket.close()
  })
}

/** So many flows at once, counted by who answered. */
export async function askMany(
  count: number,
  address: string,
  port = PORT,
  from?: string,
): Promise<Readonly<Record<string, number>>> {
  const answers: Record<string, number> = {}
  const asked = Array.from({ length: count }, () => askUdp(address, port, from))
  for (const answer of await Promise.all(asked)) {
    const name = answer ?? 'nobody'
    answers[name] = (answers[name] ?? 0) + 1
  }
  return answers
}

export async function askSctp(address: string, port = PORT): Promise<string | undefined> {
  const child = Bun.spawn([PYTHON, PROGRAM, 'sctp', address, String(port)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const text = (await new Response(child.stdout).text()).trim()
  return text === '' ? undefined : text
}

export function askTcp(address: string, port = PORT): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const socket = connect({ host: address, port, timeout: PATIENCE_MS })
  socket.on('connect', () => socket.write('hello'))
  socket.on('data', (data) => resolve(String(data)))
  for (const event of ['timeout', 'error', 'close']) socket.on(event, () => resolve(undefined))
  return promise.finally(() => socket.destroy())
}
