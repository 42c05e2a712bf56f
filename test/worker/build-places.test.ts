/** So many amphorae boot at a time, those that replace others first. */
import { expect, test } from 'vitest'
import { BuildPlaces } from '../../src/worker/build-places.ts'
import { createFakeWorld } from '../fake/world.ts'
import { named, statuses } from './found.ts'
import { begin, run } from './scenarios.ts'

test('without a limit nobody waits', () => {
  const places = new BuildPlaces(-1)
  for (let n = 0; n < 100; n++) expect(places.take([`${n}`], 'create', 0)).toBe(true)
})

test('failovers come first, then who has waited longest', () => {
  const places = new BuildPlaces(1)
  expect(places.take(['a'], 'create', 0)).toBe(true)
  expect(places.take(['a'], 'create', 1)).toBe(true)
  expect(places.take(['b'], 'create', 2)).toBe(false)
  expect(places.take(['c'], 'create', 3)).toBe(false)
  expect(places.take(['d'], 'failover', 4)).toBe(false)
  places.release(['a'])
  expect(places.take(['c'], 'create', 5)).toBe(false)
  expect(places.take(['b'], 'create', 6)).toBe(false)
  expect(places.take(['d'], 'failover', 7)).toBe(true)
  places.release(['d'])
  expect(places.take(['c'], 'create', 8)).toBe(false)
  expect(places.take(['b'], 'create', 9)).toBe(true)
})

test('who does not ask any more holds nobody up', () => {
  const places = new BuildPlaces(1)
  places.hold(['a'])
  expect(places.take(['b'], 'failover', 0)).toBe(false)
  places.release(['a'])
  expect(places.take(['c'], 'create', 1_000)).toBe(false)
  expect(places.take(['c'], 'create', 70_000)).toBe(true)
})

test('both of a pair boot together, also where one place is all there is', () => {
  const places = new BuildPlaces(1)
  expect(places.take(['a'], 'create', 0)).toBe(true)
  expect(places.take(['b', 'c'], 'create', 1)).toBe(false)
  places.release(['a'])
  expect(places.take(['b', 'c'], 'create', 2)).toBe(true)
  expect(places.take(['d'], 'create', 3)).toBe(false)
})

const other = createFakeWorld()
test.each(['load-balancer-create', 'load-balancer-create of a pair', 'load-balancer-failover'])(
  '%s waits for a place and gives it back',
  async (name) => {
    const history = await begin(named(name))
    const places = new BuildPlaces(1)
    places.hold(['somebody else'])
    let asked = 0
    const take = places.take.bind(places)
    places.take = (...request) => {
      if (++asked === 3) places.release(['somebody else'])
      return take(...request)
    }
    await run({ ...history, world: { ...history.world, places } })
    expect((await statuses(history)).lb).toMatch(/^ACTIVE/)
    expect(asked).toBeGreaterThanOrEqual(3)
    expect(take(['the next'], 'create', other.clock.now())).toBe(true)
  },
)

test('one that fails gives its place back', async () => {
  const history = await begin(named('load-balancer-create'))
  const places = new BuildPlaces(1)
  history.world.cloud.fault = (operation) => {
    if (operation === 'find') throw new Error('broken')
  }
  await run({ ...history, world: { ...history.world, places } })
  expect(places.take(['the next'], 'create', 0)).toBe(true)
})
