/**
 * One amphora of namespaces, as the local cloud makes them, with the real agent in it; network
 * cards are veth pairs whose other ends stay with the test.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AGENT_CONFIG_FALLBACKS,
  type AgentConfig,
  renderAgentConfig,
} from '../../src/contract/agent-config.ts'
import { HAPROXY_OPTION_FALLBACKS } from '../../src/dataplane/haproxy/facts.ts'
import type { AmphoraDriver } from '../../src/driver/amphora.ts'
import { createRestAmphoraDriver } from '../../src/driver/rest/amphora.ts'
import { createTransport } from '../../src/driver/rest/transport.ts'
import type { Amphora } from '../../src/model/amphora.ts'
import type { Topology } from '../../src/model/load-balancer.ts'
import { newId } from '../../src/system/ids.ts'
import { runOk, systemProcesses } from '../../src/system/process.ts'
import { VRRP_OPTIONS } from '../fake/vrrp.ts'
import { createTestCa, type TestCa } from './certificates.ts'

const READY = 'ready'
const GO = 'go'
const PROCESS_FILE = 'process'
/**
 * PID 1: private files and /proc, then the agent, again and again. What it starts can outlive the
 * agent.
 */
const SUPERVISOR = `set -eu
folder=$1; shift
read -r stat </proc/self/stat; printf '%s\\n' "$stat" >"$folder/${PROCESS_FILE}"
mkdir -p /etc/octavia /var/lib/octavia /run/netns
mount --bind "$folder/etc" /etc/octavia
mount --bind "$folder/lib" /var/lib/octavia
mount -t tmpfs tmpfs /run/netns
mount -t sysfs sysfs /sys
mount -t proc proc /proc
echo ${READY}
read -r go
exec </dev/null >>"$folder/agent.log" 2>&1
while :; do "$@" & wait "$!" || :; sleep 0.2 & wait "$!" || :; done
`
const CONTROLLER_IP = '172.30.0.1'
const AMPHORA_IP = '172.30.0.2'
export const HEARTBEAT_KEY = 'a key of the lab'
const AGENT_PORT = 9443

/** What runs in an amphora. */
export interface LabAgent {
  /** Puts what it needs into the amphora's folder. */
  prepare(folder: string): void
  /** The shell that is PID 1. */
  shell(folder: string): string
  /** What PID 1 starts again whenever it ends. */
  argv(folder: string): readonly string[]
  readonly topology: Topology
}

/** From source, or the compiled executable. */
export const OUR_AGENT: LabAgent = {
  prepare: () => undefined,
  shell: () => '/bin/sh',
  argv: () =>
    process.env.OCTAVIA_LITE_BINARY
      ? [process.env.OCTAVIA_LITE_BINARY, 'agent']
      : [process.execPath, join(import.meta.dirname, '../../src/main.ts'), 'agent'],
  topology: 'SINGLE',
}

const ip = (...args: string[]) => runOk(systemProcesses, ['ip', ...args])

export interface Card {
  /** The end which stays with the test, and its address. */
  readonly outside: string
  readonly address: string
  /** The MAC of the end inside. */
  readonly mac: string
}

export interface LabAmphora {
  readonly amphora: Amphora
  readonly driver: AmphoraDriver
  readonly serverCa: TestCa
  readonly clientCa: TestCa
  /** Process id of the supervisor, PID 1 inside. */
  readonly pid: () => number
  /** Where the agent's /var/lib/octavia is. */
  readonly lib: string
  /** Text of the file that the agent reads at first. */
  readonly config: string
  readonly log: () => string
  /** Makes the namespaces, plugs the cards in and lets the agent start. */
  boot(): Promise<void>
  /** Puts a card in, as a cloud that heals what somebody broke. */
  plug(card: Card): Promise<void>
  /** Ends everything in it, as a host that loses power. */
  crash(): Promise<void>
  /** Process ids in it whose command line matches. */
  findProcesses(pattern: RegExp): readonly number[]
  remove(): Promise<void>
}

