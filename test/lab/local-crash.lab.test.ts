/**
 * The owner of the local cloud killed at every command it gives, before and after, over the whole
 * life of an amphora; then the next owner repeats the call, or deletes. Always the same end, and
 * nothing left.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { LocalCloud } from '../../src/driver/local/cloud.ts'
import { newId } from '../../src/system/ids.ts'
import { leftovers, snapshot } from './leftovers.ts'
import { askAgent, labMissing, openLabCloud } from './local-cloud.ts'
import { buildAmphora, deleteAmphora, type Story } from './local-story.ts'

const missing = labMissing()
const POINTS_MAX = 200

/** Runs the story in a process of its own up to the point; says whether that was reached. */
async function crashAt(folder: string, story: Story, point: number): Promise<boolean> {
  const owner = Bun.spawn(
    [
      ...[process.execPath, `${import.meta.dirname}/local-owner.ts`, folder],
      ...[story.amphora_id, story.load_balancer_id, String(point)],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const code = await owner.exited
  if (owner.signalCode === 'SIGKILL') return true
  expect(code).toBe(0)
  return false
}

async function repeat(cloud: LocalCloud, story: Story): Promise<void> {
  await buildAmphora(cloud, story)
  const report = await askAgent(cloud, story.amphora_id)
  expect(report.macs).toHaveLength(3)
  expect(await cloud.heal()).toEqual({ repaired: [], problems: [] })
  expect(cloud.listPorts()).toHaveLength(3)
}

test.skipIf(missing !== undefined).each(['repeat', 'delete'])(
  `killed at every command, then %s${missing ? ` (${missing})` : ''}`,
  async (then) => {
    let points = 0
    for (; points < POINTS_MAX; points++) {
      const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-crash-'))
      const before = await snapshot()
      const story = { amphora_id: newId(), load_balancer_id: newId() }
      const reached = await crashAt(folder, story, points)
      const cloud = openLabCloud(folder)
      try {
        await cloud.start()
        if (then === 'repeat') await repeat(cloud, story)
        await deleteAmphora(cloud, story)
        expect(cloud.listPorts()).toEqual([])
        expect(await cloud.teardownIfIdle()).toBe(true)
        expect(await leftovers(before), `point ${points}`).toEqual([])
      } finally {
        await cloud.teardown()
        rmSync(folder, { recursive: true })
      }
      if (!reached) break
    }
    expect(points).toBeGreaterThan(20)
    expect(points).toBeLessThan(POINTS_MAX)
  },
  300_000,
)
