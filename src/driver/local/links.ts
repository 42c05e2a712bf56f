/**
 * From the links that should be there and those that are, to the commands that make them agree. The
 * same plan makes, repairs and removes: what a crash interrupted is finished by the next one. Pure.
 */
import { type Cidr, contains, parseIp } from '../../model/address.ts'
import type { IpCommand, Link, LinkAddress } from '../../system/ip.ts'
import { isOurs } from './naming.ts'

/** What a link on this machine should be like. */
export interface LinkEnd {
  readonly name: string
  readonly mac: string
  readonly mark: string
  readonly mtu: number
  readonly master: string | null
  readonly addresses: readonly OwnAddress[]
}

export interface OwnAddress extends LinkAddress {
  /**
   * Other addresses in here are wrong ones of ours and taken away; addresses elsewhere are left
   * alone.
   */
  readonly range: Cidr
}

/** The other end of a pair. */
export type PeerEnd =
  /** Here as well, and kept right. */
  | { readonly where: 'here'; readonly end: LinkEnd }
  /** Made in the network namespace of a process; its user may move it on. */
  | { readonly where: 'process'; readonly name: string; readonly mac: string; readonly pid: number }
  /** Made here; its user may move it on. */
  | { readonly where: 'given-away'; readonly name: string; readonly mac: string }

export type DesiredLink =
  | { readonly kind: 'bridge'; readonly end: LinkEnd }
  | { readonly kind: 'pair'; readonly end: LinkEnd; readonly peer: PeerEnd }

export interface LinkChange {
  readonly link: string
  /** `made`, `removed`, or which attributes were put right. */
  readonly what: string
  readonly commands: readonly IpCommand[]
}

export interface LinkPlan {
  readonly changes: readonly LinkChange[]
  /** Links which have a name of ours but were made by somebody else: nothing is done to them. */
  readonly foreign: readonly Link[]
}

/** `desired` in an order in which bridges come before their ports. */
export function planLinks(
  deployment: string,
  desired: readonly DesiredLink[],
  actual: readonly Link[],
): LinkPlan {
  const links = new Map(actual.map((link) => [link.name, link]))
  const plans = desired.map((link) => planOne(deployment, link, links))
  const expected = new Set(desired.flatMap((link) => endsHere(link).map((end) => end.name)))
  const stale = actual.filter((link) => isOurs(deployment, link) && !expected.has(link.name))
  const removals = stale.map(
    (link): LinkChange => ({
      link: link.name,
      what: 'removed',
      commands: [['link', 'delete', 'dev', link.name]],
    }),
  )
  return {
    // Removals come first: a stale end may stand for a pair that is about to be made again.
    changes: [...removals, ...plans.flatMap((plan) => plan.changes)],
    foreign: plans.flatMap((plan) => plan.foreign),
  }
}

function planOne(
  deployment: string,
  desired: DesiredLink,
  links: ReadonlyMap<string, Link>,
): LinkPlan {
  const ends = endsHere(desired)
  const found = ends.flatMap((end) => links.get(end.name) ?? [])
  const foreign = found.filter((link) => !isOurs(deployment, link))
  if (foreign.length > 0) return { changes: [], foreign }
  if (found.length === ends.length)
    return { changes: ends.flatMap((end) => repair(end, links.get(end.name))), foreign: [] }
  // One end of a pair went elsewhere: it cannot be fetched back, so the pair is made again.
  const leftovers = found.map((link): IpCommand => ['link', 'delete', 'dev', link.name])
  const commands = [...leftovers, create(desired), ...ends.flatMap((end) => finish(end))]
  return { changes: [{ link: desired.end.name, what: 'made', commands }], foreign: [] }
}

function endsHere(link: DesiredLink): readonly LinkEnd[] {
  return link.kind === 'pair' && link.peer.where === 'here' ? [link.end, link.peer.end] : [link.end]
}

function create(desired: DesiredLink): IpCommand {
  const { name, mac, mtu } = desired.end
  const head = ['link', 'add', 'name', name, 'address', mac, 'mtu', String(mtu), 'type']
  if (desired.kind === 'bridge') return [...head, 'bridge']
  const { peer } = desired
  const other = peer.where === 'here' ? peer.end : peer
  const tail = ['veth', 'peer', 'name', other.name, 'address', other.mac, 'mtu', String(mtu)]
  return [...head, ...tail, ...(peer.where === 'process' ? ['netns', String(peer.pid)] : [])]
}

/** The mark first: a crash right after must not leave a link that nobody owns. */
function finish(end: LinkEnd): IpCommand[] {
  const set = ['link', 'set', 'dev', end.name, 'alias', end.mark]
  // A bridge port needs no address of its own; without one it sends nothing by itself.
  const quiet = end.master === null ? [] : ['addrgenmode', 'none', 'master', end.master]
  return [[...set, ...quiet, 'up'], ...end.addresses.map((address) => addAddress(end, address))]
}

function repair(end: LinkEnd, link: Link | undefined): LinkChange[] {
  if (link === undefined) return []
  const set: string[] = []
  const wrong: string[] = []
  const fix = (attribute: string, ...words: string[]): void => {
    wrong.push(attribute)
    set.push(...words)
  }
  if (link.alias !== end.mark) fix('mark', 'alias', end.mark)
  if (link.mac !== end.mac) fix('MAC address', 'address', end.mac)
  if (link.mtu !== end.mtu) fix('MTU', 'mtu', String(end.mtu))
  if (end.master !== null && link.master !== end.master) fix('bridge', 'master', end.master)
  if (!link.up) fix('state', 'up')
  const commands: IpCommand[] = set.length === 0 ? [] : [['link', 'set', 'dev', end.name, ...set]]
  const addresses = repairAddresses(end, link)
  if (addresses.length > 0) wrong.push('address')
  if (wrong.length === 0) return []
  return [{ link: end.name, what: wrong.join(', '), commands: [...commands, ...addresses] }]
}

function repairAddresses(end: LinkEnd, link: Link): IpCommand[] {
  return end.addresses.flatMap((address) => {
    const same = (a: LinkAddress): boolean =>
      a.address === address.address && a.prefix === address.prefix
    const wrong = link.addresses.filter((a) => {
      const ip = parseIp(a.address)
      return !same(a) && ip !== undefined && contains(address.range, ip)
    })
    const removals = wrong.map(
      (a): IpCommand => ['address', 'delete', `${a.address}/${a.prefix}`, 'dev', end.name],
    )
    if (removals.length === 0 && link.addresses.some(same)) return []
    // Also when it is there: taking away a first address takes its secondary ones along.
    return [...removals, addAddress(end, address)]
  })
}

function addAddress(end: LinkEnd, { address, prefix }: LinkAddress): IpCommand {
  const once = address.includes(':') ? ['nodad'] : []
  return ['address', 'replace', `${address}/${prefix}`, 'dev', end.name, ...once]
}
