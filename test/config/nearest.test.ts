import { expect, test } from 'vitest'
import { editDistance, nearest } from '../../src/config/nearest.ts'

test.each([
  ['', '', 0],
  ['bind_host', 'bind_host', 0],
  ['bind_hots', 'bind_host', 1],
  ['bind_hst', 'bind_host', 1],
  ['bind_hoost', 'bind_host', 1],
  ['kitten', 'sitting', 3],
  ['', 'abc', 3],
  ['ca', 'abc', 3],
])('%s to %s takes %i', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance)
  expect(editDistance(b, a)).toBe(distance)
})

test.each([
  ['bind_prot', ['bind_host', 'bind_port'], 'bind_port'],
  ['DEBUG', ['debug'], 'debug'],
  ['constructor', ['debug'], undefined],
  ['x', [], undefined],
] as const)('%s among %j means %s', (name, candidates, meant) => {
  expect(nearest(name, candidates)).toBe(meant)
})
