/**
 * Rows with their relatives, ready to be answered: one query per kind of relative for a whole page.
 */
import type { HealthMonitor } from '../model/health-monitor.ts'
import type { Listener } from '../model/listener.ts'
import type { LoadBalancer } from '../model/load-balancer.ts'
import type { Member } from '../model/member.ts'
import type { Pool } from '../model/pool.ts'
import {
  healthMonitorView,
  listenerView,
  loadBalancerView,
  memberView,
  poolView,
  type View,
} from '../model/view.ts'
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

export async function viewListeners(_db: Db, rows: readonly Listener[]): Promise<View[]> {
  return rows.map(listenerView)
}

export async function viewPools(db: Db, rows: readonly Pool[]): Promise<View[]> {
  const ids = rows.map((row) => row.id)
  const listeners = await loadChildIds(db, 'listener', 'default_pool_id', ids)
  const members = await loadChildIds(db, 'member', 'pool_id', ids)
  const monitors = await loadChildIds(db, 'health_monitor', 'pool_id', ids)
  return rows.map((row) =>
    poolView(row, {
      listeners: listeners.get(row.id) ?? [],
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
