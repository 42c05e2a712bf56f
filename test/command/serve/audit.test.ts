/** `[audit]`: off by default, and a map that cannot be used keeps `serve` from starting. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openAuditor } from '../../../src/command/serve/audit.ts'
import { checkConfig } from '../../../src/config/load.ts'
import { present } from '../../../src/system/assert.ts'
import { createLog } from '../../../src/system/log.ts'

const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-audit-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileOf(text: string): string {
  const file = join(folder, 'map.conf')
  writeFileSync(file, text)
  return file
}

/** What is recorded of a list of pools, a line of the log each. */
function recorded(section: string): readonly string[] {
  const around = { root: false, home: '/nonexistent', hostname: 'h' }
  const { config, problems } = checkConfig(`[audit]\n${section}`, around)
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const log = createLog({ format: 'human', level: () => 'info', write, now: () => 0 })
  const parts = { log, newId: () => 'id', clock: { now: () => 0 } }
  const auditor = openAuditor(present(config, JSON.stringify(problems)), parts)
  const request = new Request('http://lb.example/v2.0/lbaas/pools', {
    headers: { 'user-agent': 'a "b" c=d' },
  })
  const trail = auditor?.follow(request, 'req-1', () => '192.0.2.1')
  const caller = { user_id: 'u', project_id: 'p', roles: [], is_admin: false }
  trail?.known(caller, new URL(request.url))
  trail?.end(new Response(null, { status: 200 }))
  return lines
}

test('nothing is recorded unless it is asked for', () => {
  expect(recorded('')).toEqual([])
  expect(recorded('enabled = true\nignore_req_list = "put, get"')).toEqual([])
})

test('two lines, also where a client sends more', () => {
  const lines = recorded('enabled = true')
  expect(lines.map((line) => line.split('\n').length)).toEqual([2, 2])
  expect(lines[0]).toContain('"address":"192.0.2.1"'.replaceAll('"', '\\"'))
})

test('a map of ours, and what is wrong with one', () => {
  const at = (file: string) => recorded(`enabled = true\naudit_map_file = ${JSON.stringify(file)}`)
  const map = '[path_keywords]\npools = pool\n[service_endpoints]\nload-balancer = service/mine\n'
  expect(at(fileOf(map))[0]).toContain('service/mine/pools')
  expect(() => at(fileOf('pools'))).toThrow(/audit_map_file.*map.conf: line 1/)
  expect(() => at(join(folder, 'none.conf'))).toThrow(/none.conf: there is no such file/)
  expect(() => at(folder)).toThrow(/cannot be read/)
})
