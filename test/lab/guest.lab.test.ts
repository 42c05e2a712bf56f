/**
 * The image of amphorae, booted as a compute service boots it: what it needs to come up, what it
 * tells on its console when it cannot, cards that are plugged in later, and what outlives a reset.
 * The steps build on one another, because each boot takes a minute where it is emulated.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  AGENT_CONFIG_FALLBACKS,
  AGENT_CONFIG_PATH,
  AGENT_SERVER_CA_PATH,
  AGENT_SERVER_CERT_PATH,
  renderAgentConfig,
} from '../../src/contract/agent-config.ts'
import { createAgentClient } from '../../src/contract/client.ts'
import { HAPROXY_OPTION_FALLBACKS } from '../../src/dataplane/haproxy/facts.ts'
import type { AmphoraDriver, VipPlug } from '../../src/driver/amphora.ts'
import { createRestAmphoraDriver } from '../../src/driver/rest/amphora.ts'
import { createTransport } from '../../src/driver/rest/transport.ts'
import type { Amphora } from '../../src/model/amphora.ts'
import type { LoadBalancerTree } from '../../src/model/tree.ts'
import { newId } from '../../src/system/ids.ts'
import { systemProcesses } from '../../src/system/process.ts'
import { listenerRow, loadBalancerRow, memberRow, poolRow } from '../fake/rows.ts'
import { VRRP_OPTIONS } from '../fake/vrrp.ts'
import { createTestCa } from './certificates.ts'
import { bodyOf, ip, labMissing, until } from './harness.ts'
import { makeFat, makeIso } from './vm/amphora-drive.ts'
import {
  type AmphoraMachine,
  amphoraMachineMissing,
  IMAGE,
  startAmphoraMachine,
} from './vm/amphora-machine.ts'

const missing = labMissing() ?? amphoraMachineMissing()
const lab = test.skipIf(missing !== undefined)
const why = missing === undefined ? '' : ` (${missing})`

const TIMEOUT_MS = 400_000
const MANAGEMENT_MAC = 'fa:16:3e:00:00:01'
const VIP_MAC = 'fa:16:3e:00:00:02'
const GUEST_IP = '172.30.0.2'
const GUEST_IP6 = 'fd00:30::2'
const VIP = '10.20.0.10'
/** Where qemu's own network lets the machine be reached. */
const FORWARDED = { agent: 19_443, ssh: 19_022 } as const

const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-guest-'))
const at = (name: string): string => join(folder, name)
const disk = at('disk.qcow2')
const serverCa = missing === undefined ? createTestCa('server CA') : undefined
const clientCa = missing === undefined ? createTestCa('client CA') : undefined
let machine: AmphoraMachine
let server: Bun.Server<undefined>

/** As the controller writes them. */
function filesOf(id: string): Readonly<Record<string, string>> {
  const { cert, key } = serverCa?.issue(id, 'serverAuth') ?? { cert: '', key: '' }
  return {
    [AGENT_CONFIG_PATH]: renderAgentConfig({
      ...AGENT_CONFIG_FALLBACKS,
      amphora_id: id,
      controller_ip_port_list: ['172.30.0.1:5555'],
      heartbeat_key: 'a key of the lab',
    }),
    [AGENT_SERVER_CERT_PATH]: `${cert}${key}`,
    [AGENT_SERVER_CA_PATH]: clientCa?.cert ?? '',
  }
}

function transportTo(amphora_id: string, address: string, ca = clientCa, port = 9443) {
  const client = ca?.issue('controller', 'clientAuth') ?? { cert: '', key: '' }
  const tls = { ...client, ca: serverCa?.cert ?? '' }
  return createTransport(tls, { port, timeout_ms: 60_000 }, { amphora_id, ip: address })
}

const first = newId()
const amphora = { id: first, lb_network_ip: GUEST_IP, vrrp_ip: null } as Amphora
let driver: AmphoraDriver

