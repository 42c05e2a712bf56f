/**
 * What is around a virtual machine with the image of amphorae: its management network and that of
 * VIPs as taps, a disk, the certificates of its controller, and that controller's driver.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  AGENT_CONFIG_FALLBACKS,
  AGENT_CONFIG_PATH,
  AGENT_SERVER_CA_PATH,
  AGENT_SERVER_CERT_PATH,
  renderAgentConfig,
} from '../../../src/contract/agent-config.ts'
import { type AgentClient, createAgentClient } from '../../../src/contract/client.ts'
import { HAPROXY_OPTION_FALLBACKS } from '../../../src/dataplane/haproxy/facts.ts'
import type { AmphoraDriver } from '../../../src/driver/amphora.ts'
import { createRestAmphoraDriver } from '../../../src/driver/rest/amphora.ts'
import { createTransport } from '../../../src/driver/rest/transport.ts'
import type { Amphora } from '../../../src/model/amphora.ts'
import { newId } from '../../../src/system/ids.ts'
import { runOk, systemProcesses } from '../../../src/system/process.ts'
import { VRRP_OPTIONS } from '../../fake/vrrp.ts'
import { createTestCa, type TestCa } from '../certificates.ts'
import { ip, until } from '../harness.ts'
import { type DriveContent, makeIso } from './amphora-drive.ts'
import { type AmphoraMachine, CD_DRIVE, IMAGE, startAmphoraMachine } from './amphora-machine.ts'

export const GUEST_IP = '172.30.0.2'
export const GUEST_IP6 = 'fd00:30::2'
/** Where the controller would be. */
export const CONTROLLER = { ip: '172.30.0.1', port: 5555 } as const
export const HEARTBEAT_KEY = 'a key of the lab'
export const MANAGEMENT_MAC = 'fa:16:3e:00:00:01'
/** Of this machine, in the network of the VIP. */
export const MEMBER_IP = '10.20.0.1'
/** An emulated machine on a busy host. */
export const PATIENCE_MS = 200_000
const MTU = 1450
const TAPS = { m0: ['172.30.0.1/24', 'fd00:30::1/64'], v0: [`${MEMBER_IP}/24`, 'fd00:20::1/64'] }

const NETWORK_DATA = {
  links: [{ id: 'tap1', type: 'bridge', ethernet_mac_address: MANAGEMENT_MAC, mtu: MTU }],
  networks: [
    { link: 'tap1', type: 'ipv4', ip_address: GUEST_IP, netmask: '255.255.255.0', routes: [] },
    {
      ...{ link: 'tap1', type: 'ipv6', ip_address: GUEST_IP6, routes: [] },
      netmask: 'ffff:ffff:ffff:ffff::',
    },
  ],
  services: [{ type: 'dns', address: '172.30.0.1' }],
}

export class AmphoraWorld {
  readonly amphora: Amphora
  readonly driver: AmphoraDriver
  readonly folder = mkdtempSync(join(tmpdir(), 'octavia-lite-guest-'))
  readonly disk = this.at('disk.qcow2')
  readonly #serverCa: TestCa = createTestCa('server CA')
  readonly #clientCa: TestCa = createTestCa('client CA')
  /** Made once: what was made just now is not valid yet where the guest's clock is behind. */
  readonly #controller = this.#clientCa.issue('controller', 'clientAuth')

  constructor() {
    this.amphora = { id: newId(), lb_network_ip: GUEST_IP, vrrp_ip: null } as Amphora
    this.driver = createRestAmphoraDriver({
      connect: ({ amphora_id, ip: address }) => this.#transport(amphora_id, address),
      options: { ...HAPROXY_OPTION_FALLBACKS, ...VRRP_OPTIONS },
    })
  }

  at(name: string): string {
    return join(this.folder, name)
  }

  async prepare(): Promise<void> {
    const backed = ['-q', '-f', 'qcow2', '-F', 'qcow2', '-b', IMAGE, this.disk]
    await runOk(systemProcesses, ['qemu-img', 'create', ...backed])
    const key = ['-q', '-t', 'ed25519', '-N', '', '-f', this.at('key')]
    await runOk(systemProcesses, ['ssh-keygen', ...key])
    for (const [tap, addresses] of Object.entries(TAPS)) {
      await ip('tuntap', 'add', tap, 'mode', 'tap')
      for (const address of addresses) {
        const nodad = address.includes(':') ? ['nodad'] : []
        await ip('addr', 'add', address, 'dev', tap, ...nodad)
      }
      await ip('link', 'set', tap, 'up')
    }
  }