export function createLabAmphora(
  heartbeatPort: number,
  cards: readonly Card[],
  agent: LabAgent = OUR_AGENT,
): LabAmphora {
  const id = newId()
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-amphora-'))
  const serverCa = createTestCa('server CA')
  const clientCa = createTestCa('client CA')
  const config = {
    ...AGENT_CONFIG_FALLBACKS,
    bind_host: '0.0.0.0',
    amphora_id: id,
    controller_ip_port_list: [`${CONTROLLER_IP}:${heartbeatPort}`],
    heartbeat_key: HEARTBEAT_KEY,
    heartbeat_interval_s: 1,
    loadbalancer_topology: agent.topology,
  }
  writeFiles(folder, config, serverCa, clientCa)
  agent.prepare(folder)
  const client = clientCa.issue('controller', 'clientAuth')
  const amphora = { id, lb_network_ip: AMPHORA_IP, vrrp_ip: null } as Amphora
  const driver = createRestAmphoraDriver({
    connect: (address) =>
      createTransport(
        { ...client, ca: serverCa.cert },
        { port: AGENT_PORT, timeout_ms: 40_000, get_timeout_ms: 3_000 },
        address,
      ),
    options: { ...HAPROXY_OPTION_FALLBACKS, ...VRRP_OPTIONS, own_memory: false },
  })
  let child: Bun.Subprocess<'pipe', 'pipe', 'inherit'> | undefined
  const pid = (): number => Number(readFileSync(join(folder, PROCESS_FILE), 'utf8').split(' ')[0])
  return {
    amphora,
    driver,
    serverCa,
    clientCa,
    pid,
    lib: join(folder, 'lib'),
    config: renderAgentConfig(config),
    log: () => readFileSync(join(folder, 'agent.log'), 'utf8'),
    boot: async () => {
      const unshare = ['unshare', '--net', '--mount', '--pid', '--propagation', 'slave', '--fork']
      const shell = [agent.shell(folder), '-c', SUPERVISOR, 'supervisor', folder]
      const argv = [...unshare, ...shell, ...agent.argv(folder)]
      const started = Bun.spawn(argv, {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      })
      child = started
      await waitForLine(started.stdout, READY)
      await plugManagement(pid())
      for (const card of cards) await plugCard(pid(), card)
      started.stdin.write(`${GO}\n`)
      started.stdin.end()
    },
    plug: (card) => plugCard(pid(), card),
    crash: async () => {
      process.kill(pid(), 'SIGKILL')
      await child?.exited
      for (const name of ['m0', ...cards.map((card) => card.outside)])
        await systemProcesses.run(['ip', 'link', 'delete', name])
    },
    findProcesses: (pattern) => processesIn(pid()).filter((each) => pattern.test(commandOf(each))),
    remove: async () => {
      child?.kill('SIGKILL')
      try {
        process.kill(pid(), 'SIGKILL')
      } catch {
        // It has ended already.
      }
      await child?.exited
      for (const ca of [serverCa, clientCa]) ca.remove()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function writeFiles(folder: string, config: AgentConfig, serverCa: TestCa, clientCa: TestCa): void {
  const server = serverCa.issue(config.amphora_id, 'serverAuth')
  mkdirSync(join(folder, 'etc/certs'), { recursive: true })
  mkdirSync(join(folder, 'lib'))
  writeFileSync(join(folder, 'etc/certs/server.pem'), `${server.cert}${server.key}`)
  writeFileSync(join(folder, 'etc/certs/client_ca.pem'), clientCa.cert)
  writeFileSync(join(folder, 'etc/amphora-agent.conf'), renderAgentConfig(config))
}

async function plugManagement(pid: number): Promise<void> {
  await ip('link', 'add', 'm0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid))
  await ip('addr', 'add', `${CONTROLLER_IP}/24`, 'dev', 'm0')
  await ip('link', 'set', 'm0', 'up')
  const inside = ['nsenter', '-t', String(pid), '-n', 'ip']
  await runOk(systemProcesses, [...inside, 'addr', 'add', `${AMPHORA_IP}/24`, 'dev', 'eth0'])
  await runOk(systemProcesses, [...inside, 'link', 'set', 'eth0', 'up'])
  await runOk(systemProcesses, [...inside, 'link', 'set', 'lo', 'up'])
}

async function plugCard(pid: number, card: Card): Promise<void> {
  const { outside, mac, address } = card
  const peer = ['peer', 'name', `x${outside}`, 'address', mac, 'netns', String(pid)]
  await ip('link', 'add', outside, 'type', 'veth', ...peer)
  await ip('addr', 'add', address, 'dev', outside)
  await ip('link', 'set', outside, 'up')
}

function processesIn(pid: number): readonly number[] {
  const children = (of: number): number[] => {
    try {
      const text = readFileSync(`/proc/${of}/task/${of}/children`, 'utf8')
      return text
        .split(' ')
        .filter((part) => part !== '')
        .map(Number)
    } catch {
      return []
    }
  }
  const all = [pid]
  for (const each of all) all.push(...children(each))
  return all
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

async function waitForLine(stream: ReadableStream<Uint8Array>, line: string): Promise<void> {
  let text = ''
  for await (const part of stream) {
    text += new TextDecoder().decode(part)
    if (text.includes(`${line}\n`)) return
  }
  throw new Error(`the supervisor ended before '${line}'`)
}