const STATIC_NETWORK = {
  links: [{ id: 'tap1', type: 'bridge', ethernet_mac_address: MANAGEMENT_MAC, mtu: 1450 }],
  networks: [
    { link: 'tap1', type: 'ipv4', ip_address: GUEST_IP, netmask: '255.255.255.0', routes: [] },
    {
      ...{ link: 'tap1', type: 'ipv6', ip_address: GUEST_IP6, routes: [] },
      netmask: 'ffff:ffff:ffff:ffff::',
    },
  ],
  services: [{ type: 'dns', address: '172.30.0.1' }],
}

/** A shell command in the guest, by ssh with the key of the operator. */
async function inGuest(command: string): Promise<string> {
  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR']
  const { code, stdout, stderr } = await systemProcesses.run(
    [
      'ssh',
      '-i',
      at('key'),
      ...options.flatMap((each) => ['-o', each]),
      `root@${GUEST_IP}`,
      command,
    ],
    { timeoutMs: 60_000 },
  )
  if (code !== 0) throw new Error(`in the guest: ${command}: ${stdout}${stderr}`)
  return stdout.trim()
}

beforeAll(async () => {
  if (missing !== undefined) return
  await systemProcesses.run([
    'qemu-img',
    'create',
    '-q',
    '-f',
    'qcow2',
    '-F',
    'qcow2',
    '-b',
    IMAGE,
    disk,
  ])
  await systemProcesses.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', at('key')])
  for (const [tap, ...addresses] of [
    ['m0', '172.30.0.1/24', 'fd00:30::1/64'],
    ['v0', '10.20.0.1/24'],
  ]) {
    await ip('tuntap', 'add', tap ?? '', 'mode', 'tap')
    for (const address of addresses)
      await ip(
        'addr',
        'add',
        address,
        'dev',
        tap ?? '',
        ...(address.includes(':') ? ['nodad'] : []),
      )
    await ip('link', 'set', tap ?? '', 'up')
  }
  const drive = { instance_id: first, hostname: `amphora-${first}`, files: filesOf(first) }
  makeIso(at('broken.iso'), { ...drive, broken: '{ "uuid": ' })
  makeIso(at('right.iso'), {
    ...drive,
    ssh_keys: [readFileSync(at('key.pub'), 'utf8')],
    network_data: STATIC_NETWORK,
  })
  server = Bun.serve({ port: 0, hostname: '10.20.0.1', fetch: () => new Response('member') })
  driver = createRestAmphoraDriver({
    connect: ({ amphora_id, ip: address }) => transportTo(amphora_id, address),
    options: { ...HAPROXY_OPTION_FALLBACKS, ...VRRP_OPTIONS },
  })
  machine = await startAmphoraMachine({
    ...{ folder, name: 'first', disk },
    devices: [
      ...['-netdev', 'tap,id=m0,ifname=m0,script=no,downscript=no'],
      ...['-device', `virtio-net-pci,netdev=m0,mac=${MANAGEMENT_MAC},romfile=`],
      ...['-drive', 'if=none,id=cd,media=cdrom,readonly=on', '-device', 'ide-cd,drive=cd,id=cd0'],
    ],
  })
}, TIMEOUT_MS)

afterAll(async () => {
  if (missing !== undefined) return
  await machine?.stop()
  await server?.stop(true)
  for (const ca of [serverCa, clientCa]) ca?.remove()
  rmSync(folder, { recursive: true })
})

const insert = (iso: string) =>
  machine.command('blockdev-change-medium', {
    ...{ id: 'cd0', filename: at(iso), format: 'raw', force: true },
  })

async function isUp(address = GUEST_IP): Promise<boolean> {
  try {
    await createAgentClient(transportTo(first, address)).call('getInfo', {})
    return true
  } catch {
    return false
  }
}

lab(
  `without a config drive the console says what is missing${why}`,
  () => machine.says('waiting for a config drive'),
  TIMEOUT_MS,
)

