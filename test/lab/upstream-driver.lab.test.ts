/**
 * Upstream's own code against octavia-lite's agent: its driver of amphorae plugs, configures and
 * deletes, its health manager's code reads heartbeats, and what its agent would send is read here.
 * Runs where a Python has the package octavia (OCTAVIA_LITE_UPSTREAM_PYTHON, else Debian's).
 */
import { createSocket } from 'node:dgram'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AGENT_CONFIG_FALLBACKS } from '../../src/contract/agent-config.ts'
import { openHeartbeat } from '../../src/contract/heartbeat.ts'
import { renderRsyslog } from '../../src/contract/rsyslog.ts'
import type { Topology } from '../../src/model/load-balancer.ts'
import { newId } from '../../src/system/ids.ts'
import {
  type Card,
  createLabAmphora,
  HEARTBEAT_KEY,
  type LabAmphora,
  OUR_AGENT,
} from './amphora.ts'
import { bodyOf, hasIpvs, labMissing, until } from './harness.ts'
import { createPython, type Python, pythonMissing } from './python.ts'

const DRIVER = 'octavia.amphorae.drivers.haproxy.rest_api_driver'
const PYTHON = process.env.OCTAVIA_LITE_UPSTREAM_PYTHON ?? '/usr/bin/python3'
const missing = labMissing() ?? pythonMissing([DRIVER], PYTHON)
const lab = test.skipIf(missing !== undefined)
const why = missing === undefined ? '' : ` (${missing})`

const VIP_CARD = { outside: 'v0', mac: '02:00:00:00:10:01', address: '10.20.0.1/24' } as const
const MEMBER_CARD = { outside: 'v1', mac: '02:00:00:00:10:02', address: '10.21.0.1/24' } as const
const VIP = '10.20.0.10'
const VRRP_IP = '10.20.0.11'
const LB = newId()
const [HTTP, TLS] = [newId(), newId()]
const NEW_KEY = 'another key of the lab'

type Question = { readonly do: string; readonly [name: string]: unknown }
// biome-ignore lint/suspicious/noExplicitAny: answers of Python are inspected
type Answer = { readonly ok?: any; readonly error?: string }

const folders = mkdtempSync(join(tmpdir(), 'octavia-lite-upstream-'))
const datagrams: Buffer[] = []
const receiver = createSocket('udp4')
const logServer = createSocket('udp4')
const logged: string[] = []
const servers: Bun.Server<undefined>[] = []
const table: string[] = []
let amphora: LabAmphora
let python: Python<Question, Answer>

/** Asks upstream's code, and writes a line of the table. */
async function upstream(what: string, asked: Question): Promise<unknown> {
  const { ok, error } = await python.ask(asked)
  table.push(`${what.padEnd(44)} ${asked.do.padEnd(16)} ${error ?? 'ok'}`)
  if (error !== undefined) throw new Error(`${error}\n${amphora.log().slice(-3_000)}`)
  return ok
}

/** An amphora with our agent, and upstream's driver told of it. */
async function boot(topology: Topology, cards: readonly Card[]): Promise<void> {
  amphora = createLabAmphora(receiver.address().port, cards, {
    ...{ ...OUR_AGENT, topology },
    // As upstream's controller tells of log servers.
    prepare: (to) => {
      const targets = [`172.30.0.1:${logServer.address().port}`]
      const logging = { ...AGENT_CONFIG_FALLBACKS, tenant_log_targets: targets }
      writeFileSync(join(to, 'etc/10-rsyslog.conf'), renderRsyslog(logging))
    },
  })
  await amphora.boot()
  const client = amphora.clientCa.issue('controller', 'clientAuth')
  const folder = mkdtempSync(join(folders, 'driver-'))
  const at = (name: string): string => join(folder, name)
  writeFileSync(at('client.pem'), `${client.cert}${client.key}`)
  writeFileSync(at('server_ca.pem'), amphora.serverCa.cert)
  mkdirSync(at('certificates'))
  const web = amphora.serverCa.issue('web.example', 'serverAuth')
  writeFileSync(at('certificates/web.crt'), web.cert)
  writeFileSync(at('certificates/web.key'), web.key)
  python = createPython(join(import.meta.dirname, 'upstream_driver.py'), {}, PYTHON)
  const { error } = await python.ask({
    ...{ do: 'setup', client_cert: at('client.pem'), server_ca: at('server_ca.pem'), topology },
    ...{ storage_path: at('certificates'), amphora_id: amphora.amphora.id, load_balancer_id: LB },
    ...{ lb_network_ip: amphora.amphora.lb_network_ip, vip: VIP, vrrp_ip: VRRP_IP },
    pool_id: newId(),
  })
  expect(error).toBeUndefined()
}

