/** A load balancer with a UDP or SCTP listener for every kind of check, made by the API. */
import type { OctaviaClient } from '../../../src/command/demo/client.ts'
import { until, VIP_NET, vipSubnet } from '../harness.ts'
import { type Member, PORT } from './members.ts'

export const PORTS = { udp: PORT, sctp: PORT, tcp: PORT + 1, http: PORT + 2 } as const
export type Name = keyof typeof PORTS
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
  sctp: { type: 'SCTP', delay: 30, timeout: 20 },
  tcp: { type: 'TCP' },
  http: {
    ...{ type: 'HTTP', http_method: 'GET', url_path: '/health%24', http_version: 1.1 },
    ...{ expected_codes: '200,204', domain_name: 'www.example.com' },
  },
} as const

type Fields = Readonly<Record<string, unknown>>
type Rows = readonly (Fields & { readonly id: string; readonly name: string })[]

export interface Wish {
  /** Which of the listeners; all. */
  readonly names?: readonly Name[]
  readonly flavor_id?: string
}

export class LvsLoadBalancer {
  readonly #client: OctaviaClient
  id = ''
  vip = ''
  vip6 = ''

  constructor(client: OctaviaClient) {
    this.#client = client
  }

  async create(members: readonly Member[], { names = NAMES, flavor_id }: Wish = {}): Promise<void> {
    const subnets = (await this.#client.call('GET', '../subnets')) as unknown as Rows
    const six = subnets.find(({ name }) => name === 'vip-net-v6')?.id
    const loadbalancer = {
      ...{ name: 'lvs', vip_subnet_id: await vipSubnet(this.#client) },
      ...(flavor_id === undefined ? {} : { flavor_id }),
      additional_vips: [{ subnet_id: six }],
      listeners: names.map((name) => listenerOf(name, members)),
    }
    const row = await this.#client.call('POST', 'loadbalancers', { loadbalancer })
    this.id = String(row.id)
    this.vip = String(row.vip_address)
    this.vip6 = String((row.additional_vips as { ip_address: string }[])[0]?.ip_address)
    await this.#active()
  }

  /** Of that member in these pools, as heartbeats tell it. */
  async untilStatus(name: string, status: string, pools: readonly Name[] = NAMES): Promise<void> {
    for (const pool of pools)
      await until(`${name} to be ${status} in the pool ${pool}`, async () => {
        const members = await this.#list(`${await this.#path('pools', pool)}/members`)
        return members.find((each) => each.name === name)?.operating_status === status
      })
  }

  async untilPoolStatus(pool: Name, status: string): Promise<void> {
    await until(`the pool ${pool} to be ${status}`, async () => {
      const row = await this.#client.call('GET', await this.#path('pools', pool))
      return row.operating_status === status
    })
  }

  async statistics(listener: Name): Promise<Readonly<Record<string, number>>> {
    const path = `${await this.#path('listeners', listener)}/stats`
    return (await this.#client.call('GET', path)) as Readonly<Record<string, number>>
  }

  async change(kind: 'pools' | 'listeners', name: Name, fields: Fields): Promise<void> {
    await this.#send('PUT', await this.#path(kind, name), { [kind.slice(0, -1)]: fields })
  }

  async addMember(pool: Name, name: string, address: string): Promise<void> {
    const member = { name, address, protocol_port: PORT }
    await this.#send('POST', `${await this.#path('pools', pool)}/members`, { member })
  }

  async changeMember(pool: Name, name: string, member: Fields): Promise<void> {
    await this.#send('PUT', await this.#member(pool, name), { member })
  }

  async removeMember(pool: Name, name: string): Promise<void> {
    await this.#send('DELETE', await this.#member(pool, name))
  }

  async removeListener(name: Name): Promise<void> {
    await this.#send('DELETE', await this.#path('listeners', name))
  }

  async failOver(): Promise<void> {
    await this.#send('PUT', `loadbalancers/${this.id}/failover`)
  }

  async #send(method: string, path: string, body?: Fields): Promise<void> {
    await this.#client.call(method, path, body)
    await this.#active()
  }

  #active(): Promise<void> {
    return until('the load balancer to be ACTIVE', async () => {
      const row = await this.#client.call('GET', `loadbalancers/${this.id}`)
      if (row.provisioning_status === 'ERROR') throw new Error('the load balancer is in ERROR')
      return row.provisioning_status === 'ACTIVE'
    })
  }

  async #list(path: string): Promise<Rows> {
    return (await this.#client.call('GET', path)) as unknown as Rows
  }

  async #path(kind: 'pools' | 'listeners', name: Name): Promise<string> {
    const rows = await this.#list(`${kind}?name=${name}&loadbalancer_id=${this.id}`)
    return `${kind}/${rows[0]?.id}`
  }

  async #member(pool: Name, name: string): Promise<string> {
    const path = `${await this.#path('pools', pool)}/members`
    return `${path}/${(await this.#list(path)).find((each) => each.name === name)?.id}`
  }
}

/** Of load balancers with a pair of amphorae. */
export async function createPairFlavor(client: OctaviaClient): Promise<string> {
  const flavor_data = JSON.stringify({ loadbalancer_topology: 'ACTIVE_STANDBY' })
  const flavorprofile = { name: 'pair', provider_name: 'amphora', flavor_data }
  const { id } = await client.call('POST', 'flavorprofiles', { flavorprofile })
  const flavor = { name: 'pair', flavor_profile_id: id }
  return String((await client.call('POST', 'flavors', { flavor })).id)
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
