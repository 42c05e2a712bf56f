import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { findProcess, parseStat } from '../../../src/driver/local/process.ts'

test.each<[string, ReturnType<typeof parseStat>]>([
  [
    '12 (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20\n',
    { pid: 12, state: 'S', started: '4711' },
  ],
  [
    '12 (a) b (c) R) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20',
    { pid: 12, state: 'Z', started: '4711' },
  ],
  ['', undefined],
  ['12 (sh) S 1 2', undefined],
  ['garbage', undefined],
])('the process of %j', (line, expected) => {
  expect(parseStat(line)).toEqual(expected)
})

test('the stat line of this process is understood', () => {
  const parsed = parseStat(readFileSync('/proc/self/stat', 'utf8'))
  expect(parsed?.pid).toBe(process.pid)
})

test('a folder without a record has no process', () => {
  expect(findProcess('/nowhere')).toBeUndefined()
})
