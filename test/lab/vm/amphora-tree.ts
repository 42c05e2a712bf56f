/** The load balancer of the amphora in a virtual machine, and its members on this one. */
import { createSocket } from 'node:dgram'
import type { VipPlug } from '../../../src/driver/amphora.ts'
import type { LoadBalancerTree } from '../../../src/model/tree.ts'
import { newId } from '../../../src/system/ids.ts'
import {
  healthMonitorRow,
  listenerRow,
  loadBalancerRow,
  memberRow,
  poolRow,
} from '../../fake/rows.ts'
import { MEMBER_IP } from './amphora-world.ts'

export const VIP = '10.20.0.10'
export const PORTS = { http: 80, more: 81, udp: 5353, sctp: 5353 } as const
export type Front = keyof typeof PORTS
/** What the member answers. */
export const ITS_NAME = 'member'
const HTTP_PORT = 8080
const DATAGRAM_PORT = 5353

const subnet = {
  ...{ id: newId(), name: 'vip', network_id: newId(), cidr: '10.20.0.0/24' },
  ...{ gateway_ip: MEMBER_IP, host_routes: [] },
}
export const vipPlug: VipPlug = {
  port: {
    ...{ id: newId(), name: 'vrrp', network_id: subnet.network_id },
    ...{ mac_address: 'fa:16:3e:00:00:02', device_id: '', device_owner: '' },
    fixed_ips: [{ subnet_id: subnet.id, ip_address: '10.20.0.11' }],
  },
  network: {
    ...{ id: subnet.network_id, name: 'vip-net', mtu: 1450, subnet_ids: [subnet.id] },
    port_security_enabled: false,
  },
  subnets: [subnet],
  vip: { ip_address: VIP, subnet },
  additional_vips: [],
}

const lb = loadBalancerRow({ vip_address: VIP })
const loadbalancer_id = lb.id
const HTTP_POOL = poolRow({ loadbalancer_id })
/** By protocol, as their heartbeats name them. */
export const LVS_POOLS = {
  udp: poolRow({ loadbalancer_id, protocol: 'UDP' }),
  sctp: poolRow({ loadbalancer_id, protocol: 'SCTP' }),
} as const
const PROTOCOLS = { http: 'HTTP', more: 'HTTP', udp: 'UDP', sctp: 'SCTP' } as const
const poolOf = (front: Front) =>
  front === 'udp' || front === 'sctp' ? LVS_POOLS[front] : HTTP_POOL
const LISTENERS = Object.fromEntries(
  Object.entries(PORTS).map(([front, protocol_port]) => {
    const default_pool_id = poolOf(front as Front).id
    const protocol = PROTOCOLS[front as Front]
    return [front, listenerRow({ loadbalancer_id, protocol, protocol_port, default_pool_id })]
  }),
)
const MEMBER = { address: MEMBER_IP, weight: 1 }
const CHECK = { timeout: 5, max_retries: 1, max_retries_down: 1 }

/** With these listeners. */
export function treeOf(fronts: readonly Front[]): LoadBalancerTree {
  const pools = [
    {
      ...HTTP_POOL,
      members: [memberRow({ pool_id: HTTP_POOL.id, ...MEMBER, protocol_port: HTTP_PORT })],
      healthmonitor: null,
    },
    ...Object.values(LVS_POOLS).map((pool) => ({
      ...pool,
      members: [memberRow({ pool_id: pool.id, ...MEMBER, protocol_port: DATAGRAM_PORT })],
      healthmonitor: healthMonitorRow({
        ...{ pool_id: pool.id, ...CHECK },
        // For each SCTP check a program is started, which takes a second where it is emulated.
        ...(pool.protocol === 'UDP'
          ? { type: 'UDP-CONNECT', delay: 3 }
          : { type: 'SCTP', delay: 6 }),
      }),
    })),
  ]
  const listeners = fronts.flatMap((front) => LISTENERS[front] ?? [])
  return { ...lb, listeners, pools, l7policies: [], amphorae: [] }
}

export interface Members {
  startDatagrams(): void
  /** As if the programs had died. */
  stopDatagrams(): Promise<void>
  stop(): Promise<void>
}

export function createMembers(): Members {
  const web = Bun.serve({
    ...{ port: HTTP_PORT, hostname: MEMBER_IP },
    fetch: () => new Response(ITS_NAME),
  })
  let socket: ReturnType<typeof createSocket> | undefined
  let sctp: Bun.Subprocess | undefined
  const stopDatagrams = async (): Promise<void> => {
    socket?.close()
    sctp?.kill('SIGKILL')
    await sctp?.exited
  }
  const startDatagrams = (): void => {
    const fresh = createSocket('udp4')
    fresh.on('message', (_, { port, address }) => fresh.send(`${ITS_NAME} `, port, address))
    fresh.bind(DATAGRAM_PORT, MEMBER_IP)
    socket = fresh
    const program = `${import.meta.dirname}/sctp-member.ts`
    sctp = Bun.spawn([process.execPath, program, String(DATAGRAM_PORT)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
  }
  startDatagrams()
  return {
    ...{ startDatagrams, stopDatagrams },
    stop: async () => {
      await stopDatagrams()
      await web.stop(true)
    },
  }
}
