/** Machines on networks of the local cloud: a namespace with an interface on a bridge. */
import { type Subprocess, spawn } from 'bun'
import { runOk, systemProcesses } from '../../src/system/process.ts'
import { ip, until } from './harness.ts'

export interface Host {
  readonly name: string
  /** On the host's interface with the bridge. */
  ip(...args: string[]): Promise<string>
  /** The output of a command that succeeds. */
  run(...argv: string[]): Promise<string>
  /** Runs on the host until it is killed. */
  start(...argv: string[]): Subprocess
  /** The body of a GET on a fresh connection; undefined when there is no 2xx answer. */
  get(url: string): Promise<string | undefined>
  /** Answers on port 80, both families, with its name and the address that asked. */
  serve(): Promise<void>
  remove(): Promise<void>
}

export interface HostPlace {
  readonly name: string
  readonly bridge: string
  /** With prefix. */
  readonly addresses: readonly string[]
  readonly mtu?: number
}

export async function createHost({
  name,
  bridge,
  addresses,
  mtu = 1500,
}: HostPlace): Promise<Host> {
  const outer = `ol-${name}`
  await ip('netns', 'add', name)
  const peer = ['type', 'veth', 'peer', 'name', 'eth0', 'mtu', String(mtu), 'netns', name]
  await ip('link', 'add', outer, 'mtu', String(mtu), ...peer)
  await ip('link', 'set', outer, 'master', bridge, 'up')
  await ip('-n', name, 'link', 'set', 'lo', 'up')
  await ip('-n', name, 'link', 'set', 'eth0', 'up')
  for (const address of addresses) {
    const nodad = address.includes(':') ? ['nodad'] : []
    await ip('-n', name, 'addr', 'add', address, 'dev', 'eth0', ...nodad)
  }
  const within = (argv: readonly string[]): string[] => ['ip', 'netns', 'exec', name, ...argv]
  const get = async (url: string): Promise<string | undefined> => {
    const curl = within([
      'curl',
      '--silent',
      '--show-error',
      '--fail',
      '--max-time',
      '2',
      '-g',
      url,
    ])
    const { code, stdout } = await systemProcesses.run(curl)
    return code === 0 ? stdout.trim() : undefined
  }
  const start = (...argv: string[]): Subprocess =>
    spawn(within(argv), { stdio: ['ignore', 'ignore', 'inherit'] })
  let server: Subprocess | undefined
  return {
    name,
    ip: (...args) => ip('-n', name, ...args),
    run: async (...argv) => (await runOk(systemProcesses, within(argv))).stdout,
    start,
    get,
    serve: async () => {
      server = start(process.execPath, `${import.meta.dirname}/echo-server.ts`, name)
      await until(`${name} to serve`, async () => (await get('http://[::1]/')) !== undefined)
    },
    remove: async () => {
      server?.kill('SIGKILL')
      await server?.exited
      await systemProcesses.run(['ip', 'link', 'del', outer])
      await systemProcesses.run(['ip', 'netns', 'del', name])
    },
  }
}
