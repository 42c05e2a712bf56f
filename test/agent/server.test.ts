/**
 * Requests and exact answers, as far as no network card and no running haproxy is needed for them.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createInfo } from '../../src/agent/details.ts'
import { createHandlers, InvalidCertificate } from '../../src/agent/endpoints.ts'
import { type InterfaceFile, staticAddresses } from '../../src/agent/interface-file.ts'
import { NoSuchNic } from '../../src/agent/network.ts'
import { handleRequest } from '../../src/agent/server.ts'
import { renderAgentConfig } from '../../src/contract/agent-config.ts'
import type { PacketRule } from '../../src/contract/routes.ts'
import { silentLog } from '../../src/system/log.ts'
import { createFixture, LB } from './fixture.ts'

const MD5_OF_GOOD = '755f85c2723bb39381c7379a604160d8'

function createAgent() {
  const fixture = createFixture()
  const adopted: string[] = []
  const plugged = new Map<string, InterfaceFile>()
  const filters: (readonly PacketRule[])[] = []
  /** Network cards that can be found. */
  const cards = new Set<string>()
  const handlers = createHandlers({
    ...fixture,
    config: () => fixture.config,
    info: createInfo({ processes: fixture.processes, haproxy_cmd: 'haproxy' }),
    reconfigure: (text) => {
      adopted.push(text)
    },
    replaceServerCertificate: (pem) => {
      if (pem === 'nonsense') throw new InvalidCertificate('no PEM')
      adopted.push(pem)
    },
    logs: { address: null },
    network: {
      findPlugged: async (mac) => plugged.get(mac)?.name,
      nextInterface: async () => `eth${plugged.size + 2}`,
      findByAddress: async (ip) =>
        [...plugged.values()].find((f) => staticAddresses(f).some((a) => a.address === ip))?.name,
      listNics: async () => [{ name: 'eth1', mac: '', tx_bytes: 1, rx_bytes: 2 }],
      plug: async (mac, file) => {
        if (!cards.has(mac)) throw new NoSuchNic('none')
        plugged.set(mac, file)
      },
      setRules: async (rules) => void filters.push(rules),
    },
  })
  const ask = async (method: string, path: string, body?: string | object) => {
    const text = typeof body === 'object' ? JSON.stringify(body) : body
    const init = { method, ...(text === undefined ? {} : { body: text }) }
    const response = await handleRequest(silentLog, handlers, new Request(`https://a${path}`, init))
    const answer = await response.text()
    const json = response.headers.get('content-type') === 'application/json'
    const etag = response.headers.get('etag')
    return {
      status: response.status,
      body: json ? JSON.parse(answer) : answer,
      ...(etag === null ? {} : { etag }),
    }
  }
  return { ...fixture, ask, cards, plugged, filters, adopted }
}

test('discovery, information and details', async () => {
  const { ask } = createAgent()
  for (const path of ['/', '//'])
    expect(await ask('GET', path)).toEqual({ status: 200, body: { api_version: '1.0' } })
  const info = await ask('GET', '/1.0/info')
  expect(info).toEqual({
    status: 200,
    body: {
      hostname: expect.any(String),
      haproxy_version: '2.6.12-1',
      api_version: '1.0',
      keepalived_version: '2.2.7',
      ipvsadm_version: '2.2.7',
    },
  })
  expect((await ask('GET', '/1.0/details')).body).toMatchObject({
    ...info.body,
    networks: { eth1: { network_tx: 1, network_rx: 2 } },
    active: true,
    haproxy_count: 0,
    cpu: { total: expect.any(Number), user: expect.stringMatching(/^\d+$/) },
    memory: { total: expect.any(Number), cached: expect.any(Number) },
    disk: { used: expect.any(Number), available: expect.any(Number) },
    load: [expect.any(String), expect.any(String), expect.any(String)],
    topology: 'SINGLE',
    topology_status: 'OK',
    listeners: [],
    packages: {},
  })
})

