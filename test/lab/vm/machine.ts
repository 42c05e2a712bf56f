/**
 * A virtual machine with a stock kernel for what this machine's kernel may not have. Its root is
 * this machine's own, read-only, with a layer in memory above it: every program and library is
 * there, and nothing has to be packed. Emulated, because nested virtualisation is often broken.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'

const KERNEL = join(import.meta.dirname, '../../../dist/vm-kernel')
/** What it takes to reach the root. */
const FIRST_MODULES = ['virtio_pci', '9p', '9pnet_virtio', 'overlay']
const QEMU = 'qemu-system-x86_64'
const MEMORY_MB = 1536
/** A Bun executable needs instructions that qemu's default model does not have. */
const CPU = 'Nehalem'

/** Why there is no virtual machine here; undefined where there is. */
export function machineMissing(): string | undefined {
  if (process.env.OCTAVIA_LITE_VM !== '1')
    return 'emulated, it takes minutes of an idle machine: set OCTAVIA_LITE_VM=1'
  if (process.getuid?.() !== 0) return 'needs root'
  for (const program of [QEMU, 'busybox', 'cpio', 'modprobe'])
    if (Bun.which(program) === null) return `needs ${program}`
  return existsSync(join(KERNEL, 'vmlinuz'))
    ? undefined
    : 'needs the kernel of packaging/kernel.mjs'
}

/** Runs a command in the machine; the lines of its console until it ends or is out of time. */
export async function* runInMachine(
  argv: readonly string[],
  timeout_ms: number,
): AsyncGenerator<string> {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-vm-'))
  try {
    const qemu = Bun.spawn(qemuArgv(await buildInitrd(folder, argv)), {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'inherit',
      timeout: timeout_ms,
      killSignal: 'SIGKILL',
    })
    yield* createInterface({ input: Readable.fromWeb(qemu.stdout as never) })
    await qemu.exited
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function qemuArgv(initrd: string): string[] {
  return [
    QEMU,
    ...['-accel', 'tcg,thread=multi', '-machine', 'q35', '-cpu', CPU],
    ...['-m', String(MEMORY_MB), '-smp', '2', '-nodefaults', '-display', 'none', '-no-reboot'],
    ...['-serial', 'stdio', '-kernel', join(KERNEL, 'vmlinuz'), '-initrd', initrd],
    // On a busy host the kernel takes the clock, which is late, for a broken one.
    ...['-append', 'console=ttyS0 quiet panic=-1 mitigations=off no_timer_check'],
    ...['-fsdev', 'local,id=root,path=/,security_model=none,readonly=on,multidevs=remap'],
    ...['-device', 'virtio-9p-pci,fsdev=root,mount_tag=root', '-device', 'virtio-rng-pci'],
  ]
}

async function buildInitrd(folder: string, argv: readonly string[]): Promise<string> {
  const root = join(folder, 'root')
  for (const name of ['bin', 'dev', 'proc', 'sys', 'modules', 'host', 'layer', 'root'])
    mkdirSync(join(root, name), { recursive: true })
  const modules = await modulePaths()
  const busybox = Bun.which('busybox') ?? ''
  await Bun.$`cp ${busybox} ${join(root, 'bin/busybox')}`.quiet()
  await Bun.$`cp ${modules} ${join(root, 'modules')}`.quiet()
  const names = modules.map((path) => basename(path))
  writeFileSync(join(root, 'init'), initScript(names, argv), { mode: 0o755 })
  const initrd = join(folder, 'initrd')
  await Bun.$`find . | cpio --create --format=newc --quiet > ${initrd}`.cwd(root).quiet()
  return initrd
}

/** In the order in which they are loaded. */
async function modulePaths(): Promise<readonly string[]> {
  const [version = ''] = readdirSync(join(KERNEL, 'lib/modules'))
  const paths: string[] = []
  for (const name of FIRST_MODULES) {
    const shown = await Bun.$`modprobe -d ${KERNEL} -S ${version} --show-depends ${name}`.text()
    for (const [, path = ''] of shown.matchAll(/^insmod (\S+)/gm)) paths.push(path)
  }
  return [...new Set(paths)]
}

function initScript(modules: readonly string[], argv: readonly string[]): string {
  const command = argv.map((word) => `'${word}'`).join(' ')
  const layer = 'lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work,xino=off'
  return `#!/bin/busybox sh
B=/bin/busybox
$B mount -t devtmpfs devtmpfs /dev
${modules.map((name) => `$B insmod /modules/${name}`).join('\n')}
$B mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=524288 root /host
$B mount -t tmpfs layer /layer
$B mkdir /layer/upper /layer/work
$B mount -t overlay -o ${layer} overlay /root
cd /root
$B mkdir -p lib/modules proc sys dev run tmp
$B mount --bind /host${KERNEL}/lib/modules lib/modules
$B mount -t devtmpfs devtmpfs dev
$B mount -t proc proc proc
$B mount -t sysfs sysfs sys
$B mount -t tmpfs tmpfs run
$B mount -t tmpfs tmpfs tmp
$B mkdir run/netns
$B mount -t tmpfs netns run/netns
$B ln -sf /proc/self/mounts etc/mtab
$B cat >run/start <<'START'
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
ip link set lo up
${command} </dev/null
echo o >/proc/sysrq-trigger
sleep 60
START
exec $B switch_root /root /bin/sh /run/start
`
}
