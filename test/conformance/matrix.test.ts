/** Each feature of upstream's haproxy is a row of the traffic matrix. */
import { expect, test } from 'vitest'
import { MATRIX } from '../lab/matrix/rows.ts'
import { absentFeatures, HAPROXY_FEATURES, rowOddities } from '../lab/matrix/table.ts'

test('no feature of haproxy is without a row', () => {
  expect(HAPROXY_FEATURES).toHaveLength(37)
  expect(absentFeatures(MATRIX)).toEqual([])
})

test('a feature without a row is noticed, and so is a row that shows nothing', () => {
  expect(absentFeatures(MATRIX.filter((row) => !row.features.includes(268)))).toEqual([268])
  expect(rowOddities(MATRIX)).toEqual([])
  const [one] = MATRIX
  if (one === undefined) throw new Error('the matrix is empty')
  expect(rowOddities([one, one, { features: [1], shows: 'nothing' }])).toHaveLength(2)
})