test('a configuration, up and down', async () => {
  const { ask, config } = createAgent()
  const missing = {
    status: 404,
    body: {
      message: 'Loadbalancer Not Found',
      details: `No loadbalancer with UUID: ${LB}`,
    },
  }
  const path = `/1.0/loadbalancer/${LB}/haproxy`
  const upload = `/1.0/loadbalancer/${config.amphora_id}/${LB}/haproxy`
  expect(await ask('GET', path)).toEqual(missing)
  expect(await ask('PUT', `/1.0/loadbalancer/${LB}/reload`)).toEqual(missing)
  expect(await ask('PUT', upload, 'good')).toEqual({
    status: 202,
    body: { message: 'OK' },
    etag: MD5_OF_GOOD,
  })
  expect(await ask('GET', path)).toEqual({ status: 200, body: 'good', etag: MD5_OF_GOOD })
  expect(await ask('PUT', upload, 'bad')).toEqual({
    status: 400,
    body: { message: 'Invalid request', details: '[ALERT] bad' },
  })
  expect(await ask('PUT', `/1.0/loadbalancer/${LB}/explode`)).toEqual({
    status: 400,
    body: { message: 'Invalid Request', details: 'Unknown action: explode' },
  })
})

test('the group line of old controllers is left out', async () => {
  const { ask, haproxy } = createAgent()
  await ask(
    'PUT',
    `/1.0/loadbalancer/a/${LB}/haproxy`,
    'global\n    group nogroup\n    maxconn 5\n',
  )
  expect(haproxy.read(LB)).toBe('global\n    maxconn 5\n')
})

test('start, failing start, delete', async () => {
  const { ask, behaviour } = createAgent()
  await ask('PUT', `/1.0/loadbalancer/a/${LB}/haproxy`, 'frontend l\n    mode http\n')
  expect(await ask('PUT', `/1.0/loadbalancer/${LB}/start`)).toEqual({
    status: 202,
    body: {
      message: 'OK',
      details: `Configuration file is valid\nhaproxy daemon for ${LB} started`,
    },
  })
  behaviour.startCode = 1
  expect(await ask('PUT', `/1.0/loadbalancer/${LB}/RELOAD`)).toEqual({
    status: 500,
    body: { message: 'Error reloading haproxy', details: 'why it did not start' },
  })
  expect(await ask('GET', '/1.0/listeners')).toEqual({
    status: 200,
    body: [{ status: 'ACTIVE', uuid: 'l', type: 'HTTP' }],
  })
  for (let n = 0; n < 2; n++)
    expect(await ask('DELETE', `/1.0/listeners/${LB}`)).toEqual({
      status: 200,
      body: { message: 'OK' },
    })
})

test('certificates of listeners', async () => {
  const { ask, paths } = createAgent()
  const path = `/1.0/loadbalancer/${LB}/certificates/0a1b.pem`
  expect(await ask('GET', path)).toEqual({
    status: 404,
    body: { message: 'Certificate Not Found', details: 'No certificate with filename: 0a1b.pem' },
  })
  expect(await ask('PUT', path, 'good')).toEqual({
    status: 200,
    body: { message: 'OK' },
    etag: MD5_OF_GOOD,
  })
  expect(readFileSync(`${paths.certificates(LB)}/0a1b.pem`, 'utf8')).toBe('good')
  expect(await ask('GET', path)).toEqual({
    status: 200,
    body: { md5sum: MD5_OF_GOOD },
    etag: MD5_OF_GOOD,
  })
  for (let n = 0; n < 2; n++) expect((await ask('DELETE', path)).status).toBe(200)
  expect((await ask('GET', path)).status).toBe(404)
})

describe('no name leads out of its folder', () => {
  test.each([
    ['PUT', `/1.0/loadbalancer/${LB}/certificates/..%2F..%2Fx.pem`, 400],
    ['PUT', `/1.0/loadbalancer/${LB}/certificates/x.pem.sh`, 400],
    ['PUT', '/1.0/loadbalancer/..%2Fx/certificates/x.pem', 404],
    ['PUT', '/1.0/loadbalancer/a/..%2Fx/haproxy', 404],
    ['PUT', '/1.0/loadbalancer/a/%2E%2E%2Fx/haproxy', 404],
    ['GET', '/1.0/loadbalancer/..%2Fx/haproxy', 404],
    ['PUT', '/1.0/loadbalancer/..%2Fx/start', 404],
    ['DELETE', '/1.0/listeners/..%2Fx', 200],
  ])('%s %s', async (method, path, status) => {
    const { ask, haproxy } = createAgent()
    const body = method === 'PUT' ? 'good' : undefined
    expect((await ask(method, path, body)).status).toBe(status)
    expect(haproxy.list()).toEqual([])
  })
})

