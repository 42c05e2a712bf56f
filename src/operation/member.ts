/** Creating, changing and deleting a member. */
import { canonicalIp } from '../model/address.ts'
import { fault } from '../model/fault.ts'
import type { Update } from '../model/field.ts'
import type { MemberCreate } from '../model/graph.ts'
import { healthMonitor } from '../model/health-monitor.ts'
import { type Member, member } from '../model/member.ts'
import { DATAGRAM_PROTOCOLS, type Pool, pool } from '../model/pool.ts'
import { listListenersUsing } from '../store/l7policies.ts'
import { countRows, findRow, findRows, getRow, insertRow, updateRow } from '../store/repository.ts'
import type { Db, Tx } from '../store/store.ts'
import {
  change,
  chargeQuota,
  enqueueChild,
  getLoadBalancer,
  loadBalancerOf,
  lockPool,
  type OperationDependencies,
  type Origin,
} from './change.ts'
import { allowsMemberSriov } from './offer-choice.ts'
import { newMember } from './rows.ts'
import { checkMemberFamily, checkNotReserved } from './rules.ts'
import { checkMemberSubnets } from './vip.ts'

/** A member of that pool; one of another pool is not found. */
export async function getMember(db: Db, pool_id: string, id: string): Promise<Member> {
  const row = await findRow(db, member, id)
  if (row === undefined || row.pool_id !== pool_id) throw fault.notFound(member.title, id)
  return row
}

/** The id of the new member, which is PENDING_CREATE. */
export async function createMember(
  deps: OperationDependencies,
  pool_id: string,
  values: MemberCreate,
  origin: Origin,
): Promise<string> {
  checkNotReserved(values.address, deps.settings.reserved_ips)
  await checkMemberSubnets(deps, [values.subnet_id], origin)
  const id = deps.newId()
  await change(deps, async (tx, now) => {
    const parent = await getRow(tx, pool, pool_id)
    await chargeQuota(tx, deps.settings, parent.project_id ?? '', 'member')
    const base = { id, project_id: parent.project_id, now: now.text }
    const row = newMember(base, pool_id, await memberRules(tx, parent, [values]), values)
    await lockPool(tx, parent)
    await checkFamily(tx, parent, [row])
    const { address, protocol_port } = row
    const others = await findRows(tx, member, { pool_id, protocol_port })
    if (others.some((other) => sameServer(other, row)))
      throw fault.duplicateMember(address, protocol_port)
    await insertRow(tx, member, row)
    const input = { load_balancer_id: loadBalancerOf(parent), id }
    await enqueueChild(tx, 'member-create', input, origin, now)
  })
  return id
}

type Server = Pick<Member, 'address' | 'protocol_port'>

/** A pool has no two members at one address and port, however they are written. */
export function sameServer(a: Server, b: Server): boolean {
  return a.protocol_port === b.protocol_port && canonicalIp(a.address) === canonicalIp(b.address)
}

export async function hasMonitor(tx: Tx, pool_id: string): Promise<boolean> {
  return (await countRows(tx, healthMonitor, { pool_id })) > 0
}

/** Upstream looks at pools of datagrams only, and only once a listener uses them. */
export async function checkFamily(
  tx: Tx,
  parent: Pool,
  members: readonly Pick<Member, 'address'>[],
): Promise<void> {
  if (!DATAGRAM_PROTOCOLS.includes(parent.protocol)) return
  if ((await listListenersUsing(tx, parent.id)).length === 0) return
  checkMemberFamily(parent.protocol, members, await getLoadBalancer(tx, loadBalancerOf(parent)))
}

/** What members of a pool depend on; of the flavor only when one of them asks for its sake. */
export async function memberRules(
  tx: Tx,
  parent: Pool,
  wanted: readonly MemberCreate[],
): Promise<{ readonly monitored: boolean; readonly sriov: boolean }> {
  const monitored = await hasMonitor(tx, parent.id)
  if (!wanted.some((values) => values.request_sriov)) return { monitored, sriov: false }
  const owner = await getLoadBalancer(tx, loadBalancerOf(parent))
  return { monitored, sriov: await allowsMemberSriov(tx, owner) }
}

export async function updateMember(
  deps: OperationDependencies,
  pool_id: string,
  id: string,
  changes: Update<typeof member.fields>,
  origin: Origin,
): Promise<void> {
  await change(deps, async (tx, now) => {
    const parent = await getRow(tx, pool, pool_id)
    await getMember(tx, pool_id, id)
    await lockPool(tx, parent)
    await updateRow(tx, member, id, {
      ...changes,
      provisioning_status: 'PENDING_UPDATE',
      updated_at: now.text,
    })
    const input = { load_balancer_id: loadBalancerOf(parent), id }
    await enqueueChild(tx, 'member-update', input, origin, now)
  })
}

export async function deleteMember(
  deps: OperationDependencies,
  pool_id: string,
  id: string,
  origin: Origin,
): Promise<void> {
  await change(deps, async (tx, now) => {
    const parent = await getRow(tx, pool, pool_id)
    await getMember(tx, pool_id, id)
    await lockPool(tx, parent)
    await updateRow(tx, member, id, { provisioning_status: 'PENDING_DELETE' })
    const input = { load_balancer_id: loadBalancerOf(parent), id }
    await enqueueChild(tx, 'member-delete', input, origin, now)
  })
}
