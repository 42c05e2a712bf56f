import { expect, test } from 'vitest'
import { FIRST_SEQS } from '../../src/contract/heartbeat.ts'
import { admit, newTrack, REMEMBERED } from '../../src/health/replay.ts'

/** The digest of message `seq` in that life of the agent. */
const digest = (seq: number, life = 0): string => `${life}-${seq}`.padStart(64, '0').slice(-16)

test('within one life only a higher seq is news', () => {
  const track = newTrack(-1)
  const sent = [0, 1, 2, 2, 1, 5, 3, 5, 6]
  expect(sent.map((seq) => admit(track, seq, digest(seq)))).toEqual([
    true,
    true,
    true,
    false,
    false,
    true,
    // Lost, so never seen, and then sent late: one of the first messages, so it passes for a new
    // life.
    true,
    false,
    true,
  ])
})

test('an agent which begins at 0 again is heard, even if its first messages got lost', () => {
  for (let first = 0; first < FIRST_SEQS; first++) {
    const track = newTrack(900)
    expect(admit(track, first, digest(first, 1))).toBe(true)
    expect(admit(track, first + 1, digest(first + 1, 1))).toBe(true)
  }
  expect(admit(newTrack(900), FIRST_SEQS, digest(FIRST_SEQS, 1))).toBe(false)
})

test('the beginning of the current life is no new life while it is remembered', () => {
  const track = newTrack(-1)
  for (let seq = 0; seq < REMEMBERED; seq++) expect(admit(track, seq, digest(seq))).toBe(true)
  for (let seq = 0; seq < REMEMBERED; seq++) expect(admit(track, seq, digest(seq))).toBe(false)
})

test('an agent which keeps its seq cannot be replayed, however long ago', () => {
  const track = newTrack(-1)
  const life = Array.from({ length: 1000 }, (_, i) => FIRST_SEQS + i)
  for (const seq of life) expect(admit(track, seq, digest(seq))).toBe(true)
  for (const seq of life) expect(admit(track, seq, digest(seq))).toBe(false)
  const restarted = newTrack(track.last)
  for (const seq of life) expect(admit(restarted, seq, digest(seq))).toBe(false)
})
