/** What the installed keepalived says of a configuration. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const KEEPALIVED = Bun.which('keepalived', { PATH: `${process.env.PATH}:/usr/sbin` })

/** Members that are all drained make up no quorum, on which nothing here depends. */
const DRAINED =
  /^(Warning - quorum 1 for .* exceeds total weight of .* 0,.*|.*: hysteresis 0 >= quorum 0;.*)\n/gm

/** What it complains about; undefined when it accepts. */
export function keepalivedVerdict(keepalived: string, text: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-lvs-'))
  const [conf, log] = [join(folder, 'a.conf'), join(folder, 'log')]
  // Without that namespace keepalived looks at nothing and is content.
  writeFileSync(conf, text.replace(/^net_namespace .*$/gm, ''))
  // Checks by a program which it does not find it leaves out, and is content.
  writeFileSync(join(folder, 'amphora-health-checker'), '#!/bin/sh\n', { mode: 0o755 })
  const argv = ['--check', `--config-test=${log}`, '--use-file', conf]
  const env = { PATH: `${folder}:${process.env.PATH}` }
  const { exitCode } = Bun.spawnSync([keepalived, ...argv], { env })
  const all = existsSync(log) ? readFileSync(log, 'utf8') : ''
  rmSync(folder, { recursive: true })
  const said = all.replace(DRAINED, '')
  // It ends with 5 when it has said anything.
  const content = exitCode === 0 || (exitCode === 5 && all !== '')
  return content && said === '' ? undefined : `${exitCode}: ${said}`
}
