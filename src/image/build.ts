/**
 * Makes the image of an amphora: a disk of about 75 MB with this very executable as its agent, from
 * Debian's packages, without systemd and cloud-init, read-only but for a small partition of state.
 * What lives here: the lists of what is in it, and each stage of the making as a file. It imports
 * system only. What always holds: the same packages and the same executable give the same bytes.
 */
import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Clock } from '../system/clock.ts'
import { writeFileAtomic } from '../system/files.ts'
import { type Architecture, TARGETS } from './contents.ts'
import { DISK_SIGNATURE, makeDisk } from './disk.ts'
import { makeInitramfs } from './initramfs.ts'
import { printManifest } from './manifest.ts'
import { indexModules } from './modules.ts'
import { extractPackages, kernelVersion } from './packages.ts'
import { makeRoot } from './root-tree.ts'
import { EPOCH_S, type Tools } from './tools.ts'

export interface BuildRequest {
  /** Path of the qcow2; the manifest is written beside it, `.manifest` appended. */
  readonly output: string
  readonly architecture: Architecture
  /** Of the whole disk; null is as small as can be. */
  readonly size_mib: number | null
  /** Lines of `authorized_keys`; with none, and none from the compute service, there is no ssh. */
  readonly ssh_keys: readonly string[]
  readonly suite: string
  readonly mirror: string | null
  /** The octavia-lite to put in, and the manifest's first line. */
  readonly agent: string
  readonly version: string
  /** A folder that is made, filled, and removed in the end. */
  readonly work: string
}

export interface BuildDeps {
  readonly tools: Tools
  readonly clock: Pick<Clock, 'now'>
  /** Told before each stage. */
  readonly progress: (stage: string) => void
}

export interface BuiltImage {
  readonly path: string
  readonly bytes: number
  readonly disk_mib: number
  readonly packages: number
  readonly kernel: string
}

export async function buildImage(deps: BuildDeps, request: BuildRequest): Promise<BuiltImage> {
  const { tools, progress } = deps
  const { architecture, work, output } = request
  const target = TARGETS[architecture]
  const at = (name: string): string => join(work, name)
  mkdirSync(work, { recursive: true, mode: 0o700 })
  try {
    progress('fetching packages')
    const packages = await extractPackages(tools, request, at('packages'))
    const kernel = kernelVersion(at('packages'))
    const manifest = printManifest(request.version, packages)
    progress('making the root file system')
    await indexModules(tools, at('packages'), kernel)
    const from = { target, packages: at('packages'), kernel }
    await makeRoot(
      tools,
      { ...from, agent: request.agent, manifest, ssh_keys: request.ssh_keys },
      at('root'),
    )
    progress('compressing it')
    await compressRoot(tools, at('root'), at('root.squashfs'))
    progress('making the disk')
    await makeInitramfs(tools, from, DISK_SIGNATURE, at('initramfs'), at('initrd'))
    const { total } = await makeDisk(
      tools,
      {
        target,
        packages: at('packages'),
        kernel: at(`packages/boot/vmlinuz-${kernel}`),
        initramfs: at('initrd'),
        root: at('root.squashfs'),
        size_mib: request.size_mib,
      },
      work,
      at('disk.qcow2'),
    )
    mkdirSync(dirname(output), { recursive: true })
    writeFileAtomic(`${output}.manifest`, manifest)
    await tools.run(['cp', at('disk.qcow2'), `${output}.new`])
    renameSync(`${output}.new`, output)
    const { size } = statSync(output)
    return { path: output, bytes: size, disk_mib: total, packages: packages.length, kernel }
  } finally {
    rmSync(work, { recursive: true, force: true })
    rmSync(`${output}.new`, { force: true })
  }
}

async function compressRoot(tools: Tools, root: string, output: string): Promise<void> {
  const times = ['-mkfs-time', String(EPOCH_S), '-all-time', String(EPOCH_S)]
  await tools.run([
    // Together with that variable it refuses the options, which say more.
    ...['env', '--unset=SOURCE_DATE_EPOCH'],
    ...['mksquashfs', root, output, '-noappend', '-no-progress', '-quiet', '-no-xattrs'],
    ...['-comp', 'zstd', '-Xcompression-level', '19', '-b', '1M', '-all-root', ...times],
  ])
}
