import { expect, test } from 'vitest'
import { Restarts } from '../../src/agent/restarts.ts'

/** When a program is started which always dies so many seconds after its start, in seconds. */
function startsOf(lifetime_s: number, count: number): number[] {
  const restarts = new Restarts()
  const starts: number[] = []
  for (let now_s = 0; starts.length < count; now_s++) {
    const last_s = starts.at(-1)
    if (last_s !== undefined && now_s < last_s + lifetime_s) continue
    if (!restarts.isDue('a', now_s * 1000)) continue
    restarts.note('a', now_s * 1000)
    starts.push(now_s)
  }
  return starts
}

test.each([
  ['at once: ever more seldom, every half minute at last', 0, [0, 1, 3, 7, 15, 31, 61, 91]],
  ['after five seconds: likewise', 5, [0, 5, 10, 15, 23, 39, 69]],
  ['after eleven seconds: at once, each time', 11, [0, 11, 22, 33, 44]],
])('a program that dies %s', (_name, lifetime_s, expected) => {
  expect(startsOf(lifetime_s, expected.length)).toEqual(expected)
})

test('one that did what it was told to is started at once', () => {
  const restarts = new Restarts()
  for (const now_ms of [0, 1_000]) restarts.note('a', now_ms)
  expect(restarts.isDue('a', 2_000)).toBe(false)
  restarts.forget('a')
  expect(restarts.isDue('a', 2_000)).toBe(true)
})
