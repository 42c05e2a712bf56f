/**
 * The image of amphorae at work: cards that are plugged in while it runs, listeners of haproxy and
 * of IPVS under traffic, and what outlives a power cut. One boot, and one of a copy of its disk.
 */
import { createConnection } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { checkSctp } from '../../src/agent/sctp-check.ts'
import { newId } from '../../src/system/ids.ts'
import { bodyOf, labMissing, until } from './harness.ts'
import { makeFat } from './vm/amphora-drive.ts'
import {
  type AmphoraMachine,
  amphoraMachineMissing,
  startAmphoraMachine,
} from './vm/amphora-machine.ts'
import {
  createMembers,
  ITS_NAME,
  type Members,
  PORTS,
  treeOf,
  VIP,
  vipPlug,
} from './vm/amphora-tree.ts'
import {
  AmphoraWorld,
  isAnswering,
  MANAGEMENT_MAC,
  PATIENCE_MS,
  reportCpu,
} from './vm/amphora-world.ts'
import { createHeartbeats, type Heartbeats } from './vm/heartbeats.ts'
import { askUdp } from './vm/members.ts'

const missing = labMissing() ?? amphoraMachineMissing()
const why = missing === undefined ? '' : ` (${missing})`
const lab = (name: string, body: () => Promise<void>): void =>
  test.skipIf(missing !== undefined)(`${name}${why}`, body, PATIENCE_MS)

/** Where qemu's own network lets the second machine be reached. */
const FORWARDED = { agent: 19_443, ssh: 19_022 } as const

let world: AmphoraWorld
let machine: AmphoraMachine
let members: Members
let heartbeats: Heartbeats

beforeAll(async () => {
  if (missing !== undefined) return
  world = new AmphoraWorld()
  await world.prepare()
  members = createMembers()
  heartbeats = await createHeartbeats()
  world.makeDrive('right.iso')
  machine = await world.start('first')
  await world.insert(machine, 'right.iso')
  await world.untilUp()
}, PATIENCE_MS)

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(`the console:\n${machine.console()}\n`)
})

afterAll(async () => {
  await machine?.stop()
  await members?.stop()
  heartbeats?.close()
  world?.remove()
})

const serves = async (port: number): Promise<boolean> =>
  (await bodyOf(`http://${VIP}:${port}/`)) === ITS_NAME
const servesUdp = async (): Promise<boolean> => (await askUdp(VIP, PORTS.udp)) === ITS_NAME
const servesSctp = (): boolean => checkSctp(VIP, PORTS.sctp, 2_000) === undefined
const untilServed = (port: number): Promise<void> =>
  until('the VIP to serve', () => serves(port), PATIENCE_MS)

lab('a card that is plugged in while it runs becomes that of the VIP', async () => {
  await machine.command('netdev_add', {
    ...{ type: 'tap', id: 'v0', ifname: 'v0', script: 'no', downscript: 'no' },
  })
  await machine.command('device_add', {
    ...{ driver: 'virtio-net-pci', netdev: 'v0', id: 'vip', mac: vipPlug.port.mac_address },
  })
  const plugged = () =>
    world.driver.plugVip(world.amphora, vipPlug).then(
      () => true,
      () => false,
    )
  await until('the card to be seen', plugged, PATIENCE_MS)
})

lab('an HTTP listener carries traffic', async () => {
  await world.driver.updateListeners(world.amphora, treeOf(['http']))
  await untilServed(PORTS.http)
  for (let n = 0; n < 200; n++) expect(await serves(PORTS.http)).toBe(true)
  reportCpu('serving', machine)
  process.stderr.write(`memory in MB with traffic: ${await world.inGuest('free -m | sed -n 2p')}\n`)
})

lab('what is acknowledged is served after a power cut a moment later', async () => {
  await world.driver.updateListeners(world.amphora, treeOf(['http', 'more']))
  await machine.command('system_reset')
  await until('the VIP to be gone', async () => !(await serves(PORTS.more)))
  await untilServed(PORTS.more)
  expect(await serves(PORTS.http)).toBe(true)
  expect(await world.inGuest('grep -c eth /proc/net/dev')).toBe('1')
  expect(await world.isUp()).toBe(true)
})

lab('UDP and SCTP listeners carry traffic', async () => {
  await world.driver.updateListeners(world.amphora, treeOf(['http', 'udp', 'sctp']))
  await until('datagrams to be answered', servesUdp, PATIENCE_MS)
  await until('associations to be answered', servesSctp, PATIENCE_MS)
  expect(await world.inGuest('nsenter --net=/run/netns/amphora-haproxy ipvsadm -Ln')).toMatch(
    /UDP +10.20.0.10:5353[\s\S]*SCTP +10.20.0.10:5353/,
  )
})

lab('heartbeats tell of members of UDP and SCTP pools as their checks find them', async () => {
  await heartbeats.until({ udp: 'UP', sctp: 'UP' })
  await members.stopDatagrams()
  await heartbeats.until({ udp: 'DOWN', sctp: 'DOWN' })
  expect(await servesUdp()).toBe(false)
  members.startDatagrams()
  await heartbeats.until({ udp: 'UP', sctp: 'UP' })
  expect(await servesUdp()).toBe(true)
})

lab('UDP and SCTP listeners, too, are served after a power cut', async () => {
  await machine.command('system_reset')
  await until('the VIP to be gone', async () => !(await servesUdp()))
  await until('datagrams to be answered', servesUdp, PATIENCE_MS)
  await until('associations to be answered', servesSctp, PATIENCE_MS)
  await untilServed(PORTS.http)
})

lab('a copy of its disk is another amphora: by DHCP, from a FAT drive, without ssh', async () => {
  await machine.command('system_powerdown')
  expect(await machine.exited).toBe(0)
  const second = newId()
  makeFat(world.at('second.fat'), world.driveOf(second))
  const { agent, ssh } = FORWARDED
  const forward = `hostfwd=tcp:127.0.0.1:${agent}-:9443,hostfwd=tcp:127.0.0.1:${ssh}-:22`
  machine = await startAmphoraMachine({
    ...{ folder: world.folder, name: 'second', disk: world.disk, memory_mb: 256 },
    devices: [
      ...['-netdev', `user,id=n0,${forward}`],
      ...['-device', `virtio-net-pci,netdev=n0,mac=${MANAGEMENT_MAC},romfile=`],
      ...['-drive', `if=none,id=config,file=${world.at('second.fat')},format=raw`],
      ...['-device', 'virtio-blk-pci,drive=config'],
    ],
  })
  const client = world.client(second, '127.0.0.1', { port: agent })
  await until('the agent to answer', () => isAnswering(client), PATIENCE_MS)
  await machine.says('the disk is that of another instance')
  expect((await client.call('listListeners', {})).value).toEqual([])
  expect(await greetingOf(ssh)).toBe('')
  const { value } = await client.call('getDetails', {})
  process.stderr.write(`memory in KB idle with 256 MB: ${JSON.stringify(value.memory)}\n`)
  reportCpu('with 256 MB', machine)
})

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
