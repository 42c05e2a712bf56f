/** Interoperability: the DriverLibrary of octavia-lib, which provider drivers use, against ours. */
import { expect, test } from 'vitest'
import { SUBNET } from '../api/harness.ts'
import { startWithAgent } from './agent/client.ts'

/** Debian's python3-octavia-lib belongs to Debian's own interpreter. */
const PYTHON = '/usr/bin/python3'
const { exitCode } = Bun.spawnSync([PYTHON, '-c', 'import octavia_lib.api.drivers.driver_lib'])
const missing = exitCode === 0 ? '' : ' (skipped: python3-octavia-lib is not installed)'

const DRIVER = `
import json, sys
from octavia_lib.api.drivers import driver_lib, exceptions
status, stats, get, lb, listener, pool, monitor = sys.argv[1:]
lib = driver_lib.DriverLibrary(status_socket=status, stats_socket=stats, get_socket=get)
live = {'provisioning_status': 'ACTIVE', 'operating_status': 'ONLINE'}
lib.update_loadbalancer_status({
    'loadbalancers': [dict(live, id=lb)], 'listeners': [dict(live, id=listener)],
    'pools': [dict(live, id=pool)], 'healthmonitors': [dict(live, id=monitor)]})
lib.update_listener_statistics({'listeners': [{
    'id': listener, 'active_connections': 1, 'bytes_in': 2, 'bytes_out': 3,
    'request_errors': 4, 'total_connections': 5}]})
out = {
    'pool': lib.get_pool(pool).to_dict(recurse=True, render_unsets=True),
    'monitor': lib.get_healthmonitor(monitor).to_dict(),
    'missing': lib.get_pool('nobody')}
try:
    lib.update_loadbalancer_status({'pools': [{'id': pool, 'operating_status': 'FINE'}]})
except exceptions.UpdateStatusError as e:
    out['status'] = [e.status_object, e.status_object_id]
try:
    lib.update_listener_statistics({'listeners': [{'id': listener}]})
except exceptions.UpdateStatisticsError as e:
    out['stats'] = [e.stats_object, e.fault_string]
print(json.dumps(out))
`

test.skipIf(missing !== '')(`octavia-lib tells and asks${missing}`, async () => {
  const harness = await startWithAgent()
  const { body } = await harness.send('POST', '/v2.0/lbaas/loadbalancers', {
    loadbalancer: {
      provider: 'noop_driver',
      vip_subnet_id: SUBNET,
      listeners: [
        {
          protocol: 'HTTP',
          protocol_port: 80,
          default_pool: {
            name: 'back',
            protocol: 'HTTP',
            lb_algorithm: 'ROUND_ROBIN',
            healthmonitor: { type: 'HTTP', delay: 5, timeout: 3, max_retries: 2 },
          },
        },
      ],
    },
  })
  const { id, listeners, pools } = body.loadbalancer
  const ids = [id, listeners[0].id, pools[0].id, pools[0].healthmonitor.id] as const
  const { status_socket_path, stats_socket_path, get_socket_path } = harness
  const sockets = [status_socket_path, stats_socket_path, get_socket_path]
  const driver = Bun.spawn([PYTHON, '-c', DRIVER, ...sockets, ...ids], {
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: 15_000,
  })
  const [out, problems] = await Promise.all([
    new Response(driver.stdout).text(),
    new Response(driver.stderr).text(),
  ])
  expect(await driver.exited, problems).toBe(0)
  const told = JSON.parse(out)
  expect(told.pool).toMatchObject({ pool_id: ids[2], listener_id: ids[1], protocol: 'HTTP' })
  expect(told.monitor).toMatchObject({ healthmonitor_id: ids[3], max_retries: 2 })
  expect(told.missing).toBeNull()
  expect(told.status).toEqual(['pools', ids[2]])
  expect(told.stats).toEqual(['listeners', "'bytes_in'"])
  const shown = await harness.send('GET', `/v2.0/lbaas/loadbalancers/${id}`)
  expect(shown.body.loadbalancer).toMatchObject({
    provisioning_status: 'ACTIVE',
    operating_status: 'ONLINE',
  })
  const stats = await harness.send('GET', `/v2.0/lbaas/listeners/${ids[1]}/stats`)
  expect(stats.body.stats).toMatchObject({ bytes_in: 2, total_connections: 5 })
})
