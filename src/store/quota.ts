/**
 * Quotas: a row per project that ever created something, with its own limits; usage is counted from
 * live rows in the transaction of the change, so that no counter can drift.
 */
import type { Fields, Resource } from '../model/field.ts'
import { healthMonitor } from '../model/health-monitor.ts'
import { l7policy } from '../model/l7policy.ts'
import { l7rule } from '../model/l7rule.ts'
import { listener } from '../model/listener.ts'
import { loadBalancer } from '../model/load-balancer.ts'
import { member } from '../model/member.ts'
import { pool } from '../model/pool.ts'
import type { QuotaLimits } from '../model/quota.ts'
import { executeCompiled, runCompiled } from './compiled.ts'
import type { Tx } from './store.ts'

export const QUOTA_RESOURCES = {
  load_balancer: loadBalancer,
  listener,
  pool,
  member,
  health_monitor: healthMonitor,
  l7policy,
  l7rule,
} as const
export type QuotaName = keyof typeof QUOTA_RESOURCES

/** The project has a quota row from its first create on. */
export async function ensureQuotaRow(tx: Tx, project_id: string): Promise<void> {
  await executeCompiled(tx, 'ensure quota', [project_id], (on) =>
    on
      .insertInto('quota')
      .values({ project_id })
      .onConflict((conflict) => conflict.column('project_id').doNothing()),
  )
}

/** Whether `count` more would go beyond the project's limit. */
export async function isQuotaMet(
  tx: Tx,
  name: QuotaName,
  project_id: string,
  count: number,
  defaults: Pick<QuotaLimits, QuotaName>,
): Promise<boolean> {
  const [row] = await runCompiled<Partial<Record<QuotaName, number | null>>>(
    tx,
    `quota ${name}`,
    [project_id],
    (on) => on.selectFrom('quota').select(name).where('project_id', '=', ''),
  )
  const limit = row?.[name] ?? defaults[name]
  if (limit < 0) return false
  const resource: Resource<Fields> = QUOTA_RESOURCES[name]
  const [used] = await runCompiled<{ count: number }>(
    tx,
    `quota used ${name}`,
    [project_id, 'DELETED'],
    (on) =>
      on
        .selectFrom(resource.table)
        .select((e) => e.fn.countAll().as('count'))
        .where('project_id', '=', '')
        .where('provisioning_status', '!=', ''),
  )
  return (used?.count ?? 0) + count > limit
}
