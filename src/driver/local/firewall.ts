/**
 * A firewall of the host can stand between two ports of one bridge: with the kernel module
 * br_netfilter, which Docker loads, bridged packets go through the rules for forwarded ones, and
 * Docker sets those to drop. The rules are not ours to change, so all we do is to find out and say
 * what to type.
 */
import { readTextIfExists } from '../../system/files.ts'
import type { Processes } from '../../system/process.ts'
import { BRIDGE_PREFIX } from './naming.ts'

const BRIDGED_PACKETS_FILTERED = '/proc/sys/net/bridge/bridge-nf-call-iptables'
const CHAINS_MAX = 8

interface Chain {
  readonly family: string
  readonly table: string
  readonly name: string
}

/**
 * A sentence for the operator, or undefined where nothing is in the way or nothing can be found
 * out.
 */
export async function firewallInTheWay(processes: Processes): Promise<string | undefined> {
  if (readTextIfExists(BRIDGED_PACKETS_FILTERED)?.trim() !== '1') return undefined
  if (Bun.which('nft') === null) return undefined
  const { stdout } = await processes.run(['nft', '--json', 'list', 'chains'])
  for (const { family, table, name } of droppingChains(stdout).slice(0, CHAINS_MAX)) {
    const rules = await processes.run(['nft', 'list', 'chain', family, table, name])
    // Somebody has seen to it already.
    if (rules.stdout.includes(BRIDGE_PREFIX)) continue
    const ours = `iifname "${BRIDGE_PREFIX}*" oifname "${BRIDGE_PREFIX}*"`
    const chain = `${family} ${table} ${name}`
    return [
      `the firewall of this host (chain ${chain}) drops packets between the ports of a bridge;`,
      `let them pass: nft insert rule ${chain} ${ours} accept`,
    ].join(' ')
  }
  return undefined
}

/** Chains through which forwarded packets go and which drop what no rule accepts. */
export function droppingChains(listing: string): Chain[] {
  let entries: unknown
  try {
    entries = (JSON.parse(listing) as { nftables?: unknown }).nftables
  } catch {
    // Without a listing (no right, another version) there is nothing to say.
    return []
  }
  if (!Array.isArray(entries)) return []
  return entries.flatMap(({ chain }: { chain?: Chain & { hook?: string; policy?: string } }) => {
    if (chain?.hook !== 'forward' || chain.policy !== 'drop') return []
    if (chain.family !== 'ip' && chain.family !== 'inet') return []
    return [{ family: chain.family, table: chain.table, name: chain.name }]
  })
}
