/** `octavia-lite amphora ssh` against an SSH server on loopback. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  checkHostKey,
  ensureSshKey,
  fingerprintOf,
  makeSshKey,
} from '../../../src/command/amphora/ssh-key.ts'
import { command } from '../../../src/command/amphora.ts'

const ID = '7c4f6d2e-5b1c-4a53-9a1e-0d7f3c1b2a10'
let folder: string
let server: ssh2.Server
let ran: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'octavia-lite-ssh-'))
  writeFileSync(join(folder, 'serve.toml'), `[DEFAULT]\ndata_dir = ${JSON.stringify(folder)}\n`)
  ran = []
})
afterEach(() => {
  server?.close()
  rmSync(folder, { recursive: true })
})

/** Lets in who has the key, and answers each command with its own text and exit code 7. */
async function listen(accepts: string): Promise<number> {
  const allowed = ssh2.utils.parseKey(accepts)
  if (allowed instanceof Error) throw allowed
  const { private_key: hostKey } = makeSshKey()
  server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    client.on('error', () => {})
    client.on('authentication', (login) => {
      const known =
        login.method === 'publickey' &&
        login.username === 'root' &&
        login.key.data.equals(allowed.getPublicSSH())
      if (!known) return login.reject(['publickey'])
      login.accept()
    })
    client.on('session', (accept) => {
      accept().on('exec', (take, _refuse, { command: text }) => {
        ran.push(text)
        const stream = take()
        stream.exit(7)
        stream.end()
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function shell(port: number, ...args: string[]) {
  let err = ''
  const io = {
    out: () => {},
    err: (text: string) => {
      err += text
    },
    terminal: false,
    env: {},
  }
  const where = ['--address', '127.0.0.1', '--port', String(port)]
  const words = ['ssh', ID, '--config-file', join(folder, 'serve.toml'), ...where, ...args]
  try {
    return { code: await command.run(words, io), err, failed: undefined }
  } catch (error) {
    return { code: undefined, err, failed: (error as Error).message.replaceAll(folder, '') }
  }
}

test('a key pair is made once, and only its owner can read it', () => {
  const made = ensureSshKey(folder)
  expect(made.public_key).toMatch(/^ssh-ed25519 \S+ octavia-lite$/)
  expect(ensureSshKey(folder)).toEqual(made)
  expect(statSync(join(folder, 'amphora_ssh_key')).mode & 0o777).toBe(0o600)
})

test('a command runs there, word by word, and its exit code is ours', async () => {
  const port = await listen(ensureSshKey(folder).public_key)
  const first = await shell(port, '--', 'echo', "it's")
  expect([first.failed, first.code, ran]).toEqual([undefined, 7, ["'echo' 'it'\\''s'"]])
  expect(first.err).toMatch(/its key SHA256:\S{43} is remembered/)
  const second = await shell(port, '--command', 'uptime; id')
  expect([second.code, second.err, ran[1]]).toEqual([7, '', 'uptime; id'])
})

test('another machine at its address is refused', async () => {
  const port = await listen(ensureSshKey(folder).public_key)
  checkHostKey(folder, ID, Buffer.from('the key it showed before'))
  const { failed } = await shell(port, '--', 'true')
  expect(failed).toMatch(/^the amphora shows another key \(SHA256:/)
  expect(ran).toEqual([])
})

test('a key that is not accepted is told as that', async () => {
  const other = makeSshKey()
  ensureSshKey(folder)
  const { failed } = await shell(await listen(other.public_key), '--', 'true')
  expect(failed).toContain('it does not accept our key')
})

test('every key pair that is made can be read', () => {
  const pairs = Array.from({ length: 1000 }, makeSshKey)
  const unreadable = pairs.filter(
    ({ public_key }) => ssh2.utils.parseKey(public_key) instanceof Error,
  )
  expect(unreadable).toEqual([])
})

test('without a key it says who makes it', async () => {
  expect((await shell(1)).failed).toContain("'octavia-lite setup' makes it")
})

test('the fingerprint is the one that ssh-keygen prints', () => {
  const { public_key } = ensureSshKey(folder)
  const [, blob = ''] = public_key.split(' ')
  const { stdout } = Bun.spawnSync(['ssh-keygen', '-lf', join(folder, 'amphora_ssh_key.pub')])
  const printed = stdout.toString()
  if (printed !== '') expect(printed).toContain(fingerprintOf(Buffer.from(blob, 'base64')))
  expect(readFileSync(join(folder, 'amphora_ssh_key.pub'), 'utf8')).toBe(`${public_key}\n`)
})
