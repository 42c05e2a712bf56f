/** Creating, changing and deleting a health monitor. */
import { fault } from '../model/fault.ts'
import type { Create, Update } from '../model/field.ts'
import { type HealthMonitor, HTTP_FALLBACKS, healthMonitor } from '../model/health-monitor.ts'
import { pool } from '../model/pool.ts'
import { getRow, insertRow, updateRow } from '../store/repository.ts'
import {
  change,
  chargeQuota,
  enqueueChild,
  loadBalancerOf,
  lockPool,
  type OperationDependencies,
  type Origin,
} from './change.ts'
import { hasMonitor } from './member.ts'
import { checkDelay, checkNewMonitor } from './monitor-rules.ts'
import { checkDomain, isHttp, newHealthMonitor, REFUSED_HTTP_FIELDS } from './rows.ts'

/** The id of the new monitor, which is PENDING_CREATE. */
export async function createHealthMonitor(
  deps: OperationDependencies,
  values: Create<typeof healthMonitor.fields>,
  origin: Origin,
): Promise<string> {
  const id = deps.newId()
  await change(deps, async (tx, now) => {
    const parent = await getRow(tx, pool, values.pool_id)
    checkNewMonitor(values, parent.protocol, deps.settings)
    await chargeQuota(tx, deps.settings, parent.project_id ?? '', 'health_monitor')
    await lockPool(tx, parent)
    const base = { id, project_id: parent.project_id, now: now.text }
    const row = newHealthMonitor(base, parent.id, values)
    if (await hasMonitor(tx, parent.id)) throw fault.duplicateHealthMonitor()
    await insertRow(tx, healthMonitor, row)
    const input = { load_balancer_id: loadBalancerOf(parent), id }
    await enqueueChild(tx, 'healthmonitor-create', input, origin, now)
  })
  return id
}

export async function updateHealthMonitor(
  deps: OperationDependencies,
  id: string,
  changes: Update<typeof healthMonitor.fields>,
  origin: Origin,
): Promise<void> {
  await change(deps, async (tx, now) => {
    const row = await getRow(tx, healthMonitor, id)
    const allowed = checkChanges(row, changes)
    checkDelay(row.type, changes.delay, deps.settings)
    const parent = await getRow(tx, pool, row.pool_id)
    await lockPool(tx, parent)
    await updateRow(tx, healthMonitor, id, {
      ...allowed,
      provisioning_status: 'PENDING_UPDATE',
      updated_at: now.text,
    })
    const input = { load_balancer_id: loadBalancerOf(parent), id }
    await enqueueChild(tx, 'healthmonitor-update', input, origin, now)
  })
}

/** HTTP fields are refused for other types, even as null; for HTTP a null is the default again. */
function checkChanges(
  row: HealthMonitor,
  changes: Update<typeof healthMonitor.fields>,
): Update<typeof healthMonitor.fields> {
  if (!isHttp(row.type)) {
    const foreign = REFUSED_HTTP_FIELDS.find((name) => changes[name] !== undefined)
    if (foreign !== undefined)
      throw fault.invalidOption(foreign, `health monitors of type ${row.type}`)
  }
  checkDomain({
    domain_name: changes.domain_name ?? row.domain_name,
    http_version: changes.http_version ?? row.http_version,
  })
  const out = { ...changes }
  if (out.http_method === null) out.http_method = HTTP_FALLBACKS.http_method
  if (out.url_path === null) out.url_path = HTTP_FALLBACKS.url_path
  if (out.expected_codes === null) out.expected_codes = HTTP_FALLBACKS.expected_codes
  return out
}

export async function deleteHealthMonitor(
  deps: OperationDependencies,
  id: string,
  origin: Origin,
): Promise<void> {
  await change(deps, async (tx, now) => {
    const parent = await getRow(tx, pool, (await getRow(tx, healthMonitor, id)).pool_id)
    await lockPool(tx, parent)
    await updateRow(tx, healthMonitor, id, { provisioning_status: 'PENDING_DELETE' })
    const input = { load_balancer_id: loadBalancerOf(parent), id }
    await enqueueChild(tx, 'healthmonitor-delete', input, origin, now)
  })
}