beforeAll(async () => {
  if (missing !== undefined) return
  receiver.on('message', (datagram) => datagrams.push(datagram))
  await new Promise<void>((resolve) => receiver.bind(0, '0.0.0.0', resolve))
  logServer.on('message', (line) => logged.push(line.toString()))
  await new Promise<void>((resolve) => logServer.bind(0, '0.0.0.0', resolve))
  for (const name of ['one', 'two'])
    servers.push(Bun.serve({ port: 0, hostname: '0.0.0.0', fetch: () => new Response(name) }))
  await boot('SINGLE', [VIP_CARD, MEMBER_CARD])
}, 120_000)

afterAll(async () => {
  process.stdout.write(`\n${table.join('\n')}\n`)
  await python?.stop()
  for (const server of servers) await server.stop(true)
  receiver.close()
  logServer.close()
  await amphora?.remove()
  rmSync(folders, { recursive: true, force: true })
})

lab(
  `its driver makes an amphora serve${why}`,
  async () => {
    expect(await upstream('version, information', { do: 'info' })).toMatchObject({
      ...{ api_version: '1.0', haproxy_version: expect.stringMatching(/^\d+\.\d+/) },
    })
    expect(await upstream('details', { do: 'details' })).toMatchObject({ haproxy_count: 0 })
    const vip = { do: 'plug_vip', gateway: '10.20.0.1', mac: VIP_CARD.mac }
    await upstream('plug the VIP', vip)
    // As upstream's agent answers; its driver knows that.
    expect((await python.ask(vip)).error).toBe('Conflict: Conflict')
    const member = { do: 'plug_network', mac: MEMBER_CARD.mac, cidr: '10.21.0.0/24' }
    await upstream('plug a member network', { ...member, ip_address: '10.21.0.7' })
    const inVip = { do: 'interface', ip_address: VRRP_IP }
    expect(await upstream('interface of an address', inVip)).toBe('eth1')

    await upstream('members', { do: 'members', members: membersAt([0]) })
    const http = { do: 'listener', id: HTTP, protocol: 'HTTP', port: 80, peer_port: 1025 }
    await upstream('create a listener', http)
    await until('the VIP to answer', async () => (await bodyOf(`http://${VIP}/`)) === 'one')
    await until('its log server to hear of it', () =>
      logged.some((line) => /^<134>.* haproxy\[\d+\]: project .*"GET \/ HTTP/.test(line)),
    )
    table.push(`  ${logged.at(-1)?.trim()}`)
    await upstream('update: two members', { do: 'members', members: membersAt([0, 1]) })
    await until('both members', async () => (await bodyOf(`http://${VIP}/`)) === 'two')
    const tls = { ...http, id: TLS, protocol: 'TERMINATED_HTTPS', port: 443, peer_port: 1026 }
    await upstream('a TLS listener, its certificate uploaded', {
      ...tls,
      certificate: 'web',
    })
    await until('TLS to answer', async () => (await secure()) !== undefined)
    expect(await upstream('list of listeners', { do: 'listeners' })).toHaveLength(2)
    await upstream('start what runs', { do: 'start' })
    await upstream('reload', { do: 'reload' })
    expect(await bodyOf(`http://${VIP}/`)).toMatch(/^(one|two)$/)
  },
  120_000,
)

const membersAt = (indexes: readonly number[]) =>
  indexes.map((at) => ({
    id: `00000000-0000-4000-8000-00000000000${at}`,
    address: at === 0 ? '10.20.0.1' : '10.21.0.1',
    port: servers[at]?.port ?? 1,
  }))

async function secure(): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(2_000)
    const tls = { rejectUnauthorized: false }
    const init = { tls, keepalive: false, proxy: false, signal }
    return await (await fetch(`https://${VIP}/`, init as RequestInit)).text()
  } catch {
    return undefined
  }
}

lab(`its health manager reads our heartbeats, and we read those of its agent${why}`, async () => {
  await until('a heartbeat with listeners', async () => {
    const [newest] = datagrams.slice(-1)
    if (newest === undefined) return false
    const datagram = newest.toString('base64')
    const read = await python.ask({ do: 'unwrap', datagram, key: HEARTBEAT_KEY })
    return Object.keys(read.ok?.listeners ?? {}).length === 2
  })
  const datagram = datagrams.at(-1)?.toString('base64')
  const ours = await upstream('our heartbeat, its health manager', {
    ...{ do: 'unwrap', datagram, key: HEARTBEAT_KEY },
  })
  expect(ours).toMatchObject({ id: amphora.amphora.id, ver: 3, pools: expect.anything() })
  const message = { id: amphora.amphora.id, seq: 7, listeners: {}, pools: {}, ver: 3 }
  const sealed = await upstream('its heartbeat, our health manager', {
    ...{ do: 'wrap', message, key: HEARTBEAT_KEY },
  })
  const opened = openHeartbeat(Buffer.from(String(sealed), 'base64'), HEARTBEAT_KEY)
  expect(opened).toMatchObject({ ok: true, message })
})

