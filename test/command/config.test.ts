import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { command } from '../../src/command/config.ts'
import { CommandFailure } from '../../src/command/io.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'octavia-lite-config-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

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
  const exit = await command.run(args, io)
  return { out, exit }
}

function file(text: string): string {
  const path = join(folder, 'octavia-lite.toml')
  writeFileSync(path, text)
  return path
}

test('the sample it prints is right', async () => {
  const sample = await run('sample')
  expect(sample.exit).toBe(0)
  const path = file(sample.out)
  expect(await run('check', '--config-file', path)).toEqual({
    out: `${path}: can be used\n`,
    exit: 0,
  })
})

test('notes do not keep a configuration from being used', async () => {
  const path = file('[DEFAULT]\ntransport_url = "rabbit://octavia:hunter2@mq"\n')
  expect(await run('check', '--config-file', path)).toEqual({
    out:
      `note: ${path}:2: obsolete, ignored: DEFAULT.transport_url (there is no message queue)\n` +
      `${path}: can be used\n`,
    exit: 0,
  })
})

test('every error is a line, and secrets are in none', async () => {
  const path = file('[api_settings]\nbind_prot = 1\n[health_manager]\nheartbeat_key = " hunter2"\n')
  const { out, exit } = await run('check', '--config-file', path)
  expect(exit).toBe(1)
  expect(out).toBe(
    `error: ${path}:2: unknown option api_settings.bind_prot; did you mean bind_port?\n` +
      `error: ${path}:4: health_manager.heartbeat_key: takes a string without spaces at its ends\n`,
  )
})

test('for programs there is JSON', async () => {
  const path = file('[api_settings]\nbind_port = -1\n')
  const { out, exit } = await run('check', '--json', '--config-file', path)
  expect(exit).toBe(1)
  expect(JSON.parse(out)).toEqual({
    file: path,
    ok: false,
    problems: [
      {
        severity: 'error',
        where: 'api_settings.bind_port',
        line: 2,
        message: 'api_settings.bind_port = -1: takes an integer from 0 to 65535',
      },
    ],
  })
})

test('a file that is not there is an error', async () => {
  const path = join(folder, 'none.toml')
  expect(await run('check', '--config-file', path)).toEqual({
    out: `error: ${path}: there is no such file\n`,
    exit: 1,
  })
})

test.each([[[]], [['samples']], [['check', '--file', 'x']], [['sample', 'x']]])(
  '%j is no use of it',
  async (args) => {
    await expect(run(...args)).rejects.toThrow(CommandFailure)
  },
)

const OSLO = `[DEFAULT]
transport_url = rabbit://openstack:RABBIT@controller
[api_settings]
auth_strategy = noauth
bind_port = 9876
[controller_worker]
compute_driver = compute_noop_driver
network_driver = network_noop_driver
amphora_driver = amphora_noop_driver
[certificates]
cert_manager = local_cert_manager
`

test('an octavia.conf becomes a file which can be used, and only its owner can read', async () => {
  const output = join(folder, 'imported.toml')
  expect(await run('import', file(OSLO), '--output', output)).toEqual({ out: '', exit: 0 })
  expect(statSync(output).mode & 0o777).toBe(0o600)
  expect(readFileSync(output, 'utf8')).not.toContain('RABBIT')
  expect(await run('check', '--config-file', output)).toMatchObject({ exit: 0 })
  await expect(run('import', file(OSLO), '--output', output)).rejects.toThrow('add --force')
  expect(await run('import', file(OSLO), '--output', output, '--force')).toMatchObject({ exit: 0 })
})

test('what needs a decision is told, also to scripts', async () => {
  const { out, exit } = await run('import', file('[api_settings]\nbind_port = high\n'), '--json')
  expect(exit).toBe(1)
  expect(JSON.parse(out)).toMatchObject({
    ok: false,
    problems: [{ where: 'api_settings.bind_port', line: 2 }],
  })
})

test('a file which is not there or not an octavia.conf is refused', async () => {
  await expect(run('import', join(folder, 'none'))).rejects.toThrow('there is no file')
  await expect(run('import', folder)).rejects.toThrow('cannot be read')
  await expect(run('import', file('{}'))).rejects.toThrow('line 1 is neither a section')
  await expect(run('import')).rejects.toThrow('say which octavia.conf')
})
