import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPolicy } from '../../../src/command/serve/policy-files.ts'
import { configDefaults } from '../../../src/config/load.ts'
import { PolicyError } from '../../../src/policy/compile.ts'

const READER = { project_id: 'p', roles: ['reader'], is_admin: false }
const AROUND = { root: false, home: '/home/u', hostname: 'h' }

test('files are read again when asked, and wrong ones change nothing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-policy-'))
  const write = (text: string) => writeFileSync(join(folder, 'policy.yaml'), text)
  try {
    const rules = openPolicy(configDefaults(AROUND), join(folder, 'octavia-lite.toml'))
    const may = () => rules.policy.isAllowed('pool:post', READER, 'p')
    expect(may()).toBe(false)
    write('"load-balancer:write": "role:reader"\n')
    expect(may()).toBe(false)
    rules.reload()
    expect(may()).toBe(true)
    write('"load-balancer:wriet": "!"\n')
    expect(rules.reload).toThrow(PolicyError)
    expect(may()).toBe(true)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('without a configuration there are no files', () => {
  const { policy } = openPolicy(configDefaults(AROUND), null)
  expect(policy.effective.every(({ where }) => where === null)).toBe(true)
})