lab(
  `its driver renews certificate and configuration, and takes everything away${why}`,
  async () => {
    const { cert, key } = amphora.serverCa.issue(amphora.amphora.id, 'serverAuth')
    await upstream('a new certificate of the agent', {
      do: 'rotate',
      pem: `${cert}${key}`,
    })
    await upstream('it answers with that', { do: 'info' })

    const config = amphora.config.replace(HEARTBEAT_KEY, NEW_KEY)
    await upstream('a new configuration of the agent', { do: 'agent_config', config })
    await until('a heartbeat under the key in it', async () => {
      const datagram = datagrams.at(-1)?.toString('base64')
      return (await python.ask({ do: 'unwrap', datagram, key: NEW_KEY })).error === undefined
    })

    const rules = { do: 'interface_rules', ip_address: VIP }
    const only80 = [{ protocol: 'TCP', cidr: null, port: 80 }]
    if ((await upstream('rules of the VIP: port 80', { ...rules, rules: only80 })) === 'set') {
      expect(await bodyOf(`http://${VIP}/`)).toMatch(/^(one|two)$/)
      expect(await secure()).toBeUndefined()
      const both = [...only80, { protocol: 'TCP', cidr: '10.20.0.0/24', port: 443 }]
      await upstream('rules of the VIP: 443 from its subnet', { ...rules, rules: both })
      expect(await secure()).toMatch(/^(one|two)$/)
    } else table.push('  (this driver has no rules of interfaces)')

    await upstream('delete one of two listeners', { do: 'delete_listener', id: TLS })
    expect(await secure()).toBeUndefined()
    expect(await bodyOf(`http://${VIP}/`)).toMatch(/^(one|two)$/)
    await upstream('delete the last listener', { do: 'delete_listener', id: HTTP })
    expect(await bodyOf(`http://${VIP}/`)).toBeUndefined()
    expect(await upstream('list of listeners', { do: 'listeners' })).toEqual([])
  },
  60_000,
)

lab(
  `a UDP listener, or the sentence that the kernel cannot${why}`,
  async () => {
    const asked = { do: 'udp_listener', id: newId(), pool_id: newId(), port: 53 }
    const { status, text } = (await upstream('a UDP listener', asked)) as UdpAnswer
    table.push(`  ${status} ${text}`)
    if (hasIpvs()) expect(status).toBe(200)
    else {
      expect(status).toBe(500)
      expect(text).toMatch(/has no IPVS, which UDP and SCTP listeners need/)
    }
    // What else there is goes on.
    await upstream('list of listeners', { do: 'listeners' })
  },
  60_000,
)

interface UdpAnswer {
  readonly status: number
  readonly text: string
}

lab(
  `keepalived of a pair runs with upstream's configuration${why}`,
  async () => {
    await python.stop()
    await amphora.crash()
    await amphora.remove()
    await boot('ACTIVE_STANDBY', [VIP_CARD])
    await upstream('information, of a pair', { do: 'info' })
    const gateway = '10.20.0.1'
    await upstream('plug the VIP, of a pair', { do: 'plug_vip', gateway, mac: VIP_CARD.mac })
    const nowhere = await python.ask({ do: 'interface', ip_address: VIP })
    expect(nowhere.ok ?? null).toBeNull()
    await upstream('members', { do: 'members', members: membersAt([0]) })
    const http = { do: 'listener', id: HTTP, protocol: 'HTTP', port: 80, peer_port: 1025 }
    await upstream('create a listener, of a pair', http)
    expect(await bodyOf(`http://${VIP}/`)).toBeUndefined()

    await upstream('VRRP: its configuration', { do: 'vrrp', interface: 'eth1', gateway })
    await upstream('VRRP: start', { do: 'vrrp_start' })
    await until('the VIP to answer', async () => (await bodyOf(`http://${VIP}/`)) === 'one')
    const ofVip = { do: 'interface', ip_address: VIP }
    expect(await upstream('interface of the VIP', ofVip)).toBe('eth1')
    await upstream('VRRP: reload', { do: 'vrrp_reload' })
    expect(await bodyOf(`http://${VIP}/`)).toBe('one')
    await upstream('VRRP: stop', { do: 'vrrp_stop' })
    await until('the VIP to be gone', async () => (await bodyOf(`http://${VIP}/`)) === undefined)
    await upstream('VRRP: start again', { do: 'vrrp_start' })
    await until('the VIP to answer', async () => (await bodyOf(`http://${VIP}/`)) === 'one')
  },
  120_000,
)
