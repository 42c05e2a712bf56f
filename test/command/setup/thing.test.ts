import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CommandFailure } from '../../../src/command/io.ts'
import { renderSections } from '../../../src/command/setup/configuration.ts'
import {
  makeMissing,
  obstaclesOf,
  Record,
  survey,
  type Thing,
  takeBack,
} from '../../../src/command/setup/thing.ts'

const KEYS = ['user', 'network', 'subnet'] as const

/** A cloud in which calls can fail before or after they took effect. */
function cloud(there: readonly string[] = []) {
  const made = new Set(there)
  const fault = { at: '', after: false }
  const calls: string[] = []
  const attempt = (call: string, act: () => void): void => {
    calls.push(call)
    if (fault.at === call && !fault.after) throw new Error(`before ${call}`)
    act()
    if (fault.at === call) throw new Error(`after ${call}`)
  }
  const things = KEYS.map(
    (key, at): Thing => ({
      key,
      title: key,
      find: async () => (made.has(key) ? `id-${key}` : undefined),
      make: async (ids) => {
        const before = KEYS[at - 1]
        if (before !== undefined) expect(ids.get(before)).toBe(`id-${before}`)
        attempt(`make ${key}`, () => made.add(key))
        return `id-${key}`
      },
      remove: async (id) => {
        expect(id).toBe(`id-${key}`)
        attempt(`remove ${key}`, () => made.delete(key))
      },
    }),
  )
  return { things, made, fault, calls }
}

const recordFile = () => join(mkdtempSync(join(tmpdir(), 'setup-')), 'setup.json')
const nobody = () => {}

test('what is missing is made once, and a second time nothing', async () => {
  const { things, calls } = cloud(['network'])
  const file = recordFile()
  const told: [string, boolean][] = []
  await makeMissing(things, new Record(file), ({ key }, isNew) => told.push([key, isNew]))
  await makeMissing(things, new Record(file), nobody)
  expect(told).toEqual([
    ['user', true],
    ['network', false],
    ['subnet', true],
  ])
  expect(calls).toEqual(['make user', 'make subnet'])
})

test('only what was made is taken back, the last first', async () => {
  const { things, made, calls } = cloud(['network'])
  const file = recordFile()
  await makeMissing(things, new Record(file), nobody)
  await takeBack(things, new Record(file), nobody)
  expect([...made]).toEqual(['network'])
  expect(calls.slice(2)).toEqual(['remove subnet', 'remove user'])
  await takeBack(things, new Record(file), nobody)
  expect(calls).toHaveLength(4)
})

const INTERRUPTIONS = KEYS.flatMap((key) =>
  ['make', 'remove'].flatMap((verb) =>
    [false, true].map((after) => [`${verb} ${key}`, after] as const),
  ),
)

test.each(INTERRUPTIONS)('interrupted at %s (after it took effect: %s)', async (at, after) => {
  const { things, made, fault } = cloud()
  const file = recordFile()
  Object.assign(fault, { at, after })
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    await work().catch(() => {})
    fault.at = ''
    await work()
  }
  await attempt(() => makeMissing(things, new Record(file), nobody))
  expect([...made].sort()).toEqual([...KEYS].sort())
  Object.assign(fault, { at, after })
  await attempt(() => takeBack(things, new Record(file), nobody))
  expect([...made]).toEqual([])
})

test('looking changes nothing', async () => {
  const { things, calls } = cloud(['user'])
  const found = await survey(things)
  expect(found.map(({ id }) => id)).toEqual(['id-user', undefined, undefined])
  expect(calls).toEqual([])
})

test('what cannot be made is told before anything is made, and only while it is missing', async () => {
  const { things } = cloud(['user'])
  const stuck = things.map((thing) => ({ ...thing, obstacle: `no way to make ${thing.key}` }))
  expect(obstaclesOf(await survey([...stuck.slice(0, 2), ...things.slice(2)]))).toEqual([
    'no way to make network',
  ])
})

test('a record that cannot be read is not taken for an empty one', () => {
  const file = recordFile()
  writeFileSync(file, '{"made":')
  expect(() => new Record(file)).toThrow(CommandFailure)
})

test('a configuration is TOML, whatever is in a password', () => {
  const sections = { a: { text: 'x"\\y', list: ['1'], flag: true }, b: { number: 5 } }
  const text = renderSections(sections)
  expect(Bun.TOML.parse(text)).toEqual(sections)
})
