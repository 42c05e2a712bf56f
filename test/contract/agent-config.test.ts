import { describe, expect, test } from 'vitest'
import {
  AGENT_CONFIG_FALLBACKS,
  type AgentConfig,
  parseAgentConfig,
  parseController,
  renderAgentConfig,
} from '../../src/contract/agent-config.ts'
import { AssertionFailure } from '../../src/system/assert.ts'

const CONFIG: AgentConfig = {
  ...AGENT_CONFIG_FALLBACKS,
  amphora_id: '7c4f6d2e-5b1c-4a53-9a1e-0d7f3c1b2a10',
  controller_ip_port_list: ['172.16.0.2:5555', '[fd00::1]:5555', 'controller.example:5555'],
  heartbeat_key: 'a = key; with # what INI might misread $1 %(x)s',
}

test('what is rendered is what is parsed', () => {
  expect(parseAgentConfig(renderAgentConfig(CONFIG))).toEqual(CONFIG)
})

test('the file has the sections and options of upstream', () => {
  const lines = renderAgentConfig({ ...CONFIG, heartbeat_key: 'k' }).split('\n')
  expect(lines.filter((line) => line.startsWith('['))).toEqual([
    '[haproxy_amphora]',
    '[health_manager]',
    '[amphora_agent]',
    '[controller_worker]',
  ])
  expect(lines).toContain(
    'controller_ip_port_list = 172.16.0.2:5555, [fd00::1]:5555, controller.example:5555',
  )
  expect(lines).toContain('heartbeat_interval = 10')
  expect(lines).toContain('heartbeat_key = k')
  expect(lines).toContain('agent_request_read_timeout = 180')
})

test('a file of upstream is understood, with what this agent does not know', () => {
  const text = `[DEFAULT]
debug = False
use_syslog = True

; a comment
[haproxy_amphora]
base_path = /srv/octavia
bind_host = ::
[health_manager]
controller_ip_port_list = 192.0.2.1:5555
heartbeat_interval = 3
heartbeat_key = insecure
[amphora_agent]
amphora_id = x
amphora_udp_driver = keepalived_lvs
agent_server_network_dir =
agent_tls_protocol = TLSv1.1
[controller_worker]
loadbalancer_topology = SINGLE
`
  expect(parseAgentConfig(text)).toEqual({
    ...AGENT_CONFIG_FALLBACKS,
    amphora_id: 'x',
    base_path: '/srv/octavia',
    controller_ip_port_list: ['192.0.2.1:5555'],
    heartbeat_key: 'insecure',
    heartbeat_interval_s: 3,
  })
})

describe('an unusable file is refused by the name of the option, without its value', () => {
  const good = renderAgentConfig({ ...CONFIG, heartbeat_key: 'SECRET' })
  test.each([
    ['amphora_agent.amphora_id', /^amphora_id = .*$/m, ''],
    ['health_manager.heartbeat_key', /^heartbeat_key = .*$/m, ''],
    ['haproxy_amphora.bind_port', /^bind_port = .*$/m, 'bind_port = SECRET'],
    ['haproxy_amphora.bind_port', /^bind_port = .*$/m, 'bind_port = 65536'],
    ['health_manager.heartbeat_interval', /^heartbeat_interval = .*$/m, 'heartbeat_interval = 0'],
    [
      'amphora_agent.agent_tls_protocol',
      /^agent_tls_protocol = .*$/m,
      'agent_tls_protocol = SECRET',
    ],
    [
      'controller_ip_port_list',
      /^controller_ip_port_list = .*$/m,
      'controller_ip_port_list = SECRET',
    ],
    ['not an option', /^heartbeat_key = .*$/m, 'heartbeat_key SECRET'],
  ])('%s', (name, line, instead) => {
    const changed = good.replace(line, instead)
    expect(() => parseAgentConfig(changed)).toThrow(name)
    expect(() => parseAgentConfig(changed)).not.toThrow('SECRET')
  })
})

test.each(['a\nb', ' a', 'a\r', 'a\0'])('a value that does not fit a line is a bug: %j', (key) => {
  expect(() => renderAgentConfig({ ...CONFIG, heartbeat_key: key })).toThrow(AssertionFailure)
})

test.each([
  ['10.0.0.1:5555', { host: '10.0.0.1', port: 5555 }],
  ['[fd00::1]:1', { host: 'fd00::1', port: 1 }],
  ['name:65535', { host: 'name', port: 65_535 }],
  ['name:65536', undefined],
  ['name:0', undefined],
  ['fd00::1:5555', { host: 'fd00::1', port: 5555 }],
  ['10.0.0.1:80:5555', undefined],
  ['[name]:5555', undefined],
  ['name', undefined],
  ['', undefined],
])('controller %s', (text, expected) => {
  expect(parseController(text)).toEqual(expected)
})
