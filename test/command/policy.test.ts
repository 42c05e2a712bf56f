import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CommandFailure } from '../../src/command/io.ts'
import { command } from '../../src/command/policy.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'octavia-lite-policy-'))
  write('octavia-lite.toml', '')
})
afterEach(() => rmSync(folder, { recursive: true }))

const at = (name: string): string => join(folder, name)
const write = (name: string, text: string) => writeFileSync(at(name), text)

async function run(...args: string[]): Promise<{ readonly out: string; readonly exit: number }> {
  let out = ''
  const io = {
    out: (text: string) => {
      out += text
    },
    err: () => {},
    terminal: false,
    env: {},
  }
  const exit = await command.run([...args, '--config-file', at('octavia-lite.toml')], io)
  return { out, exit }
}

const failure = async (...args: string[]): Promise<CommandFailure> => {
  const error = await run(...args).catch((each) => each)
  expect(error).toBeInstanceOf(CommandFailure)
  return error
}

test('list tells every rule, and which file changed it', async () => {
  write('policy.yaml', '# ours\n"load-balancer:read": "role:a or\n  role:b"\n')
  const { out, exit } = await run('list', '--json')
  const { rules } = JSON.parse(out)
  expect(exit).toBe(0)
  expect(rules.length).toBeGreaterThan(90)
  expect(rules.find((rule: { name: string }) => rule.name === 'load-balancer:read')).toEqual({
    name: 'load-balancer:read',
    text: 'role:a or role:b',
    where: `${at('policy.yaml')}:2`,
  })
  expect((await run('list')).out).toMatch(/^os_load-balancer_api:pool:post +default +rule:load-/m)
})

test('check asks rules by short or full name', async () => {
  const member = ['check', '--roles', 'member', '--project', 'p']
  expect(await run(...member, 'pool:post', 'os_load-balancer_api:amphora:get_all')).toEqual({
    out:
      'os_load-balancer_api:pool:post        allowed\n' +
      'os_load-balancer_api:amphora:get_all  refused\n',
    exit: 1,
  })
  expect((await run(...member, 'pool:post')).exit).toBe(0)
  expect((await run(...member, '--target-project', 'q', 'pool:post')).exit).toBe(1)
  expect((await run('check', '--is-admin', 'amphora:get_all')).exit).toBe(0)
  const { results } = JSON.parse((await run('check', '--roles', 'admin', '--json')).out)
  expect(results.every((each: { allowed: boolean }) => each.allowed)).toBe(true)
})

test('files of policy_dirs win, in their order; hidden ones are not read', async () => {
  await mkdir(at('policy.d'))
  write('policy.yaml', '"load-balancer:write": "role:a"\n')
  write('policy.d/1.yaml', '"load-balancer:write": "role:b"\n')
  write('policy.d/2.toml', '"load-balancer:write" = "role:c"\n')
  write('policy.d/.swp', 'garbage')
  for (const [role, exit] of [
    ['a', 1],
    ['b', 1],
    ['c', 0],
  ] as const)
    expect((await run('check', '--roles', role, 'pool:post')).exit).toBe(exit)
})

test('policy.toml stands in for policy.yaml, and old roles can be let in', async () => {
  write('policy.toml', '"load-balancer:write" = "role:a"\n')
  expect((await run('check', '--roles', 'a', 'pool:post')).exit).toBe(0)
  const observer = ['check', '--roles', 'load-balancer_observer', '--project', 'p', 'pool:get_one']
  expect((await run(...observer)).exit).toBe(1)
  write('octavia-lite.toml', '[oslo_policy]\nenforce_new_defaults = false\n')
  expect((await run(...observer)).exit).toBe(0)
})

test('a file by itself is checked without a caller', async () => {
  write('good.yaml', '"load-balancer:read": "@"\n')
  write('bad.yaml', '"load-balancer:read": "@"\n"load-balancer:wriet": "@"\n"x": "(role:a"\n')
  const { out, exit } = await run('check', '--policy-file', at('good.yaml'))
  expect([out, exit]).toEqual([
    expect.stringMatching(/^the rules can be used; 1 of \d+ are set/),
    0,
  ])
  expect((await failure('check', '--policy-file', at('bad.yaml'))).message.split('\n')).toEqual([
    `${at('bad.yaml')}:3: x: a ')' is missing`,
    `${at('bad.yaml')}:2: there is no rule load-balancer:wriet; did you mean load-balancer:write?`,
    `${at('bad.yaml')}:3: there is no rule x`,
  ])
})

test('what is asked for must be there', async () => {
  expect((await failure('check', 'pool:pots')).message).toBe(
    'there is no rule pool:pots; did you mean pool:post?',
  )
  expect((await failure('list', '--policy-file', at('none.yaml'))).message).toBe(
    `${at('none.yaml')}: there is no such file`,
  )
  write('octavia-lite.toml', '[oslo_policy]\npolicy_file = "ours.yaml"\n')
  expect((await failure('list')).message).toBe(`${at('ours.yaml')}: there is no such file`)
  expect((await failure('lst')).exit).toBe(2)
})
