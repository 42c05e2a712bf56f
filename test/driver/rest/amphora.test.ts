/** The driver against an agent of a few lines, which behaves like the real one. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { AgentRequest, AgentResponse } from '../../../src/contract/client.ts'
import { HAPROXY_OPTION_FALLBACKS } from '../../../src/dataplane/haproxy/facts.ts'
import type { VipPlug, VrrpPlan } from '../../../src/driver/amphora.ts'
import { DriverError } from '../../../src/driver/error.ts'
import { createRestAmphoraDriver } from '../../../src/driver/rest/amphora.ts'
import { AgentUnreachable, createTransport } from '../../../src/driver/rest/transport.ts'
import type { Amphora } from '../../../src/model/amphora.ts'
import type { HealthMonitor } from '../../../src/model/health-monitor.ts'
import type { Listener } from '../../../src/model/listener.ts'
import type { Pool } from '../../../src/model/pool.ts'
import { NO_TLS_MATERIAL, type TlsMaterial } from '../../../src/model/tls.ts'
import type { LoadBalancerTree } from '../../../src/model/tree.ts'
import { AssertionFailure } from '../../../src/system/assert.ts'
import { newId } from '../../../src/system/ids.ts'
import { duringTransaction } from '../../../src/system/outside.ts'
import { healthMonitorRow, listenerRow, loadBalancerRow, poolRow } from '../../fake/rows.ts'
import { VRRP_OPTIONS } from '../../fake/vrrp.ts'

const AMPHORA = { id: 'amphora-1', lb_network_ip: '192.0.2.7', vrrp_ip: '10.0.0.4' } as Amphora
const LB = loadBalancerRow({ vip_address: '10.0.0.2' })
const LISTENER = listenerRow({ loadbalancer_id: LB.id })
const tree = (over: Partial<LoadBalancerTree> = {}): LoadBalancerTree => ({
  ...LB,
  listeners: [LISTENER],
  pools: [],
  l7policies: [],
  amphorae: [],
  ...over,
})

type Answer = readonly [status: number, body?: unknown]

type Failing = Answer | ((body: string) => Answer | undefined)

/** `failing` answers a request, by `METHOD path`, before the agent does. */
function createAgent(failing: Readonly<Record<string, Failing>> = {}) {
  const requests: string[] = []
  const bodies: unknown[] = []
  const state: { config: string | undefined; files: Record<string, string> } = {
    config: undefined,
    files: {},
  }
  const answer = ({ method, path, body }: AgentRequest): Answer => {
    const known = failing[`${method} ${path}`]
    const failure = typeof known === 'function' ? known(body ?? '') : known
    if (failure !== undefined) return failure
    if (path === '/1.0/details')
      return [200, { haproxy_version: '2.6.12', cpu_count: 1, active_tuned_profiles: '' }]
    if (path === '/1.0/listeners') return [200, []]
    if (path.includes('/certificates/')) {
      if (method === 'PUT') state.files[path] = body ?? ''
      const file = state.files[path]
      if (file === undefined) return [404, { message: 'Certificate Not Found' }]
      return [200, { md5sum: createHash('md5').update(file).digest('hex') }]
    }
    if (path === `/1.0/loadbalancer/${LB.id}/haproxy`)
      return state.config === undefined ? [404, { message: 'Not Found' }] : [200, state.config]
    if (method === 'PUT' && path.endsWith('/haproxy')) state.config = body
    if (method === 'DELETE') state.config = undefined
    return [202, { message: 'OK', interface: 'eth1' }]
  }
  const driver = createRestAmphoraDriver({
    options: { ...HAPROXY_OPTION_FALLBACKS, ...VRRP_OPTIONS },
    connect:
      (address) =>
      async (request): Promise<AgentResponse> => {
        expect(address).toEqual({ amphora_id: 'amphora-1', ip: '192.0.2.7' })
        requests.push(`${request.method} ${request.path}`)
        if (request.headers['content-type'] === 'application/json')
          bodies.push(JSON.parse(request.body ?? ''))
        const [status, body] = answer(request)
        const text = typeof body === 'string' ? body : JSON.stringify(body)
        const etag = createHash('md5').update(text).digest('hex')
        return { status, contentType: 'application/json', etag, text }
      },
  })
  return { driver, requests, bodies, state }
}

