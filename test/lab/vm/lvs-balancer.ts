/** A load balancer with a UDP or SCTP listener for every kind of check, made by the API. */
import type { OctaviaClient } from '../../../src/command/demo/client.ts'
import { until, VIP_NET, vipSubnet } from '../harness.ts'
import { type Member, PORT } from './members.ts'

export const PORTS = { udp: PORT, sctp: PORT, tcp: PORT + 1, http: PORT + 2 } as const
type Name = keyof typeof PORTS
const NAMES = Object.keys(PORTS) as readonly Name[]

const CHECK_PORT = 8080

export const SETTINGS = `[api_settings]
auth_strategy = "noauth"

[health_manager]
heartbeat_interval = 3
heartbeat_timeout = 600

${VIP_NET}
[[local_cloud.networks.subnets]]
name = "vip-net-v6"
cidr = "fd00:10::/64"
allocation_start = "fd00:10::100"
allocation_end = "fd00:10::250"
`

const TIMES = { delay: 3, timeout: 5, max_retries: 1, max_retries_down: 1 }
const MONITORS = {
  udp: { type: 'UDP-CONNECT' },
  // A program for each check: in an emulated machine a second's work.
  sctp: { type: 'SCTP', delay: 10 },
  tcp: { type: 'TCP' },
  http: {
    ...{ type: 'HTTP', http_method: 'GET', url_path: '/health%24', http_version: 1.1 },
    ...{ expected_codes: '200,204', domain_name: 'www.example.com' },
  },
} as const

type Fields = Readonly<Record<string, unknown>>
type Rows = readonly (Fields & { readonly id: string; readonly name: string })[]

export class LvsLoadBalancer {
  readonly #client: OctaviaClient
  #id = ''
  vip = ''
  vip6 = ''

  constructor(client: OctaviaClient) {
    this.#client = client
  }

  async create(members: readonly Member[]): Promise<void> {
    const subnets = (await this.#client.call('GET', '../subnets')) as unknown as Rows
    const six = subnets.find(({ name }) => name === 'vip-net-v6')?.id
    const loadbalancer = {
      ...{ name: 'lvs', vip_subnet_id: await vipSubnet(this.#client) },
      additional_vips: [{ subnet_id: six }],
      listeners: NAMES.map((name) => listenerOf(name, members)),
    }
    const row = await this.#client.call('POST', 'loadbalancers', { loadbalancer })
    this.#id = String(row.id)
    this.vip = String(row.vip_address)
    this.vip6 = String((row.additional_vips as { ip_address: string }[])[0]?.ip_address)
    await this.#active()
  }

  /** Of that member in these pools, as heartbeats tell it. */
  async untilStatus(name: string, status: string, pools: readonly Name[] = NAMES): Promise<void> {
    for (const pool of pools)
      await until(`${name} to be ${status} in the pool ${pool}`, async () => {
        const members = await this.#list(`pools/${await this.#find('pools', pool)}/members`)
        return members.find((each) => each.name === name)?.operating_status === status
      })
  }

  async statistics(listener: Name): Promise<Readonly<Record<string, number>>> {
    const id = await this.#find('listeners', listener)
    const stats = await this.#client.call('GET', `listeners/${id}/stats`)
    return stats as Readonly<Record<string, number>>
  }

  async addMember(pool: Name, name: string, address: string): Promise<void> {
    const path = `pools/${await this.#find('pools', pool)}/members`
    const member = { name, address, protocol_port: PORT }
    await this.#client.call('POST', path, { member })
    await this.#active()
  }

  #active(): Promise<void> {
    return until('the load balancer to be ACTIVE', async () => {
      const row = await this.#client.call('GET', `loadbalancers/${this.#id}`)
      if (row.provisioning_status === 'ERROR') throw new Error('the load balancer is in ERROR')
      return row.provisioning_status === 'ACTIVE'
    })
  }

  async #list(path: string): Promise<Rows> {
    return (await this.#client.call('GET', path)) as unknown as Rows
  }

  async #find(kind: 'pools' | 'listeners', name: Name): Promise<string> {
    return (await this.#list(`${kind}?name=${name}`))[0]?.id ?? ''
  }
}

function listenerOf(name: Name, members: readonly Member[]): Fields {
  const protocol = name === 'sctp' ? 'SCTP' : 'UDP'
  const monitor_port = name === 'http' ? { monitor_port: CHECK_PORT } : {}
  const default_pool = {
    ...{ name, protocol, lb_algorithm: 'ROUND_ROBIN' },
    healthmonitor: { ...TIMES, ...MONITORS[name] },
    members: members.map((member) => ({
      ...{ name: member.name, address: member.address, protocol_port: PORT },
      ...monitor_port,
    })),
  }
  return { name, protocol, protocol_port: PORTS[name], default_pool }
}
