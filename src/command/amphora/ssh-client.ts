/** One session of ssh: a shell on this terminal, or a command. */
import ssh2, { type ClientChannel, type ConnectConfig } from 'ssh2'
import { errorText } from '../../system/log.ts'
import { CommandFailure, type Io } from '../io.ts'

export interface SshTarget {
  readonly host: string
  readonly port: number
  readonly user: string
  /** Secret. */
  readonly private_key: string
  /** Throws where the key is not that of the machine. */
  checkHost(key: Uint8Array): void
}

const READY_TIMEOUT_MS = 20_000
const KEEPALIVE_MS = 10_000

/** Runs `command`, or a shell where it is null; resolves to the exit code over there. */
export async function runSsh(target: SshTarget, command: string | null, io: Io): Promise<number> {
  const client = new ssh2.Client()
  let refused: unknown
  const config: ConnectConfig = {
    host: target.host,
    port: target.port,
    username: target.user,
    privateKey: target.private_key,
    readyTimeout: READY_TIMEOUT_MS,
    keepaliveInterval: KEEPALIVE_MS,
    hostVerifier: (key: Buffer) => {
      try {
        target.checkHost(key)
        return true
      } catch (error) {
        refused = error
        return false
      }
    },
  }
  try {
    await new Promise<void>((resolve, reject) => {
      client.on('ready', resolve).on('error', reject).connect(config)
    })
    return command === null ? await openShell(client, io) : await execute(client, command)
  } catch (cause) {
    if (refused instanceof CommandFailure) throw refused
    throw new CommandFailure(
      `no ssh with ${target.user} at ${target.host}: ${explain(cause)}`,
      1,
      cause,
    )
  } finally {
    client.end()
  }
}

function explain(cause: unknown): string {
  const text = errorText(cause)
  return /authentication methods failed/.test(text)
    ? 'it does not accept our key; it was made with another, or from an image without it'
    : text
}

function execute(client: ssh2.Client, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, stream) => {
      if (error !== undefined) return reject(error)
      process.stdin.pipe(stream)
      follow(stream, resolve)
    })
  })
}

function openShell(client: ssh2.Client, io: Io): Promise<number> {
  const { stdin, stdout } = process
  const size = () => ({ cols: stdout.columns ?? 80, rows: stdout.rows ?? 24 })
  const terminal = { term: io.env.TERM ?? 'vt100', ...size() }
  return new Promise((resolve, reject) => {
    client.shell(stdin.isTTY === true ? terminal : false, (error, stream) => {
      if (error !== undefined) return reject(error)
      const resize = (): void => stream.setWindow(size().rows, size().cols, 0, 0)
      if (stdin.isTTY === true) stdin.setRawMode(true)
      stdout.on('resize', resize)
      stdin.pipe(stream)
      follow(stream, (code) => {
        if (stdin.isTTY === true) stdin.setRawMode(false)
        stdout.off('resize', resize)
        resolve(code)
      })
    })
  })
}

function follow(stream: ClientChannel, done: (code: number) => void): void {
  let code = 1
  stream.pipe(process.stdout, { end: false })
  stream.stderr.pipe(process.stderr, { end: false })
  stream.on('exit', (status: number | null) => {
    code = status ?? 1
  })
  stream.on('close', () => {
    process.stdin.unpipe(stream)
    process.stdin.pause()
    done(code)
  })
}