const DETAILS = 'GET /1.0/details'
const GET = `GET /1.0/loadbalancer/${LB.id}/haproxy`
const UPLOAD = `PUT /1.0/loadbalancer/amphora-1/${LB.id}/haproxy`
const RELOAD = `PUT /1.0/loadbalancer/${LB.id}/reload`

test('the first update uploads; an equal one only asks for the reload that may be owed', async () => {
  const { driver, requests, state } = createAgent()
  await driver.updateListeners(AMPHORA, tree())
  expect(requests.splice(0)).toEqual([DETAILS, GET, UPLOAD, RELOAD])
  expect(state.config).toContain(`frontend ${LISTENER.id}`)
  await driver.updateListeners(AMPHORA, tree())
  expect(requests.splice(0)).toEqual([DETAILS, GET, RELOAD])
  await driver.updateListeners(AMPHORA, tree({ listeners: [{ ...LISTENER, protocol_port: 81 }] }))
  expect(requests).toEqual([DETAILS, GET, UPLOAD, RELOAD])
})

const TLS_LISTENER: Listener = {
  ...LISTENER,
  protocol: 'TERMINATED_HTTPS',
  default_tls_container_ref: 'one',
}
const tlsOf = (certificates: Readonly<Record<string, string>>): TlsMaterial => ({
  ...NO_TLS_MATERIAL,
  certificates: new Map(Object.entries(certificates)),
})
const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex')
const fileAt = (name: string): string => `/1.0/loadbalancer/${LB.id}/certificates/${name}.pem`

test('certificates are sent before what names them, unless the agent has them', async () => {
  const { driver, requests, state } = createAgent()
  const asked = tree({ listeners: [TLS_LISTENER] })
  const [one, list] = [fileAt(sha1('ONE')), fileAt(TLS_LISTENER.id)]
  await driver.updateListeners(AMPHORA, asked, tlsOf({ one: 'ONE' }))
  const sent = [`GET ${one}`, `PUT ${one}`, `GET ${list}`, `PUT ${list}`]
  expect(requests.splice(0)).toEqual([DETAILS, GET, ...sent, UPLOAD, RELOAD])
  expect(state.files[list]).toBe(`/var/lib/octavia/certs/${LB.id}/${sha1('ONE')}.pem\n`)
  await driver.updateListeners(AMPHORA, asked, tlsOf({ one: 'ONE' }))
  expect(requests.splice(0)).toEqual([DETAILS, GET, `GET ${one}`, `GET ${list}`, RELOAD])
  const renewed = fileAt(sha1('NEW'))
  await driver.updateListeners(AMPHORA, asked, tlsOf({ one: 'NEW' }))
  const again = [`GET ${renewed}`, `PUT ${renewed}`, `GET ${list}`, `PUT ${list}`]
  expect(requests).toEqual([DETAILS, GET, ...again, RELOAD])
})

/** haproxy as far as it refuses a line with some word in it, and says where that is. */
const refusing = (...words: readonly string[]) => ({
  [UPLOAD]: (body: string): Answer | undefined => {
    const said = body.split('\n').flatMap((line, at) => {
      const found = words.some((word) => line.includes(word))
      return found
        ? `[ALERT]    (7) : config : parsing [/a/cfg.new:${at + 1}] : no ${line.trim()}`
        : []
    })
    if (said.length === 0) return undefined
    return [400, { message: 'Invalid request', details: said.join('\n') }]
  },
})
const OTHER: Listener = { ...LISTENER, id: newId(), protocol_port: 81 }

