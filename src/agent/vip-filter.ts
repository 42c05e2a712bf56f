/**
 * The packet filter of a VIP on an SR-IOV card, whose packets no security group sees: nothing comes
 * in but what the controller allows, answers, and what the address itself needs. Pure.
 * Source: octavia/amphorae/backends/utils/nftable_utils.py.
 */
import type { PacketRule } from '../contract/routes.ts'
import { parseCidr } from '../model/address.ts'

const TABLE = 'inet amphora_table'

/** A script of nft, which replaces what there is in one step. */
export function renderVipFilter(vip_interface: string, rules: readonly PacketRule[]): string {
  const base = [
    'type filter hook input priority filter; policy drop;',
    'ct state vmap { established : accept, related : accept, invalid : drop }',
    // Where LVS runs TCP is not tracked: what begins no connection is an answer.
    'ct state untracked tcp flags & (syn | ack) != syn accept',
    'iifname "lo" accept',
    'ip saddr 127.0.0.0/8 drop',
    'ip6 saddr ::1 drop',
    'icmp type destination-unreachable accept',
    'icmpv6 type { nd-neighbor-solicit, nd-router-advert, nd-neighbor-advert } accept',
    'icmpv6 type { packet-too-big, destination-unreachable } accept',
    'udp sport 67 udp dport 68 accept',
    'udp sport 547 udp dport 546 accept',
    `iifname "${vip_interface}" goto amphora_vip_chain`,
  ]
  const vip = rules.map(ruleOf)
  return [
    `table ${TABLE} {}`,
    `delete table ${TABLE}`,
    `table ${TABLE} {`,
    ...chain('amphora_vip_chain', vip),
    ...chain('amphora_chain', base),
    '}',
    '',
  ].join('\n')
}

function chain(name: string, lines: readonly string[]): string[] {
  return [`  chain ${name} {`, ...lines.map((line) => `    ${line}`), '  }']
}

function ruleOf({ protocol, cidr, port }: PacketRule): string {
  const range = cidr === null ? undefined : parseCidr(cidr)
  const source =
    range === undefined ? '' : `${range.family === 4 ? 'ip' : 'ip6'} saddr ${range.text} `
  if (protocol === 'vrrp') return `${source}meta l4proto 112 accept`
  return `${source}${protocol.toLowerCase()} dport ${port} accept`
}
