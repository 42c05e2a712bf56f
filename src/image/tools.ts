/** The programs of the machine that builds, and the Debian packages that have them. */
import { mkdirSync } from 'node:fs'
import { type Processes, type RunOptions, runOk } from '../system/process.ts'
import type { Target } from './contents.ts'

const TOOLS = {
  cpio: 'cpio',
  depmod: 'kmod',
  'mkfs.ext4': 'e2fsprogs',
  'mkfs.fat': 'dosfstools',
  mcopy: 'mtools',
  mksquashfs: 'squashfs-tools',
  mmdebstrap: 'mmdebstrap',
  modprobe: 'kmod',
  'qemu-img': 'qemu-utils',
  readelf: 'binutils',
  sfdisk: 'fdisk',
  zstd: 'zstd',
} as const
/** Only where machines with a BIOS are. */
const BIOS_TOOLS = { syslinux: 'syslinux' } as const

/** Debian packages that have to be installed before an image can be built; sorted. */
export function missingPackages(
  target: Target,
  isThere: (program: string) => boolean,
): readonly string[] {
  const wanted = { ...TOOLS, ...(target.bios ? BIOS_TOOLS : {}) }
  const missing = Object.entries(wanted).filter(([program]) => !isThere(program))
  // mbr.bin is in a package beside that of the program.
  const names = missing.flatMap(([, name]) =>
    name === 'syslinux' ? [name, 'syslinux-common'] : [name],
  )
  return [...new Set(names)].sort()
}

/** Every time in the image: two builds of the same things are the same bytes. */
export const EPOCH_S = 1_700_000_000
const TOOL_TIMEOUT_MS = 20 * 60_000

export interface Tools {
  /** Runs a program to its end, with the same clock and locale each time; returns its output. */
  run(argv: readonly string[], options?: RunOptions): Promise<string>
}

export function createTools(processes: Processes, path: string): Tools {
  const env = {
    PATH: path,
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    SOURCE_DATE_EPOCH: String(EPOCH_S),
    // What mkfs.ext4 of Debian 12 has instead.
    E2FSPROGS_FAKE_TIME: String(EPOCH_S),
    // mtools asks whether a disk image is really one; ours has no geometry yet.
    MTOOLS_SKIP_CHECK: '1',
  }
  return {
    run: async (argv, options) => {
      const all = { timeoutMs: TOOL_TIMEOUT_MS, ...options, env: { ...env, ...options?.env } }
      return (await runOk(processes, argv, all)).stdout
    },
  }
}

export function makeFolders(root: string, names: readonly string[]): void {
  for (const name of names) mkdirSync(`${root}/${name}`, { recursive: true })
}