test('a listener that haproxy refuses stays as it was, and others are changed', async () => {
  const { driver, requests, state } = createAgent(refusing(':8080'))
  await driver.updateListeners(AMPHORA, tree({ listeners: [LISTENER, OTHER] }))
  const changed = tree({
    listeners: [
      { ...LISTENER, protocol_port: 8080 },
      { ...OTHER, protocol_port: 82 },
    ],
  })
  requests.splice(0)
  const refused = await driver.updateListeners(AMPHORA, changed)
  const why = 'haproxy says: no bind 10.0.0.2:8080'
  expect([...refused]).toEqual([[LISTENER.id, { why, served: true }]])
  expect(state.config?.match(/bind .*/g)).toEqual(['bind 10.0.0.2:82', 'bind 10.0.0.2:80'])
  expect(requests).toEqual([DETAILS, GET, UPLOAD, UPLOAD, RELOAD])
  // The next time the agent has what it takes of it.
  expect((await driver.updateListeners(AMPHORA, changed)).size).toBe(1)
  expect(requests.slice(-3)).toEqual([GET, UPLOAD, RELOAD])
  await driver.updateListeners(AMPHORA, tree({ listeners: [LISTENER, OTHER] }))
  expect(state.config?.match(/bind .*/g)).toEqual(['bind 10.0.0.2:80', 'bind 10.0.0.2:81'])
})

test('one that was never served, or cannot stay, is left out', async () => {
  const { driver, state } = createAgent(refusing(':80'))
  const first = await driver.updateListeners(AMPHORA, tree({ listeners: [LISTENER, OTHER] }))
  const why = 'haproxy says: no bind 10.0.0.2:80'
  expect([...first]).toEqual([[LISTENER.id, { why, served: false }]])
  expect(state.config?.match(/bind .*/g)).toEqual(['bind 10.0.0.2:81'])

  const later = createAgent(refusing('timeout client 777'))
  later.state.config = `global\n\nfrontend ${LISTENER.id}\n    timeout client 777\n`
  const slow = { ...LISTENER, timeout_client_data: 777 }
  const [refusal] = await later.driver.updateListeners(AMPHORA, tree({ listeners: [slow, OTHER] }))
  expect(refusal).toEqual([LISTENER.id, { why: expect.any(String), served: false }])
  expect(later.state.config).not.toContain(LISTENER.id)
})

test('a listener whose certificate haproxy refuses is told by its reference', async () => {
  const both = tree({ listeners: [TLS_LISTENER, OTHER] })
  const { driver, state } = createAgent({
    [UPLOAD]: (body: string): Answer | undefined => {
      const path = `/certs/${sha1('ONE')}.pem`
      const details = `[ALERT] (7) : config : x\n[ALERT] unable to load SSL certificate '${path}'`
      return body.includes(TLS_LISTENER.id) ? [400, { details }] : undefined
    },
  })
  const why = 'the certificate one is too weak for haproxy, or broken'
  const refused = await driver.updateListeners(AMPHORA, both, tlsOf({ one: 'ONE' }))
  expect([...refused]).toEqual([[TLS_LISTENER.id, { why, served: false }]])
  expect(state.config).toContain(OTHER.id)
})

test('what haproxy refuses of no listener fails the whole', async () => {
  const { driver } = createAgent(refusing('stats socket'))
  await expect(driver.updateListeners(AMPHORA, tree())).rejects.toMatchObject({
    reason: expect.stringContaining('no stats socket'),
    retryable: false,
  })
})

test.each([
  ['no listener', tree({ listeners: [] })],
  [
    'only one on its way out',
    tree({ listeners: [{ ...LISTENER, provisioning_status: 'PENDING_DELETE' }] }),
  ],
])('with %s haproxy is removed', async (_, gone) => {
  const { driver, requests } = createAgent()
  await driver.updateListeners(AMPHORA, gone)
  expect(requests).toEqual([`DELETE /1.0/listeners/${LB.id}`])
})

const front = (over: Partial<Listener>) => tree({ listeners: [{ ...LISTENER, ...over }] })
const behind = (over: Partial<Pool>, monitor: Partial<HealthMonitor> | null = null) => {
  const pool = poolRow({ ...over, loadbalancer_id: LB.id })
  const healthmonitor = monitor && healthMonitorRow({ pool_id: pool.id, ...monitor })
  const listeners = [{ ...LISTENER, default_pool_id: pool.id }]
  return tree({ listeners, pools: [{ ...pool, members: [], healthmonitor }] })
}

