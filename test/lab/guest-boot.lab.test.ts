/**
 * The image of amphorae, booted as a compute service boots it: what it needs to come up, what it
 * tells on its console when it cannot, and who is let in. One boot, because each takes a minute
 * where it is emulated; the steps build on one another.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { newId } from '../../src/system/ids.ts'
import { createTestCa } from './certificates.ts'
import { labMissing, until } from './harness.ts'
import { type AmphoraMachine, amphoraMachineMissing } from './vm/amphora-machine.ts'
import { AmphoraWorld, GUEST_IP, GUEST_IP6, PATIENCE_MS, reportCpu } from './vm/amphora-world.ts'

const missing = labMissing() ?? amphoraMachineMissing()
const why = missing === undefined ? '' : ` (${missing})`
const lab = (name: string, body: () => Promise<void>): void =>
  test.skipIf(missing !== undefined)(`${name}${why}`, body, PATIENCE_MS)

let world: AmphoraWorld
let machine: AmphoraMachine

beforeAll(async () => {
  if (missing !== undefined) return
  world = new AmphoraWorld()
  await world.prepare()
  world.makeDrive('broken.iso', { broken: '{ "uuid": ' })
  world.makeDrive('right.iso')
  machine = await world.start('first')
}, PATIENCE_MS)

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(`the console:\n${machine.console()}\n`)
})

afterAll(async () => {
  await machine?.stop()
  world?.remove()
})

lab('without a config drive the console says what is missing', () =>
  machine.says('waiting for a config drive'),
)

lab('a config drive that is broken is told on the console', async () => {
  await world.insert(machine, 'broken.iso')
  await machine.says('the agent cannot run: meta_data.json is no JSON')
})

lab('with the drive of its instance it comes up at the addresses it names', async () => {
  await world.insert(machine, 'right.iso')
  await world.untilUp()
  reportCpu('up', machine)
  expect(await world.isUp(GUEST_IP6)).toBe(true)
  const { hostname } = await world.driver.getInfo(world.amphora)
  expect(hostname).toBe(`amphora-${world.amphora.id}`)
  const version = async () => (await world.driver.getInfo(world.amphora)).haproxy_version
  await until('haproxy to tell its version', async () => /^2\./.test(await version()))
})

lab('who is not the controller is not let in', async () => {
  const ca = createTestCa('strangers')
  const stranger = world.client(world.amphora.id, GUEST_IP, { ca })
  await expect(stranger.call('getInfo', {})).rejects.toThrow()
  ca.remove()
  const other = world.client(newId(), GUEST_IP)
  await expect(other.call('getInfo', {})).rejects.toThrow('its certificate is refused')
})

lab('the root cannot be written, and private keys of users would be in memory', async () => {
  const inGuest = (command: string) => world.inGuest(command)
  expect(
    await inGuest('touch /usr/x 2>&1; awk \'$2 == "/" { print $3, $4 }\' /proc/mounts'),
  ).toMatch(/Read-only file system\nsquashfs ro,/)
  expect(await inGuest('stat -f -c %T /var/lib/octavia/certs')).toBe('tmpfs')
  expect(await inGuest('stat -c %a /etc/octavia/certs/server.pem')).toBe('600')
  expect(await inGuest('cat /etc/resolv.conf')).toBe('nameserver 172.30.0.1')
  expect(await inGuest('cat /sys/class/net/eth0/mtu')).toBe('1450')
  // Nobody has a password.
  expect(await inGuest('grep -vc ":[*]:" /etc/shadow; true')).toBe('0')
})

lab('the power button stops it', async () => {
  await machine.command('system_powerdown')
  expect(await machine.exited).toBe(0)
})
