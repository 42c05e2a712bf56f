/** haproxy's metrics in Octavia's words. */
import { expect, test } from 'vitest'
import { renameMetrics } from '../../src/dataplane/haproxy/metrics.ts'

function renamed(...lines: readonly string[]): readonly string[] {
  return renameMetrics(`${lines.join('\n')}\n`, { cpu: 12.34, memory: 50 })
    .trimEnd()
    .split('\n')
    .slice(6)
}

test('the load of the amphora comes first', () => {
  const lines = renameMetrics('', { cpu: 12.34, memory: 50 }).split('\n')
  expect(lines.slice(0, 3)).toEqual([
    '# HELP octavia_loadbalancer_cpu Load balancer CPU utilization (percentage).',
    '# TYPE octavia_loadbalancer_cpu gauge',
    'octavia_loadbalancer_cpu 12.3',
  ])
  expect(lines[5]).toBe('octavia_loadbalancer_memory 50.0')
})

test.each([
  ['haproxy_process_requests_total 7', 'octavia_loadbalancer_requests_total 7'],
  [
    '# TYPE haproxy_process_requests_total counter',
    '# TYPE octavia_loadbalancer_requests_total counter',
  ],
  ['haproxy_process_pool_used_bytes 9', 'octavia_memory_pool_used_bytes 9'],
  [
    'haproxy_frontend_bytes_in_total{proxy="l1"} 5',
    'octavia_listener_bytes_in_total{listener="l1"} 5',
  ],
  [
    'haproxy_frontend_http_responses_total{proxy="l1",code="2xx"} 5',
    'octavia_listener_http_responses_total{listener="l1",code="2xx"} 5',
  ],
  ['haproxy_backend_active_servers{proxy="p:l1"} 2', 'octavia_pool_active_members{pool="p:l1"} 2'],
  [
    'haproxy_server_status{proxy="p:l1",server="m",state="UP"} 1',
    'octavia_member_status{pool="p:l1",member="m",state="UP"} 1',
  ],
  [
    '# HELP haproxy_backend_active_servers Current number of active servers.',
    '# HELP octavia_pool_active_members Current number of active members.',
  ],
])('%s', (line, expected) => {
  expect(renamed(line)).toEqual([expected])
})

test.each([
  'haproxy_process_build_info{version="2.6.12"} 1',
  'haproxy_process_pid 12',
  'haproxy_frontend_bytes_in_total{proxy="prometheus-exporter-internal-endpoint"} 5',
  'haproxy_server_status{proxy="prometheus-exporter-internal",server="prometheus-internal"} 1',
  'haproxy_sticktable_size{name="x"} 1',
  'something else',
  '',
])('%s is not shown', (line) => {
  expect(renamed(line)).toEqual([])
})
