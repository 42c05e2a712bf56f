import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeMountPoints, realPaths, removeMountPoints } from '../../../src/driver/local/host.ts'
import { LocalState } from '../../../src/driver/local/state.ts'

let folder: string
let state: LocalState
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'octavia-lite-host-'))
  state = new LocalState(join(folder, 'state'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('mount points are made once, remembered over a restart, and only those removed', () => {
  const [ours, theirs, filled] = ['ours', 'theirs', 'filled'].map((name) => join(folder, name))
  mkdirSync(theirs ?? '')
  const paths = [ours ?? '', theirs ?? '', filled ?? '']
  makeMountPoints(state, paths)
  makeMountPoints(state, paths)
  expect(paths.every((path) => existsSync(path))).toBe(true)
  expect(state.madeFolders).toEqual([ours, filled])
  writeFileSync(join(filled ?? '', 'file'), '')
  removeMountPoints(new LocalState(state.folder))
  expect(paths.map((path) => existsSync(path))).toEqual([false, true, true])
  expect(new LocalState(state.folder).madeFolders).toEqual([])
})

test('paths in a command are followed to where they lead', () => {
  const [target, link] = [join(folder, 'target'), join(folder, 'link')]
  writeFileSync(target, '')
  symlinkSync(target, link)
  expect(realPaths([link, 'agent', '--flag', '/nowhere'])).toEqual([link, target, '/nowhere'])
})