  /** With a CD drive, empty, and a card in the management network. */
  start(name: string): Promise<AmphoraMachine> {
    return startAmphoraMachine({
      ...{ folder: this.folder, name, disk: this.disk },
      devices: [
        ...['-netdev', 'tap,id=m0,ifname=m0,script=no,downscript=no'],
        ...['-device', `virtio-net-pci,netdev=m0,mac=${MANAGEMENT_MAC},romfile=`],
        ...CD_DRIVE,
      ],
    })
  }

  /** What the controller gives to the compute service with an amphora. */
  driveOf(id: string): DriveContent {
    const { cert, key } = this.#serverCa.issue(id, 'serverAuth')
    const config = renderAgentConfig({
      ...AGENT_CONFIG_FALLBACKS,
      amphora_id: id,
      controller_ip_port_list: [`${CONTROLLER.ip}:${CONTROLLER.port}`],
      heartbeat_key: HEARTBEAT_KEY,
      heartbeat_interval_s: 3,
    })
    const files = {
      [AGENT_CONFIG_PATH]: config,
      [AGENT_SERVER_CERT_PATH]: `${cert}${key}`,
      [AGENT_SERVER_CA_PATH]: this.#clientCa.cert,
    }
    return { instance_id: id, hostname: `amphora-${id}`, files }
  }

  /** A CD with that of this world's amphora: its addresses, and a key for operators. */
  makeDrive(name: string, over: Partial<DriveContent> = {}): void {
    const ssh_keys = [readFileSync(this.at('key.pub'), 'utf8')]
    const usual = { ...this.driveOf(this.amphora.id), ssh_keys, network_data: NETWORK_DATA }
    makeIso(this.at(name), { ...usual, ...over })
  }

  async insert(machine: AmphoraMachine, name: string): Promise<void> {
    await machine.command('blockdev-change-medium', {
      ...{ id: 'cd0', filename: this.at(name), format: 'raw', force: true },
    })
  }

  client(id: string, address: string, how: { port?: number; ca?: TestCa } = {}): AgentClient {
    return createAgentClient(this.#transport(id, address, how))
  }

  async isUp(address = GUEST_IP): Promise<boolean> {
    return isAnswering(this.client(this.amphora.id, address))
  }

  untilUp(): Promise<void> {
    return until('the agent to answer', () => this.isUp(), PATIENCE_MS)
  }

  /** A shell command in the guest, by ssh with the key of the operator. */
  async inGuest(command: string): Promise<string> {
    const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR']
    const given = ['-i', this.at('key'), ...options.flatMap((each) => ['-o', each])]
    const argv = ['ssh', ...given, `root@${GUEST_IP}`, command]
    const { code, stdout, stderr } = await systemProcesses.run(argv, { timeoutMs: 60_000 })
    if (code !== 0) throw new Error(`in the guest: ${command}: ${stdout}${stderr}`)
    return stdout.trim()
  }

  remove(): void {
    for (const ca of [this.#serverCa, this.#clientCa]) ca.remove()
    rmSync(this.folder, { recursive: true })
  }

  #transport(amphora_id: string, address: string, how: { port?: number; ca?: TestCa } = {}) {
    const { port = 9443, ca } = how
    const client = ca?.issue('controller', 'clientAuth') ?? this.#controller
    const tls = { ...client, ca: this.#serverCa.cert }
    return createTransport(tls, { port, timeout_ms: 60_000 }, { amphora_id, ip: address })
  }
}

export function isAnswering(client: AgentClient): Promise<boolean> {
  return client.call('getInfo', {}).then(
    () => true,
    () => false,
  )
}

/** Seconds of work of this machine's processor, which tell more than those of a clock. */
export function reportCpu(what: string, { cpu }: AmphoraMachine): void {
  process.stderr.write(`${what} after ${cpu().toFixed(1)} s of CPU\n`)
}
