/**
 * Networks of one amphora as its agent makes them, by the bodies that a controller sends: addresses
 * that the network gives, the filter of SR-IOV, and all of it again after a loss of power, with no
 * controller to help.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PlugNetworkBody, PlugVipBody } from '../../src/contract/routes.ts'
import { createTransport } from '../../src/driver/rest/transport.ts'
import { runOk, systemProcesses } from '../../src/system/process.ts'
import { type Card, createLabAmphora, type LabAmphora } from './amphora.ts'
import { bodyOf, ip, labMissing, until } from './harness.ts'

const missing = labMissing()
const VIP = '10.50.0.2'
const VIP6 = 'fd50::2'
const LB = '6f1ed5cc-3a3f-4a0e-8c5e-6d1f3b0a7c11'

const card = (n: number, address: string): Card => {
  return { outside: `c${n}`, address, mac: `02:00:00:00:50:0${n}` }
}
const VIP_CARD = card(1, '10.50.0.1/24')
const DHCP_CARD = card(2, '10.51.0.1/24')
const SRIOV_CARD = card(3, '10.52.0.1/24')

const VIP_BODY: PlugVipBody = {
  subnet_cidr: '10.50.0.0/24',
  gateway: '10.50.0.1',
  mac_address: VIP_CARD.mac,
  mtu: 1450,
  vrrp_ip: '10.50.0.3',
  host_routes: [{ destination: '10.59.0.0/24', nexthop: '10.50.0.1' }],
  additional_vips: [
    { ip_address: VIP6, subnet_cidr: 'fd50::/64', gateway: 'fd50::1', host_routes: [] },
  ],
  is_sriov: true,
}

/** A router advertisement for fd51::/64 out of interface c2. */
const ADVERTISE = `
import ipaddress, socket, struct
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'c2')
prefix = struct.pack('!BBBBIII', 3, 4, 64, 0xc0, 3600, 1800, 0)
body = struct.pack('!BBHBBHII', 134, 0, 0, 64, 0, 0, 0, 0) + prefix
s.sendto(body + ipaddress.ip_address('fd51::').packed, ('ff02::1', 0, 0, socket.if_nametoindex('c2')))
`

const HAPROXY = `global
    maxconn 100
defaults
    mode http
    timeout connect 2s
    timeout client 2s
    timeout server 2s
frontend 11111111-1111-4111-8111-111111111111
    bind ${VIP}:80
    bind ${VIP6}:80
    http-request return status 200 content-type text/plain string "served"
`

