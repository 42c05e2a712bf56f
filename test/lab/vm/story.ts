/**
 * What an amphora is to its UDP and SCTP listeners: the namespace with the VIPs, and the agent's
 * service, which is called here as the agent's endpoints call it.
 */
import { LvsService } from '../../../src/agent/lvs.ts'
import { NAMESPACE, pathsOf } from '../../../src/agent/paths.ts'
import { AGENT_CONFIG_FALLBACKS } from '../../../src/contract/agent-config.ts'
import { reportsOf } from '../../../src/dataplane/haproxy/statistics.ts'
import { renderLvs } from '../../../src/dataplane/keepalived/lvs.ts'
import type { HealthMonitor } from '../../../src/model/health-monitor.ts'
import type { Listener } from '../../../src/model/listener.ts'
import type { Member as MemberRow } from '../../../src/model/member.ts'
import type { Pool } from '../../../src/model/pool.ts'
import type { LoadBalancerTree } from '../../../src/model/tree.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { silentLog } from '../../../src/system/log.ts'
import { systemProcesses } from '../../../src/system/process.ts'
import {
  healthMonitorRow,
  listenerRow,
  loadBalancerRow,
  memberRow,
  poolRow,
} from '../../fake/rows.ts'
import { BINARY, ip, NETWORK, until } from '../harness.ts'
import { type Member, PORT } from './members.ts'

export const CHECK_TYPES = ['UDP-CONNECT', 'SCTP', 'TCP', 'HTTP'] as const
export type CheckType = (typeof CHECK_TYPES)[number]
export const VIP = '10.10.10.100'
export const VIP6 = 'fd00:10::100'
const BRIDGE = 'bridge'
const CHECK_PORT = 8080

const TIMES = { delay: 3, timeout: 5, max_retries: 1, max_retries_down: 1 }
const MONITORS: Readonly<Record<CheckType, Partial<HealthMonitor>>> = {
  'UDP-CONNECT': { type: 'UDP-CONNECT' },
  // A program for each check: in an emulated machine a second's work.
  SCTP: { type: 'SCTP', delay: 30, timeout: 20 },
  TCP: { type: 'TCP' },
  HTTP: {
    ...{ type: 'HTTP', http_method: 'GET', url_path: '/health?a=$b', http_version: 1.1 },
    ...{ expected_codes: '200, 202, 204', domain_name: 'www.example.com' },
  },
}
/** The port of the listener with each check; those which share one differ in protocol. */
export const PORTS: Readonly<Record<CheckType, number>> = {
  'UDP-CONNECT': PORT,
  SCTP: PORT,
  TCP: PORT + 1,
  HTTP: PORT + 2,
}

/** What differs from two enabled members of weight 1 in turn. */
export interface Wish {
  readonly load_balancer?: Partial<LoadBalancerTree>
  readonly listener?: Partial<Listener>
  readonly pool?: Partial<Pool>
  /** By name; null: not there. */
  readonly members?: Readonly<Record<string, Partial<MemberRow> | null>>
}

