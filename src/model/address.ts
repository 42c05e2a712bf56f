/** IP addresses and prefixes as values: parsing to bytes, canonical text, membership. Pure. */

export interface Ip {
  readonly family: 4 | 6
  /** Canonical text: dotted quad, or RFC 5952. */
  readonly text: string
  readonly value: bigint
}

export interface Cidr {
  readonly family: 4 | 6
  /** The network address, host bits cleared. */
  readonly network: Ip
  readonly prefix: number
  /** `network/prefix`. */
  readonly text: string
}

const BITS = { 4: 32, 6: 128 } as const

/** One spelling for each address; what is no address stays as it is. */
export function canonicalIp(text: string): string {
  return parseIp(text)?.text ?? text
}

/** undefined unless `text` is exactly one IPv4 or IPv6 address without a zone. */
export function parseIp(text: string): Ip | undefined {
  return parseIpv4(text) ?? parseIpv6(text)
}

function parseIpv4(text: string): Ip | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined
  const parts = text.split('.')
  // A leading zero is octal to some programs and decimal to others, so it is refused.
  if (parts.some((p) => Number(p) > 255 || (p.length > 1 && p.startsWith('0')))) return undefined
  return ipOf(
    4,
    parts.reduce((sum, p) => sum * 256n + BigInt(p), 0n),
  )
}

function parseIpv6(input: string): Ip | undefined {
  if (input.length > 45 || !/^[0-9a-fA-F:.]+$/.test(input)) return undefined
  let text = input
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  if (tail !== null) {
    const v4 = parseIpv4(tail[2] ?? '')
    if (v4 === undefined) return undefined
    text = `${tail[1]}${(v4.value >> 16n).toString(16)}:${(v4.value & 0xffffn).toString(16)}`
  }
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')))
  const [head = [], rest = []] = groups
  const count = head.length + rest.length
  if (halves.length === 1 ? count !== 8 : count > 7) return undefined
  const all = [...head, ...Array<string>(halves.length === 2 ? 8 - count : 0).fill('0'), ...rest]
  if (all.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  return ipOf(
    6,
    all.reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n),
  )
}

/** The address of that number. */
export function ipOf(family: 4 | 6, value: bigint): Ip {
  return { family, value, text: family === 4 ? ipv4Text(value) : ipv6Text(value) }
}

function ipv4Text(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
}

/** RFC 5952: lower case, the first longest run of two or more zero groups shortened. */
function ipv6Text(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    Number((value >> BigInt(112 - 16 * i)) & 0xffffn),
  )
  let best = { at: -1, length: 1 }
  for (let at = 0; at < 8; at++) {
    let length = 0
    while (at + length < 8 && groups[at + length] === 0) length++
    if (length > best.length) best = { at, length }
  }
  const hex = groups.map((group) => group.toString(16))
  if (best.at < 0) return hex.join(':')
  return `${hex.slice(0, best.at).join(':')}::${hex.slice(best.at + best.length).join(':')}`
}

/** `address/prefix`, host bits tolerated and cleared; undefined if it is none. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', prefixText = '', ...more] = text.split('/')
  const ip = parseIp(address)
  if (ip === undefined || more.length > 0 || !/^\d{1,3}$/.test(prefixText)) return undefined
  const prefix = Number(prefixText)
  const bits = BITS[ip.family]
  if (prefix > bits) return undefined
  const hostBits = BigInt(bits - prefix)
  const network = ipOf(ip.family, (ip.value >> hostBits) << hostBits)
  return { family: ip.family, network, prefix, text: `${network.text}/${prefix}` }
}

/** The prefix that holds an address alone; undefined if it is none. */
export function hostCidr(text: string): Cidr | undefined {
  const ip = parseIp(text)
  return ip === undefined ? undefined : parseCidr(`${ip.text}/${BITS[ip.family]}`)
}

export function contains(cidr: Cidr, ip: Ip): boolean {
  const hostBits = BigInt(BITS[cidr.family] - cidr.prefix)
  return cidr.family === ip.family && ip.value >> hostBits === cidr.network.value >> hostBits
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  return contains(a, b.network) || contains(b, a.network)
}

/** The last address of a prefix: IPv4's broadcast address. */
export function lastAddress(cidr: Cidr): Ip {
  const hostBits = BigInt(BITS[cidr.family] - cidr.prefix)
  return ipOf(cidr.family, cidr.network.value | ((1n << hostBits) - 1n))
}
