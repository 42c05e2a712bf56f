/**
 * Which amphorae have been silent for too long, and whether so many are that the fault must be
 * elsewhere. Pure. Source: octavia/db/repositories.py, AmphoraHealthRepository.get_stale_amphora.
 */
import { SERVING } from '../model/status.ts'
import type { Silence } from '../store/health.ts'

export interface OverdueOptions {
  readonly now_ms: number
  readonly heartbeat_timeout_ms: number
  /** So many silent ones at once are a fault of the network or of this program. null: never. */
  readonly failover_threshold: number | null
}

export interface Overdue {
  /** Of those which should serve, as they were given: the most silent first. */
  readonly amphorae: readonly Silence[]
  /** Then nobody is replaced, because the new ones would be silent, too. */
  readonly over_threshold: boolean
}

export function planOverdue(rows: readonly Silence[], options: OverdueOptions): Overdue {
  const limit = options.now_ms - options.heartbeat_timeout_ms
  const silent = rows.filter((row) => row.last_update_ms < limit && !row.busy)
  return {
    // Others are being made or taken away and may be silent.
    amphorae: silent.filter((row) => SERVING.includes(row.status)),
    // Counted whatever their status: an outage shows in all of them.
    over_threshold:
      options.failover_threshold !== null && silent.length >= options.failover_threshold,
  }
}