const MAC = '02:00:00:00:00:01'
const NET = {
  subnet_cidr: '10.0.0.0/24',
  gateway: '10.0.0.1',
  mac_address: MAC,
  vrrp_ip: '10.0.0.4',
}

test('plugging the VIP', async () => {
  const { ask, cards } = createAgent()
  expect(await ask('POST', '/1.0/plug/vip/10.0.0.2', NET)).toEqual({
    status: 404,
    body: { details: 'No suitable network interface found' },
  })
  cards.add(MAC)
  expect(await ask('POST', '/1.0/plug/vip/nonsense', NET)).toMatchObject({
    status: 400,
    body: { message: expect.stringMatching(/^Invalid VIP/) },
  })
  expect(await ask('POST', '/1.0/plug/vip/10.0.0.2', { ...NET, vrrp_ip: 'x' })).toMatchObject({
    status: 400,
    body: { message: expect.stringMatching(/^Invalid VRRP Address/) },
  })
  expect(await ask('POST', '/1.0/plug/vip/10.0.0.2', {})).toEqual({
    status: 400,
    body: { error: 'Invalid subnet information', http_code: 400 },
  })
  expect(await ask('POST', '/1.0/plug/vip/10.0.0.2', NET)).toEqual({
    status: 202,
    body: { message: 'OK', details: 'VIPs plugged on interface eth1: 10.0.0.2' },
  })
  expect(await ask('POST', '/1.0/plug/vip/10.0.0.2', NET)).toEqual({
    status: 409,
    body: { message: 'Interface already exists' },
  })
  expect(await ask('GET', '/1.0/interface/10.0.0.2')).toEqual({
    status: 200,
    body: { message: 'OK', interface: 'eth1' },
  })
})

test('plugging networks', async () => {
  const { ask, cards, plugged } = createAgent()
  cards.add(MAC)
  const fixed_ips = [{ ip_address: '10.1.0.5', subnet_cidr: '10.1.0.0/24' }]
  const plug = () => ask('POST', '/1.0/plug/network', { mac_address: MAC, fixed_ips })
  expect(await plug()).toEqual({
    status: 202,
    body: { message: 'OK', details: 'Plugged on interface eth2' },
  })
  expect(await plug()).toEqual({
    status: 202,
    body: { message: 'OK', details: 'Updated existing interface eth2' },
  })
  expect(await ask('POST', '/1.0/plug/network', {})).toEqual({
    status: 400,
    body: { error: 'Invalid port information', http_code: 400 },
  })
  const vip_net_info = { ...NET, vip: '10.0.0.2' }
  await ask('POST', '/1.0/plug/network', { mac_address: MAC, fixed_ips, vip_net_info })
  expect(plugged.get(MAC)).toMatchObject({
    if_type: 'vip',
    addresses: [{ address: '10.0.0.4' }, { address: '10.0.0.2' }, { address: '10.1.0.5' }],
  })
})

test.each([
  ['nonsense', 400, 'Invalid IP address'],
  ['10.0.0.9', 404, 'Error interface not found for IP address'],
])('the interface of %s', async (ip, status, message) => {
  const { ask } = createAgent()
  expect(await ask('GET', `/1.0/interface/${ip}`)).toEqual({ status, body: { message } })
})

