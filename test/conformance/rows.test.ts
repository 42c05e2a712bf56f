/** The conformance table names tests that exist, and leaves out no row. */
import { expect, test } from 'vitest'
import { AREAS, absentTests, readRows } from './rows.ts'

const rows = readRows()

test('every row of every area is there once, in order', () => {
  const expected = AREAS.flatMap(([area, first, last]) =>
    Array.from({ length: last - first + 1 }, (_, at) => `${area} ${first + at}`),
  )
  expect(rows.map(({ id, area }) => `${area} ${id}`)).toEqual(expected)
  expect(rows).toHaveLength(392)
})

test('every test which the table names exists', () => {
  expect(rows.filter(({ state }) => state !== 'missing').length).toBeGreaterThan(90)
  expect(absentTests(rows)).toEqual([])
})

test('a test that is gone is noticed, and a row that says nothing is no row', () => {
  const named = readRows('| 1 | RBAC | x | api/edge: no such title; no/where: x | |')
  expect(absentTests(named)).toHaveLength(2)
  expect(() => readRows('| 1 | RBAC | x | | |')).toThrow('neither shown nor lacking')
})

test.each([
  ['| 1 | RBAC | x | a/b: c | |', 'done'],
  ['| 1 | RBAC | x | a/b: c | more |', 'partial'],
  ['| 1 | RBAC | x | | all |', 'missing'],
])('%s is %s', (line, state) => {
  expect(readRows(line)[0]?.state).toBe(state)
})
