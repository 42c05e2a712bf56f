/** The API over an empty database and a small network that behaves. */
import { createApi } from '../../src/api/app.ts'
import { createHeaderIdentity } from '../../src/api/identity.ts'
import { type Api, DEFAULT_API_OPTIONS } from '../../src/api/route.ts'
import {
  AddressInUse,
  type Network,
  type NetworkDriver,
  type Port,
  type Subnet,
} from '../../src/driver/network.ts'
import { createNoopCertificateManager } from '../../src/driver/noop/certificate-manager.ts'
import type { OperationSettings } from '../../src/operation/change.ts'
import { createPolicy } from '../../src/policy/check.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { RESOURCES } from '../../src/store/tables.ts'
import { newId } from '../../src/system/ids.ts'
import { silentLog } from '../../src/system/log.ts'

export const PROJECT = '0123456789abcdef0123456789abcdef'
export const NETWORK = '11111111-0000-4000-8000-000000000001'
export const SUBNET = '22222222-0000-4000-8000-000000000001'
export const SUBNET6 = '22222222-0000-4000-8000-000000000006'
export const OTHER_NETWORK = '11111111-0000-4000-8000-000000000002'
export const OTHER_SUBNET = '22222222-0000-4000-8000-000000000002'

export const QOS_POLICY = '33333333-0000-4000-8000-000000000001'
export const SECURITY_GROUP = '44444444-0000-4000-8000-000000000001'

export const SETTINGS: OperationSettings = {
  defaults: {
    timeout_client_data: 50000,
    timeout_member_connect: 5000,
    timeout_member_data: 50000,
    timeout_tcp_inspect: 0,
  },
  topology: 'SINGLE',
  default_provider_driver: 'amphora',
  enabled_provider_drivers: { amphora: 'The Octavia Amphora driver.' },
  allow_vip_network_id: true,
  allow_vip_subnet_id: true,
  allow_vip_port_id: true,
  valid_vip_networks: [],
  denylist_vip_networks: [],
  reserved_ips: ['169.254.169.254'],
  allow_tls_terminated_listeners: true,
  allow_prometheus_listeners: true,
  allow_ping_health_monitors: true,
  udp_connect_min_interval_health_monitor: 3,
  tls_cipher_prohibit_list: 'RC4:NULL',
  minimum_tls_version: 'TLSv1',
  default_listener_ciphers: 'HIGH:!aNULL',
  default_listener_tls_versions: ['TLSv1.2', 'TLSv1.3'],
  default_listener_alpn_protocols: ['h2', 'http/1.1'],
  default_pool_ciphers: 'HIGH:!eNULL',
  default_pool_tls_versions: ['TLSv1.3'],
  default_pool_alpn_protocols: ['http/1.1'],
  quotas: null,
  default_quotas: {
    load_balancer: -1,
    listener: 1,
    pool: 2,
    member: 3,
    health_monitor: 4,
    l7policy: 5,
    l7rule: 6,
  },
  lacking: [],
}

/** Two networks; addresses are given once and taken back; a port of a user can be adopted. */
export class FakeNetwork implements NetworkDriver {
  readonly ports = new Map<string, Port>()
  readonly networks: Network[] = [
    network(NETWORK, [SUBNET6, SUBNET]),
    network(OTHER_NETWORK, [OTHER_SUBNET]),
  ]
  readonly subnets: Subnet[] = [
    subnet(SUBNET, NETWORK, '10.0.0.0/24'),
    subnet(SUBNET6, NETWORK, '2001:db8::/64'),
    subnet(OTHER_SUBNET, OTHER_NETWORK, '10.0.1.0/24'),
  ]
  free = 100
  /** Thrown by the next allocateVip. */
  failure: Error | undefined

  findNetwork = async (id: string) => this.networks.find((n) => n.id === id)
  findSubnet = async (id: string) => this.subnets.find((s) => s.id === id)
  findPort = async (id: string) => this.ports.get(id)
  hasQosPolicy: NetworkDriver['hasQosPolicy'] = async (id) => id === QOS_POLICY
  hasSecurityGroup = async (id: string) => id === SECURITY_GROUP
  listFreeAddresses = async (network_id: string) =>
    this.subnets
      .filter((s) => s.network_id === network_id)
      .map((s) => ({ subnet_id: s.id, free: this.free }))

