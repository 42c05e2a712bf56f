/** Completion in the shells themselves, where they are installed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { completionScript, OTHER_COMMANDS, SHELLS } from '../../../src/command/client/shells.ts'
import { TABLES } from '../../../src/command/client/tables.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'octavia-lite-shells-'))
  for (const shell of SHELLS) writeFileSync(join(folder, shell), completionScript(shell))
})
afterAll(() => rmSync(folder, { recursive: true }))

function run(argv: readonly string[]): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync([...argv])
  expect(stderr.toString()).toBe('')
  expect(exitCode).toBe(0)
  return stdout.toString()
}

/** What bash offers after these words, the last one being unfinished. */
function complete(...words: string[]): readonly string[] {
  const script = `source ${join(folder, 'bash')}
    COMP_WORDS=(octavia-lite "$@"); COMP_CWORD=$#; _octavia_lite; printf '%s\\n' "\${COMPREPLY[@]}"`
  return run(['bash', '-c', script, 'bash', ...words])
    .split('\n')
    .filter((word) => word !== '')
}

test.skipIf(Bun.which('bash') === null)('bash completes commands, verbs, options, choices', () => {
  expect(complete('')).toEqual(expect.arrayContaining(['lb', 'serve', 'jobs', '--help']))
  expect(complete('lis')).toEqual(['listener'])
  expect(complete('lb', '')).toEqual(expect.arrayContaining(['list', 'create', 'stats', 'status']))
  expect(complete('lb', 'stats', '')).toContain('show')
  expect(complete('lb', 'stats', 'show', '--form')).toEqual(['--format'])
  expect(complete('lb', 'create', '--vip-s')).toEqual(['--vip-subnet-id', '--vip-sg-id'])
  expect(complete('lb', 'create', 'name', '--wa')).toEqual(['--wait'])
  expect(complete('lb', 'list', '-f', '')).toEqual(['csv', 'json', 'table', 'value', 'yaml'])
  expect(complete('pool', 'create', '--lb-algorithm', 'SOURCE_IP_')).toEqual(['SOURCE_IP_PORT'])
  expect(complete('config', 's')).toEqual(['sample'])
})

test.each(['zsh', 'fish'].map((shell) => [shell, Bun.which(shell)] as const))(
  '%s reads its script',
  (shell, path) => {
    if (path === null) {
      // Not installed here: at least every command is in it.
      const script = completionScript(shell === 'zsh' ? 'zsh' : 'fish')
      for (const { command } of TABLES) expect(script).toContain(command)
      return
    }
    run([path, '-n', join(folder, shell)])
  },
)

test('the commands are those of --help', () => {
  const main = run([process.execPath, 'src/main.ts', '--help'])
  const listed = [...main.matchAll(/^ {2}([a-z0-9]+) {2}/gm)].map(([, name]) => name)
  const known = [...TABLES.map(({ command }) => command), ...Object.keys(OTHER_COMMANDS)]
  expect([...listed].sort()).toEqual([...known].sort())
})
