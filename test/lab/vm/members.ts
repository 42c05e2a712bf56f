/** Members in namespaces of the machine, and clients of theirs in the namespace of the test. */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { findInterface } from '../../../src/command/demo/web-server.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { NETWORK, until } from '../harness.ts'
import { createHost } from '../host.ts'

const PYTHON = '/usr/bin/python3'
const PROGRAM = `${import.meta.dirname}/member.py`
/** How long a client waits before it takes silence for an answer. */
const PATIENCE_MS = 5_000
/** More often would leave little of the machine to what is asked. */
const ASK_EVERY_MS = 100
export const PORT = 53

export interface Member {
  readonly name: string
  readonly address: string
  readonly address6: string
  start(): void
  /** As a crash would. */
  kill(): Promise<void>
  /** With all that was made for it. */
  remove(): Promise<void>
}

/** `status` is what its web server answers to checks. */
export async function createMember(n: number, status: number): Promise<Member> {
  const [name, address, address6] = [`m${n}`, `10.10.10.${10 + n}`, `fd00:10::${10 + n}`]
  const host = await createHost({
    name,
    bridge: await findInterface(NETWORK.gateway),
    addresses: [`${address}/${NETWORK.prefix}`, `${address6}/64`],
  })
  let child: Bun.Subprocess | undefined
  const kill = async (): Promise<void> => {
    child?.kill('SIGKILL')
    await child?.exited
  }
  return {
    name,
    address,
    address6,
    start: () => {
      child = host.start(PYTHON, PROGRAM, 'serve', name, String(PORT), String(status))
    },
    kill,
    remove: async () => {
      await kill()
      await host.remove()
    },
  }
}

/** Datagrams from one port, which IPVS leaves at the member that had the first. */
export interface Flow {
  /** Whoever answers; undefined: nobody. */
  ask(): Promise<string | undefined>
  close(): void
}

export function openFlow(address: string, port = PORT, from?: string): Flow {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  // Whatever became of a datagram, nobody answers it.
  socket.on('error', () => {})
  socket.bind(0, from)
  return {
    ask: () => {
      const { promise, resolve } = Promise.withResolvers<string | undefined>()
      socket.once('message', (data) => resolve(String(data).split(' ')[0]))
      const timer = setTimeout(() => resolve(undefined), PATIENCE_MS)
      socket.send('hello', port, address)
      return promise.finally(() => clearTimeout(timer))
    },
    close: () => socket.close(),
  }
}

export function askUdp(...where: Parameters<typeof openFlow>): Promise<string | undefined> {
  const flow = openFlow(...where)
  return flow.ask().finally(() => flow.close())
}

export type Answers = Readonly<Record<string, number>>

/** So many flows at once, counted by who answered. */
export async function askMany(
  count: number,
  address: string,
  port = PORT,
  from?: string,
): Promise<Answers> {
  const answers: Record<string, number> = {}
  const asked = Array.from({ length: count }, () => askUdp(address, port, from))
  for (const answer of await Promise.all(asked)) {
    const name = answer ?? 'nobody'
    answers[name] = (answers[name] ?? 0) + 1
  }
  return answers
}

/** One flow after another while it happens: who answered, and how long nobody did at most. */
export async function askMeanwhile(
  address: string,
  happens: (answers: Answers) => Promise<void>,
): Promise<{ readonly answers: Answers; readonly gap_ms: number }> {
  const answers: Record<string, number> = {}
  let gap_ms = 0
  let running = true
  const asking = (async () => {
    let last = performance.now()
    while (running) {
      const name = (await askUdp(address)) ?? 'nobody'
      answers[name] = (answers[name] ?? 0) + 1
      const now = performance.now()
      gap_ms = Math.max(gap_ms, Math.round(now - last))
      if (name !== 'nobody') last = now
      await systemClock.sleep(ASK_EVERY_MS)
    }
  })()
  try {
    await happens(answers)
  } finally {
    running = false
    await asking
  }
  return { answers, gap_ms }
}

export async function askSctp(address: string, port = PORT): Promise<string | undefined> {
  const child = Bun.spawn([PYTHON, PROGRAM, 'sctp', address, String(port)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const text = (await new Response(child.stdout).text()).trim()
  return text === '' ? undefined : text
}

/** Until each of them has answered an association. */
export async function untilSctpBy(names: readonly string[], address: string): Promise<void> {
  const answers = new Set<unknown>()
  await until(`${names.join(' and ')} to answer`, async () => {
    answers.add(await askSctp(address))
    return names.every((name) => answers.has(name))
  })
}

export function askTcp(address: string, port = PORT): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const socket = connect({ host: address, port, timeout: PATIENCE_MS })
  socket.on('connect', () => socket.write('hello'))
  socket.on('data', (data) => resolve(String(data)))
  for (const event of ['timeout', 'error', 'close']) socket.on(event, () => resolve(undefined))
  return promise.finally(() => socket.destroy())
}
