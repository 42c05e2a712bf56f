/**
 * From a UDP or SCTP listener to the text of its keepalived configuration: one keepalived per
 * listener keeps the kernel's IPVS as it says. Pure. Comments say what each block stands for;
 * lvs-reading.ts and upstream's agent read them back, so their wording is part of the contract.
 * Objects in PENDING_DELETE count as gone. Source: octavia/common/jinja/lvs/.
 */
import { parseIp } from '../../model/address.ts'
import { atLeastSecond, type HealthMonitor } from '../../model/health-monitor.ts'
import type { Listener } from '../../model/listener.ts'
import type { Member } from '../../model/member.ts'
import { DATAGRAM_PROTOCOLS, type LB_ALGORITHMS } from '../../model/pool.ts'
import { findPool, type LoadBalancerTree, type PoolTree } from '../../model/tree.ts'
import { present } from '../../system/assert.ts'
import type { Line } from '../line.ts'
import { type Block, line, type Part, print } from './line.ts'
import { activeMonitor, renderCheck } from './lvs-check.ts'

/** The namespace in which every agent, upstream's too, has VIPs and members. */
const NAMESPACE = 'amphora-haproxy'
/** Checks by a program, which opens a raw socket; keepalived warns where this is not settled. */
const SCRIPTS: Block = {
  head: line`global_defs`,
  parts: [line`script_user root`, line`enable_script_security`],
}
/** The algorithm which is none of these is refused by the provider; upstream takes it for wrr. */
const SCHEDULER: Readonly<Record<(typeof LB_ALGORITHMS)[number], string>> = {
  ROUND_ROBIN: 'wrr',
  LEAST_CONNECTIONS: 'lc',
  SOURCE_IP: 'sh',
  SOURCE_IP_PORT: 'wrr',
}
/** 31 days: keepalived takes no longer one. */
const PERSISTENCE_TIMEOUT_MAX_S = 2_678_400
const PERSISTENCE_FALLBACKS = {
  timeout_s: 360,
  granularity: { 4: '255.255.255.255', 6: '128' },
} as const

/** Listeners which keepalived serves and haproxy does not. */
export function isLvsListener(listener: Pick<Listener, 'protocol'>): boolean {
  return DATAGRAM_PROTOCOLS.includes(listener.protocol)
}

export function renderLvs(tree: LoadBalancerTree, listener: Listener): string {
  const enabled = tree.admin_state_up && listener.admin_state_up
  const pool = findPool(tree, listener.default_pool_id)
  const served = enabled && pool !== undefined && pool.provisioning_status !== 'PENDING_DELETE'
  const families = served ? ([4, 6] as const) : []
  return print([
    line`# Configuration for Loadbalancer ${tree.id}`,
    listener.admin_state_up
      ? line`# Configuration for Listener ${listener.id}`
      : line`# Listener ${listener.id} is disabled`,
    ...(listener.allowed_cidrs ?? []).map((cidr) => line`# Allowed ${cidr}`),
    line`net_namespace ${NAMESPACE}`,
    ...(served && pool !== undefined && activeMonitor(pool)?.type === 'SCTP' ? [SCRIPTS] : []),
    ...families.flatMap((family) =>
      pool === undefined ? [] : renderFamily(tree, listener, pool, family),
    ),
  ])
}