test.each([
  ['HTTPS listeners', front({ protocol: 'HTTPS' })],
  ['PROMETHEUS listeners', front({ protocol: 'PROMETHEUS' })],
  ['UDP listeners', front({ protocol: 'UDP' })],
  ['TLS without certificates', behind({ tls_enabled: true })],
  ['a monitor that is switched off', behind({}, { type: 'SCTP', admin_state_up: false })],
  ['a TLS-HELLO monitor', behind({}, { type: 'TLS-HELLO' })],
] as const)('%s are carried', async (_, asked) => {
  await createAgent().driver.updateListeners(AMPHORA, asked)
})

test.each([
  ["upstream's agent, which obeys from the second call on", { message: 'OK' }, 2],
  ['an agent that says how many are in force', { message: 'OK', rules: 1 }, 1],
])('rules of the VIP: %s', async (_, answer, calls) => {
  const path = 'PUT /1.0/interface/10.0.0.4/rules'
  const { driver, requests, bodies } = createAgent({ [path]: [200, answer] })
  await driver.setVipRules(AMPHORA, [{ protocol: 'TCP', port: 80, cidr: null }])
  expect(requests).toEqual(Array(calls).fill(path))
  expect(bodies).toEqual(Array(calls).fill([{ protocol: 'TCP', cidr: null, port: 80 }]))
})

describe('UDP and SCTP listeners', () => {
  const UDP = listenerRow({ loadbalancer_id: LB.id, protocol: 'UDP', protocol_port: 53 })
  const GET_UDP = `GET /1.0/listeners/${UDP.id}/udp_listener`
  const PUT_UDP = `PUT /1.0/listeners/amphora-1/${UDP.id}/udp_listener`
  const RELOAD_UDP = `PUT /1.0/loadbalancer/${UDP.id}/reload`
  const NONE: Answer = [404, { message: 'UDP Listener Not Found' }]
  const REFUSED: Answer = [500, { message: 'Invalid request', details: 'no IPVS' }]
  const both = (over: Partial<Listener> = {}) =>
    tree({ listeners: [LISTENER, { ...UDP, ...over }] })

  test('have a configuration each, after that of haproxy', async () => {
    const { driver, requests, state } = createAgent({ [GET_UDP]: NONE })
    await driver.updateListeners(AMPHORA, both())
    expect(requests).toEqual([DETAILS, GET, UPLOAD, RELOAD, GET_UDP, PUT_UDP, RELOAD_UDP])
    expect(state.config).not.toContain(UDP.id)
  })

  test('alone need no haproxy', async () => {
    const { driver, requests } = createAgent({ [GET_UDP]: NONE })
    await driver.updateListeners(AMPHORA, tree({ listeners: [UDP] }))
    expect(requests).toEqual([`DELETE /1.0/listeners/${LB.id}`, GET_UDP, PUT_UDP, RELOAD_UDP])
  })

  test('on their way out are removed', async () => {
    const { driver, requests } = createAgent()
    await driver.updateListeners(AMPHORA, both({ provisioning_status: 'PENDING_DELETE' }))
    expect(requests.at(-1)).toBe(`DELETE /1.0/listeners/${UDP.id}`)
  })

  test('that the agent refuses are told with its sentence, and stop no other', async () => {
    const other = { ...UDP, id: newId() }
    const { driver, requests } = createAgent({ [GET_UDP]: NONE, [PUT_UDP]: REFUSED })
    const refused = await driver.updateListeners(
      AMPHORA,
      tree({ listeners: [UDP, other, LISTENER] }),
    )
    const why = 'the agent answered 500: Invalid request: no IPVS'
    expect([...refused]).toEqual([[UDP.id, { why, served: false }]])
    expect(requests).toContain(RELOAD)
    expect(requests).toContain(`PUT /1.0/loadbalancer/${other.id}/reload`)
  })

  test.each([
    ['a configuration', PUT_UDP, true],
    ['its reload', RELOAD_UDP, false],
  ])('where the agent refuses %s, the last one serves: %s', async (_, call, served) => {
    const { driver } = createAgent({ [GET_UDP]: [200, 'an older one'], [call]: REFUSED })
    const [[, refusal] = []] = await driver.updateListeners(AMPHORA, both())
    expect(refusal).toMatchObject({ served })
  })

  test('that an agent cannot be told of fail the change', async () => {
    const { driver } = createAgent({ [GET_UDP]: NONE, [PUT_UDP]: [503, { error: 'busy' }] })
    await expect(driver.updateListeners(AMPHORA, both())).rejects.toMatchObject({ retryable: true })
  })

  test('go with the load balancer', async () => {
    const listed = [{ status: 'ACTIVE', uuid: UDP.id, type: 'UDP' }]
    const { driver, requests } = createAgent({ 'GET /1.0/listeners': [200, listed] })
    await driver.deleteLoadBalancer(AMPHORA, LB.id)
    expect(requests.at(-1)).toBe(`DELETE /1.0/listeners/${UDP.id}`)
  })
})

