/** Finding the config drive among the disks and reading it. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../system/clock.ts'
import type { Log } from '../../system/log.ts'
import { type Processes, runOk } from '../../system/process.ts'
import { type GuestConfig, parseConfigDrive } from './config-drive.ts'

const MOUNT_POINT = '/run/config-drive'
const LABEL = 'config-2'
const FILE_MAX_BYTES = 4 << 20
/** Its driver may be loaded only now. */
const WAIT_MS = 60_000
const POLL_MS = 100
/** Whoever reads the console sees what is missing. */
const TELL_MS = 5_000

/** File system and label of a disk by its first bytes: ISO 9660 or FAT, which config drives are. */
export function readLabel(
  head: Uint8Array,
): { readonly type: 'iso9660' | 'vfat'; readonly label: string } | undefined {
  const at = (offset: number, length: number): string =>
    Buffer.from(head.subarray(offset, offset + length))
      .toString('latin1')
      .trim()
  if (at(0x8001, 5) === 'CD001') return { type: 'iso9660', label: at(0x8028, 32) }
  for (const offset of [0x2b, 0x47])
    if (at(offset + 11, 3) === 'FAT') return { type: 'vfat', label: at(offset, 11) }
  return undefined
}

/** What the config drive says; undefined when none turns up. Throws a ConfigDriveError. */
export async function readConfigDrive(deps: {
  readonly processes: Processes
  readonly clock: Clock
  readonly log: Log
}): Promise<GuestConfig | undefined> {
  const { processes, clock, log } = deps
  const began = clock.now()
  let told = false
  for (;;) {
    const drive = findDrive()
    if (drive !== undefined) return await readMounted(processes, drive)
    const waited_ms = clock.now() - began
    if (waited_ms > WAIT_MS) return undefined
    if (waited_ms > TELL_MS && !told) {
      told = true
      log.warning(`waiting for a config drive: a disk or CD with the label ${LABEL}`)
    }
    await clock.sleep(POLL_MS)
  }
}

function findDrive(): { readonly device: string; readonly type: string } | undefined {
  for (const name of readdirSync('/sys/class/block').sort()) {
    if (/^(loop|ram|zram|dm-|fd)/.test(name)) continue
    const device = `/dev/${name}`
    const found = readLabel(readHead(device))
    if (found?.label.toLowerCase() === LABEL) return { device, type: found.type }
  }
  return undefined
}

function readHead(device: string): Uint8Array {
  const head = Buffer.alloc(0x8800)
  try {
    const file = openSync(device, 'r')
    try {
      return head.subarray(0, readSync(file, head, 0, head.length, 0))
    } finally {
      closeSync(file)
    }
  } catch {
    // An empty CD drive, or a disk that is just coming.
    return head
  }
}

async function readMounted(
  processes: Processes,
  { device, type }: { readonly device: string; readonly type: string },
): Promise<GuestConfig> {
  mkdirSync(MOUNT_POINT, { recursive: true, mode: 0o700 })
  const options = 'ro,nosuid,nodev,noexec'
  await runOk(processes, ['mount', '-t', type, '-o', options, device, MOUNT_POINT])
  try {
    return parseConfigDrive((name) => {
      const path = join(MOUNT_POINT, 'openstack/latest', name)
      if (!existsSync(path) || statSync(path).size > FILE_MAX_BYTES) return undefined
      return readFileSync(path, 'utf8')
    })
  } finally {
    await processes.run(['umount', MOUNT_POINT])
  }
}
