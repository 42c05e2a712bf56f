/** Loading a load balancer with all its children, in nine queries however large it is. */
import { amphora } from '../model/amphora.ts'
import { healthMonitor } from '../model/health-monitor.ts'
import { l7rule } from '../model/l7rule.ts'
import { listener } from '../model/listener.ts'
import { loadBalancer } from '../model/load-balancer.ts'
import { member } from '../model/member.ts'
import { pool } from '../model/pool.ts'
import type { LoadBalancerTree } from '../model/tree.ts'
import { findPolicies } from './l7policies.ts'
import { findRow, findRows } from './repository.ts'
import type { Db } from './store.ts'

export async function findTree(db: Db, id: string): Promise<LoadBalancerTree | undefined> {
  const row = await findRow(db, loadBalancer, id)
  if (row === undefined) return undefined
  const listeners = await findRows(db, listener, { loadbalancer_id: id })
  const pools = await findRows(db, pool, { loadbalancer_id: id })
  const pool_id = pools.map((p) => p.id)
  const members = pool_id.length === 0 ? [] : await findRows(db, member, { pool_id })
  const monitors = pool_id.length === 0 ? [] : await findRows(db, healthMonitor, { pool_id })
  const policies = await findPolicies(
    db,
    listeners.map((l) => l.id),
  )
  const l7policy_id = policies.map((p) => p.id)
  const rules = l7policy_id.length === 0 ? [] : await findRows(db, l7rule, { l7policy_id })
  const rulesOf = Map.groupBy(rules, (rule) => rule.l7policy_id)
  const amphorae = await findRows(db, amphora, { loadbalancer_id: id })
  const membersOf = Map.groupBy(members, (m) => m.pool_id)
  const monitorOf = new Map(monitors.map((m) => [m.pool_id, m]))
  return {
    ...row,
    listeners,
    pools: pools.map((p) => ({
      ...p,
      members: membersOf.get(p.id) ?? [],
      healthmonitor: monitorOf.get(p.id) ?? null,
    })),
    l7policies: policies.map((p) => ({ ...p, rules: rulesOf.get(p.id) ?? [] })),
    amphorae: amphorae.filter((a) => a.status !== 'DELETED'),
  }
}
