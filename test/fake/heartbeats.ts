/** Heartbeats as agents send them. */
import type { HeartbeatMessage, ListenerReport } from '../../src/contract/heartbeat.ts'

export const HEARTBEAT_KEY = 'a key for tests'

export function listenerReport(over: {
  readonly status?: string
  readonly stats?: Partial<ListenerReport['stats']>
}): ListenerReport {
  return {
    status: over.status ?? 'OPEN',
    stats: { tx: 0, rx: 0, conns: 0, totconns: 0, ereq: 0, ...over.stats },
  }
}

export function heartbeatMessage(
  over: Partial<HeartbeatMessage> & { readonly id: string },
): HeartbeatMessage {
  return { seq: 0, ver: 3, listeners: {}, pools: {}, ...over }
}
