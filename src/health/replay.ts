/**
 * Whether an authentic heartbeat is news or a recording that somebody sends again. Pure but for the
 * track it is given.
 *
 * `seq` rises within the life of an agent; ours keeps it over restarts, upstream's begins again at
 * 0. So what is above the last one is news, and what is not is a replay, unless it looks like the
 * beginning of a new life: one of its first messages (the very first can get lost, or go to another
 * controller), and not one of those seen lately.
 *
 * What an attacker can do who records and sends, but has no key. To an amphora whose agent keeps
 * its seq: nothing, since it never sends one of the first messages, everything else must be above
 * the last one, and the last one outlives a restart of this program (store/health.ts). To an
 * upstream agent: if he recorded the beginning of its life, he can play that life again until a
 * genuine message arrives, whose higher seq ends the game; and after it restarted, a message of its
 * former life shuts the new one out. The format has no time in it, so no receiver can do better
 * without refusing restarts. What it costs: an idle upstream agent that restarts within REMEMBERED
 * messages of its start repeats them byte for byte, and these count as replays until it has passed
 * them.
 */
import { FIRST_SEQS } from '../contract/heartbeat.ts'

/** More than FIRST_SEQS, or the current life's beginning would pass for a new one. */
export const REMEMBERED = 2 * FIRST_SEQS
/** 64 bits of a digest tell messages apart: nobody without the key can choose them. */
const DIGEST_CHARS = 16

export interface Track {
  /** Highest seq of the current life; -1 before any. */
  last: number
  /** Beginnings of digests, as a ring that is written at `at`. */
  readonly seen: string[]
  at: number
}

export function newTrack(last: number): Track {
  return { last, seen: [], at: 0 }
}

/** Whether it is news; if so the track remembers it. */
export function admit(track: Track, seq: number, digest: string): boolean {
  const short = digest.slice(0, DIGEST_CHARS)
  if (seq <= track.last && seq >= FIRST_SEQS) return false
  // Also above the last one: a late first message may just have set that back.
  if (track.seen.includes(short)) return false
  track.last = seq
  track.seen[track.at] = short
  track.at = (track.at + 1) % REMEMBERED
  return true
}
