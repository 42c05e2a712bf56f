/**
 * Upstream's agent driven by octavia-lite's code: the driver of amphorae plugs, configures, renews
 * and deletes, and the receiver of heartbeats reads what upstream's health daemon sends. Real
 * haproxy and keepalived serve. Runs where a Python has the package octavia
 * (OCTAVIA_LITE_UPSTREAM_PYTHON, else Debian's).
 */
import { createSocket } from 'node:dgram'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AmphoraDriver, MemberPlug, VipPlug } from '../../src/driver/amphora.ts'
import { Inbox } from '../../src/health/inbox.ts'
import { Receiver } from '../../src/health/receiver.ts'
import type { Topology } from '../../src/model/load-balancer.ts'
import { NO_TLS_MATERIAL, type TlsMaterial } from '../../src/model/tls.ts'
import type { LoadBalancerTree } from '../../src/model/tree.ts'
import { systemClock } from '../../src/system/clock.ts'
import { newId } from '../../src/system/ids.ts'
import { healthMonitorRow, listenerRow, loadBalancerRow, memberRow, poolRow } from '../fake/rows.ts'
import { type Card, createLabAmphora, HEARTBEAT_KEY, type LabAmphora } from './amphora.ts'
import { bodyOf, ip, labMissing, until } from './harness.ts'
import { pythonMissing } from './python.ts'
import { createUpstreamAgent, UPSTREAM_AGENT_MODULES } from './upstream-amphora.ts'

const PYTHON = process.env.OCTAVIA_LITE_UPSTREAM_PYTHON ?? '/usr/bin/python3'
const missing = labMissing() ?? pythonMissing(UPSTREAM_AGENT_MODULES, PYTHON)
const lab = test.skipIf(missing !== undefined)
const why = missing === undefined ? '' : ` (${missing})`

const VIP_CARD: Card = { outside: 'v0', mac: '02:00:00:00:10:01', address: '10.20.0.1/24' }
const MEMBER_CARD: Card = { outside: 'v1', mac: '02:00:00:00:10:02', address: '10.21.0.1/24' }
const VIP = '10.20.0.10'
const ADDITIONAL_VIP = '10.20.0.12'
const VRRP_IP = '10.20.0.11'
const SUBNET = {
  ...{ id: newId(), name: 'vip-subnet', network_id: newId(), cidr: '10.20.0.0/24' },
  ...{ gateway_ip: '10.20.0.1', host_routes: [] },
} as const
const CERTIFICATE = 'web.pem'
/** What a row of an amphora tells of VRRP. */
const PAIR = { vrrp_ip: VRRP_IP, vrrp_id: 1, vrrp_priority: 100 } as const

const lb = loadBalancerRow({
  vip_address: VIP,
  additional_vips: [{ subnet_id: SUBNET.id, ip_address: ADDITIONAL_VIP }],
})
const pool = poolRow({ loadbalancer_id: lb.id })
/** Few connections, because nobody may raise the limit of files here as upstream's units do. */
const LISTENER = { loadbalancer_id: lb.id, default_pool_id: pool.id, connection_limit: 1_000 }
const http = listenerRow(LISTENER)
const secure = listenerRow({
  ...LISTENER,
  ...{ protocol: 'TERMINATED_HTTPS', protocol_port: 443, default_tls_container_ref: CERTIFICATE },
})

const table: string[] = []
const servers: Bun.Server<undefined>[] = []
const inbox = new Inbox(10)
const receiver = new Receiver(
  { clock: systemClock, inbox },
  { heartbeat_key: () => HEARTBEAT_KEY, accept_replayed: () => false, tracks_max: 10 },
)
const socket = createSocket('udp4')
let amphora: LabAmphora
/** Of the TLS listener. */
let web: { readonly cert: string; readonly key: string }

/** Calls the driver, and writes a line of the table. */
async function call<N extends Exclude<keyof AmphoraDriver, 'imaginary'>>(
  what: string,
  name: N,
  ...args: Parameters<AmphoraDriver[N]> extends [unknown, ...infer Rest] ? Rest : never
): Promise<Awaited<ReturnType<AmphoraDriver[N]>>> {
  const method = amphora.driver[name] as (...all: unknown[]) => Promise<never>
  const note = (result: string) => table.push(`${what.padEnd(44)} ${name.padEnd(19)} ${result}`)
  try {
    const value = await method({ ...amphora.amphora, ...PAIR }, ...args)
    note('ok')
    return value
  } catch (error) {
    note(String((error as Error).message))
    throw error
  }
}