/** The VIPs of one address family: IPVS translates only between addresses of the same one. */
function renderFamily(
  tree: LoadBalancerTree,
  listener: Listener,
  pool: PoolTree,
  family: 4 | 6,
): readonly Part[] {
  const vips = vipsOf(tree).filter((address) => familyOf(address) === family)
  if (vips.length === 0) return []
  const monitor = activeMonitor(pool)
  const members = pool.members.filter(
    (member) =>
      member.provisioning_status !== 'PENDING_DELETE' && familyOf(member.address) === family,
  )
  const served = pool.admin_state_up ? members : []
  const named = [
    pool.admin_state_up
      ? line`# Configuration for Pool ${pool.id}`
      : line`# Pool ${pool.id} is disabled`,
    ...(monitor === undefined ? [] : [line`# Configuration for HealthMonitor ${monitor.id}`]),
    ...served.flatMap((member) => renderMember(listener, pool, member)),
  ]
  const group = {
    head: line`virtual_server_group ipv${family}-group`,
    parts: vips.map((address) => line`${address} ${listener.protocol_port}`),
  }
  // keepalived complains about a service without servers, and ignores it.
  if (!served.some((member) => member.admin_state_up)) return [group, ...named]
  const parts = [
    line`lb_algo ${SCHEDULER[pool.lb_algorithm]}`,
    line`lb_kind NAT`,
    line`protocol ${listener.protocol}`,
    ...persistence(pool, family),
    ...(monitor === undefined ? [] : intervals(monitor)),
    ...named,
  ]
  // keepalived leaves it out for a group. Upstream renders the group all the same, to no effect.
  const masked = granularityOf(pool, family) !== PERSISTENCE_FALLBACKS.granularity[family]
  const heads = masked
    ? vips.map((vip) => line`virtual_server ${vip} ${listener.protocol_port}`)
    : [line`virtual_server group ipv${family}-group`]
  return [group, ...heads.map((head) => ({ head, parts }))]
}

function intervals(monitor: HealthMonitor): readonly Line[] {
  const delay_s = atLeastSecond(monitor.delay)
  return [
    line`delay_loop ${delay_s}`,
    line`delay_before_retry ${delay_s}`,
    line`retry ${monitor.max_retries_down}`,
  ]
}

function persistence(pool: PoolTree, family: 4 | 6): readonly Part[] {
  const wanted = pool.session_persistence
  if (wanted?.type !== 'SOURCE_IP') return []
  const wanted_s = wanted.persistence_timeout || PERSISTENCE_FALLBACKS.timeout_s
  return [
    line`persistence_timeout ${Math.min(wanted_s, PERSISTENCE_TIMEOUT_MAX_S)}`,
    line`persistence_granularity ${granularityOf(pool, family)}`,
  ]
}

/** How much of a source address chooses the member. */
function granularityOf({ session_persistence: wanted }: PoolTree, family: 4 | 6): string {
  const mask = wanted?.type === 'SOURCE_IP' ? maskOf(wanted.persistence_granularity, family) : null
  return mask ?? PERSISTENCE_FALLBACKS.granularity[family]
}

/**
 * keepalived takes a mask for IPv4 and the length of a prefix for IPv6. A mask of the other family
 * says nothing here; upstream renders it, and keepalived then drops the service.
 */
function maskOf(granularity: string | null | undefined, family: 4 | 6): string | undefined {
  const mask = granularity ? parseIp(granularity) : undefined
  if (mask?.family !== family) return undefined
  if (family === 4) return mask.text
  // A prefix of no length is refused.
  return String(Math.max(mask.value.toString(2).replaceAll('0', '').length, 1))
}

function renderMember(listener: Listener, pool: PoolTree, member: Member): readonly Part[] {
  if (!member.admin_state_up) return [line`# Member ${member.id} is disabled`]
  const monitor = activeMonitor(pool)
  const check: Block | undefined = monitor === undefined ? undefined : renderCheck(monitor, member)
  return [
    line`# Configuration for Member ${member.id}`,
    {
      head: line`real_server ${member.address} ${member.protocol_port}`,
      parts: [
        line`weight ${member.weight}`,
        ...(listener.connection_limit > 0 ? [line`uthreshold ${listener.connection_limit}`] : []),
        ...(check === undefined ? [] : [check]),
      ],
    },
  ]
}

function vipsOf(tree: LoadBalancerTree): readonly string[] {
  const additional = tree.additional_vips.map((vip) => present(vip.ip_address, 'additional VIP'))
  return [present(tree.vip_address, 'vip_address'), ...additional]
}

function familyOf(address: string): 4 | 6 {
  return present(parseIp(address), 'an address of VIP or member').family
}
