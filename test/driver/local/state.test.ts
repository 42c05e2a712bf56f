import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LocalState, type PortRecord } from '../../../src/driver/local/state.ts'
import { newId } from '../../../src/system/ids.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'octavia-lite-state-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function port(more: Partial<PortRecord> = {}): PortRecord {
  return {
    ...{ id: newId(), name: 'p', network_id: newId(), mac_address: '02:00:00:00:00:01' },
    ...{ device_id: '', device_owner: '', fixed_ips: [], vip_of: null, adopted: false },
    link: 'none',
    ...more,
  }
}

function putInstance(state: LocalState): string {
  const amphora_id = newId()
  mkdirSync(state.folderOf(amphora_id), { recursive: true })
  state.putInstance({ amphora_id, load_balancer_id: newId(), name: 'a', port_id: newId() })
  return amphora_id
}

test('everything is there again after a restart', () => {
  const state = new LocalState(folder)
  const amphora_id = putInstance(state)
  const [kept, removed] = [port({ link: 'instance', device_id: amphora_id }), port()]
  state.putPort(kept)
  state.putPort(removed)
  state.removePort(removed.id)
  state.setMadeFolders(['/etc/octavia'])
  const again = new LocalState(folder)
  expect(again.deployment).toBe(state.deployment)
  expect([...again.ports]).toEqual([kept])
  expect([...again.instances]).toEqual([...state.instances])
  expect(again.madeFolders).toEqual(['/etc/octavia'])
  expect(again.isEmpty()).toBe(false)
})

test('two deployments have different ids', () => {
  const other = mkdtempSync(join(tmpdir(), 'octavia-lite-state-'))
  expect(new LocalState(folder).deployment).not.toBe(new LocalState(other).deployment)
  rmSync(other, { recursive: true })
})

test('what a crash left half-done is finished or undone', () => {
  const state = new LocalState(folder)
  const amphora_id = putInstance(state)
  const kept = port()
  state.putPort(kept)
  // A write that was not renamed, an instance without a record, a deletion, a port of a lost
  // instance.
  writeFileSync(join(folder, 'ports', `${newId()}.json.77.tmp`), '{"id":')
  mkdirSync(join(folder, 'amphorae', newId(), 'etc'), { recursive: true })
  mkdirSync(join(folder, 'amphorae', `.deleted-${newId()}`, 'etc'), { recursive: true })
  state.putPort(port({ link: 'instance', device_id: newId() }))
  const again = new LocalState(folder)
  expect([...again.ports]).toEqual([kept])
  expect(readdirSync(join(folder, 'ports'))).toEqual([`${kept.id}.json`])
  expect(readdirSync(join(folder, 'amphorae'))).toEqual([amphora_id])
})

test('an instance is removed with its folder, again without complaint', () => {
  const state = new LocalState(folder)
  const amphora_id = putInstance(state)
  state.removeInstance(amphora_id)
  state.removeInstance(amphora_id)
  expect(existsSync(state.folderOf(amphora_id))).toBe(false)
  expect(state.findInstance(amphora_id)).toBeUndefined()
  expect(new LocalState(folder).isEmpty()).toBe(true)
})

test('a damaged record ends the start with a sentence and is not overwritten', () => {
  const state = new LocalState(folder)
  const damaged = port()
  state.putPort(damaged)
  const path = join(folder, 'ports', `${damaged.id}.json`)
  writeFileSync(path, '{"id": ')
  expect(() => new LocalState(folder)).toThrow(/it is damaged \(put it back from a backup/)
  expect(existsSync(path)).toBe(true)
})
