/** Which address of a subnet a port gets. Pure. */
import { contains, ipOf, parseIp } from '../../model/address.ts'
import type { LocalSubnet } from './topology.ts'

export type Choice =
  | { readonly ok: true; readonly ip_address: string }
  | { readonly ok: false; readonly why: 'in-use' | 'outside' | 'exhausted' }

/**
 * The wanted address if it is free, else the next free one after `after`, going round: an address
 * just given back is not handed out at once, because neighbours may still know it by its old MAC
 * address.
 */
export function chooseAddress(
  subnet: LocalSubnet,
  taken: ReadonlySet<string>,
  wanted: string | null,
  after: string | null,
): Choice {
  if (wanted !== null) return checkWanted(subnet, taken, wanted)
  const { first, last } = subnet.allocation
  const previous = after === null ? undefined : parseIp(after)?.value
  const inside = previous !== undefined && previous >= first && previous <= last
  const start = inside ? previous + 1n : first
  const size = last - first + 1n
  // One address more than are taken or reserved is free, so the search ends there.
  const tries = BigInt(taken.size + subnet.reserved.size + 1)
  for (let step = 0n; step < (tries < size ? tries : size); step++) {
    const { text } = ipOf(subnet.range.family, first + ((start - first + step) % size))
    if (!taken.has(text) && !subnet.reserved.has(text)) return { ok: true, ip_address: text }
  }
  return { ok: false, why: 'exhausted' }
}

function checkWanted(subnet: LocalSubnet, taken: ReadonlySet<string>, wanted: string): Choice {
  const ip = parseIp(wanted)
  if (ip === undefined || !contains(subnet.range, ip)) return { ok: false, why: 'outside' }
  if (taken.has(ip.text) || subnet.reserved.has(ip.text)) return { ok: false, why: 'in-use' }
  return { ok: true, ip_address: ip.text }
}

/** How many addresses `chooseAddress` could still give. */
export function countFree(subnet: LocalSubnet, taken: ReadonlySet<string>): number {
  const { first, last } = subnet.allocation
  const used = [...new Set([...taken, ...subnet.reserved])].filter((text) => {
    const value = parseIp(text)?.value
    return value !== undefined && value >= first && value <= last
  })
  const free = last - first + 1n - BigInt(used.length)
  return Number(free > BigInt(Number.MAX_SAFE_INTEGER) ? BigInt(Number.MAX_SAFE_INTEGER) : free)
}
