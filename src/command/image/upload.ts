/** `octavia-lite image upload`. */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { DriverError } from '../../driver/error.ts'
import { ARCHITECTURES, TARGETS } from '../../image/contents.ts'
import { systemClock } from '../../system/clock.ts'
import { createLog } from '../../system/log.ts'
import { type OptionSpec, type ParsedArguments, parseArguments } from '../arguments.ts'
import { openCloudServices } from '../cloud-services.ts'
import { CLOUD_OPTIONS, readCloudSettings } from '../cloud-settings.ts'
import { CommandFailure, EXIT, type Exit, type Io } from '../io.ts'
import { listTagged, putImage } from './glance.ts'

const OPTIONS: Readonly<Record<string, OptionSpec>> = {
  tag: { type: 'string' },
  name: { type: 'string' },
  owner: { type: 'string' },
  json: { type: 'boolean' },
  ...Object.fromEntries(
    CLOUD_OPTIONS.map(({ flag, takes }) => [
      flag,
      { type: takes === 'one' ? 'string' : 'boolean' },
    ]),
  ),
}

const UPLOAD_TIMEOUT_MS = 30 * 60_000
const GLANCE = { title: 'Glance', type: 'image', version: 'v2', timeout_ms: UPLOAD_TIMEOUT_MS }

export async function runUpload(args: readonly string[], io: Io): Promise<Exit> {
  const options = parseArguments(args, OPTIONS, 1)
  const file = options.positionals[0] ?? defaultFile()
  const bytes = checkImage(file)
  const tag = options.text('tag') ?? 'amphora'
  if (!/^[^,]{1,255}$/.test(tag))
    throw new CommandFailure('--tag is at most 255 characters, without a comma', EXIT.usage)
  const name = options.text('name') ?? basename(file).replace(/\.qcow2$/, '')
  const log = createLog({
    format: 'human',
    level: () => 'warning',
    write: (line) => io.err(line),
    now: () => systemClock.now(),
  })
  const settings = readCloudSettings(io.env, { flags: flagsOf(options) })
  const cloud = openCloudServices({ clock: systemClock, log }, settings)
  const glance = cloud.open(GLANCE)
  try {
    const owner = options.text('owner') ?? null
    const before = await listTagged(glance, tag, owner ?? (await cloud.session.projectId()) ?? '')
    const image = { name, tag, owner, file }
    const { id } = await putImage(glance, image, createProgress(io, bytes))
    const replaced = before[0] ?? null
    if (options.flag('json')) io.out(`${JSON.stringify({ id, name, tag, bytes, replaced })}\n`)
    else {
      io.out(`image ${id}: ${name}, ${megabytes(bytes)} MB, tag ${tag}\n`)
      if (replaced !== null)
        io.out(
          `new amphorae are made from it instead of ${replaced.id} (${replaced.name}, ` +
            `${replaced.created_at}); those there are stay until they fail over\n`,
        )
    }
    return EXIT.ok
  } catch (cause) {
    if (!(cause instanceof DriverError)) throw cause
    throw new CommandFailure(`the image is not uploaded: ${cause.message}`, EXIT.failure, cause)
  }
}

function flagsOf(options: ParsedArguments): ReadonlyMap<string, unknown> {
  const flags = new Map<string, unknown>()
  for (const { flag, takes } of CLOUD_OPTIONS) {
    const value = takes === 'one' ? options.text(flag) : options.flag(flag) || undefined
    if (value !== undefined) flags.set(flag, value)
  }
  return flags
}

/** What `image build` makes here. */
function defaultFile(): string {
  const architecture = ARCHITECTURES.find((each) => TARGETS[each].node === process.arch) ?? 'amd64'
  return `octavia-lite-amphora-${architecture}.qcow2`
}

/** The size of the file, which has to be a qcow2: Glance believes what it is told. */
function checkImage(path: string): number {
  const info = statSync(path, { throwIfNoEntry: false })
  if (info?.isFile() !== true)
    throw new CommandFailure(
      `${path} is not there: make it with 'octavia-lite image build', or name a FILE`,
      EXIT.usage,
    )
  const head = Buffer.alloc(8)
  const file = openSync(path, 'r')
  try {
    readSync(file, head, 0, head.length, 0)
  } finally {
    closeSync(file)
  }
  const isQcow2 = head.toString('latin1', 0, 4) === 'QFI\xfb' && head.readUInt32BE(4) >= 2
  if (!isQcow2)
    throw new CommandFailure(
      `${path} is no qcow2; 'qemu-img convert -O qcow2' makes one of other formats`,
      EXIT.usage,
    )
  return info.size
}

/** A line that is written over on a terminal, and one at each quarter elsewhere. */
function createProgress(io: Io, bytes: number): (sent: number) => void {
  const step = io.liveProgress === true ? 1 : 25
  let shown = 0
  return (sent) => {
    const percent = Math.floor((100 * sent) / bytes)
    if (percent < shown + step) return
    shown = percent - (percent % step)
    const text = `uploading  ${megabytes(sent)} of ${megabytes(bytes)} MB  ${shown} %`
    io.err(io.liveProgress === true ? `\r${text}${percent >= 100 ? '\n' : ''}` : `${text}\n`)
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}
