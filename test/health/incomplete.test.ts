import { expect, test } from 'vitest'
import { Incomplete } from '../../src/health/incomplete.ts'

const MINUTE_MS = 60_000

/** `-` lacks listeners, `+` is whole, `!` lacks listeners and is due. A minute apart. */
test.each([
  ['once', '-'],
  ['twice in a row', '-!'],
  ['not in a row', '-+-+-'],
  ['in a row, later', '-+-!'],
  ['for ever: again after ten minutes, and by two messages', '-!----------!'],
  ['after it was told and whole: not before ten minutes', '-!+--+--'],
])('an amphora that lacks listeners %s: %s', (_name, story) => {
  const incomplete = new Incomplete()
  const seen = [...story].map((each, n) => {
    if (each !== '+') {
      const due = incomplete.isDue('a', n * MINUTE_MS)
      if (due) incomplete.told('a', n * MINUTE_MS)
      return due ? '!' : '-'
    }
    incomplete.isWhole('a')
    return each
  })
  expect(seen.join('')).toBe(story)
})

test('the amphorae it remembers are limited', () => {
  const incomplete = new Incomplete()
  for (let n = 0; n <= 1_000; n++) expect(incomplete.isDue(`amphora ${n}`, 0)).toBe(false)
  expect(incomplete.isDue('amphora 0', 1)).toBe(false)
  expect(incomplete.isDue('amphora 1000', 1)).toBe(true)
})

test('one that could not be told stays due', () => {
  const incomplete = new Incomplete()
  const due = [0, 1, 2].map((now) => incomplete.isDue('a', now))
  expect(due).toEqual([false, true, true])
})