async function boot(topology: Topology, cards: readonly Card[]): Promise<void> {
  const agent = createUpstreamAgent(PYTHON, topology)
  amphora = createLabAmphora(socket.address().port, cards, agent)
  await amphora.boot()
  const asked = () => amphora.driver.getInfo(amphora.amphora)
  await until("upstream's agent to answer", () =>
    asked().then(
      () => true,
      () => false,
    ),
  ).catch((error: unknown) => {
    throw new Error(`${error}\n${amphora.log()}`)
  })
}

beforeAll(async () => {
  if (missing !== undefined) return
  socket.on('message', (datagram) => receiver.receive(datagram))
  await new Promise<void>((resolve) => socket.bind(0, '0.0.0.0', resolve))
  for (const name of ['one', 'two'])
    servers.push(Bun.serve({ port: 0, hostname: '0.0.0.0', fetch: () => new Response(name) }))
  await boot('SINGLE', [VIP_CARD, MEMBER_CARD])
}, 120_000)

afterAll(async () => {
  process.stdout.write(`\n${table.join('\n')}\n`)
  for (const server of servers) await server.stop(true)
  socket.close()
  await amphora?.remove()
})

const vipPlug: VipPlug = {
  port: {
    ...{ id: newId(), name: 'vrrp', network_id: SUBNET.network_id, mac_address: VIP_CARD.mac },
    ...{ device_id: '', device_owner: '' },
    fixed_ips: [{ subnet_id: SUBNET.id, ip_address: VRRP_IP }],
  },
  network: {
    ...{ id: SUBNET.network_id, name: 'vip-net', mtu: 1450, subnet_ids: [SUBNET.id] },
    port_security_enabled: false,
  },
  subnets: [SUBNET],
  vip: { ip_address: VIP, subnet: SUBNET },
  additional_vips: [{ ip_address: ADDITIONAL_VIP, subnet: SUBNET }],
}

const memberSubnet = { ...SUBNET, id: newId(), network_id: newId(), cidr: '10.21.0.0/24' }
const memberPlug: MemberPlug = {
  port: {
    ...{ ...vipPlug.port, mac_address: MEMBER_CARD.mac },
    fixed_ips: [{ subnet_id: memberSubnet.id, ip_address: '10.21.0.11' }],
  },
  network: vipPlug.network,
  subnets: [memberSubnet],
}

/** The second server is reached by the member network. */
const members = ['10.20.0.1', '10.21.0.1'].map((address, at) => () => {
  const id = `00000000-0000-4000-8000-00000000000${at}`
  return memberRow({ id, pool_id: pool.id, address, protocol_port: servers[at]?.port ?? 1 })
})

function treeOf(
  listeners: LoadBalancerTree['listeners'],
  count: number,
  over: Partial<LoadBalancerTree> = {},
): LoadBalancerTree {
  const healthmonitor = healthMonitorRow({
    ...{ pool_id: pool.id, type: 'HTTP', delay: 1, timeout: 1 },
    ...{ max_retries: 1, max_retries_down: 1 },
  })
  const rows = members.slice(0, count).map((row) => row())
  const pools = [{ ...pool, members: rows, healthmonitor }]
  return { ...lb, listeners, pools, l7policies: [], amphorae: [], ...over }
}

/** What `count` requests were answered with. */
async function answers(count: number, url = `http://${VIP}/`): Promise<ReadonlySet<unknown>> {
  const seen = new Set<unknown>()
  for (let n = 0; n < count; n++) seen.add(await bodyOf(url))
  return seen
}

async function overTls(ca: string): Promise<string | undefined> {
  const tls = { ca, serverName: 'web.example', checkServerIdentity: () => undefined }
  try {
    const init = { tls, keepalive: false, proxy: false, headers: { host: 'web.example' } }
    return await (await fetch(`https://${VIP}/`, init as RequestInit)).text()
  } catch {
    return undefined
  }
}

lab(
  `its networks are plugged, again and again${why}`,
  async () => {
    const info = await call('version, information', 'getInfo')
    expect(info).toMatchObject({
      ...{ api_version: '1.0', haproxy_version: expect.stringMatching(/^\d+\.\d+/) },
      keepalived_version: expect.stringMatching(/^\d*:?\d+\.\d+/),
    })
    expect(await call('interface of no address yet', 'findInterface', VRRP_IP)).toBeUndefined()
    const unknown = { ...vipPlug, port: { ...vipPlug.port, mac_address: '02:00:00:00:99:99' } }
    await expect(
      call('plug a card that is not there yet', 'plugVip', unknown),
    ).rejects.toMatchObject({ operation: 'plug-vip', retryable: true })
    await call('plug the VIP', 'plugVip', vipPlug)
    await call('plug the VIP again', 'plugVip', vipPlug)
    await call('plug a member network', 'plugMember', memberPlug)
    await call('plug a member network again', 'plugMember', memberPlug)
    await call('plug the VIP network for members', 'plugMember', { ...vipPlug, vip: vipPlug })
    for (const [ip, name] of [
      [VRRP_IP, 'eth1'],
      [VIP, 'eth1'],
      [ADDITIONAL_VIP, 'eth1'],
      ['10.21.0.11', 'eth2'],
    ] as const)
      expect([ip, await call(`interface of ${ip}`, 'findInterface', ip)]).toEqual([ip, name])
  },
  60_000,
)

