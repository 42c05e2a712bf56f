/**
 * What arrived since the last look, the newest message of each amphora. Counters are merged, so
 * that a message which is overtaken before anybody looked loses nothing: version 3 tells what was
 * added.
 */
import type { Counters, Heartbeat } from './message.ts'

/**
 * Counters of one listener on one amphora: to be added to what is stored, or to stand in its place.
 */
export interface Tally {
  readonly mode: 'add' | 'replace'
  readonly counters: Counters
}

export interface Arrival {
  readonly heartbeat: Heartbeat
  /** When the newest message arrived. */
  readonly received_ms: number
  /** By listener id; of every message that was merged. */
  readonly tallies: ReadonlyMap<string, Tally>
}

export class Inbox {
  readonly #max: number
  #arrivals = new Map<string, Arrival>()

  /** `max` amphorae at a time. */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#arrivals.size
  }

  /** false: full, the message is lost. */
  put(heartbeat: Heartbeat, received_ms: number): boolean {
    const before = this.#arrivals.get(heartbeat.amphora_id)
    if (before === undefined && this.#arrivals.size >= this.#max) return false
    const tallies = merged(before?.tallies, heartbeat)
    this.#arrivals.set(heartbeat.amphora_id, { heartbeat, received_ms, tallies })
    return true
  }

  /** Everything, in order of the first arrival; the inbox is empty afterwards. */
  take(): Arrival[] {
    const all = [...this.#arrivals.values()]
    this.#arrivals = new Map()
    return all
  }
}

function merged(
  before: ReadonlyMap<string, Tally> | undefined,
  { listeners, deltas }: Heartbeat,
): ReadonlyMap<string, Tally> {
  const tallies = new Map(before)
  for (const [id, { counters }] of listeners) {
    const known = deltas ? tallies.get(id) : undefined
    tallies.set(
      id,
      known === undefined
        ? { mode: deltas ? 'add' : 'replace', counters }
        : // Added to an absolute value it stays absolute.
          { mode: known.mode, counters: sum(known.counters, counters) },
    )
  }
  return tallies
}

function sum(a: Counters, b: Counters): Counters {
  return {
    bytes_in: capped(a.bytes_in + b.bytes_in),
    bytes_out: capped(a.bytes_out + b.bytes_out),
    active_connections: b.active_connections,
    total_connections: capped(a.total_connections + b.total_connections),
    request_errors: capped(a.request_errors + b.request_errors),
  }
}

function capped(count: number): number {
  return Math.min(count, Number.MAX_SAFE_INTEGER)
}
