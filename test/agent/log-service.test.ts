/** What haproxy says on its way through the agent, as two kinds of log servers get it. */
import { createSocket } from 'node:dgram'
import { expect, onTestFinished, test } from 'vitest'
import { LogService } from '../../src/agent/log-service.ts'
import { AGENT_CONFIG_FALLBACKS, type AgentConfig } from '../../src/contract/agent-config.ts'
import { systemClock } from '../../src/system/clock.ts'
import { silentLog } from '../../src/system/log.ts'

const config: AgentConfig = {
  ...AGENT_CONFIG_FALLBACKS,
  ...{ amphora_id: 'a', heartbeat_key: 'k', controller_ip_port_list: [] },
}

test('lines of connections go to one, all others to the other', async () => {
  const got: string[] = []
  const { promise: heard, resolve } = Promise.withResolvers<void>()
  const logs = new LogService(
    {
      ...{ clock: systemClock, log: silentLog, hostname: 'amphora-x' },
      send: async (datagram, host, port) => {
        got.push(`${host}:${port} ${datagram}`)
        if (got.length === 2) resolve()
      },
      inside: (open) => open(),
    },
    {
      ...config,
      tenant_log_targets: ['192.0.2.1:514'],
      admin_log_targets: ['[2001:db8::1]:1514'],
    },
  )
  await logs.start()
  const haproxy = createSocket('udp4')
  onTestFinished(() => {
    logs.stop()
    haproxy.close()
  })
  const [host = '', port = ''] = (logs.address ?? '').split(':')
  const say = (line: string) => haproxy.send(line, Number(port), host)
  say('<134>Nov 29 01:26:49 haproxy[1]: a connection\n')
  say('<141>Nov 29 01:26:49 haproxy[1]: a server is down\n')
  await heard
  expect(got.toSorted()).toEqual([
    '192.0.2.1:514 <134>Nov 29 01:26:49 amphora-x haproxy[1]: a connection',
    '2001:db8::1:1514 <141>Nov 29 01:26:49 amphora-x haproxy[1]: a server is down',
  ])
})

test('without log servers nobody listens, and haproxy is told so', async () => {
  const deps = { clock: systemClock, log: silentLog, hostname: 'a', send: async () => {} }
  const logs = new LogService({ ...deps, inside: () => Promise.reject(new Error('no')) }, config)
  await logs.start()
  expect(logs.address).toBeNull()
})
