/** `octavia-lite amphora ssh`: by ssh into a virtual machine, straight into one of namespaces. */
import { join } from 'node:path'
import { ConfigError, loadConfig } from '../../config/load.ts'
import { findStartedProcess } from '../../driver/local/process.ts'
import { parseUuid } from '../../system/ids.ts'
import { textOption, usage } from '../client/option.ts'
import { type Input, parseWords } from '../client/parse.ts'
import { RequestFailure, Session } from '../client/session.ts'
import { CONNECTION_OPTIONS } from '../client/verb.ts'
import { openCloud } from '../cloud-login.ts'
import { configFile } from '../config.ts'
import { CommandFailure, EXIT, type Io } from '../io.ts'
import { runSsh } from './ssh-client.ts'
import { checkHostKey, fingerprintOf, hostKeyIn, readSshKey, sshKeyIn } from './ssh-key.ts'

export const SHELL_HELP = `usage: octavia-lite amphora ssh ID [options] [-- COMMAND...]

Opens a shell as root on an amphora, on the machine of its controller: in a virtual machine by ssh,
with the key that setup made in the data directory; in an amphora of this machine's namespaces
directly. With a COMMAND its output is that of the command, its exit code too. The load balancer's
interfaces are in a namespace of their own:

  octavia-lite amphora ssh ID -- nsenter --net=/run/netns/amphora-haproxy ip address

The key of the amphora is remembered when it is first seen, in the data directory.

  --command TEXT  a line of shell instead of COMMAND
  --address IP    instead of its address on the management network
  --port PORT     default 22
  --config-file F that of serve, which names the data directory
  --os-cloud NAME and all other --os-... options, as of client commands
`

const OPTIONS = [
  textOption('command', 'A line of shell.'),
  textOption('address', 'Where it is.'),
  textOption('port', 'Of ssh.'),
  textOption('config-file', 'Of serve.'),
]

export async function runAmphoraShell(args: readonly string[], io: Io): Promise<number> {
  const end = args.indexOf('--')
  const words = end < 0 ? args : args.slice(0, end)
  const input = parseWords(words, {
    options: [...OPTIONS, ...CONNECTION_OPTIONS],
    positionals: ['amphora'],
  })
  const id = parseUuid(input.positionals[0] ?? '')
  if (id === undefined) throw usage('ID is that of an amphora; see octavia-lite amphora list')
  const given = input.values.get('command')
  const command =
    end < 0 ? (given === undefined ? null : String(given)) : quoted(args.slice(end + 1))
  const data_dir = dataFolderOf(input.values.get('config-file'))
  const local = findStartedProcess(join(data_dir, 'cloud', 'amphorae', id))
  if (local !== undefined) return await enter(local.pid, command)
  return await runSsh(await targetOf(id, data_dir, input, io), command, io)
}

function dataFolderOf(file: unknown): string {
  try {
    return loadConfig(configFile(typeof file === 'string' ? file : undefined)).DEFAULT.data_dir
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause
    throw new CommandFailure(cause.message, EXIT.failure, cause)
  }
}

function quoted(words: readonly string[]): string {
  if (words.length === 0) throw usage('a COMMAND follows after --')
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
}

async function enter(pid: number, command: string | null): Promise<number> {
  if (process.getuid?.() !== 0)
    throw new CommandFailure('the amphora is in namespaces of this machine: that needs root')
  const shell = command === null ? ['/bin/sh', '-i'] : ['/bin/sh', '-c', command]
  const child = Bun.spawn(['nsenter', '--target', String(pid), '--all', ...shell], {
    stdio: ['inherit', 'inherit', 'inherit'],
  })
  return await child.exited
}

async function targetOf(id: string, data_dir: string, input: Input, io: Io) {
  const key = readSshKey(data_dir)
  if (key === undefined)
    throw new CommandFailure(
      `there is no key ${sshKeyIn(data_dir)}: 'octavia-lite setup' makes it for new amphorae`,
    )
  const port = Number(input.values.get('port') ?? 22)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw usage('--port is a port')
  const given = input.values.get('address')
  return {
    host: given === undefined ? await addressOf(id, data_dir, input, io) : String(given),
    port,
    user: 'root',
    private_key: key.private_key,
    checkHost: (shown: Uint8Array) => {
      const verdict = checkHostKey(data_dir, id, shown)
      const fingerprint = fingerprintOf(shown)
      if (verdict === 'new') io.err(`octavia-lite: its key ${fingerprint} is remembered\n`)
      if (verdict === 'changed')
        throw new CommandFailure(
          `the amphora shows another key (${fingerprint}) than before: somebody else may answer ` +
            `at its address. If it was made anew, remove ${hostKeyIn(data_dir, id)}`,
        )
    },
  }
}

async function addressOf(id: string, data_dir: string, input: Input, io: Io): Promise<string> {
  const cloud = await openCloud(io.env, { flags: input.values, data_dir }, fetch)
  try {
    const { lb_network_ip } = await new Session(cloud).show('amphora', id)
    if (typeof lb_network_ip === 'string') return lb_network_ip
  } catch (error) {
    if (!(error instanceof RequestFailure) || error.status !== 404) throw error
    throw new CommandFailure(`there is no amphora ${id}`)
  }
  throw new CommandFailure(`amphora ${id} has no address yet; see octavia-lite amphora show`)
}
