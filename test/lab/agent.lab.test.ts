/**
 * The real agent in an amphora of namespaces, spoken to by the real driver over mutual TLS, with
 * haproxy, two web servers and clients: what must work, and what must survive.
 */
import { createSocket } from 'node:dgram'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FIRST_SEQS, type HeartbeatMessage, openHeartbeat } from '../../src/contract/heartbeat.ts'
import type { VipPlug } from '../../src/driver/amphora.ts'
import { DriverError } from '../../src/driver/error.ts'
import { createTransport } from '../../src/driver/rest/transport.ts'
import { NO_TLS_MATERIAL } from '../../src/model/tls.ts'
import type { LoadBalancerTree, PoolTree } from '../../src/model/tree.ts'
import { newId } from '../../src/system/ids.ts'
import { healthMonitorRow, listenerRow, loadBalancerRow, memberRow, poolRow } from '../fake/rows.ts'
import { createLabAmphora, HEARTBEAT_KEY, type LabAmphora } from './amphora.ts'
import { labMissing } from './harness.ts'
import { L7_REQUESTS, type L7Request, l7Policies } from './l7-traffic.ts'

const missing = labMissing()
const lab = test.skipIf(missing !== undefined)
const why = missing === undefined ? '' : ` (${missing})`

const VIP_CARD = { outside: 'v0', mac: '02:00:00:00:10:01', address: '10.20.0.1/24' } as const
const MEMBER_CARD = { outside: 'v1', mac: '02:00:00:00:10:02', address: '10.21.0.1/24' } as const
const VIP = '10.20.0.10'
const ADDITIONAL_VIP = '10.20.0.12'
const VRRP_IP = '10.20.0.11'
const SUBNET = {
  id: newId(),
  name: 'vip-subnet',
  network_id: newId(),
  cidr: '10.20.0.0/24',
  gateway_ip: '10.20.0.1',
  host_routes: [],
} as const

const servers: Bun.Server<undefined>[] = []
const messages: HeartbeatMessage[] = []
const receiver = createSocket('udp4')
let amphora: LabAmphora

beforeAll(async () => {
  if (missing !== undefined) return
  receiver.on('message', (datagram) => {
    const opened = openHeartbeat(datagram, HEARTBEAT_KEY)
    if (opened.ok) messages.push(opened.message as HeartbeatMessage)
  })
  await new Promise<void>((resolve) => receiver.bind(0, '0.0.0.0', resolve))
  amphora = createLabAmphora(receiver.address().port, [VIP_CARD, MEMBER_CARD])
  await amphora.boot()
  for (const name of ['one', 'two'])
    servers.push(Bun.serve({ port: 0, hostname: '0.0.0.0', fetch: () => new Response(name) }))
  await eventually(() => amphora.driver.getInfo(amphora.amphora))
}, 60_000)

afterAll(async () => {
  for (const server of servers) await server.stop(true)
  receiver.close()
  await amphora?.remove()
})

