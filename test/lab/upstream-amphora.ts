/**
 * Upstream's agent as what runs in an amphora: its own programs, and shell where its image has
 * systemd.
 */
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Topology } from '../../src/model/load-balancer.ts'
import type { LabAgent } from './amphora.ts'

/** Programs of the package by name, and the module whose `main` each is. */
const PROGRAMS = {
  'amphora-agent': 'octavia.cmd.agent',
  'amphora-interface': 'octavia.cmd.interface',
  'haproxy-vrrp-check': 'octavia.cmd.haproxy_vrrp_check',
} as const
export const UPSTREAM_AGENT_MODULES = Object.values(PROGRAMS)
/** Upstream's agent calls it, and what it would do is not wanted here. */
const IDLE = ['octavia-agent-lvs-masquerade']
const OURS = ['start', 'service', 'systemctl']
const SCRIPTS = join(import.meta.dirname, 'upstream-agent')

export function createUpstreamAgent(python: string, topology: Topology): LabAgent {
  return {
    topology,
    prepare: (folder) => {
      const bin = join(folder, 'bin')
      mkdirSync(bin)
      for (const [name, module] of Object.entries(PROGRAMS))
        writeProgram(
          join(bin, name),
          `#!${python}\nimport sys\nfrom ${module} import main\nsys.exit(main())\n`,
        )
      for (const name of IDLE) writeProgram(join(bin, name), '#!/bin/sh\n')
      for (const name of OURS) copyFileSync(join(SCRIPTS, name), join(bin, name))
      // The agent asks what PID 1 is called.
      symlinkSync('/bin/sh', join(folder, 'systemd'))
    },
    shell: (folder) => join(folder, 'systemd'),
    argv: (folder) => [join(folder, 'bin/start'), folder],
  }
}

function writeProgram(path: string, text: string): void {
  writeFileSync(path, text)
  chmodSync(path, 0o755)
}
