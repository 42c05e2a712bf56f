import { expect, test } from 'vitest'
import { newOrderedId, parseUuid } from '../../src/system/ids.ts'

test('ordered ids are different UUIDs, each behind the ones before', () => {
  const ids = Array.from({ length: 10_000 }, newOrderedId)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.toSorted()).toEqual(ids)
  for (const id of ids) expect(parseUuid(id)).toBe(id)
})

test('ordered ids say version 4, which clients look for', () => {
  expect(newOrderedId()).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  )
})