const subnet = (id: string, cidr: string, gateway_ip: string | null) => ({
  ...{ id, name: '', network_id: 'net', cidr, gateway_ip },
  host_routes: [{ destination: '198.51.100.0/24', nexthop: '10.0.0.9' }],
})
const PLUG: VipPlug = {
  port: {
    ...{ id: 'port', name: '', network_id: 'net', device_id: '', device_owner: '' },
    mac_address: '02:00:00:00:00:01',
    fixed_ips: [{ subnet_id: 's1', ip_address: '10.0.0.4' }],
  },
  network: { id: 'net', name: '', mtu: 1450, subnet_ids: ['s1'], port_security_enabled: true },
  subnets: [subnet('s1', '10.0.0.0/24', '10.0.0.1')],
  vip: { ip_address: '10.0.0.2', subnet: subnet('s1', '10.0.0.0/24', '10.0.0.1') },
  additional_vips: [{ ip_address: 'fd00::2', subnet: subnet('s2', 'fd00::/64', null) }],
}

test('what is plugged', async () => {
  const { driver, requests, bodies } = createAgent()
  await driver.plugVip(AMPHORA, PLUG)
  const host_routes = [{ destination: '198.51.100.0/24', nexthop: '10.0.0.9' }]
  expect(bodies[0]).toEqual({
    subnet_cidr: '10.0.0.0/24',
    gateway: '10.0.0.1',
    mac_address: '02:00:00:00:00:01',
    mtu: 1450,
    vrrp_ip: '10.0.0.4',
    host_routes,
    additional_vips: [
      { ip_address: 'fd00::2', subnet_cidr: 'fd00::/64', gateway: null, host_routes },
    ],
    is_sriov: false,
    fixed_ips: [],
  })
  const [plugged] = bodies
  await driver.plugVip(AMPHORA, { ...PLUG, hold_vip: true })
  expect(bodies.pop()).toEqual({ ...(plugged as object), hold_vip: true })
  expect(requests.pop()).toBe(requests[0])
  const subnets = [PLUG.vip.subnet]
  await driver.plugMember(AMPHORA, { port: PLUG.port, network: PLUG.network, subnets })
  expect(bodies[1]).toEqual({
    mac_address: '02:00:00:00:00:01',
    mtu: 1450,
    fixed_ips: [
      { ip_address: '10.0.0.4', subnet_cidr: '10.0.0.0/24', gateway: '10.0.0.1', host_routes },
    ],
    is_sriov: false,
  })
  expect(requests).toEqual(['POST /1.0/plug/vip/10.0.0.2', 'POST /1.0/plug/network'])
})

