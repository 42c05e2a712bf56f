import { expect, test } from 'vitest'
import { checkConfig, configDefaults } from '../../src/config/load.ts'
import { mutableChanges } from '../../src/config/reload.ts'
import { present } from '../../src/system/assert.ts'

const AROUND = { root: true, home: '/root', hostname: 'lab-1' }
const running = configDefaults(AROUND)

function loaded(text: string) {
  return present(checkConfig(text, AROUND).config, 'a right configuration')
}

test('the same file changes nothing', () => {
  const reload = mutableChanges(running, loaded(''))
  expect(reload).toEqual({ config: running, changed: [], ignored: [] })
})

test('mutable options change, others wait for a restart and are told', () => {
  const text = `
    [DEFAULT]
    debug = true
    [api_settings]
    bind_port = 1234
    [health_manager]
    heartbeat_key = "new"
    heartbeat_interval = 5
    controller_ip_port_list = ["172.16.0.2:5555", "172.16.0.3:5555"]
    [nova]
    region_name = "r"`
  const reload = mutableChanges(running, loaded(text))
  expect(reload.changed).toEqual([
    'DEFAULT.debug',
    'health_manager.controller_ip_port_list',
    'health_manager.heartbeat_key',
    'health_manager.heartbeat_interval',
  ])
  expect(reload.ignored).toEqual(['api_settings.bind_port', 'nova.region_name'])
  expect(reload.config.DEFAULT.debug).toBe(true)
  expect(reload.config.health_manager.heartbeat_key).toBe('new')
  expect(reload.config.health_manager.bind_port).toBe(5555)
  expect(reload.config.api_settings.bind_port).toBe(9876)
  expect(Object.isFrozen(reload.config.health_manager)).toBe(true)
})

test('an option removed from the file goes back to its default', () => {
  const before = loaded('[health_manager]\nheartbeat_interval = 5')
  const reload = mutableChanges(before, running)
  expect(reload.changed).toEqual(['health_manager.heartbeat_interval'])
  expect(reload.config.health_manager.heartbeat_interval).toBe(10)
})
