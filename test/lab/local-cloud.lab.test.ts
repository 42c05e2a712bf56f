/**
 * The local cloud on real links and namespaces: isolation, survival, healing, refusals, no
 * leftovers.
 */
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DEFAULT_MANAGEMENT, type LocalCloud } from '../../src/driver/local/cloud.ts'
import { makeMountPoints, removeMountPoints } from '../../src/driver/local/host.ts'
import { findProcess } from '../../src/driver/local/process.ts'
import { LocalState } from '../../src/driver/local/state.ts'
import { AddressInUse } from '../../src/driver/network.ts'
import { systemClock } from '../../src/system/clock.ts'
import { newId } from '../../src/system/ids.ts'
import { silentLog } from '../../src/system/log.ts'
import { leftovers, type Snapshot, snapshot } from './leftovers.ts'
import { askAgent, labMissing, newInstanceRequest, openLabCloud, say, sh } from './local-cloud.ts'
import { buildAmphora, deleteAmphora, type Story } from './local-story.ts'

const missing = labMissing()
const MANAGEMENT = '172.16.0.2/22'

describe.skipIf(missing !== undefined)(`local cloud${missing ? ` (${missing})` : ''}`, () => {
  let folder: string
  let before: Snapshot
  let cloud: LocalCloud

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'octavia-lite-local-'))
    before = await snapshot()
    cloud = openLabCloud(folder)
  })
  afterEach(async () => {
    await cloud.teardown()
    expect(await leftovers(before)).toEqual([])
    rmSync(folder, { recursive: true })
  })

  const newStory = (): Story => ({ amphora_id: newId(), load_balancer_id: newId() })
  const folderOf = (amphora_id: string): string => join(folder, 'amphorae', amphora_id)
  const pidOf = (amphora_id: string): number | undefined => findProcess(folderOf(amphora_id))?.pid
  const bridgeOf = async (link: string): Promise<string> =>
    (await sh(`ip -o link show ${link} | grep -o "master [^ ]*" | cut -d" " -f2`)).trim()
  const reopen = async (): Promise<void> => {
    cloud = openLabCloud(folder)
    await cloud.start()
  }

  test('an amphora has everything of its own', async () => {
    await cloud.start()
    const story = newStory()
    const vip = await buildAmphora(cloud, story)
    const { amphora_id } = story
    const report = await askAgent(cloud, amphora_id)
    const port = (await cloud.network.plugVip({ id: amphora_id, compute_id: amphora_id }, vip))
      .mac_address
    expect(report).toMatchObject({
      hostname: `amphora-${amphora_id}`,
      parent: 1,
      settings: `id = ${amphora_id}\n`,
      mode: '600',
      namespaces: [],
      environment: ['HOME', 'LANG', 'PATH', 'PWD'],
    })
    // Supervisor, agent and its child: nothing of the host shows.
    expect(report.processes).toBe(3)
    expect(report.macs).toContain(port)
    expect(report.addresses).toContain((await cloud.compute.find(amphora_id))?.lb_network_ip)
    expect(report.addresses).not.toContain(port)
    await deleteAmphora(cloud, story)
  })

  // Where the tests themselves lie in /tmp, so does the agent, and nothing can cover it.
  const inTmp = import.meta.dirname.startsWith('/tmp/')
  test.skipIf(inTmp)('/tmp is its own unless the amphora is run from there', async () => {
    const elsewhere = mkdtempSync('/var/tmp/octavia-lite local-')
    const other = openLabCloud(elsewhere)
    await other.start()
    const request = newInstanceRequest()
    await other.compute.build(request)
    expect((await askAgent(other, request.amphora_id)).temporary).toEqual([])
    await other.teardown()
    rmSync(elsewhere, { recursive: true })
    await cloud.start()
    await cloud.compute.build(request)
    expect((await askAgent(cloud, request.amphora_id)).temporary).toContain(basename(folder))
  })

  test('IPv6 networks', async () => {
    cloud = openLabCloud(folder, {
      networks: [{ name: 'six', cidr: 'fd00:10::/64', host_access: true }],
      management: { ...DEFAULT_MANAGEMENT, cidr: 'fd00:16::/64', host_address: 'fd00:16::2' },
    })
    await cloud.start()
    const story = newStory()
    const vip = await buildAmphora(cloud, story)
    expect(vip.ip_address).toMatch(/^fd00:10::[2-9]$/)
    expect((await askAgent(cloud, story.amphora_id)).settings).toContain(story.amphora_id)
    expect(await cloud.heal()).toEqual({ repaired: [], problems: [] })
    await sh('ip link delete o-hm0')
    await cloud.heal()
    await askAgent(cloud, story.amphora_id)
    await deleteAmphora(cloud, story)
  })

  test('a firewall that keeps amphorae from being reached is named, with the cure', async () => {
    await sh(
      'nft add table ip filter',
      "nft 'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'",
    )
    const warnings: string[] = []
    const log = { ...silentLog, warning: (message: string) => void warnings.push(message) }
    cloud = openLabCloud(folder, {}, { log })
    await cloud.start()
    const request = newInstanceRequest()
    await cloud.compute.build(request)
    const filtered = existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables')
    expect(warnings).toHaveLength(filtered ? 1 : 0)
    const cure = /let them pass: (nft insert rule .*)$/.exec(warnings[0] ?? '')?.[1]
    if (cure !== undefined) {
      // Each waits 300 ms in vain; the agent is there long before the last.
      for (let time = 0; time < 4; time++)
        expect(await say(cloud, request.amphora_id, 'hello')).toBe('')
      await sh(cure.replaceAll('"', '\\"'))
    }
    await askAgent(cloud, request.amphora_id)
    cloud = openLabCloud(folder, {}, { log })
    await cloud.start()
    expect(warnings).toHaveLength(filtered ? 1 : 0)
    await sh('nft delete table ip filter')
  })

  test('what runs beside the agent outlives a crash of the agent', async () => {
    await cloud.start()
    const request = newInstanceRequest()
    await cloud.compute.build(request)
    const first = await askAgent(cloud, request.amphora_id)
    await say(cloud, request.amphora_id, 'crash')
    const second = await askAgent(cloud, request.amphora_id)
    expect(second.pid).not.toBe(first.pid)
    expect(second).toMatchObject({ child: first.child, childAlive: true, parent: 1 })
    expect(second.processes).toBe(3)
  })

  test('amphorae outlive their controller', async () => {
    await cloud.start()
    const story = newStory()
    const vip = await buildAmphora(cloud, story)
    const { amphora_id } = story
    const [pid, first] = [pidOf(amphora_id), await askAgent(cloud, amphora_id)]
    await cloud.stop()
    await reopen()
    expect(pidOf(amphora_id)).toBe(pid)
    expect(await askAgent(cloud, amphora_id)).toEqual(first)
    expect(await buildAmphora(cloud, story)).toEqual(vip)
    expect(await cloud.heal()).toEqual({ repaired: [], problems: [] })
  })

  test('after a reboot of the host everything comes back as it was', async () => {
    await cloud.start()
    const stories = [newStory(), newStory()]
    for (const story of stories) await buildAmphora(cloud, story)
    const first = await Promise.all(stories.map((one) => askAgent(cloud, one.amphora_id)))
    for (const { amphora_id } of stories) await say(cloud, amphora_id, 'keep')
    await sh(
      ...stories.map(({ amphora_id }) => `kill -9 ${pidOf(amphora_id)}`),
      'for l in $(ip -o link | grep octavia-lite | cut -d" " -f2 | cut -d@ -f1 | tr -d :); do ip link delete $l || :; done',
    )
    expect(await sh('ip -o link | grep -c octavia-lite || :')).toBe('0\n')
    await reopen()
    for (const [at, { amphora_id }] of stories.entries()) {
      const again = await askAgent(cloud, amphora_id)
      expect([...again.macs].sort()).toEqual([...(first[at]?.macs ?? [])].sort())
      expect(again).toMatchObject({ settings: `id = ${amphora_id}\n`, kept: true })
    }
  })

  test('an instance whose processes were killed says so, and is started again', async () => {
    await cloud.start()
    const request = newInstanceRequest()
    await cloud.compute.build(request)
    await askAgent(cloud, request.amphora_id)
    await sh(`kill -9 ${pidOf(request.amphora_id)}`)
    while (pidOf(request.amphora_id) !== undefined) await systemClock.sleep(2)
    expect(await cloud.compute.find(request.amphora_id)).toMatchObject({
      status: 'ERROR',
      fault: 'its processes have ended',
    })
    expect((await cloud.heal()).repaired).toContain(`${request.name}: started again`)
    expect(await cloud.compute.find(request.amphora_id)).toMatchObject({ status: 'ACTIVE' })
    await askAgent(cloud, request.amphora_id)
  })

  test('the log of an agent is bounded', async () => {
    await cloud.start()
    const request = newInstanceRequest()
    await cloud.compute.build(request)
    const log = join(folderOf(request.amphora_id), 'agent.log')
    appendFileSync(log, Buffer.alloc(5 << 20, 'x\n'))
    await cloud.heal()
    expect(statSync(log).size).toBe(0)
  })

  test.each<[string, () => Promise<string[]> | string[]]>([
    ['o-hm0 deleted', () => ['ip link delete o-hm0']],
    ['o-hm0 down', () => ['ip link set o-hm0 down']],
    ['the address removed', () => [`ip address delete ${MANAGEMENT} dev o-hm0`]],
    [
      'the address changed',
      () => [`ip address delete ${MANAGEMENT} dev o-hm0`, 'ip address add 172.16.0.9/22 dev o-hm0'],
    ],
    [
      'another address before ours',
      () => [
        `ip address delete ${MANAGEMENT} dev o-hm0`,
        'ip address add 172.16.0.9/22 dev o-hm0',
        `ip address add ${MANAGEMENT} dev o-hm0`,
      ],
    ],
    [
      'the prefix changed',
      () => [`ip address delete ${MANAGEMENT} dev o-hm0`, 'ip address add 172.16.0.2/32 dev o-hm0'],
    ],
    ['the MAC address changed', () => ['ip link set o-hm0 address 02:11:22:33:44:55']],
    ['the MTU changed', () => ['ip link set o-hm0 mtu 1280']],
    ['the alias removed and the link down', () => ['ip link set o-hm0 alias "" down']],
    ['o-hm0 renamed', () => ['ip link set o-hm0 down', 'ip link set o-hm0 name other0 up']],
    ['o-bhm0 out of the bridge', () => ['ip link set o-bhm0 nomaster']],
    ['o-bhm0 down', () => ['ip link set o-bhm0 down']],
    ['the bridge down', async () => [`ip link set ${await bridgeOf('o-bhm0')} down`]],
    ['the bridge deleted', async () => [`ip link delete ${await bridgeOf('o-bhm0')}`]],
    [
      'everything deleted',
      async () => [`ip link delete ${await bridgeOf('o-bhm0')}`, 'ip link delete o-bhm0'],
    ],
  ])('healed: %s', async (_, damage) => {
    await cloud.start()
    const request = newInstanceRequest()
    await cloud.compute.build(request)
    await askAgent(cloud, request.amphora_id)
    const pid = pidOf(request.amphora_id)
    await sh(...(await damage()))
    const { repaired, problems } = await cloud.heal()
    expect(problems).toEqual([])
    expect(repaired.length).toBeGreaterThan(0)
    await askAgent(cloud, request.amphora_id)
    expect(pidOf(request.amphora_id)).toBe(pid)
    const addresses = await sh('ip -o -4 address show dev o-hm0')
    expect(addresses.match(/inet \S+/g)).toEqual([`inet ${MANAGEMENT}`])
    expect(await cloud.heal()).toEqual({ repaired: [], problems: [] })
  })

  test('the management port of an amphora is made again, with its address', async () => {
    await cloud.start()
    const request = newInstanceRequest()
    await cloud.compute.build(request)
    await askAgent(cloud, request.amphora_id)
    await sh('ip link delete $(ip -o link | grep -o "opt-[^:@]*")')
    expect((await cloud.heal()).problems).toEqual([])
    await askAgent(cloud, request.amphora_id)
  })

  test('an address which somebody else added to o-hm0 stays', async () => {
    await cloud.start()
    await sh('ip address add 192.0.2.7/32 dev o-hm0')
    expect(await cloud.heal()).toEqual({ repaired: [], problems: [] })
    expect(await sh('ip -o -4 address show dev o-hm0')).toContain('192.0.2.7/32')
  })

  test.each([
    [
      'an address of the host in the VIP subnet',
      'ip link add foreign0 type bridge && ip address add 10.10.10.77/28 dev foreign0',
      /vip-net: its subnet 10\.10\.10\.0\/24 overlaps address 10\.10\.10\.77\/28 of foreign0/,
    ],
    [
      'an address around the management subnet',
      'ip link add foreign0 type bridge && ip address add 172.16.200.1/16 dev foreign0',
      /network lb-mgmt-net: its subnet 172\.16\.0\.0\/22 overlaps address 172\.16\.200\.1\/16/,
    ],
    [
      'a route into the VIP subnet',
      'ip link add foreign0 up type bridge && ip route add 10.10.0.0/16 dev foreign0',
      /network vip-net: .* overlaps route 10\.10\.0\.0\/16 on this host/,
    ],
    [
      'a route in a table of its own',
      'ip link add foreign0 up type bridge && ip route add 10.10.10.9 dev foreign0 table 77',
      /network vip-net: .* overlaps route 10\.10\.10\.9 on this host/,
    ],
    [
      'a foreign o-hm0',
      'ip link add o-hm0 type veth peer name foreign0',
      /link o-hm0: a link of this name exists and is not ours .*ip link delete o-hm0/,
    ],
    [
      'the o-hm0 of another octavia-lite',
      'ip link add foreign0 type veth peer name o-hm0 && ip link set o-hm0 alias octavia-lite:0a0b0c0d:management:o-hm0',
      /link o-hm0: .* belongs to the octavia-lite deployment 0a0b0c0d/,
    ],
  ])('refused, with nothing changed: %s', async (_, setting, sentence) => {
    await sh(setting)
    const there = await sh('ip -o link')
    await expect(cloud.start()).rejects.toThrow(sentence)
    expect(await sh('ip -o link')).toBe(there)
    await cloud.teardown()
    expect(await sh('ip -o link')).toBe(there)
    await sh('ip link delete foreign0')
  })

  test('a network the host has no address in may overlap', async () => {
    await sh('ip link add foreign0 type bridge', 'ip address add 10.20.0.1/24 dev foreign0')
    await cloud.start()
    await sh('ip link delete foreign0')
  })

  test('a foreign link that takes the place of ours is reported and left alone', async () => {
    await cloud.start()
    await sh('ip link delete o-hm0', 'ip link add o-hm0 type veth peer name foreign0')
    const there = await sh('ip -o link show o-hm0')
    const { problems } = await cloud.heal()
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/link o-hm0: a link of this name exists and is not ours/)
    expect(await sh('ip -o link show o-hm0')).toBe(there)
    // The rest goes on: a new amphora has its bridge.
    const request = newInstanceRequest()
    await cloud.compute.build(request)
    await sh('ip link delete foreign0')
    await cloud.heal()
    await askAgent(cloud, request.amphora_id)
  })

  test('a half-made link of ours, not yet marked, is finished and not refused', async () => {
    await cloud.start()
    await sh('ip link set o-bhm0 alias "" nomaster down', 'ip link set o-hm0 alias "" down')
    await reopen()
    expect(await sh('ip -o link show o-hm0')).toContain('alias octavia-lite:')
    expect(await cloud.heal()).toEqual({ repaired: [], problems: [] })
  })

  test('networks are removed when nothing is left on them, and made again', async () => {
    await cloud.start()
    const { port } = await cloud.createPort({
      name: 'mine',
      network_id: cloud.listNetworks()[0]?.id ?? '',
    })
    expect(await cloud.teardownIfIdle()).toBe(false)
    expect(await sh('ip -o link')).toContain('o-hm0')
    await cloud.deletePort(port.id)
    expect(await cloud.teardownIfIdle()).toBe(true)
    expect(await leftovers(before)).toEqual([])
    await cloud.start()
    await cloud.compute.build(newInstanceRequest())
  })

  test('a port of the user is a link to the network, with the address nobody else gets', async () => {
    await cloud.start()
    const network_id = cloud.listNetworks()[0]?.id ?? ''
    const wish = { name: 'web', network_id, ip_address: '10.10.10.50', link: true }
    const { port, link } = await cloud.createPort(wish)
    await expect(cloud.createPort(wish)).rejects.toBeInstanceOf(AddressInUse)
    await expect(cloud.createPort({ ...wish, ip_address: '10.10.10.1' })).rejects.toBeInstanceOf(
      AddressInUse,
    )
    await sh(
      'ip netns add web',
      `ip link set ${link} netns web name eth0`,
      `ip -n web address add 10.10.10.50/24 dev eth0`,
      'ip -n web link set eth0 up',
      'ip -n web link set lo up',
    )
    expect(await sh('ip -n web -o link show eth0')).toContain(port.mac_address)
    // The host answers neighbour requests of the namespace: the link really leads to the bridge.
    await sh(
      'ip netns exec web sh -c "exec 3<>/dev/udp/10.10.10.1/9" 2>/dev/null || ip netns exec web bash -c "echo > /dev/udp/10.10.10.1/9"',
    )
    while (!/lladdr/.test(await sh('ip -n web neighbour show 10.10.10.1')))
      await systemClock.sleep(5)
    await cloud.deletePort(port.id)
    await cloud.deletePort(port.id)
    expect(await sh('ip -n web -o link')).not.toContain('eth0')
    await sh('ip netns delete web')
  })

  test('a mount point which another amphora uses is not taken away from it', async () => {
    const [point, source] = [join(folder, 'point'), join(folder, 'source')]
    mkdirSync(source)
    const state = new LocalState(join(folder, 'other'))
    makeMountPoints(state, [point])
    const amphora = `mount --bind ${source} ${point} && echo mounted && exec sleep 600`
    const child = Bun.spawn(['unshare', '--mount', 'sh', '-c', amphora], { stdout: 'pipe' })
    await child.stdout.getReader().read()
    removeMountPoints(state)
    expect(existsSync(point)).toBe(true)
    child.kill('SIGKILL')
    await child.exited
    state.setMadeFolders([point])
    removeMountPoints(state)
    expect(existsSync(point)).toBe(false)
  })

  test('a full subnet says so, and no retry helps', async () => {
    await cloud.start()
    const small = cloud.listNetworks().find(({ name }) => name === 'small-net')?.id ?? ''
    // A /29 has six addresses, one of them the gateway's.
    for (let at = 0; at < 5; at++) await cloud.createPort({ name: `p${at}`, network_id: small })
    const failure = cloud.createPort({ name: 'p5', network_id: small })
    await expect(failure).rejects.toMatchObject({ retryable: false })
    await expect(failure).rejects.toThrow(/10\.30\.0\.0\/29 has no free address/)
    const [first] = cloud.listPorts()
    await cloud.deletePort(first?.id ?? '')
    await cloud.createPort({ name: 'p5', network_id: small })
  })

  test.each(['/etc/passwd', '/etc/octavia/../passwd', '/etc/octavia/', 'etc/octavia/x'])(
    'a file of an instance at %s is refused',
    async (path) => {
      await cloud.start()
      const request = { ...newInstanceRequest(), files: { [path]: 'x' } }
      await expect(cloud.compute.build(request)).rejects.toMatchObject({ retryable: false })
      expect(await cloud.compute.find(request.amphora_id)).toBeUndefined()
      await cloud.compute.delete(request.amphora_id)
    },
  )

  test('an agent that cannot run at all is still an instance, and its log bounded', async () => {
    cloud = openLabCloud(folder, { agent_command: ['/nowhere/octavia-lite', 'agent'] })
    await cloud.start()
    const request = newInstanceRequest()
    await cloud.compute.build(request)
    expect(await cloud.compute.find(request.amphora_id)).toMatchObject({ status: 'ACTIVE' })
    await cloud.compute.delete(request.amphora_id)
  })

  test('settings that lose the address of an existing port are refused', async () => {
    await cloud.start()
    const network_id = cloud.listNetworks()[0]?.id ?? ''
    await cloud.createPort({ name: 'mine', network_id })
    const other = openLabCloud(folder, {
      networks: [{ name: 'vip-net', cidr: '10.40.0.0/24', host_access: true }],
    })
    await expect(other.start()).rejects.toThrow(/port mine .* no configured network has/)
  })

  test('many amphorae at once', async () => {
    await cloud.start()
    const stories = Array.from({ length: 8 }, newStory)
    await Promise.all(stories.map((story) => buildAmphora(cloud, story)))
    const reports = await Promise.all(stories.map((one) => askAgent(cloud, one.amphora_id)))
    expect(new Set(reports.flatMap(({ addresses }) => addresses)).size).toBeGreaterThan(8)
    await Promise.all(stories.map((story) => deleteAmphora(cloud, story)))
    expect(await cloud.teardownIfIdle()).toBe(true)
  })
})
