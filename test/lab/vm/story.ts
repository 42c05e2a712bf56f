/** The load balancer of the machine: one listener for each kind of check, the same two members. */
import type { OctaviaClient } from '../../../src/command/demo/client.ts'
import { until } from '../harness.ts'
import { type Member, PORT } from './members.ts'

export const CHECK_TYPES = ['UDP-CONNECT', 'SCTP', 'TCP', 'HTTP'] as const
export type CheckType = (typeof CHECK_TYPES)[number]

/** As usual in the lab, with a second family. */
export const SETTINGS = `[api_settings]
auth_strategy = "noauth"

[haproxy_amphora]
rest_request_conn_timeout = 90

[health_manager]
heartbeat_interval = 3

[[local_cloud.networks]]
name = "vip-net"
cidr = "10.10.10.0/24"
host_access = true
allocation_start = "10.10.10.100"
allocation_end = "10.10.10.250"
[[local_cloud.networks.subnets]]
name = "vip-net-v6"
cidr = "fd00:10::/64"
allocation_start = "fd00:10::100"
allocation_end = "fd00:10::1ff"
`

/** Patient enough for programs that start slowly in an emulated machine. */
const TIMES = { delay: 3, timeout: 5, max_retries: 1, max_retries_down: 1 }
const CHECK_PORT = 8080
const MONITORS: Readonly<Record<CheckType, object>> = {
  'UDP-CONNECT': { type: 'UDP-CONNECT' },
  // A program for each check: in an emulated machine a second's work.
  SCTP: { type: 'SCTP', delay: 10 },
  TCP: { type: 'TCP' },
  HTTP: {
    ...{
      type: 'HTTP',
      http_method: 'GET',
      url_path: '/health?a=$b',
      expected_codes: '200, 202, 204',
    },
    ...{ http_version: 1.1, domain_name: 'www.example.com' },
  },
}
/** The port of the listener with each check; those which share one differ in protocol. */
export const PORTS: Readonly<Record<CheckType, number>> = {
  'UDP-CONNECT': PORT,
  SCTP: PORT,
  TCP: PORT + 1,
  HTTP: PORT + 2,
}
const protocolOf = (type: CheckType): string => (type === 'SCTP' ? 'SCTP' : 'UDP')

type Row = Record<string, unknown>
const rowsIn = (row: Row, key: string): { id: string; name: string }[] => row[key] as never

export class Story {
  readonly client: OctaviaClient
  readonly id: string
  readonly vip: string
  readonly vip6: string
  readonly #ids: ReadonlyMap<string, string>

  private constructor(client: OctaviaClient, row: Row, ids: ReadonlyMap<string, string>) {
    this.client = client
    this.id = String(row.id)
    this.vip = String(row.vip_address)
    const [additional] = row.additional_vips as { ip_address: string }[]
    this.vip6 = additional?.ip_address ?? ''
    this.#ids = ids
  }

  static async create(client: OctaviaClient, members: readonly Member[]): Promise<Story> {
    const pool = (name: string, protocol: string, more: object, port?: number) => ({
      ...{ name, protocol, lb_algorithm: 'ROUND_ROBIN', ...more },
      members: members.map(({ name, address }) => ({
        ...{ name, address, protocol_port: PORT },
        ...(port === undefined ? {} : { monitor_port: port }),
      })),
    })
    const checked = (Object.keys(MONITORS) as CheckType[]).map((type) => {
      const healthmonitor = { ...TIMES, ...MONITORS[type] }
      const port = type === 'HTTP' ? CHECK_PORT : undefined
      const protocol = protocolOf(type)
      const default_pool = pool(type, protocol, { healthmonitor }, port)
      return { name: type, protocol, protocol_port: PORTS[type], default_pool }
    })
    const plain = { name: 'plain', protocol: 'TCP', protocol_port: PORT }
    const listeners = [...checked, { ...plain, default_pool: pool('plain', 'TCP', {}) }]
    const additional_vips = [{ subnet_id: await subnetNamed(client, 'vip-net-v6') }]
    const vip_subnet_id = await subnetNamed(client, 'vip-net')
    const loadbalancer = { name: 'lvs', vip_subnet_id, additional_vips, listeners }
    const { id } = await client.call('POST', 'loadbalancers', { loadbalancer })
    await settled(client, String(id))
    const ids = new Map<string, string>()
    const row = await client.call('GET', `loadbalancers/${id}`)
    for (const kind of ['listeners', 'pools'])
      for (const { id: each } of rowsIn(row, kind)) {
        const { name } = await client.call('GET', `${kind}/${each}`)
        ids.set(`${kind} ${String(name)}`, each)
        if (kind !== 'pools') continue
        const found = await client.call('GET', `pools/${each}/members`)
        for (const member of found as unknown as { id: string; name: string }[])
          ids.set(`members ${String(name)} ${member.name}`, member.id)
      }
    return new Story(client, row, ids)
  }

  listener(type: CheckType): string {
    return `listeners/${this.#ids.get(`listeners ${type}`)}`
  }

  pool(type: CheckType): string {
    return `pools/${this.#ids.get(`pools ${type}`)}`
  }

  member(type: CheckType, name: string): string {
    return `${this.pool(type)}/members/${this.#ids.get(`members ${type} ${name}`)}`
  }

  /** Changes an object and waits until the change is carried out. */
  async change(path: string, changes: object): Promise<void> {
    const kind = path.split('/').at(-2)?.slice(0, -1) ?? ''
    await this.client.call('PUT', path, { [kind]: changes })
    await this.settled()
  }

  settled(): Promise<void> {
    return settled(this.client, this.id)
  }

  async untilStatus(path: string, status: string): Promise<void> {
    await until(`${path} to be ${status}`, async () => {
      const { operating_status } = await this.client.call('GET', path)
      return operating_status === status
    })
  }
}

async function subnetNamed(client: OctaviaClient, name: string): Promise<string> {
  const subnets = (await client.call('GET', '../subnets')) as unknown as Row[]
  return String(subnets.find((subnet) => subnet.name === name)?.id)
}

async function settled(client: OctaviaClient, id: string): Promise<void> {
  const settling = async () => {
    const { provisioning_status } = await client.call('GET', `loadbalancers/${id}`)
    if (provisioning_status === 'ERROR') throw new Error('the load balancer is in ERROR')
    return provisioning_status === 'ACTIVE'
  }
  await until('the load balancer to be ACTIVE', settling)
}
