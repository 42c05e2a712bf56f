/** The agent's parts on a temporary folder, with programs that only pretend. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { CertificateStore } from '../../src/agent/certificates.ts'
import { HaproxyService } from '../../src/agent/haproxy.ts'
import { KeepalivedService } from '../../src/agent/keepalived.ts'
import { LvsService } from '../../src/agent/lvs.ts'
import { pathsOf } from '../../src/agent/paths.ts'
import { AGENT_CONFIG_FALLBACKS, type AgentConfig } from '../../src/contract/agent-config.ts'
import { silentLog } from '../../src/system/log.ts'
import type { Processes, RunResult } from '../../src/system/process.ts'
import { createFakeClock } from '../fake/clock.ts'

export const LB = 'b5f4c1de-1f0a-4a51-8a5e-0a7c8f1d9e01'

export function createFixture() {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-agent-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const config: AgentConfig = {
    ...AGENT_CONFIG_FALLBACKS,
    amphora_id: '7c4f6d2e-5b1c-4a53-9a1e-0d7f3c1b2a10',
    base_path: folder,
    base_cert_dir: join(folder, 'certs'),
    agent_server_network_dir: join(folder, 'interfaces'),
    controller_ip_port_list: ['192.0.2.1:5555', '[2001:db8::1]:5556'],
    heartbeat_key: 'key',
  }
  const paths = pathsOf(config)
  const clock = createFakeClock()
  const calls: string[][] = []
  /** What the next start answers. */
  const behaviour = { startCode: 0 }
  const stdins: string[] = []
  /** Asked first, before the usual answers. */
  const answers: ((argv: readonly string[]) => RunResult | undefined)[] = []
  const processes: Processes = {
    run: async (argv, { stdin } = {}) => {
      calls.push([...argv])
      if (stdin !== undefined) stdins.push(stdin)
      for (const answer of answers) {
        const result = answer(argv)
        if (result !== undefined) return result
      }
      if (argv.includes('-v'))
        return { code: 0, stdout: 'HAProxy version 2.6.12-1 2026/10/17', stderr: '' }
      if (argv.includes('--version'))
        return { code: 0, stdout: '', stderr: 'Keepalived v2.2.7 (01/16,2022)' }
      if (argv.includes('-c')) {
        const file = argv[argv.indexOf('-f') + 1] ?? ''
        const bad = existsSync(file) && readFileSync(file, 'utf8').includes('bad')
        return { code: bad ? 1 : 0, stdout: '', stderr: bad ? '[ALERT] bad\n' : '' }
      }
      const uploaded = argv.find((word) => word.startsWith('--use-file='))?.split('=')[1]
      if (uploaded !== undefined && readFileSync(uploaded, 'utf8').includes('bad'))
        return { code: 5, stdout: '', stderr: 'bad\n' }
      return { code: behaviour.startCode, stdout: '', stderr: 'why it did not start' }
    },
  }
  const certificates = new CertificateStore({ processes, paths })
  const haproxy = new HaproxyService({
    processes,
    clock,
    log: silentLog,
    paths,
    certificates,
    haproxy_cmd: config.haproxy_cmd,
    amphora_id: config.amphora_id,
    announce: async () => {},
  })
  const keepalived = new KeepalivedService({ processes, clock, log: silentLog, paths, haproxy })
  const lvs = new LvsService({
    processes,
    clock,
    log: silentLog,
    paths,
    self: ['/bin/octavia-lite', 'agent'],
    announce: async () => {},
  })
  const starts = (): number => calls.filter((argv) => argv.includes('-D')).length
  return {
    folder,
    config,
    paths,
    clock,
    processes,
    haproxy,
    lvs,
    keepalived,
    calls,
    stdins,
    answers,
    certificates,
    behaviour,
    starts,
  }
}
