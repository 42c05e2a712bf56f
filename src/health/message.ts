/**
 * A heartbeat as the health manager works with it, whatever version the agent speaks. What is not
 * exactly of the expected type refuses the whole message; keys that nobody knows are ignored. Pure.
 * Source: octavia/amphorae/drivers/health/heartbeat_udp.py.
 */

/**
 * An id is 16 random bytes, which no packing shortens, and a datagram is 65,536 bytes: more ids
 * than this cannot arrive from an agent.
 */
export const REPORTS_MAX = 4096
/** Dashed UUIDs are 36 characters; what is longer cannot be an id. */
const ID_MAX = 64
const STATUS_MAX = 64

export interface Counters {
  readonly bytes_in: number
  readonly bytes_out: number
  readonly active_connections: number
  readonly total_connections: number
  readonly request_errors: number
}

export interface Pool {
  readonly status: string
  readonly members: ReadonlyMap<string, string>
}

export interface Heartbeat {
  readonly amphora_id: string
  readonly seq: number
  /** Whether the counters but `active_connections` are what was added since the last message. */
  readonly deltas: boolean
  /** Before messages had versions, UDP listeners without members did not report. */
  readonly unversioned: boolean
  readonly listeners: ReadonlyMap<string, { readonly status: string; readonly counters: Counters }>
  /** By pool id. */
  readonly pools: ReadonlyMap<string, Pool>
}

/** undefined: malformed. */
export function parseHeartbeat(value: unknown): Heartbeat | undefined {
  if (!isRecord(value)) return undefined
  const { id, seq = 0, ver } = value
  if (!isId(id) || !isCount(seq) || !(ver === undefined || isCount(ver))) return undefined
  const raw = entries(value.listeners)
  if (raw === undefined) return undefined
  const listeners = new Map<string, { status: string; counters: Counters }>()
  for (const [listener_id, report] of raw) {
    const parsed = parseListener(listener_id, report)
    if (parsed === undefined) return undefined
    listeners.set(listener_id, parsed)
  }
  const version = ver ?? 0
  const pools = version < 2 ? parseNestedPools(raw) : parsePools(value.pools)
  if (pools === undefined) return undefined
  return {
    amphora_id: id,
    seq,
    deltas: version >= 3,
    unversioned: ver === undefined,
    listeners,
    pools,
  }
}

function parseListener(
  id: string,
  report: unknown,
): { status: string; counters: Counters } | undefined {
  if (!isId(id) || !isRecord(report) || !isRecord(report.stats)) return undefined
  const { status } = report
  const { rx, tx, conns, totconns, ereq } = report.stats
  if (!isStatus(status)) return undefined
  if (!(isCount(rx) && isCount(tx) && isCount(conns) && isCount(totconns) && isCount(ereq)))
    return undefined
  return {
    status,
    counters: {
      bytes_in: rx,
      bytes_out: tx,
      active_connections: conns,
      total_connections: totconns,
      request_errors: ereq,
    },
  }
}

/** Version 1: a pool that several listeners report counts as the first of them says. */
function parseNestedPools(listeners: [string, unknown][]): Map<string, Pool> | undefined {
  const all = new Map<string, Pool>()
  for (const [, report] of listeners) {
    const pools = parsePools(isRecord(report) ? report.pools : undefined)
    if (pools === undefined) return undefined
    for (const [id, pool] of pools) if (!all.has(id)) all.set(id, pool)
    if (all.size > REPORTS_MAX) return undefined
  }
  return all
}

/**
 * The key is `<pool>:<listener>` from haproxy and `<pool>` from LVS; of several the last counts.
 */
function parsePools(value: unknown): Map<string, Pool> | undefined {
  const raw = entries(value)
  if (raw === undefined) return undefined
  const pools = new Map<string, Pool>()
  let reports = 0
  for (const [key, report] of raw) {
    const colon = key.lastIndexOf(':')
    const id = colon < 0 ? key : key.slice(0, colon)
    if (!isId(id) || !isRecord(report) || !isStatus(report.status)) return undefined
    const members = entries(report.members)
    if (members === undefined) return undefined
    reports += members.length
    if (reports > REPORTS_MAX) return undefined
    const statuses = new Map<string, string>()
    for (const [member_id, status] of members) {
      if (!isId(member_id) || !isStatus(status)) return undefined
      statuses.set(member_id, status)
    }
    pools.set(id, { status: report.status, members: statuses })
  }
  return pools
}

function entries(value: unknown): [string, unknown][] | undefined {
  if (!isRecord(value)) return undefined
  const all = Object.entries(value)
  return all.length > REPORTS_MAX ? undefined : all
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= ID_MAX
}

function isStatus(value: unknown): value is string {
  return typeof value === 'string' && value.length <= STATUS_MAX
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