lab(
  `a config drive that is broken is told on the console${why}`,
  async () => {
    await insert('broken.iso')
    await machine.says('the agent cannot run: meta_data.json is no JSON')
  },
  TIMEOUT_MS,
)

lab(
  `with the drive of its instance it comes up at the addresses it names${why}`,
  async () => {
    await insert('right.iso')
    await until('the agent to answer', () => isUp(), TIMEOUT_MS)
    expect(await isUp(GUEST_IP6)).toBe(true)
    const info = await driver.getInfo(amphora)
    expect(info.hostname).toBe(`amphora-${first}`)
    await until('haproxy to tell its version', async () =>
      /^2\./.test((await driver.getInfo(amphora)).haproxy_version),
    )
    report('up', machine)
  },
  TIMEOUT_MS,
)

lab(
  `who is not the controller is not let in${why}`,
  async () => {
    const stranger = createTestCa('strangers')
    const call = createAgentClient(transportTo(first, GUEST_IP, stranger)).call('getInfo', {})
    await expect(call).rejects.toThrow()
    stranger.remove()
    const other = createAgentClient(transportTo(newId(), GUEST_IP)).call('getInfo', {})
    await expect(other).rejects.toThrow('its certificate is refused')
  },
  TIMEOUT_MS,
)

lab(
  `the root cannot be written, and private keys of users would be in memory${why}`,
  async () => {
    expect(
      await inGuest('touch /usr/x 2>&1; awk \'$2 == "/" { print $3, $4 }\' /proc/mounts'),
    ).toMatch(/Read-only file system\nsquashfs ro,/)
    expect(await inGuest('stat -f -c %T /var/lib/octavia/certs')).toBe('tmpfs')
    expect(await inGuest('stat -c %a /etc/octavia/certs/server.pem')).toBe('600')
    expect(await inGuest('cat /etc/resolv.conf')).toBe('nameserver 172.30.0.1')
    expect(await inGuest('cat /sys/class/net/eth0/mtu')).toBe('1450')
    // Nobody has a password.
    expect(await inGuest('grep -vc ":[*]:" /etc/shadow; true')).toBe('0')
  },
  TIMEOUT_MS,
)

lab(
  `IPVS takes TCP, UDP and SCTP${why}`,
  async () => {
    for (const kind of ['-t', '-u', '--sctp-service'])
      await inGuest(`modprobe ip_vs && ipvsadm -A ${kind} 192.0.2.1:53 -s wrr`)
    expect(await inGuest('ipvsadm -Ln')).toMatch(/TCP .*\n[\s\S]*UDP[\s\S]*SCTP/)
    await inGuest('ipvsadm -C')
  },
  TIMEOUT_MS,
)

const lb = loadBalancerRow({ vip_address: VIP })
const pool = poolRow({ loadbalancer_id: lb.id })
const listener = listenerRow({ loadbalancer_id: lb.id, default_pool_id: pool.id })

const subnet = {
  ...{ id: newId(), name: 'vip', network_id: newId(), cidr: '10.20.0.0/24' },
  ...{ gateway_ip: '10.20.0.1', host_routes: [] },
}
const vipPlug: VipPlug = {
  port: {
    ...{ id: newId(), name: 'vrrp', network_id: subnet.network_id, mac_address: VIP_MAC },
    ...{ device_id: '', device_owner: '' },
    fixed_ips: [{ subnet_id: subnet.id, ip_address: '10.20.0.11' }],
  },
  network: {
    ...{ id: subnet.network_id, name: 'vip-net', mtu: 1450, subnet_ids: [subnet.id] },
    port_security_enabled: false,
  },
  subnets: [subnet],
  vip: { ip_address: VIP, subnet },
  additional_vips: [],
}

