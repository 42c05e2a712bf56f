/** Creating, changing and deleting an L7 policy. */
import { fault } from '../model/fault.ts'
import type { Create, Update } from '../model/field.ts'
import type { L7PolicyGraph } from '../model/graph.ts'
import { type L7Policy, l7policy } from '../model/l7policy.ts'
import { l7rule, RULES_PER_POLICY_MAX } from '../model/l7rule.ts'
import { L7_PROTOCOLS, type Listener, listener } from '../model/listener.ts'
import { pool } from '../model/pool.ts'
import { findPolicies, setPositions } from '../store/l7policies.ts'
import { findRow, getRow, insertRow, updateRow } from '../store/repository.ts'
import type { Tx } from '../store/store.ts'
import {
  change,
  chargeQuota,
  enqueueChild,
  getLoadBalancer,
  lockForChange,
  type OperationDependencies,
  type Origin,
} from './change.ts'
import { agreeRedirect, checkRule, placedAt } from './l7-rules.ts'
import { newL7Policy, newL7Rule } from './rows.ts'
import { checkProtocols, refuseOfAmphorae } from './rules.ts'

/** The id of the new policy, which is PENDING_CREATE with its rules and in its place. */
export async function createL7Policy(
  deps: OperationDependencies,
  values: Create<typeof l7policy.fields>,
  rules: L7PolicyGraph['rules'],
  origin: Origin,
): Promise<string> {
  const id = deps.newId()
  await change(deps, async (tx, now) => {
    const front = await getRow(tx, listener, values.listener_id)
    const load_balancer_id = front.loadbalancer_id
    if (front.protocol === 'PROMETHEUS') throw fault.noChildren(front.protocol)
    if (values.redirect_pool_id !== null) await checkPool(tx, front, values.redirect_pool_id)
    await chargeQuota(tx, deps.settings, front.project_id ?? '', 'l7policy')
    const agreed = agreeRedirect(values)
    const checked = rules.map(checkRule)
    if (checked.length > RULES_PER_POLICY_MAX) throw fault.tooManyRules(id)
    await chargeQuota(tx, deps.settings, front.project_id ?? '', 'l7rule', checked.length)
    await lockForChange(tx, load_balancer_id, [front.id])
    if (!L7_PROTOCOLS.includes(front.protocol))
      refuseOfAmphorae(
        await getLoadBalancer(tx, load_balancer_id),
        `${front.protocol} protocol listeners do not support L7 policies`,
      )
    const base = { id, project_id: front.project_id, now: now.text }
    const present = await findPolicies(tx, [front.id])
    await insertRow(tx, l7policy, newL7Policy(base, front.id, agreed))
    for (const rule of checked)
      await insertRow(tx, l7rule, newL7Rule({ ...base, id: deps.newId() }, id, rule))
    const order = placedAt(
      present.map((row) => row.id),
      id,
      agreed.position,
    )
    await setPositions(tx, present, order)
    await enqueueChild(tx, 'l7policy-create', { load_balancer_id, id }, origin, now)
  })
  return id
}

export async function updateL7Policy(
  deps: OperationDependencies,
  id: string,
  changes: Update<typeof l7policy.fields>,
  origin: Origin,
): Promise<void> {
  if (Object.keys(changes).length === 0) throw fault.l7policyArguments('Invalid update options')
  const { position, ...agreed } = agreeRedirect(changes)
  await change(deps, async (tx, now) => {
    const row = await getRow(tx, l7policy, id)
    const front = await getRow(tx, listener, row.listener_id)
    const load_balancer_id = front.loadbalancer_id
    if (agreed.redirect_pool_id) await checkPool(tx, front, agreed.redirect_pool_id)
    await lockForChange(tx, load_balancer_id, [front.id])
    await updateRow(tx, l7policy, id, {
      ...agreed,
      provisioning_status: 'PENDING_UPDATE',
      updated_at: now.text,
    })
    if (position !== undefined) await move(tx, row, position)
    await enqueueChild(tx, 'l7policy-update', { load_balancer_id, id }, origin, now)
  })
}

async function move(tx: Tx, row: L7Policy, position: number): Promise<void> {
  const present = await findPolicies(tx, [row.listener_id])
  const ids = present.map((each) => each.id)
  await setPositions(tx, present, placedAt(ids, row.id, position))
}

export async function deleteL7Policy(
  deps: OperationDependencies,
  id: string,
  origin: Origin,
): Promise<void> {
  await change(deps, async (tx, now) => {
    const row = await getRow(tx, l7policy, id)
    const { loadbalancer_id: load_balancer_id } = await getRow(tx, listener, row.listener_id)
    await lockForChange(tx, load_balancer_id, [row.listener_id])
    await updateRow(tx, l7policy, id, { provisioning_status: 'PENDING_DELETE' })
    await enqueueChild(tx, 'l7policy-delete', { load_balancer_id, id }, origin, now)
  })
}

/** A redirect leads to a pool of the same load balancer that speaks a protocol which fits. */
async function checkPool(tx: Tx, front: Listener, id: string): Promise<void> {
  const row = await findRow(tx, pool, id)
  if (row === undefined || row.loadbalancer_id !== front.loadbalancer_id)
    throw fault.notFound(pool.title, id)
  checkProtocols(front.protocol, row.protocol)
}
