import { expect, test } from 'vitest'
import { newOrderedId, parseUuid } from '../../src/system/ids.ts'

test('ordered ids are different UUIDs, each behind the ones before', () => {
  const ids = Array.from({ length: 10_000 }, newOrderedId)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.toSorted()).toEqual(ids)
  for (const id of ids) expect(parseUuid(id)).toBe(id)
})