lab(
  `listeners serve, and equal ones change nothing${why}`,
  async () => {
    await call('create a listener', 'updateListeners', treeOf([http], 1))
    await until('the VIP to answer', async () => (await bodyOf(`http://${VIP}/`)) === 'one')
    expect(await answers(2, `http://${ADDITIONAL_VIP}/`)).toEqual(new Set(['one']))
    await call('update: two members', 'updateListeners', treeOf([http], 2))
    await until('both members', async () => (await answers(4)).has('two'))
    const written = statSync(join(amphora.lib, lb.id, 'haproxy.cfg')).ino
    await call('the same once more', 'updateListeners', treeOf([http], 2))
    expect(statSync(join(amphora.lib, lb.id, 'haproxy.cfg')).ino).toBe(written)
    expect(await answers(4)).toEqual(new Set(['one', 'two']))
  },
  60_000,
)

lab(
  `a TLS listener serves, its certificate uploaded${why}`,
  async () => {
    web = amphora.serverCa.issue('web.example', 'serverAuth')
    const certificates = new Map([[CERTIFICATE, `${web.cert}${web.key}`]])
    const tls: TlsMaterial = { ...NO_TLS_MATERIAL, certificates }
    await call('a TLS listener besides', 'updateListeners', treeOf([http, secure], 2), tls)
    const { cert: ca } = amphora.serverCa
    await until('TLS to answer', async () => (await overTls(ca)) !== undefined)
    expect(await overTls(amphora.clientCa.cert)).toBeUndefined()
    expect(await answers(4)).toEqual(new Set(['one', 'two']))
  },
  60_000,
)

lab(
  `heartbeats of its health daemon are accepted, with statistics and members${why}`,
  async () => {
    inbox.take()
    const sum = { total_connections: 0 }
    await answers(5)
    let members: ReadonlyMap<string, string> | undefined
    await until('heartbeats that tell of five requests and of both members', () => {
      for (const { heartbeat, tallies } of inbox.take()) {
        expect(heartbeat.amphora_id).toBe(amphora.amphora.id)
        expect([...heartbeat.listeners.keys()].sort()).toEqual([http.id, secure.id].sort())
        sum.total_connections += tallies.get(http.id)?.counters.total_connections ?? 0
        members = heartbeat.pools.get(pool.id)?.members
      }
      return sum.total_connections >= 5
    })
    expect([...(members?.values() ?? [])]).toEqual(['UP', 'UP'])
    const { accepted, ...others } = receiver.counts()
    expect(accepted).toBeGreaterThan(0)
    expect(Object.values(others).every((count) => count === 0)).toBe(true)
    table.push(`${'heartbeats of its health daemon'.padEnd(64)} ${accepted} accepted, 0 refused`)
  },
  60_000,
)

lab(
  `certificate and configuration of the agent are renewed${why}`,
  async () => {
    const { cert, key } = amphora.serverCa.issue(amphora.amphora.id, 'serverAuth')
    await call('a new certificate of the agent', 'updateCertificate', `${cert}${key}`)
    await call('it answers with that', 'getInfo')
    await call('a new configuration of the agent', 'updateAgentConfig', amphora.config)
    // It has no such call.
    await call('rules that let everybody in', 'setVipRules', [
      { protocol: 'TCP', port: 80, cidr: null },
    ])
    await expect(
      call('rules that do not', 'setVipRules', [{ protocol: 'TCP', port: 80, cidr: '10.0.0.0/8' }]),
    ).rejects.toMatchObject({ operation: 'set-vip-rules', retryable: false })
  },
  60_000,
)

