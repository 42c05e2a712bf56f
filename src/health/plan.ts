/**
 * What was known and what arrived, to what changes. Pure. Messages of one load balancer's amphorae
 * are worked through in order of arrival, each upon what the ones before left.
 */
import type { OperatingStatus } from '../model/status.ts'
import type {
  HealthKind,
  Known,
  KnownAmphora,
  KnownLoadBalancer,
  Renewal,
} from '../store/health.ts'
import type { ListenerStatisticsRow } from '../store/tables.ts'
import type { Arrival } from './inbox.ts'
import { expectedListeners, judgeLoadBalancer, type Statuses } from './rules.ts'

export interface StatusChange {
  readonly kind: HealthKind
  readonly operating_status: OperatingStatus
  readonly ids: string[]
}

export interface Plan {
  /** Only what differs from what is stored. */
  readonly statuses: readonly StatusChange[]
  readonly renewals: readonly Renewal[]
  readonly added: readonly ListenerStatisticsRow[]
  readonly replaced: readonly ListenerStatisticsRow[]
  /** Amphora ids of which there is no row. */
  readonly unknown: readonly string[]
  /** Amphorae that should not run any more: their load balancer is gone, or they are DELETED. */
  readonly zombies: readonly { readonly amphora_id: string; readonly compute_id: string | null }[]
  /** Waited too long to be believed: this program is overloaded. */
  readonly late: readonly { readonly amphora_id: string; readonly delay_ms: number }[]
  /**
   * Report another number of listeners than there should be; not renewed, so they count as silent.
   */
  readonly miscounted: readonly {
    readonly amphora_id: string
    readonly found: number
    readonly expected: number
  }[]
  /** Use words which no rule knows; what these are about stays as it is. */
  readonly puzzling: readonly { readonly amphora_id: string }[]
}

export interface PlanOptions {
  readonly now_ms: number
  /** A message that waited that long is dropped. */
  readonly heartbeat_interval_ms: number
}

export function planHealth(known: Known, arrivals: readonly Arrival[], options: PlanOptions): Plan {
  const ledger = new Ledger()
  const renewals: Renewal[] = []
  const added: ListenerStatisticsRow[] = []
  const replaced: ListenerStatisticsRow[] = []
  const unknown: string[] = []
  const zombies: { amphora_id: string; compute_id: string | null }[] = []
  const late: { amphora_id: string; delay_ms: number }[] = []
  const miscounted: { amphora_id: string; found: number; expected: number }[] = []
  const puzzling: { amphora_id: string }[] = []

  for (const arrival of arrivals) {
    const { amphora_id, seq, listeners, unversioned } = arrival.heartbeat
    const amphora = known.amphorae.get(amphora_id)
    if (amphora === undefined) {
      unknown.push(amphora_id)
      continue
    }
    const load_balancer = served(known, amphora)
    if (load_balancer === undefined) {
      zombies.push({ amphora_id, compute_id: amphora.compute_id })
      // Keeps the row, which is the only handle on the instance, from being cleaned away while it
      // runs.
      renewals.push({ amphora_id, seq, last_update_ms: options.now_ms })
      continue
    }
    for (const row of statisticsOf(load_balancer, arrival))
      (row.mode === 'add' ? added : replaced).push(row.values)

    const expected = expectedListeners(load_balancer, unversioned)
    const counted =
      expected === undefined ||
      (listeners.size >= expected.least && listeners.size <= expected.most)
    const delay_ms = options.now_ms - arrival.received_ms
    if (!counted) {
      miscounted.push({ amphora_id, found: listeners.size, expected: expected.least })
    } else if (delay_ms >= options.heartbeat_interval_ms) {
      late.push({ amphora_id, delay_ms })
      renewals.push({ amphora_id, seq, last_update_ms: null })
      continue
    }
    renewals.push({ amphora_id, seq, last_update_ms: counted ? options.now_ms : null })
    const before = ledger.puzzles
    judgeLoadBalancer(load_balancer, arrival.heartbeat, ledger)
    if (ledger.puzzles > before) puzzling.push({ amphora_id })
  }
  return {
    statuses: ledger.changes(),
    renewals,
    added,
    replaced,
    unknown,
    zombies,
    late,
    miscounted,
    puzzling,
  }
}

function served(known: Known, amphora: KnownAmphora): KnownLoadBalancer | undefined {
  if (amphora.status === 'DELETED' || amphora.loadbalancer_id === null) return undefined
  const load_balancer = known.load_balancers.get(amphora.loadbalancer_id)
  return load_balancer?.provisioning_status === 'DELETED' ? undefined : load_balancer
}

/** Of the load balancer's own listeners only: a listener just deleted may still be reported. */
function statisticsOf(
  load_balancer: KnownLoadBalancer,
  { heartbeat, tallies }: Arrival,
): { mode: 'add' | 'replace'; values: ListenerStatisticsRow }[] {
  return load_balancer.listeners.flatMap(({ id }) => {
    const tally = tallies.get(id)
    if (tally === undefined) return []
    const values = { listener_id: id, amphora_id: heartbeat.amphora_id, ...tally.counters }
    return [{ mode: tally.mode, values }]
  })
}

interface Entry {
  readonly kind: HealthKind
  readonly stored: OperatingStatus
  now: OperatingStatus
}

class Ledger implements Statuses {
  readonly #entries = new Map<string, Entry>()
  puzzles = 0

  now: Statuses['now'] = (_kind, row) => this.#entries.get(row.id)?.now ?? row.operating_status

  set: Statuses['set'] = (kind, row, to) => {
    if (to === 'keep') return
    if (to === 'puzzling') {
      this.puzzles++
      return
    }
    const entry = this.#entries.get(row.id)
    if (entry !== undefined) entry.now = to
    else if (to !== row.operating_status)
      this.#entries.set(row.id, { kind, stored: row.operating_status, now: to })
  }

  changes(): StatusChange[] {
    const groups = new Map<string, StatusChange>()
    for (const [id, { kind, stored, now }] of this.#entries) {
      if (now === stored) continue
      const group = groups.get(`${kind} ${now}`) ?? { kind, operating_status: now, ids: [] }
      group.ids.push(id)
      groups.set(`${kind} ${now}`, group)
    }
    return [...groups.values()]
  }
}
