/**
 * What the security group of a VIP must say, from what listeners let in. Other than upstream's, the
 * rules for what the amphorae of a pair tell each other let in nobody else. Pure.
 * Source: octavia/network/drivers/neutron/allowed_address_pairs.py, _update_security_group_rules.
 */
import { parseCidr, parseIp } from '../../model/address.ts'
import type { Vip, VipRule } from '../network.ts'
import type { GroupRuleRow } from './neutron.ts'

export interface GroupRule {
  readonly protocol: 'tcp' | 'udp' | 'sctp' | '112' | '51'
  readonly port: number | null
  readonly ethertype: 'IPv4' | 'IPv6'
  /** null is everybody. */
  readonly cidr: string | null
  /** Only what is in the same group. */
  readonly from_group: boolean
}

export interface GroupChange {
  readonly create: readonly GroupRule[]
  /** Ids. */
  readonly remove: readonly string[]
}

/** VRRP, and the authentication header that may go with it. */
const VRRP_PROTOCOLS = ['112', '51'] as const
/** How Neutron may spell what it was given as a number. */
const SPELLINGS: Readonly<Record<string, string>> = {
  '6': 'tcp',
  '17': 'udp',
  '132': 'sctp',
  vrrp: '112',
  ah: '51',
}
const OURS = ['tcp', 'udp', 'sctp', ...VRRP_PROTOCOLS] as readonly string[]

export function planGroupRules(rules: readonly VipRule[], vip: Vip): readonly GroupRule[] {
  const families = [vip, ...vip.additional_vips].map(({ ip_address }) => ethertypeOf(ip_address))
  const [first] = families
  const planned = rules.flatMap((rule): readonly GroupRule[] => {
    if (rule.protocol === 'VRRP')
      return VRRP_PROTOCOLS.map((protocol) => ({
        ...{ protocol, port: null, ethertype: first ?? 'IPv4', cidr: null, from_group: true },
      }))
    const { port, from_peers: from_group = false } = rule
    const protocol = rule.protocol.toLowerCase() as 'tcp' | 'udp' | 'sctp'
    const cidr = rule.cidr === null ? undefined : parseCidr(rule.cidr)
    const of = cidr === undefined ? families : ([cidr.family === 6 ? 'IPv6' : 'IPv4'] as const)
    return of
      .filter((ethertype) => families.includes(ethertype))
      .map((ethertype) => ({ protocol, port, ethertype, cidr: narrowed(cidr), from_group }))
  })
  return [...new Map(planned.map((rule) => [keyOf(rule), rule])).values()]
}

/** Rules that nobody here makes, such as an operator's for ICMP, are left alone. */
export function planGroupChange(
  wanted: readonly GroupRule[],
  rows: readonly GroupRuleRow[],
  group_id: string,
): GroupChange {
  const keys = new Set(wanted.map(keyOf))
  const kept = new Set<string>()
  const remove: string[] = []
  for (const row of rows) {
    const protocol = SPELLINGS[row.protocol ?? ''] ?? row.protocol ?? ''
    if (row.direction !== 'ingress' || !OURS.includes(protocol)) continue
    const key = keyOfRow(row, protocol, group_id)
    if (keys.has(key) && !kept.has(key)) kept.add(key)
    else remove.push(row.id)
  }
  return { create: wanted.filter((rule) => !kept.has(keyOf(rule))), remove }
}

export function toRuleBody(rule: GroupRule, group_id: string): object {
  return {
    security_group_id: group_id,
    direction: 'ingress',
    ethertype: rule.ethertype,
    protocol: rule.protocol,
    port_range_min: rule.port,
    port_range_max: rule.port,
    ...(rule.from_group ? { remote_group_id: group_id } : { remote_ip_prefix: rule.cidr }),
  }
}

/** Everybody is one thing, however it is written; Neutron takes both spellings for the same. */
function narrowed(cidr: ReturnType<typeof parseCidr>): string | null {
  return cidr === undefined || cidr.prefix === 0 ? null : cidr.text
}

function keyOf({ protocol, port, ethertype, cidr, from_group }: GroupRule): string {
  return [protocol, port, port, ethertype, from_group ? 'group' : (cidr ?? 'any')].join(' ')
}

function keyOfRow(row: GroupRuleRow, protocol: string, group_id: string): string {
  const { port_range_min, port_range_max, ethertype, remote_ip_prefix, remote_group_id } = row
  const cidr = narrowed(parseCidr(remote_ip_prefix ?? ''))
  const group = remote_group_id === group_id ? 'group' : remote_group_id
  return [protocol, port_range_min, port_range_max, ethertype, group ?? cidr ?? 'any'].join(' ')
}

function ethertypeOf(address: string): 'IPv4' | 'IPv6' {
  return parseIp(address)?.family === 6 ? 'IPv6' : 'IPv4'
}
