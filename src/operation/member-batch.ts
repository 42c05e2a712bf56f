/**
 * Setting the members of a pool as a whole: a member is known by its address and port. Source:
 * octavia/api/v2/controllers/member.py, MembersController.put.
 */
import { canonicalIp } from '../model/address.ts'
import { fault } from '../model/fault.ts'
import type { MemberCreate } from '../model/graph.ts'
import { type Member, member } from '../model/member.ts'
import { type Pool, pool } from '../model/pool.ts'
import { handOver } from '../provider/providers.ts'
import { findRows, getRow, insertRow, updateRow } from '../store/repository.ts'
import type { Tx } from '../store/store.ts'
import {
  change,
  chargeQuota,
  loadBalancerOf,
  lockPool,
  type Moment,
  type OperationDependencies,
  type Origin,
} from './change.ts'
import { checkFamily, memberRules } from './member.ts'
import { newMember } from './rows.ts'
import { checkNotReserved } from './rules.ts'
import { checkMemberSubnets } from './vip.ts'

export interface BatchItem {
  readonly values: MemberCreate
  /** The names that the request had: of known members only these and what has a default change. */
  readonly sent: readonly string[]
}

export interface BatchPlan {
  readonly create: readonly MemberCreate[]
  readonly update: readonly { readonly id: string; readonly changes: Partial<Member> }[]
  readonly remove: readonly string[]
}

/** What makes `wanted` of `present`; `additive` removes nothing. Pure. */
export function planBatch(
  present: readonly Member[],
  wanted: readonly BatchItem[],
  additive: boolean,
): BatchPlan {
  const known = new Map(present.map((row) => [keyOf(row), row.id]))
  const seen = new Set<string>()
  const create: MemberCreate[] = []
  const update: { id: string; changes: Partial<Member> }[] = []
  for (const item of wanted) {
    const key = keyOf(item.values)
    const id = known.get(key)
    if (seen.has(key)) {
      const { address, protocol_port } = item.values
      throw id === undefined
        ? fault.duplicateMember(address, protocol_port)
        : fault.validation('Member must be updated only once in the same request.')
    }
    seen.add(key)
    if (id === undefined) create.push(item.values)
    else update.push({ id, changes: changesOf(item) })
  }
  const missing = present.filter((row) => !seen.has(keyOf(row)))
  return { create, update, remove: additive ? [] : missing.map((row) => row.id) }
}

function keyOf({ address, protocol_port }: Pick<Member, 'address' | 'protocol_port'>): string {
  return `${canonicalIp(address)} ${protocol_port}`
}

/** Upstream's type has defaults for these, so they are set even when the request is silent. */
function changesOf({ values, sent }: BatchItem): Partial<Member> {
  const { admin_state_up, weight, backup, monitor_address, monitor_port } = values
  const { name, tags, subnet_id } = values
  return {
    admin_state_up,
    weight,
    backup,
    monitor_address,
    monitor_port,
    ...(sent.includes('name') ? { name } : {}),
    ...(sent.includes('tags') ? { tags } : {}),
    // Fixed once a member is there, but for this request.
    ...(sent.includes('subnet_id') ? { subnet_id } : {}),
  }
}

/** One change and one job for all of it; nothing at all when there is nothing to do. */
export async function setMembers(
  deps: OperationDependencies,
  pool_id: string,
  wanted: readonly BatchItem[],
  additive: boolean,
  origin: Origin,
): Promise<void> {
  await checkNew(deps, pool_id, wanted, additive, origin)
  await change(deps, async (tx, now) => {
    const parent = await getRow(tx, pool, pool_id)
    const plan = planBatch(await findRows(tx, member, { pool_id }), wanted, additive)
    if (plan.create.length + plan.update.length + plan.remove.length === 0) return
    await lockPool(tx, parent)
    const net = plan.create.length - plan.remove.length
    await chargeQuota(tx, deps.settings, parent.project_id ?? '', 'member', net)
    await checkFamily(tx, parent, plan.create)
    await applyBatch(deps, tx, parent, plan, now)
    const input = { load_balancer_id: loadBalancerOf(parent), pool_id }
    const job = { flow: 'member-batch', input, request_id: origin.request_id } as const
    await handOver(tx, job, now.ms)
  })
}

/**
 * What must be asked of the network is asked before the transaction; a member that appears in
 * between is updated instead, which asks for less.
 */
async function checkNew(
  deps: OperationDependencies,
  pool_id: string,
  wanted: readonly BatchItem[],
  additive: boolean,
  origin: Origin,
): Promise<void> {
  const present = await findRows(deps.store.read, member, { pool_id })
  const { create, update } = planBatch(present, wanted, additive)
  for (const { address } of create) checkNotReserved(address, deps.settings.reserved_ips)
  const changed = update.map(({ changes }) => changes.subnet_id ?? null)
  const subnets = [...create.map((values) => values.subnet_id), ...changed]
  await checkMemberSubnets(deps, subnets, origin)
}

async function applyBatch(
  deps: OperationDependencies,
  tx: Tx,
  parent: Pool,
  plan: BatchPlan,
  now: Moment,
): Promise<void> {
  const rules = await memberRules(tx, parent, plan.create)
  for (const id of plan.remove)
    await updateRow(tx, member, id, { provisioning_status: 'PENDING_DELETE' })
  for (const { id, changes } of plan.update)
    await updateRow(tx, member, id, {
      ...changes,
      provisioning_status: 'PENDING_UPDATE',
      updated_at: now.text,
    })
  for (const values of plan.create) {
    const base = { id: deps.newId(), project_id: parent.project_id, now: now.text }
    await insertRow(tx, member, newMember(base, parent.id, rules, values))
  }
}
