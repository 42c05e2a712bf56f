/**
 * The disk: a boot record, a FAT partition with kernel and boot loaders (syslinux for a BIOS,
 * systemd-boot for UEFI), the root as squashfs, and a partition for state. All are made as files
 * and put side by side, so no loop device and no mount is needed.
 */
import {
  closeSync,
  openSync,
  readSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Target } from './contents.ts'
import { makeFolders, type Tools } from './tools.ts'

const MIB = 1 << 20
/** Configurations of a load balancer with thousands of members take less than a tenth of it. */
const STATE_MIN_MIB = 64
const STATE_UUID = '0c7a71a0-0c7a-71a0-0c7a-0000000000a3'
const DISK_ID = 0x0c7a71a0
/** The same as its bytes stand in the boot record: what the initramfs looks for. */
export const DISK_SIGNATURE = 'a0717a0c'

export interface Layout {
  /** Start and size of each partition and size of all, in MiB. */
  readonly boot: { readonly start: number; readonly size: number }
  readonly root: { readonly start: number; readonly size: number }
  readonly state: { readonly start: number; readonly size: number }
  readonly total: number
}

/** `size_mib` is that of the whole disk; null is as small as can be. Throws if that is too small. */
export function planLayout(
  bytes: { readonly boot: number; readonly root: number },
  size_mib: number | null,
): Layout {
  const mib = (size: number): number => Math.ceil(size / MIB)
  const boot = { start: 1, size: mib(bytes.boot) + 2 }
  const root = { start: boot.start + boot.size, size: mib(bytes.root) }
  const start = root.start + root.size
  // One MiB is left at the end, where a copy to another format may want to write.
  const least = start + STATE_MIN_MIB + 1
  const total = size_mib ?? least
  if (total < least) throw new TooSmall(least)
  return { boot, root, state: { start, size: total - start - 1 }, total }
}

export class TooSmall extends Error {
  override readonly name = 'TooSmall'
  constructor(least_mib: number) {
    super(`the image needs a size of ${least_mib} MiB or more`)
  }
}

export interface DiskInput {
  readonly target: Target
  readonly packages: string
  /** Files: kernel, initramfs, squashfs. */
  readonly kernel: string
  readonly initramfs: string
  readonly root: string
  readonly size_mib: number | null
}

export async function makeDisk(
  tools: Tools,
  input: DiskInput,
  work: string,
  output: string,
): Promise<Layout> {
  const bytes = (path: string): number => statSync(path).size
  const boot = bytes(input.kernel) + bytes(input.initramfs) + MIB
  const layout = planLayout({ boot, root: bytes(input.root) }, input.size_mib)
  const fat = join(work, 'boot.fat')
  const state = join(work, 'state.ext4')
  const disk = join(work, 'disk.raw')
  await makeBootPartition(tools, input, layout, work, fat)
  await makeStatePartition(tools, layout, work, state)
  writeFileSync(disk, '')
  truncateSync(disk, layout.total * MIB)
  await tools.run(['sfdisk', '--quiet', disk], { stdin: partitionTable(layout) })
  if (input.target.bios) copyInto(disk, '/usr/lib/syslinux/mbr/mbr.bin', 0)
  copyInto(disk, fat, layout.boot.start * MIB)
  copyInto(disk, input.root, layout.root.start * MIB)
  copyInto(disk, state, layout.state.start * MIB)
  await tools.run(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', disk, output])
  return layout
}

function partitionTable({ boot, root, state }: Layout): string {
  const line = (part: { start: number; size: number }, rest: string): string =>
    `start=${part.start}MiB, size=${part.size}MiB, ${rest}`
  return [
    'label: dos',
    `label-id: 0x${DISK_ID.toString(16).padStart(8, '0')}`,
    line(boot, 'type=ef, bootable'),
    line(root, 'type=83'),
    line(state, 'type=83'),
    '',
  ].join('\n')
}

async function makeBootPartition(
  tools: Tools,
  { target, packages, kernel, initramfs }: DiskInput,
  { boot }: Layout,
  work: string,
  fat: string,
): Promise<void> {
  writeFileSync(fat, '')
  truncateSync(fat, boot.size * MIB)
  await tools.run(['mkfs.fat', '-F', '16', '-n', 'OCTBOOT', '--invariant', '-i', '0c7a71a1', fat])
  const options = `console=tty0 console=${target.console},115200 quiet panic=10 net.ifnames=0${target.options}`
  const put = async (from: string, to: string): Promise<void> => {
    await tools.run(['touch', '--date=@1700000000', from])
    await tools.run(['mcopy', '-m', '-i', fat, from, `::${to}`])
  }
  const putText = async (text: string, to: string): Promise<void> => {
    const path = join(work, 'text')
    writeFileSync(path, text)
    await put(path, to)
  }
  await put(kernel, 'vmlinuz')
  await put(initramfs, 'initrd')
  await tools.run(['mmd', '-i', fat, '::EFI', '::EFI/BOOT', '::loader', '::loader/entries'])
  await put(
    join(packages, 'usr/lib/systemd/boot/efi', target.efi.from),
    `EFI/BOOT/${target.efi.to}`,
  )
  await putText('timeout 0\n', 'loader/loader.conf')
  await putText(
    `title octavia-lite\nlinux /vmlinuz\ninitrd /initrd\noptions ${options}\n`,
    'loader/entries/amphora.conf',
  )
  if (!target.bios) return
  await putText(
    `DEFAULT amphora\nPROMPT 0\nTIMEOUT 0\nLABEL amphora\n LINUX vmlinuz\n INITRD initrd\n APPEND ${options}\n`,
    'syslinux.cfg',
  )
  await tools.run(['syslinux', '--install', fat])
}

async function makeStatePartition(
  tools: Tools,
  { state }: Layout,
  work: string,
  path: string,
): Promise<void> {
  makeFolders(work, ['empty'])
  writeFileSync(path, '')
  truncateSync(path, state.size * MIB)
  await tools.run([
    'mkfs.ext4',
    ...['-q', '-F', '-L', 'octavia-state', '-U', STATE_UUID, '-m', '0'],
    ...['-E', `hash_seed=${STATE_UUID},lazy_itable_init=1,root_owner=0:0`],
    ...['-d', join(work, 'empty'), path],
  ])
}

/** Blocks of zeros are left out, so that the file stays sparse. */
function copyInto(disk: string, from: string, at: number): void {
  const [input, output] = [openSync(from, 'r'), openSync(disk, 'r+')]
  try {
    const block = Buffer.alloc(MIB)
    for (let offset = 0; ; ) {
      const size = readSync(input, block, 0, MIB, offset)
      if (size === 0) break
      const part = block.subarray(0, size)
      if (part.some((byte) => byte !== 0)) writeSync(output, part, 0, size, at + offset)
      offset += size
    }
  } finally {
    closeSync(input)
    closeSync(output)
  }
}
