/**
 * What a listener of LVS reports, in the rows which haproxy would print for it, so that there is
 * one way from rows to a heartbeat. Pure. A row of a pool is named by the pool alone.
 * Source: octavia/amphorae/backends/utils/keepalivedlvs_query.py.
 */
import type { StatRow } from '../haproxy/statistics.ts'
import { type IpvsCounters, type IpvsTable, keysOf } from './ipvs.ts'
import type { LvsConfig } from './lvs-reading.ts'

export interface LvsObservation {
  readonly listener_id: string
  readonly config: LvsConfig
  /** keepalived has not read this configuration yet: a server that is not there says nothing. */
  readonly restarting: boolean
}

export interface IpvsState {
  readonly table: IpvsTable
  readonly counters: ReadonlyMap<string, IpvsCounters>
}

export function lvsRows(seen: LvsObservation, kernel: IpvsState): readonly StatRow[] {
  const { listener_id, config } = seen
  if (config.disabled) return []
  const sum = (of: (key: string) => number | undefined): number =>
    keysOf(config).reduce((all, key) => all + (of(key) ?? 0), 0)
  const listener = {
    ...row(listener_id, 'FRONTEND', 'OPEN'),
    scur: sum((key) => kernel.table.get(key)?.active),
    bin: sum((key) => kernel.counters.get(key)?.in_bytes),
    bout: sum((key) => kernel.counters.get(key)?.out_bytes),
    stot: sum((key) => kernel.counters.get(key)?.connections),
  }
  return [listener, ...poolRows(seen, kernel.table)]
}

function poolRows({ config, restarting }: LvsObservation, table: IpvsTable): readonly StatRow[] {
  const { pool_id, checked, services, disabled_members } = config
  if (pool_id === undefined) return []
  const there = new Map(keysOf(config).flatMap((key) => [...(table.get(key)?.servers ?? [])]))
  const missing = restarting ? 'RESTARTING' : 'DOWN'
  const servers = services.flatMap((service) => service.servers)
  const down = checked && there.size === 0 && servers.length > 0
  const members = servers.map(({ member_id, endpoint }) => {
    const weight = there.get(endpoint)
    if (weight === 0) return row(pool_id, member_id, 'DRAIN')
    if (weight !== undefined) return row(pool_id, member_id, checked ? 'UP' : 'no check')
    return row(pool_id, member_id, checked || there.size > 0 ? missing : 'no check')
  })
  return [
    row(pool_id, 'BACKEND', down && !restarting ? 'DOWN' : 'UP'),
    ...members,
    ...disabled_members.map((id) => row(pool_id, id, 'MAINT')),
  ]
}

function row(pxname: string, svname: string, status: string): StatRow {
  return { pxname, svname, status, weight: '1', scur: 0, bin: 0, bout: 0, ereq: 0, stot: 0 }
}
