import { expect, test } from 'vitest'
import { WalSync } from '../../src/store/wal-sync.ts'

/** A disk whose syncs end when the test says so. */
function createDisk() {
  const syncs: { resolve(): void; reject(error: Error): void }[] = []
  const file = {
    sync: () => new Promise<void>((resolve, reject) => syncs.push({ resolve, reject })),
    close: () => {},
  }
  return { syncs, disk: new WalSync(file) }
}

/** Lets everything run that waits for nothing else. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

/** Which of the promises have been fulfilled so far. */
function watch(promises: readonly Promise<void>[]): string[] {
  const done: string[] = []
  promises.forEach((promise, at) => {
    promise.then(
      () => done.push(`${at}`),
      () => done.push(`${at} failed`),
    )
  })
  return done
}

test('commits that come during a sync share the next one', async () => {
  const { syncs, disk } = createDisk()
  const commit = (): Promise<void> => {
    disk.committed()
    return disk.synced()
  }
  const first = commit()
  await settle()
  const done = watch([first, commit(), commit(), commit()])
  await settle()
  expect([syncs.length, done]).toEqual([1, []])
  syncs[0]?.resolve()
  await settle()
  expect([syncs.length, done]).toEqual([2, ['0']])
  syncs[1]?.resolve()
  await settle()
  expect([syncs.length, done]).toEqual([2, ['0', '1', '2', '3']])
})

test('without a commit since the last sync there is none, but the running one is waited for', async () => {
  const { syncs, disk } = createDisk()
  await disk.synced()
  expect(syncs.length).toBe(0)
  disk.committed()
  const done = watch([disk.synced()])
  await settle()
  const second = watch([disk.synced()])
  await settle()
  expect([syncs.length, done, second]).toEqual([1, [], []])
  syncs[0]?.resolve()
  await settle()
  expect([syncs.length, done, second]).toEqual([1, ['0'], ['0']])
})

test('a sync that fails is told to those who wait for it, and tried again for the next', async () => {
  const { syncs, disk } = createDisk()
  disk.committed()
  const failed = watch([disk.synced()])
  await settle()
  syncs[0]?.reject(new Error('EIO'))
  await settle()
  expect(failed).toEqual(['0 failed'])
  const again = watch([disk.synced()])
  await settle()
  expect(syncs.length).toBe(2)
  syncs[1]?.resolve()
  await settle()
  expect(again).toEqual(['0'])
})