  addPort(over: Partial<Port> = {}): Port {
    const port: Port = {
      id: newId(),
      name: 'mine',
      network_id: NETWORK,
      mac_address: 'fa:16:3e:00:00:01',
      device_id: '',
      device_owner: '',
      fixed_ips: [{ subnet_id: SUBNET, ip_address: '10.0.0.77' }],
      ...over,
    }
    this.ports.set(port.id, port)
    return port
  }

  allocateVip: NetworkDriver['allocateVip'] = async (request) => {
    if (this.failure !== undefined) throw this.failure
    const taken = [...this.ports.values()].flatMap((p) => p.fixed_ips.map((ip) => ip.ip_address))
    if (request.port_id === null && request.ip_address !== null)
      if (taken.includes(request.ip_address))
        throw new AddressInUse(request.ip_address, request.network_id)
    const ip_address = request.ip_address ?? `10.0.0.${100 + this.ports.size}`
    const subnet_id = request.subnet_id ?? SUBNET
    const port_id = request.port_id ?? newId()
    const device_id = `lb-${request.load_balancer_id}`
    this.addPort({ id: port_id, device_id, fixed_ips: [{ subnet_id, ip_address }] })
    return {
      port_id,
      network_id: request.network_id,
      subnet_id,
      ip_address,
      additional_vips: request.additional_vips.map((vip, at) => ({
        subnet_id: vip.subnet_id,
        ip_address: vip.ip_address ?? `2001:db8::${at + 10}`,
      })),
    }
  }
  deallocateVip = notCalled
  plugVip = notCalled
  unplugVip = notCalled
  plugMember = notCalled
  unplugMember = notCalled
  rulesAreForAmphorae = notCalled
  setVipRules = notCalled
}

async function notCalled(): Promise<never> {
  throw new Error('the API must not call this')
}

function network(id: string, subnet_ids: readonly string[]): Network {
  return { id, name: id, mtu: 1500, subnet_ids, port_security_enabled: true }
}

function subnet(id: string, network_id: string, cidr: string): Subnet {
  return { id, name: id, network_id, cidr, gateway_ip: null, host_routes: [] }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Parsed JSON, or undefined for an empty body. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are inspected by tests
  readonly body: any
}

export interface Harness {
  /** What the app was made of. */
  readonly api: Api
  readonly store: Store
  readonly network: FakeNetwork
  /** How often the engine was woken. */
  readonly wakes: () => number
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>
  /** Sends text or bytes as they are. */
  sendText(
    method: string,
    path: string,
    text: string | Uint8Array,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>
  /** Every row of every table, to be compared. */
  dump(): Promise<Record<string, unknown[]>>
}

export function createHarness(
  over: {
    readonly settings?: Partial<OperationSettings>
    readonly options?: Partial<Api['options']>
    readonly api?: Partial<Api>
  } = {},
): Harness {
  const store = over.api?.store ?? openStore(':memory:')
  const network = new FakeNetwork()
  let wakes = 0
  let ms = Date.UTC(2026, 0, 2, 3, 4, 5)
  const api: Api = {
    store,
    network,
    compute: {},
    certificateManager: createNoopCertificateManager(),
    clock: { now: () => (ms += 1000) },
    newId,
    engine: { wake: () => void wakes++ },
    settings: { ...SETTINGS, ...over.settings },
    identity: createHeaderIdentity({ is_admin: true, default_project_id: null }),
    policy: createPolicy(),
    log: silentLog,
    options: { ...DEFAULT_API_OPTIONS, ...over.options },
    localNetworks: null,
    ...over.api,
  }
  const app = createApi(api)
  const sendText: Harness['sendText'] = async (method, path, text, headers = {}) => {
    const response = await app.handle(
      new Request(`http://lb.example${path}`, {
        method,
        headers: { 'x-project-id': PROJECT, 'content-type': 'application/json', ...headers },
        ...(method === 'GET' || method === 'HEAD' || text === '' ? {} : { body: text }),
      }),
    )
    const answer = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: answer === '' ? undefined : JSON.parse(answer),
    }
  }
  return {
    api,
    store,
    network,
    wakes: () => wakes,
    send: (method, path, body, headers) =>
      sendText(method, path, body === undefined ? '' : JSON.stringify(body), headers),
    sendText,
    dump: async () => {
      const tables = [...RESOURCES.map((r) => r.table), 'job', 'job_step']
      const out: Record<string, unknown[]> = {}
      for (const table of tables)
        out[table] = await store.read.selectFrom(table).selectAll().execute()
      return out
    },
  }
}