test('rules for what comes in by the VIP', async () => {
  const { ask, cards, filters } = createAgent()
  cards.add(MAC)
  await ask('POST', '/1.0/plug/vip/10.0.0.2', NET)
  const put = (body: unknown, ip = '10.0.0.4') =>
    ask('PUT', `/1.0/interface/${ip}/rules`, JSON.stringify(body))
  const rules = [
    { protocol: 'TCP', cidr: '192.0.2.9/24', port: 80 },
    { protocol: 'vrrp', cidr: null, port: null },
  ]
  expect(await put(rules)).toEqual({ status: 200, body: { message: 'OK', rules: 2 } })
  expect(filters).toEqual([[{ ...rules[0], cidr: '192.0.2.0/24' }, rules[1]]])
  expect(await put(rules, '10.0.0.9')).toMatchObject({ status: 404 })
  expect(await put(rules, 'x')).toMatchObject({ status: 400 })
  for (const wrong of [
    null,
    {},
    ['TCP'],
    [{ protocol: 'ICMP', cidr: null, port: 1 }],
    [{ protocol: 'TCP', cidr: null }],
    [{ protocol: 'TCP', cidr: '0.0.0.0/0 accept; flush ruleset', port: 1 }],
    [{ protocol: 'TCP', cidr: null, port: 65_536 }],
  ])
    expect(await put(wrong)).toEqual({
      status: 400,
      body: { error: 'Invalid rules information', http_code: 400 },
    })
  expect(filters).toHaveLength(1)
})

test('a new configuration of the agent', async () => {
  const { ask, config, adopted } = createAgent()
  const text = renderAgentConfig({ ...config, heartbeat_interval_s: 3 })
  expect(await ask('PUT', '/1.0/config', text)).toEqual({ status: 202, body: { message: 'OK' } })
  expect(adopted).toEqual([text])
  const other = renderAgentConfig({ ...config, amphora_id: 'another' })
  for (const bad of ['', 'nonsense', other])
    expect(await ask('PUT', '/1.0/config', bad)).toMatchObject({
      status: 500,
      body: { message: 'Unable to update amphora-agent configuration.' },
    })
  expect(adopted).toHaveLength(1)
})

test("a new certificate of the agent's", async () => {
  const { ask, adopted } = createAgent()
  expect(await ask('PUT', '/1.0/certificate', 'pem')).toEqual({
    status: 202,
    body: { message: 'OK' },
  })
  expect(await ask('PUT', '/1.0/certificate', 'nonsense')).toMatchObject({ status: 400 })
  expect(adopted).toEqual(['pem'])
})

test.each([
  ['GET', '/1.0/nothing', 404, 'Not Found'],
  ['GET', '/0.5/info', 404, 'Not Found'],
  ['POST', '/1.0/info', 405, 'Method Not Allowed'],
  ['DELETE', `/1.0/loadbalancer/${LB}/haproxy`, 405, 'Method Not Allowed'],
])('%s %s is %i', async (method, path, status, error) => {
  const { ask } = createAgent()
  expect(await ask(method, path)).toEqual({ status, body: { error, http_code: status } })
})

test('VRRP: a configuration is taken or refused, and keepalived told', async () => {
  const { ask, paths, behaviour } = createAgent()
  const none = await ask('PUT', '/1.0/vrrp/start')
  expect(none).toMatchObject({
    status: 500,
    body: { message: 'Failed to start octavia-keepalived service', details: expect.any(String) },
  })
  expect(await ask('PUT', '/1.0/vrrp/upload', 'bad')).toEqual({
    status: 400,
    body: { message: 'Invalid request', details: 'bad' },
  })
  expect(await ask('PUT', '/1.0/vrrp/upload', 'good')).toEqual({
    status: 200,
    body: { message: 'OK' },
    etag: MD5_OF_GOOD,
  })
  expect(readFileSync(paths.vrrpConfig, 'utf8')).toBe('good')
  expect(await ask('PUT', '/1.0/vrrp/restart')).toEqual({
    status: 400,
    body: { message: 'Invalid Request', details: 'Unknown action: restart' },
  })
  expect(await ask('PUT', '/1.0/vrrp/stop')).toEqual({
    status: 202,
    body: { message: 'OK', details: 'keepalived stopped' },
  })
  behaviour.startCode = 1
  expect(await ask('PUT', '/1.0/vrrp/START')).toMatchObject({
    status: 500,
    body: { details: 'why it did not start' },
  })
})
