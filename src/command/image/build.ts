/** `octavia-lite image build`. */
import { readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type BuildRequest, buildImage } from '../../image/build.ts'
import { ARCHITECTURES, type Architecture, TARGETS } from '../../image/contents.ts'
import { TooSmall } from '../../image/disk.ts'
import { createTools, missingPackages } from '../../image/tools.ts'
import { systemClock } from '../../system/clock.ts'
import { errorText } from '../../system/log.ts'
import { systemProcesses } from '../../system/process.ts'
import { type ParsedArguments, parseArguments } from '../arguments.ts'
import { CommandFailure, EXIT, type Exit, type Io } from '../io.ts'
import { versionText } from '../version.ts'

const OPTIONS = {
  output: { type: 'string' },
  arch: { type: 'string' },
  size: { type: 'string' },
  'ssh-key': { type: 'string' },
  agent: { type: 'string' },
  suite: { type: 'string' },
  mirror: { type: 'string' },
  json: { type: 'boolean' },
} as const

export async function runBuild(args: readonly string[], io: Io): Promise<Exit> {
  const options = parseArguments(args, OPTIONS)
  const request = parseRequest(options)
  const missing = missingPackages(TARGETS[request.architecture], (name) => findTool(name, io))
  if (missing.length > 0)
    throw new CommandFailure(`install what builds images: apt-get install ${missing.join(' ')}`)
  if (process.getuid?.() !== 0)
    throw new CommandFailure('building an image needs root, to unpack packages as they are')
  const began = systemClock.now()
  const seconds = (): string => ((systemClock.now() - began) / 1000).toFixed(0).padStart(4)
  try {
    const built = await buildImage(
      {
        tools: createTools(systemProcesses, toolPath(io)),
        clock: systemClock,
        progress: (stage) => io.err(`${seconds()} s  ${stage}\n`),
      },
      request,
    )
    if (options.flag('json')) io.out(`${JSON.stringify(built)}\n`)
    else
      io.out(
        `${built.path}: ${(built.bytes / 1e6).toFixed(1)} MB, disk of ${built.disk_mib} MiB, ` +
          `${built.packages} packages, Linux ${built.kernel}\n`,
      )
    return EXIT.ok
  } catch (cause) {
    if (cause instanceof TooSmall) throw new CommandFailure(`${cause.message}; see --size`)
    throw new CommandFailure(`the image cannot be built: ${errorText(cause)}`, EXIT.failure, cause)
  }
}

function parseRequest(options: ParsedArguments): BuildRequest {
  const mine = ARCHITECTURES.find((name) => TARGETS[name].node === process.arch)
  const wanted = options.text('arch') ?? mine
  const architecture = ARCHITECTURES.find((name): name is Architecture => name === wanted)
  if (architecture === undefined)
    throw new CommandFailure(`--arch is one of ${ARCHITECTURES.join(', ')}`, EXIT.usage)
  const agent = options.text('agent')
  if (agent === undefined && architecture !== mine)
    throw new CommandFailure(
      `this executable does not run on ${architecture}: name one which does by --agent`,
      EXIT.usage,
    )
  const keys = options.text('ssh-key')
  return {
    output: resolve(options.text('output') ?? `octavia-lite-amphora-${architecture}.qcow2`),
    architecture,
    size_mib: parseSize(options.text('size')),
    ssh_keys: keys === undefined ? [] : readKeys(keys),
    suite: options.text('suite') ?? 'bookworm',
    mirror: options.text('mirror') ?? null,
    agent: agent === undefined ? process.execPath : checkedAgent(agent),
    version: versionText(),
    work: join(tmpdir(), `octavia-lite-image-${process.pid}`),
  }
}

function parseSize(text: string | undefined): number | null {
  if (text === undefined) return null
  const size = Number(text)
  if (Number.isInteger(size) && size > 0 && size <= 1 << 20) return size
  throw new CommandFailure('--size is a number of MiB', EXIT.usage)
}

function readKeys(path: string): readonly string[] {
  const lines = readText(path)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  if (lines.length === 0) throw new CommandFailure(`${path} holds no key`, EXIT.usage)
  const wrong = lines.find((line) => !/^(ssh|ecdsa|sk)-[\w@.-]+ [A-Za-z0-9+/=]+( |$)/.test(line))
  if (wrong !== undefined)
    throw new CommandFailure(`${path} must hold public keys, one a line`, EXIT.usage)
  return lines
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new CommandFailure(`${path} cannot be read: ${errorText(cause)}`, EXIT.usage, cause)
  }
}

function checkedAgent(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return resolve(path)
  throw new CommandFailure(`${path} is not there; see 'npm run build -- --target'`, EXIT.usage)
}

/** Debian keeps some of these programs where only root's PATH leads. */
function toolPath(io: Io): string {
  return `${io.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`
}

function findTool(name: string, io: Io): boolean {
  return Bun.which(name, { PATH: toolPath(io) }) !== null
}