const LBAAS = '/v2.0/lbaas'

/** Children before those they refer to. */
const SETTLED = [
  'l7rule',
  'l7policy',
  'member',
  'health_monitor',
  'listener',
  'pool',
  'load_balancer',
]

/**
 * What the worker does at the end of every job: what is PENDING_DELETE goes, all else becomes
 * ACTIVE.
 */
export async function settle({ store }: Harness): Promise<void> {
  await store.transaction(async (tx) => {
    const gone = (table: string) =>
      tx.selectFrom(table).select('id').where('provisioning_status', '=', 'PENDING_DELETE')
    for (const table of ['pool', 'listener'])
      await tx
        .updateTable(table)
        .set({ provisioning_status: 'PENDING_DELETE' })
        .where('loadbalancer_id', 'in', gone('load_balancer'))
        .execute()
    await tx
      .updateTable('listener')
      .set({ default_pool_id: null })
      .where('default_pool_id', 'in', gone('pool'))
      .execute()
    for (const table of ['member', 'health_monitor'])
      await tx.deleteFrom(table).where('pool_id', 'in', gone('pool')).execute()
    await tx
      .updateTable('l7policy')
      .set({ provisioning_status: 'PENDING_DELETE' })
      .where('listener_id', 'in', gone('listener'))
      .execute()
    await tx.deleteFrom('l7rule').where('l7policy_id', 'in', gone('l7policy')).execute()
    for (const table of SETTLED) {
      await tx.deleteFrom(table).where('provisioning_status', '=', 'PENDING_DELETE').execute()
      await tx.updateTable(table).set({ provisioning_status: 'ACTIVE' }).execute()
    }
    await tx.deleteFrom('job').execute()
  })
}

/**
 * A load balancer with a listener, its default pool, a member, a monitor and a policy with a rule,
 * all ACTIVE.
 */
export async function makeTree(harness: Harness) {
  const { body, status } = await harness.send('POST', `${LBAAS}/loadbalancers`, {
    loadbalancer: {
      name: 'lb',
      vip_subnet_id: SUBNET,
      listeners: [
        {
          name: 'front',
          protocol: 'HTTP',
          protocol_port: 80,
          default_pool: {
            name: 'back',
            protocol: 'HTTP',
            lb_algorithm: 'ROUND_ROBIN',
            members: [{ address: '10.0.0.20', protocol_port: 8080 }],
            healthmonitor: { type: 'HTTP', delay: 5, timeout: 3, max_retries: 2 },
          },
          l7policies: [
            {
              name: 'policy',
              action: 'REDIRECT_TO_URL',
              redirect_url: 'https://example.org/',
              rules: [{ type: 'PATH', compare_type: 'STARTS_WITH', value: '/old' }],
            },
          ],
        },
      ],
    },
  })
  if (status !== 201) throw new Error(JSON.stringify(body))
  await settle(harness)
  const row = body.loadbalancer
  return {
    lb: row.id as string,
    listener: row.listeners[0].id as string,
    pool: row.pools[0].id as string,
    member: row.pools[0].members[0].id as string,
    monitor: row.pools[0].healthmonitor.id as string,
    policy: row.listeners[0].l7policies[0].id as string,
    rule: row.listeners[0].l7policies[0].rules[0].id as string,
  }
}
