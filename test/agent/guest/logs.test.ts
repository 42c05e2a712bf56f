/** Which log servers an amphora in a virtual machine knows, by what its config drive carries. */
import { expect, test } from 'vitest'
import { parseConfigDrive } from '../../../src/agent/guest/config-drive.ts'
import { agentConfigRenderer } from '../../../src/command/serve/settings.ts'
import { configDefaults } from '../../../src/config/load.ts'
import { AGENT_CONFIG_PATH, parseAgentConfig } from '../../../src/contract/agent-config.ts'
import { RSYSLOG_PATH, renderRsyslog, withRsyslog } from '../../../src/contract/rsyslog.ts'

const TENANT = ['10.0.0.1:514', '[fd00::1]:514']
const ADMIN = ['logs.example:1514']

function rendered(over: object): string {
  const plain = configDefaults()
  const config = { ...plain, amphora_agent: { ...plain.amphora_agent, ...over } }
  const known = { heartbeatKey: () => 'key', managementAddress: () => '172.16.0.2' }
  return agentConfigRenderer(() => config, known)({ id: 'amphora', topology: 'SINGLE' })
}

/** A drive whose user data writes these files, as cloud-init would. */
function onDrive(files: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const write_files = Object.entries(files).map(([path, content]) => ({ path, content }))
  const drive: Readonly<Record<string, string>> = {
    'meta_data.json': JSON.stringify({ uuid: 'server' }),
    user_data: `#cloud-config\n${JSON.stringify({ write_files })}\n`,
  }
  const config = parseConfigDrive((name) => drive[name])
  return new Map(config.files.map(({ path, content }) => [path, content]))
}

test('our controller names them in the configuration of the agent', () => {
  const targets = { tenant_log_targets: TENANT, admin_log_targets: ADMIN, log_protocol: 'TCP' }
  const files = onDrive({ [AGENT_CONFIG_PATH]: rendered(targets) })
  expect(parseAgentConfig(files.get(AGENT_CONFIG_PATH) ?? '')).toMatchObject(targets)
})

test("upstream's controller names them in a file for rsyslog", () => {
  const plain = rendered({})
  const told = { ...parseAgentConfig(plain), tenant_log_targets: TENANT, admin_log_targets: ADMIN }
  const files = onDrive({ [AGENT_CONFIG_PATH]: plain, [RSYSLOG_PATH]: renderRsyslog(told) })
  const config = parseAgentConfig(files.get(AGENT_CONFIG_PATH) ?? '')
  expect(config.tenant_log_targets).toEqual([])
  expect(withRsyslog(config, files.get(RSYSLOG_PATH))).toEqual(told)
})