export class Story {
  readonly service: LvsService
  readonly #members: readonly Member[]
  readonly #lb = loadBalancerRow({
    vip_address: VIP,
    additional_vips: [{ subnet_id: 's', ip_address: VIP6 }],
  })
  readonly #ids = new Map<CheckType, { listener: Listener; pool: Pool }>()

  constructor(members: readonly Member[]) {
    this.#members = members
    const loadbalancer_id = this.#lb.id
    for (const type of CHECK_TYPES) {
      const protocol = type === 'SCTP' ? 'SCTP' : 'UDP'
      const pool = poolRow({ loadbalancer_id, protocol, lb_algorithm: 'ROUND_ROBIN' })
      const front = { protocol, protocol_port: PORTS[type], default_pool_id: pool.id } as const
      this.#ids.set(type, { pool, listener: listenerRow({ loadbalancer_id, ...front }) })
    }
    const config = { ...AGENT_CONFIG_FALLBACKS, amphora_id: 'a', heartbeat_key: '' }
    this.service = new LvsService({
      processes: systemProcesses,
      clock: systemClock,
      log: silentLog,
      paths: pathsOf({ ...config, controller_ip_port_list: [] }),
      self: [BINARY, 'agent'],
      announce: async () => {},
    })
  }

  /** The bridge, and the amphora's namespace on it. */
  static async prepareNetwork(): Promise<void> {
    await ip('link', 'add', BRIDGE, 'type', 'bridge')
    await ip('addr', 'add', `${NETWORK.gateway}/${NETWORK.prefix}`, 'dev', BRIDGE)
    await ip('addr', 'add', 'fd00:10::1/64', 'dev', BRIDGE, 'nodad')
    await ip('link', 'set', BRIDGE, 'up')
    await ip('netns', 'add', NAMESPACE)
    const inside = ['peer', 'name', 'eth1', 'netns', NAMESPACE]
    await ip('link', 'add', 'vip', 'type', 'veth', ...inside)
    await ip('link', 'set', 'vip', 'master', BRIDGE, 'up')
    const addresses = ['10.10.10.5/24', 'fd00:10::5/64', `${VIP}/32`, `${VIP6}/128`]
    for (const address of addresses) {
      const nodad = address.includes(':') ? ['nodad'] : []
      await ip('-n', NAMESPACE, 'addr', 'add', address, 'dev', 'eth1', ...nodad)
    }
    for (const name of ['lo', 'eth1']) await ip('-n', NAMESPACE, 'link', 'set', name, 'up')
  }

  listener(type: CheckType): string {
    return this.#ids.get(type)?.listener.id ?? ''
  }

  /** Uploads and reloads, as the controller does for each change; throws what the agent answers. */
  async serve(type: CheckType, wish: Wish = {}): Promise<void> {
    const tree = this.#tree(type, wish)
    const [listener] = tree.listeners
    if (listener === undefined) return
    const uploaded = await this.service.upload(listener.id, renderLvs(tree, listener))
    if (!uploaded.ok) throw new Error(uploaded.details)
    const reloaded = await this.service.control(listener.id, 'reload')
    if (!reloaded.ok) throw new Error(reloaded.details)
  }

  #tree(type: CheckType, wish: Wish): LoadBalancerTree {
    const known = this.#ids.get(type)
    if (known === undefined) throw new Error(`no listener with a ${type} check`)
    const pool = { ...known.pool, ...wish.pool }
    const usual = { m1: {}, m2: {} }
    const rows = Object.entries({ ...usual, ...wish.members }).flatMap(([name, over]) => {
      const member = this.#members.find((each) => each.name === name.slice(0, 2))
      if (over === null || member === undefined) return []
      const monitor_port = type === 'HTTP' ? CHECK_PORT : null
      const place = { address: member.address, protocol_port: PORT, monitor_port, weight: 1 }
      return [memberRow({ id: name, pool_id: pool.id, ...place, ...over })]
    })
    const healthmonitor = healthMonitorRow({ pool_id: pool.id, ...TIMES, ...MONITORS[type] })
    return {
      ...this.#lb,
      ...wish.load_balancer,
      listeners: [{ ...known.listener, ...wish.listener }],
      pools: [{ ...pool, members: rows, healthmonitor }],
      l7policies: [],
      amphorae: [],
    }
  }

  /** What the next heartbeat would say. */
  async report() {
    return reportsOf(await this.service.rows(), {})
  }

  async memberStatus(type: CheckType, name: string): Promise<string | undefined> {
    const { pools } = await this.report()
    return pools[this.#ids.get(type)?.pool.id ?? '']?.members[name]
  }

  async untilStatus(type: CheckType, name: string, status: string): Promise<void> {
    const right = async () => (await this.memberStatus(type, name)) === status
    await until(`${name} to be ${status} by its ${type} check`, right)
  }
}
