/**
 * The packet filter that goes with listeners of LVS, as a script of nft. Pure. Members must answer
 * by this amphora, so what IPVS sends on leaves with the amphora's own address; who is not among a
 * listener's allowed_cidrs is not heard; and TCP, which is haproxy's, is not tracked.
 * Source: elements/amphora-agent/static/usr/local/bin/lvs-masquerade.sh. Upstream leaves
 * allowed_cidrs to security groups, which not every network has.
 */
import { parseCidr, parseIp } from '../../model/address.ts'
import type { LvsConfig } from './lvs-reading.ts'

const TABLE = 'inet octavia_lvs'

/** Replaces all of our rules at once. */
export function renderLvsRules(configs: readonly LvsConfig[]): string {
  const limited = configs.filter((config) => config.allowed_cidrs.length > 0)
  const jumps = limited.flatMap((config, at) =>
    config.services.flatMap(({ protocol, endpoints }) =>
      endpoints.map((each) => `${matchOf(protocol, each)} jump allowed_${at}`),
    ),
  )
  return `${removal()}table ${TABLE} {
${limited.map((config, at) => chain(`allowed_${at}`, admission(config))).join('')}${chain(
  'limited',
  ['type filter hook prerouting priority -310; policy accept', ...jumps],
)}${chain('untracked_in', [
  'type filter hook prerouting priority -300; policy accept',
  'meta l4proto tcp notrack',
])}${chain('untracked_out', [
  'type filter hook output priority -300; policy accept',
  'meta l4proto tcp notrack',
])}${chain('leaving', [
  'type nat hook postrouting priority 100; policy accept',
  'oifname != "lo" meta l4proto { udp, sctp } masquerade',
])}}
`
}

/** Also where there are none. */
export function removal(): string {
  return `table ${TABLE}\ndelete table ${TABLE}\n`
}

/** A prefix that cannot be read admits nobody. */
function admission(config: LvsConfig): readonly string[] {
  const returns = config.allowed_cidrs.flatMap((text) => {
    const cidr = parseCidr(text)
    if (cidr === undefined) return []
    return [`${cidr.family === 4 ? 'ip' : 'ip6'} saddr ${cidr.text} return`]
  })
  return [...returns, 'drop']
}

function matchOf(protocol: string, endpoint: string): string {
  const [, address = '', port = ''] = /^\[?([^\]]+)\]?:(\d+)$/.exec(endpoint) ?? []
  const family = parseIp(address)?.family === 6 ? 'ip6' : 'ip'
  return `${family} daddr ${address} ${protocol === 'SCTP' ? 'sctp' : 'udp'} dport ${port}`
}

function chain(name: string, lines: readonly string[]): string {
  return `  chain ${name} {\n${lines.map((line) => `    ${line}\n`).join('')}  }\n`
}
