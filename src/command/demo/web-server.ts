/**
 * The demo's web servers: this executable in a network namespace, on a bridge of the local cloud.
 */
import { runOk, systemProcesses } from '../../system/process.ts'
import { CommandFailure } from '../io.ts'

export interface WebServer {
  readonly name: string
  readonly address: string
  start(): void
  /** As a crash would: SIGKILL. */
  kill(): Promise<void>
  remove(): Promise<void>
}

export interface WebServerPlace {
  readonly name: string
  readonly address: string
  readonly prefix: number
  /** The bridge whose address is the subnet's gateway. */
  readonly bridge: string
  /** The octavia-lite to run as the server. */
  readonly executable: string
}

const PORT = 80

/** Answers every request with its name; runs until it is killed. */
export function serveName(name: string): void {
  Bun.serve({ hostname: '0.0.0.0', port: PORT, fetch: () => new Response(`${name}\n`) })
}

export async function createWebServer(place: WebServerPlace): Promise<WebServer> {
  const { name, address, prefix, bridge, executable } = place
  const outer = `ol-${name}`
  const ip = (...args: string[]): Promise<unknown> => runOk(systemProcesses, ['ip', ...args])
  await ip('netns', 'add', name)
  await ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  await ip('link', 'set', outer, 'master', bridge, 'up')
  await ip('-n', name, 'addr', 'add', `${address}/${prefix}`, 'dev', 'eth0')
  await ip('-n', name, 'link', 'set', 'eth0', 'up')
  await ip('-n', name, 'link', 'set', 'lo', 'up')
  let child: Bun.Subprocess | undefined
  const kill = async (): Promise<void> => {
    child?.kill('SIGKILL')
    await child?.exited
    child = undefined
  }
  return {
    name,
    address,
    start: () => {
      // `ip netns exec` replaces itself by the program, so the child's pid is the server's.
      child = Bun.spawn(['ip', 'netns', 'exec', name, executable, 'demo', 'web-server', name], {
        stdio: ['ignore', 'ignore', 'inherit'],
      })
    },
    kill,
    remove: async () => {
      await kill()
      await systemProcesses.run(['ip', 'link', 'del', outer])
      await systemProcesses.run(['ip', 'netns', 'del', name])
    },
  }
}

/** The interface of this machine which has that address. */
export async function findInterface(address: string): Promise<string> {
  const { stdout } = await runOk(systemProcesses, ['ip', '-j', 'address', 'show'])
  const links = JSON.parse(stdout) as {
    ifname: string
    addr_info?: { local?: string }[]
  }[]
  const link = links.find((each) => each.addr_info?.some((info) => info.local === address))
  if (link === undefined) throw new CommandFailure(`no interface has the address ${address}`)
  return link.ifname
}
