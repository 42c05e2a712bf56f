import { expect, test } from 'vitest'
import { AGENT_CONFIG_FALLBACKS, type AgentConfig } from '../../src/contract/agent-config.ts'
import {
  type LogSettings,
  parseRsyslog,
  redirectLogs,
  renderRsyslog,
  withRsyslog,
} from '../../src/contract/rsyslog.ts'

const config: AgentConfig = {
  ...AGENT_CONFIG_FALLBACKS,
  ...{ amphora_id: 'a', heartbeat_key: 'k', controller_ip_port_list: [] },
}
const settings = (over: Partial<LogSettings>): LogSettings => ({ ...config, ...over })
const LOGS = settings({
  tenant_log_targets: ['10.0.0.1:514', '[fd00::1]:1514'],
  admin_log_targets: ['logs.example:514'],
  ...{ log_protocol: 'TCP', log_retry_count: 9, log_retry_interval_s: 3, log_queue_size: 77 },
  ...{ user_log_facility: 3, administrative_log_facility: 4 },
})

/** In upstream's own form: other spaces, the attributes of an action on lines of their own. */
const UPSTREAM = `ruleset(name="tenant_forwarding" queue.type="linkedList" queue.size="77") {
  action(type="omfwd"
         target="10.0.0.1"
         port="514"
         protocol="TCP"
         action.resumeRetryCount="9"
         action.resumeInterval="3"
         )
  action(type="omfwd"
         target="[fd00::1]"
         port="1514"
         protocol="TCP"
         action.resumeRetryCount="9"
         action.resumeInterval="3"
         action.execOnlyWhenPreviousIsSuspended="on")
}
local3.=info call tenant_forwarding

ruleset(name="admin_forwarding" queue.type="linkedList" queue.size="77") {
  action(type="omfwd"
         target="logs.example"
         port="514"
         protocol="TCP"
         action.resumeRetryCount="9"
         action.resumeInterval="3"
         )
}
local4.* call admin_forwarding
*.* stop`

test('what is rendered is read again, and so is what upstream renders', () => {
  const read = parseRsyslog(renderRsyslog(LOGS))
  expect({ ...config, ...read }).toEqual({ ...config, ...LOGS })
  expect(parseRsyslog(UPSTREAM)).toEqual(read)
})

test('all logs of an amphora, but for those of its owner', () => {
  const all = settings({ admin_log_targets: ['10.0.0.9:514'], forward_all_logs: true })
  const text = renderRsyslog(all)
  expect(text).toContain('\n*.*;local0.none call admin_forwarding\n')
  expect(text).not.toContain('tenant')
  expect(parseRsyslog(text)).toMatchObject({ forward_all_logs: true, tenant_log_targets: [] })
})

test('nobody wants logs', () => {
  expect(renderRsyslog(config)).toBe('')
  expect(parseRsyslog('')).toMatchObject({ tenant_log_targets: [], admin_log_targets: [] })
})

test('what is not to be understood is left out', () => {
  const odd = `ruleset(name="tenant_forwarding") {
  action(type="omfwd" target="a b" port="514")
  action(type="omfwd" target="10.0.0.1" port="99999")
  action(type="omfwd" target="10.0.0.2" port="514" protocol="SCTP" action.resumeRetryCount="-1")
}`
  expect(withRsyslog(config, odd)).toEqual({ ...config, tenant_log_targets: ['10.0.0.2:514'] })
})

test('a configuration that names log servers is not changed', () => {
  const own = { ...config, admin_log_targets: ['10.0.0.3:514'] }
  expect(withRsyslog(own, UPSTREAM)).toBe(own)
  expect(withRsyslog(config, undefined)).toBe(config)
})

const HAPROXY = `global
    log /run/rsyslog/octavia/log local0
    log /dev/log local1 notice
    log-format /dev/log
defaults
    log global
`

test('haproxy sends its lines to who is there', () => {
  expect(redirectLogs(HAPROXY, null)).toBe(HAPROXY)
  const lines = redirectLogs(HAPROXY, '127.0.0.1:9514').split('\n')
  expect(lines.slice(1, 4)).toEqual([
    '    log 127.0.0.1:9514 local0',
    '    log 127.0.0.1:9514 local1 notice',
    '    log-format /dev/log',
  ])
})