describe('VRRP', () => {
  const plan: VrrpPlan = {
    load_balancer_id: LB.id,
    group: { advert_int: 1, auth_pass: 'secret7' },
    interface: 'eth1',
    peers: [{ vrrp_ip: '10.0.0.5' } as Amphora],
    vips: [PLUG.vip],
    takeover: false,
  }
  const master = { ...AMPHORA, vrrp_id: 1, vrrp_priority: 100 }

  test('is uploaded, and keepalived started or told', async () => {
    const { driver, requests } = createAgent()
    await driver.updateVrrp(master, plan)
    expect(requests).toEqual(['PUT /1.0/vrrp/upload', 'PUT /1.0/vrrp/start'])
  })

  test.each<[string, Answer, string | undefined]>([
    ['the interface of an address', [200, { message: 'OK', interface: 'eth1' }], 'eth1'],
    ['no interface', [404, { message: 'Error interface not found for IP address' }], undefined],
  ])('%s', async (_, answer, expected) => {
    const { driver } = createAgent({ 'GET /1.0/interface/10.0.0.2': answer })
    expect(await driver.findInterface(AMPHORA, '10.0.0.2')).toBe(expected)
  })
})

describe('a VIP that was plugged before', () => {
  const conflict = { 'POST /1.0/plug/vip/10.0.0.2': [409, { message: 'exists' }] } as const

  test('is success when its interface is the right one', async () => {
    const { driver, requests } = createAgent(conflict)
    await driver.plugVip(AMPHORA, PLUG)
    expect(requests.at(-1)).toBe('GET /1.0/interface/10.0.0.4')
  })

  test.each<[string, Answer]>([
    ['another interface', [200, { message: 'OK', interface: 'eth2' }]],
    ['no interface', [404, { message: 'Error interface not found for IP address' }]],
  ])('is a failure with %s', async (_, answer) => {
    const { driver } = createAgent({ ...conflict, 'GET /1.0/interface/10.0.0.4': answer })
    await expect(driver.plugVip(AMPHORA, PLUG)).rejects.toBeInstanceOf(DriverError)
  })
})

describe('failures', () => {
  test.each<[string, Answer, boolean]>([
    ['a refused configuration', [400, { message: 'Invalid request', details: 'line 3' }], false],
    ['a failed haproxy', [500, { message: 'Error' }], false],
    ['an agent with too much to do', [503, { error: 'busy' }], true],
  ])('%s', async (_, answer, retryable) => {
    const { driver } = createAgent({ [UPLOAD]: answer })
    const error = await driver.updateListeners(AMPHORA, tree()).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(DriverError)
    expect(error).toMatchObject({
      operation: 'update-listeners',
      subject: 'amphora amphora-1',
      retryable,
    })
  })

  test('a configuration that cannot be read is not taken for a missing one', async () => {
    const { driver, requests } = createAgent({ [GET]: [500, {}] })
    await expect(driver.updateListeners(AMPHORA, tree())).rejects.toBeInstanceOf(DriverError)
    expect(requests).not.toContain(UPLOAD)
  })

  test('no answer', async () => {
    const driver = createRestAmphoraDriver({
      options: { ...HAPROXY_OPTION_FALLBACKS, ...VRRP_OPTIONS },
      connect: () => () => Promise.reject(new AgentUnreachable('no connection', true, undefined)),
    })
    await expect(driver.getInfo(AMPHORA)).rejects.toMatchObject({
      operation: 'get-info',
      reason: 'no connection',
      retryable: true,
    })
  })

  test('a bug stays a bug', async () => {
    const { driver } = createAgent()
    const broken = tree({ vip_address: null })
    await expect(driver.updateListeners(AMPHORA, broken)).rejects.toBeInstanceOf(AssertionFailure)
  })
})

test('no agent is called while a transaction is open', async () => {
  const tls = { cert: '', key: '', ca: '' }
  const address = { amphora_id: 'amphora-1', ip: '127.0.0.1' }
  const send = createTransport(tls, { port: 9, timeout_ms: 1_000 }, address)
  const request = { method: 'GET', path: '/', headers: {}, body: undefined } as const
  await expect(duringTransaction(() => send(request))).rejects.toBeInstanceOf(AssertionFailure)
})
