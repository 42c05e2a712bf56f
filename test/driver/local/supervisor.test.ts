import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { foldersToCover, SUPERVISOR_SCRIPT } from '../../../src/driver/local/supervisor.ts'

test.each<[string[], string[]]>([
  [
    ['/var/lib/octavia-lite/cloud', '/usr/local/bin/octavia-lite'],
    ['/run', '/tmp'],
  ],
  [['/tmp/demo/cloud', '/usr/local/bin/octavia-lite'], ['/run']],
  [['/var/lib/x', '/tmp/clone/dist/octavia-lite'], ['/run']],
  [
    ['/run/user/0/x', '/usr/bin/x'],
    ['/run/netns', '/tmp'],
  ],
  [
    ['/running/x', '/tmpfs/x'],
    ['/run', '/tmp'],
  ],
])('what an amphora run from %j has for itself', (paths, expected) => {
  expect(foldersToCover(paths)).toEqual(expected)
})

test('the supervisor is a script the shell understands', () => {
  execFileSync('/bin/sh', ['-n'], { input: SUPERVISOR_SCRIPT })
})
