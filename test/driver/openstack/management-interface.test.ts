import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DriverError } from '../../../src/driver/error.ts'
import type { ManagementHost } from '../../../src/driver/openstack/management-host.ts'
import { ManagementInterface } from '../../../src/driver/openstack/management-interface.ts'
import type { Neutron } from '../../../src/driver/openstack/neutron.ts'
import { silentLog } from '../../../src/system/log.ts'
import { createFakeClock } from '../../fake/clock.ts'

const WISH = { network_id: 'net', host: 'one', security_groups: ['group'], plugging: null }

/** A Neutron of one network, and what was asked of the host. */
function world(file = join(mkdtempSync(join(tmpdir(), 'management-')), 'port.json')) {
  const ports = new Map<string, Record<string, unknown>>()
  const applied: string[] = []
  const state = { down: false, plugged: true, removed: 0, vif_type: 'bridge', taken: '' }
  let made = 0
  const row = (values: object) => ({
    mac_address: 'fa:16:3e:00:00:01',
    admin_state_up: true,
    'binding:vif_type': state.vif_type,
    ...values,
  })
  const neutron: Pick<Neutron, 'find' | 'list' | 'create' | 'update'> = {
    find: async (collection, id) => {
      if (state.down)
        throw new DriverError({ operation: 'a', subject: 'b', reason: 'down', retryable: true })
      if (collection === 'networks') return { id, mtu: 1450 }
      if (collection === 'subnets') return { id, cidr: '172.16.0.0/12' }
      return ports.get(id)
    },
    list: async () => [...ports.values()],
    create: async (_, values) => {
      const id = `port-${++made}`
      const { fixed_ips = [] } = values as { fixed_ips?: { ip_address: string }[] }
      const [wish] = fixed_ips
      const ip_address = wish?.ip_address ?? `172.16.0.${made + 1}`
      if (ip_address === state.taken)
        throw new DriverError({ operation: 'a', subject: 'b', reason: 'in use', retryable: false })
      ports.set(id, row({ ...values, id, fixed_ips: [{ subnet_id: 'subnet', ip_address }] }))
      return ports.get(id) ?? {}
    },
    update: async (_, id, changes) => {
      ports.set(id, { ...ports.get(id), ...changes })
      return ports.get(id)
    },
  }
  const host: ManagementHost = {
    apply: async (plugging, port) => {
      applied.push(`${plugging} ${port.id} ${port.addresses}`)
      return { done: [], plugged: state.plugged }
    },
    remove: async () => {
      state.removed++
    },
  }
  const clock = createFakeClock()
  const deps = { neutron: neutron as Neutron, host, clock, log: silentLog, file }
  const open = () => new ManagementInterface(deps, WISH)
  return { ports, applied, state, clock, open, file }
}

test('a port of this host is made, and its interface as it says', async () => {
  const { ports, applied, open, file } = world()
  const one = open()
  await one.start()
  expect(one.address).toBe('172.16.0.2')
  expect(applied).toEqual(['linuxbridge port-1 172.16.0.2/12'])
  expect(ports.get('port-1')).toMatchObject({
    name: 'octavia-health-manager-one-listen-port',
    device_owner: 'Octavia:health-mgr',
    'binding:host_id': 'one',
    security_groups: ['group'],
  })
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ id: 'port-1', mtu: 1450 })
  await one.stop()
})

test('while Neutron is down the interface is made from what it said last', async () => {
  const { applied, state, open } = world()
  const first = open()
  await first.start()
  await first.stop()
  state.down = true
  const second = open()
  await second.start()
  expect(applied).toHaveLength(2)
  expect(second.address).toBe('172.16.0.2')
  await second.stop()
})

test('without either it cannot start', async () => {
  const { state, open } = world()
  state.down = true
  await expect(open().start()).rejects.toThrow('down')
})

test('a port that was deleted or unbound is put right', async () => {
  const { ports, applied, clock, open } = world()
  const one = open()
  await one.start()
  ports.clear()
  await clock.advance(20_000)
  await one.heal()
  expect([...ports.keys()]).toEqual(['port-2'])
  // Amphorae send their heartbeats there.
  expect(one.address).toBe('172.16.0.2')
  ports.set('port-2', { ...ports.get('port-2'), 'binding:host_id': 'other', admin_state_up: false })
  await clock.advance(20_000)
  await one.heal()
  expect(ports.get('port-2')).toMatchObject({ 'binding:host_id': 'one', admin_state_up: true })
  expect(applied.length).toBeGreaterThan(2)
  await one.stop()
})

test('a port whose address somebody else has got meanwhile is made with another', async () => {
  const { ports, clock, open, state } = world()
  const one = open()
  await one.start()
  ports.clear()
  state.taken = '172.16.0.2'
  await clock.advance(20_000)
  await one.heal()
  expect([...ports.keys()]).toEqual(['port-3'])
  expect(one.address).toBe('172.16.0.4')
  await one.stop()
})

test('an interface that nobody plugs in is made anew, again and again but not at once', async () => {
  const { state, open } = world()
  const one = open()
  await one.start()
  state.plugged = false
  for (let look = 0; look < 3; look++) await one.heal()
  expect(state.removed).toBe(0)
  await one.heal()
  expect(state.removed).toBe(1)
  await one.stop()
})

test('a host that no agent of Neutron is on is told so', async () => {
  const { state, open } = world()
  state.vif_type = 'binding_failed'
  await expect(open().start()).rejects.toThrow('no agent of Neutron on this host')
})
