/**
 * The rules of one resource by itself or beside its parents, which create and update share. Pure.
 */
import { canonicalIp, parseCidr, parseIp } from '../model/address.ts'
import { fault } from '../model/fault.ts'
import {
  L4_PROTOCOL_OF,
  type Listener,
  type ListenerProtocol,
  POOL_PROTOCOLS_OF,
} from '../model/listener.ts'
import type { LoadBalancer } from '../model/load-balancer.ts'
import type { Member } from '../model/member.ts'
import { DATAGRAM_PROTOCOLS, type PoolProtocol } from '../model/pool.ts'
import { getProvider } from '../provider/providers.ts'

/** The one provider, in its faults. */
const PROVIDER = 'amphora'

/** A row without a name is from before there were providers. */
type Owned = Pick<LoadBalancer, 'provider'>
type Vips = Owned & Pick<LoadBalancer, 'vip_address' | 'additional_vips'>

/** Throws 501 where amphorae would have to do it. */
export function refuseOfAmphorae({ provider }: Owned, what: string): void {
  if (getProvider(provider ?? PROVIDER).limited) throw fault.providerUnsupported(PROVIDER, what)
}

function vipAddressesOf(owner: Vips): readonly string[] {
  const vips = [owner.vip_address, ...owner.additional_vips.map((vip) => vip.ip_address ?? null)]
  return vips.filter((vip) => vip !== null)
}

/** Every prefix must be of the family of some VIP, whose security groups must be ours to write. */
export function checkAllowedCidrs(
  cidrs: readonly string[] | null | undefined,
  owner: Vips & Pick<LoadBalancer, 'vip_sg_ids'>,
): void {
  if ((cidrs?.length ?? 0) > 0 && owner.vip_sg_ids.length > 0)
    throw fault.validation('Allowed CIDRs are not allowed when using custom VIP Security Groups.')
  const addresses = vipAddressesOf(owner)
  const families = new Set(addresses.map((vip) => parseIp(vip)?.family))
  for (const cidr of cidrs ?? [])
    if (!families.has(parseCidr(cidr)?.family))
      throw fault.validation(
        `CIDR ${cidr} IP version incompatible with all VIPs ` +
          `[${addresses.map((vip) => `'${vip}'`).join(', ')}] IP version.`,
      )
}

/** Listeners of one load balancer share a port only with different layer 4 protocols. */
export function checkPortFree(
  others: readonly Pick<Listener, 'protocol' | 'protocol_port'>[],
  wanted: Pick<Listener, 'protocol' | 'protocol_port'>,
): void {
  const l4 = L4_PROTOCOL_OF[wanted.protocol]
  for (const other of others)
    if (other.protocol_port === wanted.protocol_port && L4_PROTOCOL_OF[other.protocol] === l4)
      throw fault.duplicateListener(other.protocol, other.protocol_port)
}

/** Security groups are for ports that have them. */
export function checkSecurityGroups(
  { vip_vnic_type }: Pick<LoadBalancer, 'vip_vnic_type'>,
  vip_sg_ids: readonly string[] | undefined,
): void {
  if (vip_vnic_type === 'direct' && (vip_sg_ids?.length ?? 0) > 0)
    throw fault.validation('VIP Security Groups are not allowed with VNIC direct type')
}

/** The kernel balances datagrams within one family: members need a VIP of theirs. */
export function checkMemberFamily(
  protocol: PoolProtocol,
  members: readonly Pick<Member, 'address'>[],
  owner: Vips,
): void {
  if (!DATAGRAM_PROTOCOLS.includes(protocol)) return
  const families = new Set(vipAddressesOf(owner).map((vip) => parseIp(vip)?.family))
  if (members.some((member) => !families.has(parseIp(member.address)?.family)))
    refuseOfAmphorae(
      owner,
      "This provider doesn't support mixing IPv4 and IPv6 addresses for its VIP and members in " +
        `${protocol} load balancers.`,
    )
}

export function checkProtocols(
  listenerProtocol: ListenerProtocol,
  poolProtocol: PoolProtocol,
): void {
  if (listenerProtocol === 'PROMETHEUS') throw fault.noChildren(listenerProtocol)
  if (!POOL_PROTOCOLS_OF[listenerProtocol].includes(poolProtocol))
    throw fault.protocolMismatch(listenerProtocol, poolProtocol)
}

/** Addresses that no member may have: by default the metadata service's. */
export function checkNotReserved(address: string, reserved: readonly string[]): void {
  if (reserved.some((ip) => canonicalIp(ip) === canonicalIp(address)))
    throw fault.invalidOption(address, 'member address')
}