describe.skipIf(missing !== undefined)(`amphora networks${missing ? ` (${missing})` : ''}`, () => {
  let amphora: LabAmphora
  let folder: string
  let server: Bun.Subprocess | undefined

  const send = async (method: 'POST' | 'PUT', path: string, body: unknown): Promise<number> => {
    const client = amphora.clientCa.issue('controller', 'clientAuth')
    const address = { amphora_id: amphora.amphora.id, ip: '172.30.0.2' }
    const tls = { ...client, ca: amphora.serverCa.cert }
    const transport = createTransport(tls, { port: 9443, timeout_ms: 20_000 }, address)
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return (await transport({ method, path, headers: {}, body: text })).status
  }
  const inside = async (...argv: string[]): Promise<string> => {
    const enter = ['nsenter', '--target', String(amphora.pid()), '--mount', '--net', '--pid']
    const all = [...enter, 'ip', 'netns', 'exec', 'amphora-haproxy', ...argv]
    return (await runOk(systemProcesses, all)).stdout
  }
  const state = async () => ({
    rules: await inside('ip', 'rule', 'show'),
    rules6: await inside('ip', '-6', 'rule', 'show'),
    table: await inside('ip', 'route', 'show', 'table', '1'),
    table6: await inside('ip', '-6', 'route', 'show', 'table', '1'),
    main: await inside('ip', 'route', 'show', 'proto', 'static'),
    addresses: (await inside('ip', '-br', 'address', 'show', 'dev', 'eth1')).replace(
      /@if\d+|fe80\S+/g,
      '',
    ),
    mtu: /mtu \d+/.exec(await inside('ip', 'link', 'show', 'dev', 'eth1'))?.[0],
    filter: await inside('nft', 'list', 'table', 'inet', 'amphora_table'),
  })

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'octavia-lite-dhcp-'))
    amphora = createLabAmphora(1, [VIP_CARD, DHCP_CARD, SRIOV_CARD])
    await amphora.boot()
    await ip('address', 'add', 'fd50::1/64', 'dev', VIP_CARD.outside, 'nodad')
    await until('the agent', async () => {
      return await amphora.driver.getInfo(amphora.amphora).then(
        () => true,
        () => false,
      )
    })
  }, 60_000)
  afterAll(async () => {
    server?.kill('SIGKILL')
    await server?.exited
    await amphora?.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  test('a VIP of both families answers at once', async () => {
    expect(await send('POST', `/1.0/plug/vip/${VIP}`, { ...VIP_BODY, is_sriov: false })).toBe(202)
    expect(await send('PUT', `/1.0/loadbalancer/a/${LB}/haproxy`, HAPROXY)).toBe(202)
    expect(await send('PUT', `/1.0/loadbalancer/${LB}/start`, '')).toBe(202)
    expect(await bodyOf(`http://${VIP}/`)).toBe('served')
    expect(await bodyOf(`http://[${VIP6}]/`)).toBe('served')
    expect(await inside('ip', '-6', 'address', 'show', 'dev', 'eth1')).not.toContain('tentative')
  })

  test('the filter of SR-IOV lets in what the rules say, and nothing else', async () => {
    const again = { ...VIP_BODY, vip: VIP }
    const { mac_address } = VIP_BODY
    // Plugged again as the VIP of an SR-IOV card: nobody is let in before there are rules.
    const body = { mac_address, mtu: 1450, fixed_ips: [], vip_net_info: again }
    expect(await send('POST', '/1.0/plug/network', body)).toBe(202)
    expect(await bodyOf(`http://${VIP}/`)).toBeUndefined()
    const allow = (cidr: string | null) => [{ protocol: 'TCP', cidr, port: 80 }]
    const put = (rules: unknown) => send('PUT', `/1.0/interface/10.50.0.3/rules`, rules)
    expect(await put(allow('10.50.0.1/32'))).toBe(200)
    expect(await bodyOf(`http://${VIP}/`)).toBe('served')
    expect(await bodyOf(`http://[${VIP6}]/`)).toBeUndefined()
    expect(await put([...allow('10.50.0.1/32'), ...allow('fd50::/64')])).toBe(200)
    expect(await bodyOf(`http://[${VIP6}]/`)).toBe('served')
    // What leaves by itself is answered, tracked or not.
    const member = Bun.serve({
      hostname: '10.50.0.1',
      port: 8080,
      fetch: () => new Response('yes'),
    })
    const ask = () => inside('curl', '--silent', '--max-time', '2', 'http://10.50.0.1:8080/')
    expect(await ask()).toBe('yes')
    for (const hook of ['prerouting', 'output'])
      await inside(
        'nft',
        `add table inet lvs; add chain inet lvs ${hook} ` +
          `{ type filter hook ${hook} priority -300; }; add rule inet lvs ${hook} meta l4proto tcp notrack`,
      )
    expect(await ask()).toBe('yes')
    expect(await bodyOf(`http://${VIP}/`)).toBe('served')
    await inside('nft', 'delete', 'table', 'inet', 'lvs')
    await member.stop(true)
    // An empty list is a controller that knows nothing, not one that forbids everything.
    expect(await put([])).toBe(200)
    expect(await bodyOf(`http://${VIP}/`)).toBe('served')
  }, 30_000)

  test('a port without addresses gets them from the network', async () => {
    const leases = join(folder, 'leases')
    writeFileSync(leases, '')
    const lines = ['start 10.51.0.50', 'end 10.51.0.60', 'interface c2', 'opt subnet 255.255.255.0']
    const config = join(folder, 'udhcpd.conf')
    const files = [`lease_file ${leases}`, `pidfile ${folder}/pid`]
    writeFileSync(config, `${[...lines, 'opt router 10.51.0.1', ...files].join('\n')}\n`)
    server = Bun.spawn(['busybox', 'udhcpd', '-f', config], {
      stdio: ['ignore', 'ignore', 'ignore'],
    })
    const body: PlugNetworkBody = { mac_address: DHCP_CARD.mac }
    expect(await send('POST', '/1.0/plug/network', body)).toBe(202)
    expect(await inside('ip', 'address', 'show', 'dev', 'eth2')).toMatch(/inet 10\.51\.0\.5\d\/24/)
    // The VIP's way out goes on being the first.
    expect(await inside('ip', 'route', 'get', '192.0.2.1')).toContain('via 10.50.0.1 dev eth1')
    await runOk(systemProcesses, ['python3', '-c', ADVERTISE])
    await until('an address of fd51::/64', async () => {
      return (await inside('ip', '-6', 'address', 'show', 'dev', 'eth2')).includes('inet6 fd51::')
    })
    // Plugged again it is left as it is.
    const clients = (): number => amphora.findProcesses(/udhcpc/).length
    expect(clients()).toBe(1)
    expect(await send('POST', '/1.0/plug/network', body)).toBe(202)
    expect(clients()).toBe(1)
    expect(await inside('ip', 'address', 'show', 'dev', 'eth2')).toMatch(/inet 10\.51\.0\.5\d\/24/)
  }, 30_000)

  test('after a loss of power all of it comes back without a controller', async () => {
    const before = await state()
    expect(before.filter).toContain('ip saddr 10.50.0.1 tcp dport 80 accept')
    expect(before.table).toContain('10.59.0.0/24 via 10.50.0.1 dev eth1')
    expect(before.table6).toContain('default via fd50::1 dev eth1')
    await amphora.crash()
    server?.kill('SIGKILL')
    await amphora.boot()
    await ip('address', 'add', 'fd50::1/64', 'dev', VIP_CARD.outside, 'nodad')
    await until('the VIP to answer', async () => (await bodyOf(`http://${VIP}/`)) === 'served')
    expect(await bodyOf(`http://[${VIP6}]/`)).toBe('served')
    expect(await state()).toEqual(before)
  }, 60_000)
})
