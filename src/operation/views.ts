/**
 * What answers have beside the fields of their rows: one query per kind of relative for a whole
 * page. Source: octavia/api/v2/types/*.py.
 */
import type { Fields, Resource, Row } from '../model/field.ts'
import { healthMonitor } from '../model/health-monitor.ts'
import { l7policy } from '../model/l7policy.ts'
import { listener } from '../model/listener.ts'
import { loadBalancer } from '../model/load-balancer.ts'
import { pool } from '../model/pool.ts'
import { quota } from '../model/quota.ts'
import {
  fieldsOf,
  type IdOnly,
  olderLimitNames,
  persistenceView,
  type View,
} from '../model/view.ts'
import { loadRedirectingListeners } from '../store/l7policies.ts'
import { loadChildIds } from '../store/relatives.ts'
import type { Db } from '../store/store.ts'

export interface Relatives<F extends Fields> {
  /** What `load` reads of a row. */
  readonly columns: readonly (keyof F & string)[]
  /** Fields which it shows in another form than the row's. */
  readonly replaced: readonly (keyof F & string)[]
  /** For each row, in their order. */
  load(db: Db, rows: readonly Row<F>[]): Promise<readonly View[]>
}

function relativesOf<F extends Fields, K extends keyof F & string>(
  _resource: Resource<F>,
  columns: readonly K[],
  load: (db: Db, rows: readonly Pick<Row<F>, K>[]) => Promise<readonly View[]>,
  replaced: readonly K[] = [],
): Relatives<F> {
  return { columns, replaced, load }
}

/** A row as it is answered. */
export async function viewRow<F extends Fields>(
  db: Db,
  resource: Resource<F>,
  row: Row<F>,
  relatives?: Relatives<F>,
): Promise<View> {
  const own = fieldsOf(resource, row as Readonly<Record<string, unknown>>)
  const [more] = relatives === undefined ? [] : await relatives.load(db, [row])
  return { ...own, ...more }
}

export const loadBalancerRelatives = relativesOf(loadBalancer, ['id'], async (db, rows) => {
  const ids = rows.map(({ id }) => id)
  const listeners = await loadChildIds(db, 'listener', 'loadbalancer_id', ids)
  const pools = await loadChildIds(db, 'pool', 'loadbalancer_id', ids)
  return ids.map((id) => ({ listeners: listeners.get(id) ?? [], pools: pools.get(id) ?? [] }))
})

export const listenerRelatives = relativesOf(
  listener,
  ['id', 'loadbalancer_id'],
  async (db, rows) => {
    const ids = rows.map(({ id }) => id)
    const policies = await loadChildIds(db, 'l7policy', 'listener_id', ids, 'position')
    return rows.map(({ id, loadbalancer_id }) => ({
      loadbalancers: [{ id: loadbalancer_id }],
      l7policies: policies.get(id) ?? [],
    }))
  },
)

/** A pool without a monitor has no `healthmonitor_id`, as upstream. */
export const poolRelatives = relativesOf(
  pool,
  ['id', 'loadbalancer_id', 'session_persistence'],
  async (db, rows) => {
    const ids = rows.map(({ id }) => id)
    const listeners = await loadChildIds(db, 'listener', 'default_pool_id', ids)
    const redirecting = await loadRedirectingListeners(db, ids)
    const members = await loadChildIds(db, 'member', 'pool_id', ids)
    const monitors = await loadChildIds(db, 'health_monitor', 'pool_id', ids)
    return rows.map(({ id, loadbalancer_id, session_persistence }) => {
      const [monitor] = monitors.get(id) ?? []
      return {
        session_persistence: persistenceView(session_persistence),
        loadbalancers: loadbalancer_id === null ? [] : [{ id: loadbalancer_id }],
        listeners: united(listeners.get(id), redirecting.get(id)),
        members: members.get(id) ?? [],
        ...(monitor === undefined ? {} : { healthmonitor_id: monitor.id }),
      }
    })
  },
  ['session_persistence'],
)

export const healthMonitorRelatives = relativesOf(healthMonitor, ['pool_id'], async (_db, rows) =>
  rows.map(({ pool_id }) => ({ pools: [{ id: pool_id }] })),
)

export const l7policyRelatives = relativesOf(l7policy, ['id'], async (db, rows) => {
  const ids = rows.map(({ id }) => id)
  const rules = await loadChildIds(db, 'l7rule', 'l7policy_id', ids)
  return ids.map((id) => ({ rules: rules.get(id) ?? [] }))
})

export const quotaRelatives = relativesOf(
  quota,
  ['load_balancer', 'health_monitor'],
  async (_db, rows) => rows.map(olderLimitNames),
)

function united(some: readonly IdOnly[] = [], more: readonly string[] = []): readonly IdOnly[] {
  return [...new Set([...some.map(({ id }) => id), ...more])].map((id) => ({ id }))
}