lab(
  `what haproxy refuses is told in its words, and the old one serves${why}`,
  async () => {
    const certificates = new Map([
      [CERTIFICATE, `${web.cert}${web.key}`],
      ['none.pem', 'not a certificate'],
    ])
    const tls = { ...NO_TLS_MATERIAL, certificates }
    const refs = { default_tls_container_ref: 'none.pem', protocol_port: 8443 }
    const broken = { ...secure, ...refs, id: newId() }
    const three = treeOf([http, secure, broken], 2)
    const told = await call('a certificate that is none', 'updateListeners', three, tls)
    const why = 'the certificate none.pem is too weak for haproxy, or broken'
    expect([...told]).toEqual([[broken.id, { why, served: false }]])
    const strange = { ...secure, tls_ciphers: 'HIGH:!ALL' }
    const two = treeOf([http, strange], 2)
    const [refusal] = await call('ciphers that leave none', 'updateListeners', two, tls)
    expect(refusal).toEqual([
      secure.id,
      { why: expect.stringContaining('HIGH:!ALL'), served: true },
    ])
    expect(await overTls(amphora.serverCa.cert)).toMatch(/^(one|two)$/)
    expect(await answers(4)).toEqual(new Set(['one', 'two']))
  },
  60_000,
)

lab(
  `listeners go, one by one and with the load balancer${why}`,
  async () => {
    await call('delete one of two listeners', 'updateListeners', treeOf([http], 2))
    await until('TLS to be gone', async () => (await overTls(amphora.serverCa.cert)) === undefined)
    expect(await answers(4)).toEqual(new Set(['one', 'two']))
    await call('delete the last listener', 'updateListeners', treeOf([], 0))
    expect(await bodyOf(`http://${VIP}/`)).toBeUndefined()
    await call('create it again', 'updateListeners', treeOf([http], 2))
    await until('the VIP to answer', async () => (await bodyOf(`http://${VIP}/`)) !== undefined)
    await call('delete the load balancer', 'deleteLoadBalancer', lb.id)
    await call('delete it again', 'deleteLoadBalancer', lb.id)
    expect(await bodyOf(`http://${VIP}/`)).toBeUndefined()
  },
  60_000,
)

lab(
  `one of a pair has the VIP by keepalived${why}`,
  async () => {
    await amphora.crash()
    await amphora.remove()
    await boot('ACTIVE_STANDBY', [VIP_CARD])
    await call('plug the VIP, of a pair', 'plugVip', { ...vipPlug, hold_vip: true })
    expect(await call('interface of the VIP: nowhere yet', 'findInterface', VIP)).toBeUndefined()
    await call('create a listener, of a pair', 'updateListeners', treeOf([http], 1))
    const plan = {
      ...{ load_balancer_id: lb.id, group: { advert_int: 1, auth_pass: 'secretpw' } },
      ...{ interface: 'eth1', peers: [], takeover: false },
      vips: [vipPlug.vip, ...vipPlug.additional_vips],
    }
    await call('VRRP uploaded and started', 'updateVrrp', plan)
    await until('the VIP to answer', async () => (await bodyOf(`http://${VIP}/`)) === 'one')
    expect(await call('interface of the VIP', 'findInterface', VIP)).toBe('eth1')
    expect(await call('and of the second', 'findInterface', ADDITIONAL_VIP)).toBe('eth1')
    await call('VRRP once more, which reloads', 'updateVrrp', plan)
    inbox.take()
    await until('a heartbeat', () =>
      inbox.take().some(({ heartbeat }) => heartbeat.listeners.size > 0),
    )
  },
  120_000,
)

lab(
  `a new amphora takes the VIP of a single one, though it cannot hold it back${why}`,
  async () => {
    await amphora.crash()
    await amphora.remove()
    await boot('SINGLE', [VIP_CARD, MEMBER_CARD])
    // As in a failover: everything but the VIP first, which its agent sets at once.
    const held: VipPlug = { ...vipPlug, hold_vip: true }
    await call('plug the VIP, held back', 'plugVip', held)
    await call('plug a member network, held back', 'plugMember', memberPlug)
    await call('the VIP network for members', 'plugMember', { ...vipPlug, vip: held })
    await call('rules that let everybody in', 'setVipRules', [
      { protocol: 'TCP', port: 80, cidr: null },
    ])
    // Neighbours still send to the old one.
    const neighbour = ['neigh', 'replace', VIP, 'lladdr', '02:00:00:00:77:77', 'dev', 'v0']
    await ip(...neighbour, 'nud', 'reachable')
    expect(await bodyOf(`http://${VIP}/`)).toBeUndefined()
    await call('listeners of the new one', 'updateListeners', treeOf([http], 2))
    await call('plug the VIP', 'plugVip', vipPlug)
    expect(await call('interface of the VIP', 'findInterface', VIP)).toBe('eth1')
    await until('the VIP to answer', async () => (await answers(4)).has('two'))
    expect(await ip('neigh', 'show', VIP)).toContain(VIP_CARD.mac)
  },
  120_000,
)
