/** Creating, changing and deleting a rule of an L7 policy. */
import { fault } from '../model/fault.ts'
import type { Create, Update } from '../model/field.ts'
import { l7policy } from '../model/l7policy.ts'
import { l7rule, RULES_PER_POLICY_MAX } from '../model/l7rule.ts'
import { listener } from '../model/listener.ts'
import { countRows, getRow, insertRow, updateRow } from '../store/repository.ts'
import type { Tx } from '../store/store.ts'
import {
  change,
  chargeQuota,
  enqueueChild,
  lockForChange,
  type OperationDependencies,
  type Origin,
} from './change.ts'
import { checkRule } from './l7-rules.ts'
import { newL7Rule } from './rows.ts'

/** The id of the new rule, which is PENDING_CREATE. */
export async function createL7Rule(
  deps: OperationDependencies,
  l7policy_id: string,
  values: Create<typeof l7rule.fields>,
  origin: Origin,
): Promise<string> {
  const id = deps.newId()
  await change(deps, async (tx, now) => {
    const parent = await getRow(tx, l7policy, l7policy_id)
    const checked = checkRule(values)
    if ((await countRows(tx, l7rule, { l7policy_id })) >= RULES_PER_POLICY_MAX)
      throw fault.tooManyRules(l7policy_id)
    await chargeQuota(tx, deps.settings, parent.project_id ?? '', 'l7rule')
    const load_balancer_id = await lockPolicy(tx, l7policy_id)
    const base = { id, project_id: parent.project_id, now: now.text }
    await insertRow(tx, l7rule, newL7Rule(base, l7policy_id, checked))
    await enqueueChild(tx, 'l7rule-create', { load_balancer_id, id }, origin, now)
  })
  return id
}

export async function updateL7Rule(
  deps: OperationDependencies,
  id: string,
  changes: Update<typeof l7rule.fields>,
  origin: Origin,
): Promise<void> {
  await change(deps, async (tx, now) => {
    const row = await getRow(tx, l7rule, id)
    const { key } = checkRule({ ...row, ...changes })
    const load_balancer_id = await lockPolicy(tx, row.l7policy_id)
    await updateRow(tx, l7rule, id, {
      ...changes,
      key,
      provisioning_status: 'PENDING_UPDATE',
      updated_at: now.text,
    })
    await enqueueChild(tx, 'l7rule-update', { load_balancer_id, id }, origin, now)
  })
}

export async function deleteL7Rule(
  deps: OperationDependencies,
  id: string,
  origin: Origin,
): Promise<void> {
  await change(deps, async (tx, now) => {
    const { l7policy_id } = await getRow(tx, l7rule, id)
    const load_balancer_id = await lockPolicy(tx, l7policy_id)
    await updateRow(tx, l7rule, id, { provisioning_status: 'PENDING_DELETE' })
    await enqueueChild(tx, 'l7rule-delete', { load_balancer_id, id }, origin, now)
  })
}

/** The policy must be ACTIVE and becomes PENDING_UPDATE, as all above it. Whose it is. */
async function lockPolicy(tx: Tx, id: string): Promise<string> {
  const { listener_id, provisioning_status } = await getRow(tx, l7policy, id)
  if (provisioning_status !== 'ACTIVE') throw fault.immutable('L7Policy', id)
  const { loadbalancer_id } = await getRow(tx, listener, listener_id)
  await lockForChange(tx, loadbalancer_id, [listener_id])
  await updateRow(tx, l7policy, id, { provisioning_status: 'PENDING_UPDATE' })
  return loadbalancer_id
}
