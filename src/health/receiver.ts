/**
 * From datagram to inbox: size, HMAC, form, replay, in this order, so that bytes of strangers cost
 * one HMAC and nothing else. Every datagram is counted once as what became of it; nothing is logged
 * per datagram.
 */
import { openHeartbeat } from '../contract/heartbeat.ts'
import type { Clock } from '../system/clock.ts'
import type { Inbox } from './inbox.ts'
import { parseHeartbeat } from './message.ts'
import { admit, newTrack, type Track } from './replay.ts'

export const OUTCOMES = [
  'accepted',
  /** Longer than upstream's receive buffer. */
  'oversized',
  /** Too short to hold a digest. */
  'truncated',
  /** No digest of ours; a datagram cut on its way looks the same. */
  'forged',
  'malformed',
  'replayed',
  /** More amphorae at a time than the inbox holds. */
  'overflow',
] as const
export type Outcome = (typeof OUTCOMES)[number]

export interface ReceiverDeps {
  readonly clock: Pick<Clock, 'now'>
  readonly inbox: Inbox
}

export interface ReceiverOptions {
  /** These two are read for every datagram, so that they can change. */
  readonly heartbeat_key: () => string
  /** Recordings count as news, because there are senders that cannot be told from them. */
  readonly accept_replayed: () => boolean
  /** Amphorae whose seq is remembered; the one not heard for longest is forgotten first. */
  readonly tracks_max: number
}

export class Receiver {
  readonly #deps: ReceiverDeps
  readonly #options: ReceiverOptions
  /** In order of the last message. */
  readonly #tracks = new Map<string, Track>()
  readonly #counts = Object.fromEntries(OUTCOMES.map((name) => [name, 0])) as Record<
    Outcome,
    number
  >

  constructor(deps: ReceiverDeps, options: ReceiverOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** What was known before this program started: without it, old recordings would be news. */
  remember(amphora_id: string, seq: number): void {
    this.#touch(amphora_id, newTrack(seq))
  }

  /** For an amphora that does not exist. */
  forget(amphora_id: string): void {
    this.#tracks.delete(amphora_id)
  }

  counts(): Readonly<Record<Outcome, number>> {
    return { ...this.#counts }
  }

  receive(datagram: Uint8Array): Outcome {
    const outcome = this.#judge(datagram)
    this.#counts[outcome]++
    return outcome
  }

  #judge(datagram: Uint8Array): Outcome {
    const opened = openHeartbeat(datagram, this.#options.heartbeat_key())
    if (!opened.ok) return opened.why
    const heartbeat = parseHeartbeat(opened.message)
    if (heartbeat === undefined) return 'malformed'
    const track = this.#tracks.get(heartbeat.amphora_id) ?? newTrack(-1)
    const news = admit(track, heartbeat.seq, opened.digest)
    if (!news && !this.#options.accept_replayed()) return 'replayed'
    this.#touch(heartbeat.amphora_id, track)
    return this.#deps.inbox.put(heartbeat, this.#deps.clock.now()) ? 'accepted' : 'overflow'
  }

  #touch(amphora_id: string, track: Track): void {
    this.#tracks.delete(amphora_id)
    const [oldest] = this.#tracks.keys()
    if (oldest !== undefined && this.#tracks.size >= this.#options.tracks_max)
      this.#tracks.delete(oldest)
    this.#tracks.set(amphora_id, track)
  }
}