lab(
  `a card that is plugged in while it runs becomes that of the VIP, and carries traffic${why}`,
  async () => {
    await machine.command('netdev_add', {
      ...{ type: 'tap', id: 'v0', ifname: 'v0', script: 'no', downscript: 'no' },
    })
    await machine.command('device_add', {
      ...{ driver: 'virtio-net-pci', netdev: 'v0', id: 'vip', mac: VIP_MAC },
    })
    await until(
      'the card to be seen',
      () =>
        driver.plugVip(amphora, vipPlug).then(
          () => true,
          () => false,
        ),
      TIMEOUT_MS,
    )
    const tree: LoadBalancerTree = {
      ...lb,
      listeners: [listener],
      pools: [
        {
          ...pool,
          members: [
            memberRow({ pool_id: pool.id, address: '10.20.0.1', protocol_port: server.port ?? 1 }),
          ],
          healthmonitor: null,
        },
      ],
      l7policies: [],
      amphorae: [],
    }
    await driver.updateListeners(amphora, tree)
    await untilServed()
    for (let n = 0; n < 50; n++) expect(await bodyOf(`http://${VIP}/`)).toBe('member')
    report('serving', machine)
    const free = await inGuest('free -m | sed -n 2p')
    process.stderr.write(`memory in MB with traffic: ${free}\n`)
  },
  TIMEOUT_MS,
)

async function untilServed(): Promise<void> {
  const served = async () => (await bodyOf(`http://${VIP}/`)) === 'member'
  await until('the VIP to serve', served, TIMEOUT_MS)
}

lab(
  `after a power cycle it serves again without a controller${why}`,
  async () => {
    await machine.command('system_reset')
    await until('the VIP to be gone', async () => (await bodyOf(`http://${VIP}/`)) === undefined)
    await untilServed()
    expect(await inGuest('cat /proc/net/dev | grep -c eth')).toBe('1')
    expect(await isUp()).toBe(true)
  },
  TIMEOUT_MS,
)

lab(
  `the power button stops it${why}`,
  async () => {
    await machine.command('system_powerdown')
    expect(await machine.exited).toBe(0)
  },
  TIMEOUT_MS,
)

lab(
  `a copy of its disk is another amphora: by DHCP, from a FAT drive, without ssh${why}`,
  async () => {
    const second = newId()
    makeFat(at('second.fat'), {
      ...{ instance_id: second, hostname: 'second', files: filesOf(second) },
    })
    const { agent, ssh } = FORWARDED
    const forward = `hostfwd=tcp:127.0.0.1:${agent}-:9443,hostfwd=tcp:127.0.0.1:${ssh}-:22`
    machine = await startAmphoraMachine({
      ...{ folder, name: 'second', disk, memory_mb: 256 },
      devices: [
        ...['-netdev', `user,id=n0,${forward}`],
        ...['-device', `virtio-net-pci,netdev=n0,mac=${MANAGEMENT_MAC},romfile=`],
        ...['-drive', `if=none,id=config,file=${at('second.fat')},format=raw`],
        ...['-device', 'virtio-blk-pci,drive=config'],
      ],
    })
    const client = createAgentClient(transportTo(second, '127.0.0.1', clientCa, agent))
    await until(
      'the agent to answer',
      () =>
        client.call('getInfo', {}).then(
          () => true,
          () => false,
        ),
      TIMEOUT_MS,
    )
    await machine.says('the disk is that of another instance')
    expect((await client.call('listListeners', {})).value).toEqual([])
    expect(await greetingOf(ssh)).toBe('')
    const { value } = await client.call('getDetails', {})
    process.stderr.write(`memory in KB idle with 256 MB: ${JSON.stringify(value.memory)}\n`)
    report('with 256 MB', machine)
  },
  TIMEOUT_MS,
)

/** What a server says first; nothing when none listens. */
function greetingOf(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = createConnection(port, '127.0.0.1')
    socket.on('data', (part) => {
      text += part.toString()
      socket.end()
    })
    socket.on('error', () => resolve(text))
    socket.on('close', () => resolve(text))
  })
}

function report(what: string, { cpu }: AmphoraMachine): void {
  process.stderr.write(`${what} after ${cpu().toFixed(1)} s of CPU\n`)
}