/** Repeats until `body` neither throws nor returns false; the last failure is the test's. */
async function eventually<T>(body: () => Promise<T> | T, timeout_ms = 20_000): Promise<T> {
  const deadline = Date.now() + timeout_ms
  for (;;) {
    try {
      const value = await body()
      if (value !== false) return value
      if (Date.now() > deadline) throw new Error('the condition never held')
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
    await Bun.sleep(50)
  }
}

const lb = loadBalancerRow({
  vip_address: VIP,
  additional_vips: [{ subnet_id: SUBNET.id, ip_address: ADDITIONAL_VIP }],
})
const pool = poolRow({ loadbalancer_id: lb.id })
const listener = listenerRow({ loadbalancer_id: lb.id, default_pool_id: pool.id })

/** The load balancer with the members at these indexes of `servers`. */
function treeOf(members: readonly number[], over: Partial<PoolTree> = {}): LoadBalancerTree {
  const rows = members.map((n) =>
    memberRow({
      id: `00000000-0000-4000-8000-00000000000${n}`,
      pool_id: pool.id,
      // The second server is reached by the member network.
      address: n === 0 ? '10.20.0.1' : '10.21.0.1',
      protocol_port: servers[n]?.port ?? 1,
    }),
  )
  const healthmonitor = healthMonitorRow({
    pool_id: pool.id,
    type: 'HTTP',
    delay: 1,
    timeout: 1,
    max_retries: 1,
    max_retries_down: 1,
  })
  return {
    ...lb,
    listeners: [listener],
    pools: [{ ...pool, members: rows, healthmonitor, ...over }],
    l7policies: [],
    amphorae: [],
  }
}

const vipPlug: VipPlug = {
  port: {
    id: newId(),
    name: 'vrrp',
    network_id: SUBNET.network_id,
    mac_address: VIP_CARD.mac,
    device_id: '',
    device_owner: '',
    fixed_ips: [{ subnet_id: SUBNET.id, ip_address: VRRP_IP }],
  },
  network: {
    id: SUBNET.network_id,
    name: 'vip-net',
    mtu: 1450,
    subnet_ids: [SUBNET.id],
    port_security_enabled: false,
  },
  subnets: [SUBNET],
  vip: { ip_address: VIP, subnet: SUBNET },
  additional_vips: [{ ip_address: ADDITIONAL_VIP, subnet: SUBNET }],
}

async function get(address = VIP): Promise<string> {
  const response = await fetch(`http://${address}/`, {
    proxy: false,
    keepalive: false,
    signal: AbortSignal.timeout(3_000),
  } as BunFetchRequestInit)
  const text = await response.text()
  if (response.status !== 200) throw new Error(`status ${response.status}`)
  return text
}

async function answers(count: number): Promise<ReadonlySet<string>> {
  const seen = new Set<string>()
  for (let n = 0; n < count; n++) seen.add(await get())
  return seen
}

lab(`the VIP is plugged, and plugging it again is no error${why}`, async () => {
  await amphora.driver.plugVip(amphora.amphora, vipPlug)
  await amphora.driver.plugVip(amphora.amphora, vipPlug)
  const { stdout: rules } = await inNamespace('ip', 'rule', 'show')
  expect(rules).toContain(`from ${VIP} lookup 1`)
  const { stdout: addresses } = await inNamespace('ip', '-br', 'addr', 'show', 'dev', 'eth1')
  expect(addresses).toContain(`${VRRP_IP}/24 ${VIP}/32 ${ADDITIONAL_VIP}/32`)
  const { stdout: routes } = await inNamespace('ip', 'route', 'show', 'table', '1')
  expect(routes).toContain('default via 10.20.0.1 dev eth1')
  const { stdout: link } = await inNamespace('ip', 'link', 'show', 'dev', 'eth1')
  expect(link).toContain('mtu 1450')
})

lab(`a member network is plugged as eth2, again the same${why}`, async () => {
  const subnet = { ...SUBNET, id: newId(), network_id: newId(), cidr: '10.21.0.0/24' }
  const plug = {
    port: {
      ...vipPlug.port,
      mac_address: MEMBER_CARD.mac,
      fixed_ips: [{ subnet_id: subnet.id, ip_address: '10.21.0.11' }],
    },
    network: vipPlug.network,
    subnets: [subnet],
  }
  await amphora.driver.plugMember(amphora.amphora, plug)
  await amphora.driver.plugMember(amphora.amphora, plug)
  const { stdout } = await inNamespace('ip', '-br', 'addr', 'show', 'dev', 'eth2')
  expect(stdout).toContain('10.21.0.11/24')
})

lab(`an unknown network card can be asked for again later${why}`, async () => {
  const port = { ...vipPlug.port, mac_address: '02:00:00:00:99:99' }
  const failed = await amphora.driver
    .plugMember(amphora.amphora, { port, network: vipPlug.network, subnets: [SUBNET] })
    .catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(DriverError)
  expect(failed).toMatchObject({ operation: 'plug-member', retryable: true })
})

lab(`L7 policies decide where a request goes${why}`, async () => {
  const tree = treeOf([0])
  const other = poolRow({ loadbalancer_id: lb.id })
  const [second] = treeOf([1]).pools
  const members = (second?.members ?? []).map((row) => ({ ...row, pool_id: other.id }))
  const l7policies = l7Policies(listener.id, other.id)
  const pools = [...tree.pools, { ...other, members, healthmonitor: null }]
  await amphora.driver.updateListeners(amphora.amphora, { ...tree, pools, l7policies })
  await eventually(async () => (await ask({ path: '/default' })) === 'one')
  for (const { expected, ...request } of L7_REQUESTS)
    expect([request, await ask(request)]).toEqual([request, expected])
})

/** The body of a good answer, else its status and where it leads. */
async function ask({ path, headers = {} }: Omit<L7Request, 'expected'>): Promise<string> {
  const response = await fetch(`http://${VIP}${path}`, {
    ...{ proxy: false, keepalive: false, redirect: 'manual', headers },
    signal: AbortSignal.timeout(3_000),
  } as BunFetchRequestInit)
  if (response.status === 200) return response.text()
  return [response.status, response.headers.get('location') ?? ''].join(' ').trim()
}

lab(`traffic reaches both members through every VIP${why}`, async () => {
  await amphora.driver.updateListeners(amphora.amphora, treeOf([0, 1]))
  expect(await answers(6)).toEqual(new Set(['one', 'two']))
  expect(await get(ADDITIONAL_VIP)).toMatch(/one|two/)
})

lab(`an equal configuration reloads nothing${why}`, async () => {
  const before = amphora.findProcesses(/^haproxy|\/haproxy /)
  await amphora.driver.updateListeners(amphora.amphora, treeOf([0, 1]))
  expect(amphora.findProcesses(/^haproxy|\/haproxy /)).toEqual(before)
})

lab(
  `twenty reloads under traffic lose no connection${why}`,
  async () => {
    let running = true
    let served = 0
    const failed: unknown[] = []
    const clients = Array.from({ length: 4 }, async () => {
      while (running)
        await get().then(
          () => served++,
          (error: unknown) => failed.push(error),
        )
    })
    try {
      for (let n = 0; n < 20; n++)
        await amphora.driver.updateListeners(amphora.amphora, treeOf(n % 2 === 0 ? [0] : [0, 1]))
    } finally {
      running = false
      await Promise.all(clients)
    }
    expect(failed).toEqual([])
    expect(served).toBeGreaterThan(200)
  },
  60_000,
)

lab(`a heartbeat tells what haproxy knows${why}`, async () => {
  const message = await eventually(() => {
    const found = messages.findLast((each) => Object.keys(each.listeners).length > 0)
    return found?.pools[`${pool.id}:${listener.id}`]?.status === 'UP' ? found : false
  })
  expect(message).toMatchObject({
    id: amphora.amphora.id,
    ver: 3,
    listeners: { [listener.id]: { status: 'OPEN' } },
    pools: {
      [`${pool.id}:${listener.id}`]: {
        members: { '00000000-0000-4000-8000-000000000000': 'UP' },
      },
    },
  })
  const [first] = messages.map((each) => each.seq)
  expect(first).toBeGreaterThan(FIRST_SEQS)
  expect(messages.map((each) => each.seq)).toEqual(messages.map((_, at) => (first ?? 0) + at))
  await servers[1]?.stop(true)
  await eventually(() => {
    const members = messages.at(-1)?.pools[`${pool.id}:${listener.id}`]?.members
    return members?.['00000000-0000-4000-8000-000000000001'] === 'DOWN'
  })
  expect(await answers(4)).toEqual(new Set(['one']))
})

lab(`a configuration haproxy refuses changes nothing${why}`, async () => {
  const send = connect()
  const path = `/1.0/loadbalancer/${lb.id}/haproxy`
  const before = await send({ method: 'GET', path, headers: {}, body: undefined })
  const refused = await send({
    method: 'PUT',
    path: `/1.0/loadbalancer/${amphora.amphora.id}/${lb.id}/haproxy`,
    headers: {},
    body: before.text.replace('balance roundrobin', 'balance nonsense'),
  })
  expect(refused.status).toBe(400)
  expect(refused.text).toContain('balance only supports')
  const after = await send({ method: 'GET', path, headers: {}, body: undefined })
  expect(after).toEqual(before)
  expect(await get()).toBe('one')
})

lab(`what cannot be bound is not kept, and the old one goes on${why}`, async () => {
  const argv = ['nsenter', '-t', String(amphora.pid()), '-a', '--', 'ip', 'netns', 'exec']
  const script = `import socket; s = socket.socket(); s.bind(("${VIP}", 8081)); s.listen(); input()`
  const holder = Bun.spawn([...argv, 'amphora-haproxy', 'python3', '-c', script], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  await eventually(async () => (await inNamespace('ss', '-ltn')).stdout.includes(':8081'))
  const tree = treeOf([0])
  const other = listenerRow({ loadbalancer_id: lb.id, protocol_port: 8081 })
  const taken = { ...tree, listeners: [...tree.listeners, other] }
  await expect(amphora.driver.updateListeners(amphora.amphora, taken)).rejects.toMatchObject({
    reason: expect.stringContaining('the last one goes on serving'),
  })
  await eventually(async () => (await get()) === 'one')
  holder.kill('SIGKILL')
  await holder.exited
  await amphora.driver.updateListeners(amphora.amphora, taken)
  expect(await get()).toBe('one')
  await amphora.driver.updateListeners(amphora.amphora, tree)
})

lab(`haproxy outlives the agent, and the next one adopts it${why}`, async () => {
  const [agent = 0] = amphora.findProcesses(/ agent( |$)/).slice(-1)
  const haproxy = amphora.findProcesses(/haproxy -W/)
  const seq = messages.at(-1)?.seq ?? 0
  process.kill(agent, 'SIGKILL')
  expect(await get()).toBe('one')
  const { stdout } = await inAmphora('cat', '/proc/1/cmdline')
  expect(stdout).toContain('supervisor')
  await eventually(async () => {
    await amphora.driver.getInfo(amphora.amphora)
    return !amphora.findProcesses(/ agent( |$)/).includes(agent)
  })
  expect(amphora.findProcesses(/haproxy -W/)).toEqual(haproxy)
  await eventually(() => (messages.at(-1)?.seq ?? 0) > seq)
  await amphora.driver.updateListeners(amphora.amphora, treeOf([0]))
  expect(await get()).toBe('one')
})

lab(`a haproxy that dies is started again${why}`, async () => {
  const [master = 0] = amphora.findProcesses(/haproxy.* -W/)
  process.kill(master, 'SIGKILL')
  await eventually(async () => (await get()) === 'one')
})

lab(`a network card that vanished is set up when it comes back${why}`, async () => {
  await runOkText(['ip', 'link', 'delete', VIP_CARD.outside])
  await expect(get()).rejects.toThrow()
  await amphora.plug(VIP_CARD)
  await eventually(async () => (await get()) === 'one')
})

lab(`after a loss of power the agent brings everything back by itself${why}`, async () => {
  await amphora.crash()
  await amphora.boot()
  await eventually(async () => (await get()) === 'one')
})

lab(
  `keys outlive the agent, and not a loss of power: then all else is served until they come${why}`,
  async () => {
    const certificate = amphora.serverCa.issue('www.example', 'serverAuth')
    const references = { default_tls_container_ref: 'ref', protocol_port: 443 } as const
    const secure = listenerRow({
      ...{ loadbalancer_id: lb.id, default_pool_id: pool.id, protocol: 'TERMINATED_HTTPS' },
      ...references,
    })
    const plain = treeOf([0])
    const tree = { ...plain, listeners: [...plain.listeners, secure] }
    const pem = `${certificate.cert}${certificate.key}`
    const tls = { ...NO_TLS_MATERIAL, certificates: new Map([['ref', pem]]) }
    const getByTls = async (): Promise<string> => {
      const argv = ['curl', '-sk', '--noproxy', '*', '--max-time', '3', `https://${VIP}/`]
      return (await runOkText(argv)).stdout
    }
    await amphora.driver.updateListeners(amphora.amphora, tree, tls)
    expect(await getByTls()).toBe('one')

    const [agent = 0] = amphora.findProcesses(/ agent( |$)/).slice(-1)
    process.kill(agent, 'SIGKILL')
    await eventually(async () => {
      await amphora.driver.getInfo(amphora.amphora)
      return !amphora.findProcesses(/ agent( |$)/).includes(agent)
    })
    const [master = 0] = amphora.findProcesses(/haproxy.* -W/)
    process.kill(master, 'SIGKILL')
    await eventually(async () => (await getByTls()) === 'one')

    await amphora.crash()
    await amphora.boot()
    await eventually(async () => (await get()) === 'one')
    await expect(getByTls()).rejects.toThrow()
    // Connections to the agent before are found dead first.
    await eventually(() => amphora.driver.getInfo(amphora.amphora))
    await amphora.driver.updateListeners(amphora.amphora, tree, tls)
    expect(await getByTls()).toBe('one')
    await amphora.driver.updateListeners(amphora.amphora, plain)
  },
  60_000,
)

lab(`a new server certificate is used at once${why}`, async () => {
  const { cert, key } = amphora.serverCa.issue(amphora.amphora.id, 'serverAuth')
  const send = connect()
  const put = (body: string) => send({ method: 'PUT', path: '/1.0/certificate', headers: {}, body })
  expect(await put('nonsense')).toMatchObject({ status: 400 })
  expect(await put(`${cert}${key}`)).toMatchObject({ status: 202 })
  const serial = await eventually(async () => {
    const argv = ['openssl', 's_client', '-connect', '172.30.0.2:9443', '-showcerts']
    const shown = Bun.spawn(argv, { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' })
    const text = await new Response(shown.stdout).text()
    return text.includes(cert.split('\n')[1] ?? 'none')
  })
  expect(serial).toBe(true)
  await amphora.driver.getInfo(amphora.amphora)
})

lab(`nobody else is let in, and no other amphora is taken for this one${why}`, async () => {
  const stranger = amphora.serverCa.issue('controller', 'clientAuth')
  const own = amphora.clientCa.issue('controller', 'clientAuth')
  const call = (tls: { cert: string; key: string }, amphora_id: string) =>
    connect(tls, amphora_id)({ method: 'GET', path: '/', headers: {}, body: undefined })
  await expect(call(stranger, amphora.amphora.id)).rejects.toThrow(/no connection|certificate/)
  await expect(call(own, newId())).rejects.toMatchObject({ retryable: false })
  expect((await call(own, amphora.amphora.id)).status).toBe(200)
})

lab(`deleting the load balancer leaves nothing of it${why}`, async () => {
  await amphora.driver.deleteLoadBalancer(amphora.amphora, lb.id)
  await amphora.driver.deleteLoadBalancer(amphora.amphora, lb.id)
  expect(amphora.findProcesses(/haproxy.* -W/)).toEqual([])
  const { stdout } = await inAmphora('ls', '/var/lib/octavia')
  expect(stdout).not.toContain(lb.id)
})

/** The bare connection, for what the driver would never send. */
function connect(
  tls: { cert: string; key: string } = amphora.clientCa.issue('controller', 'clientAuth'),
  amphora_id = amphora.amphora.id,
) {
  const options = { port: 9443, timeout_ms: 10_000 }
  return createTransport({ ...tls, ca: amphora.serverCa.cert }, options, {
    amphora_id,
    ip: '172.30.0.2',
  })
}

function inAmphora(...argv: string[]) {
  const enter = ['nsenter', '-t', String(amphora.pid()), '-a', '--']
  return runOkText([...enter, ...argv])
}

function inNamespace(...argv: string[]) {
  return inAmphora('ip', 'netns', 'exec', 'amphora-haproxy', ...argv)
}

async function runOkText(argv: readonly string[]): Promise<{ stdout: string }> {
  const child = Bun.spawn([...argv], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`)
  return { stdout }
}
