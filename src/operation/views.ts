/**
 * Rows with their relatives, ready to be answered: one query per kind of relative for a whole page.
 */
import type { HealthMonitor } from '../model/health-monitor.ts'
import type { L7Policy } from '../model/l7policy.ts'
import type { L7Rule } from '../model/l7rule.ts'
import type { Listener } from '../model/listener.ts'
import type { LoadBalancer } from '../model/load-balancer.ts'
import type { Member } from '../model/member.ts'
import type { Pool } from '../model/pool.ts'
import {
  healthMonitorView,
  type IdOnly,
  l7policyView,
  l7ruleView,
  listenerView,
  loadBalancerView,
  memberView,
  poolView,
  type View,
} from '../model/view.ts'
import { loadRedirectingListeners } from '../store/l7policies.ts'
import { loadChildIds } from '../store/relatives.ts'
import type { Db } from '../store/store.ts'

export async function viewLoadBalancers(db: Db, rows: readonly LoadBalancer[]): Promise<View[]> {
  const ids = rows.map((row) => row.id)
  const listeners = await loadChildIds(db, 'listener', 'loadbalancer_id', ids)
  const pools = await loadChildIds(db, 'pool', 'loadbalancer_id', ids)
  return rows.map((row) =>
    loadBalancerView(row, listeners.get(row.id) ?? [], pools.get(row.id) ?? []),
  )
}

export async function viewListeners(db: Db, rows: readonly Listener[]): Promise<View[]> {
  const ids = rows.map((row) => row.id)
  const policies = await loadChildIds(db, 'l7policy', 'listener_id', ids, 'position')
  return rows.map((row) => listenerView(row, policies.get(row.id) ?? []))
}

export async function viewPools(db: Db, rows: readonly Pool[]): Promise<View[]> {
  const ids = rows.map((row) => row.id)
  const listeners = await loadChildIds(db, 'listener', 'default_pool_id', ids)
  const redirecting = await loadRedirectingListeners(db, ids)
  const members = await loadChildIds(db, 'member', 'pool_id', ids)
  const monitors = await loadChildIds(db, 'health_monitor', 'pool_id', ids)
  return rows.map((row) =>
    poolView(row, {
      listeners: united(listeners.get(row.id), redirecting.get(row.id)),
      members: members.get(row.id) ?? [],
      healthmonitor_id: monitors.get(row.id)?.[0]?.id,
    }),
  )
}

export async function viewMembers(_db: Db, rows: readonly Member[]): Promise<View[]> {
  return rows.map(memberView)
}

export async function viewHealthMonitors(_db: Db, rows: readonly HealthMonitor[]): Promise<View[]> {
  return rows.map(healthMonitorView)
}

export async function viewL7Policies(db: Db, rows: readonly L7Policy[]): Promise<View[]> {
  const ids = rows.map((row) => row.id)
  const rules = await loadChildIds(db, 'l7rule', 'l7policy_id', ids)
  return rows.map((row) => l7policyView(row, rules.get(row.id) ?? []))
}

export async function viewL7Rules(_db: Db, rows: readonly L7Rule[]): Promise<View[]> {
  return rows.map(l7ruleView)
}

function united(some: readonly IdOnly[] = [], more: readonly string[] = []): readonly IdOnly[] {
  return [...new Set([...some.map(({ id }) => id), ...more])].map((id) => ({ id }))
}
