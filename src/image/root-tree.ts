/** The root of the image as a folder: programs, libraries, modules, a few files of text, and us. */
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import boot from '../../assets/image/boot.sh' with { type: 'text' }
import hotplug from '../../assets/image/hotplug.sh' with { type: 'text' }
import inittab from '../../assets/image/inittab.txt' with { type: 'text' }
import power from '../../assets/image/power.sh' with { type: 'text' }
import udhcpc from '../../assets/image/udhcpc.sh' with { type: 'text' }
import { APPLETS, LIBRARIES, PROGRAMS, type Target } from './contents.ts'
import { findLibraries } from './libraries.ts'
import { copyModules } from './modules.ts'
import { makeFolders, type Tools } from './tools.ts'

const FOLDERS = [
  ...['dev', 'proc', 'sys', 'run', 'tmp', 'var', 'root', 'etc/octavia', 'etc/acpi/PWRF'],
  ...['etc/haproxy', 'etc/keepalived', 'etc/modprobe.d', 'etc/netns', 'etc/ssl/certs'],
  ...['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'usr/share'],
]

/** Users by name: uid, gid, home. Nobody has a password; operators come in by a key. */
const USERS: Readonly<Record<string, readonly [uid: number, gid: number, home: string]>> = {
  root: [0, 0, '/root'],
  haproxy: [100, 101, '/var/lib/haproxy'],
  keepalived_script: [101, 102, '/'],
  nobody: [65_534, 65_534, '/'],
}
const GROUPS = { root: 0, tty: 5, haproxy: 101, keepalived_script: 102, nogroup: 65_534 }

/** Paths in the image to content; scripts are executable. */
function files(): Readonly<Record<string, string>> {
  const users = Object.entries(USERS)
  const shell = (name: string): string => (name === 'root' ? '/bin/sh' : '/bin/false')
  return {
    'etc/boot.sh': boot,
    'etc/hotplug.sh': hotplug,
    'etc/udhcpc.sh': udhcpc,
    'etc/acpi/PWRF/00000080': power,
    'etc/inittab': inittab,
    'etc/passwd': users
      .map(([name, [uid, gid, home]]) => `${name}:x:${uid}:${gid}::${home}:${shell(name)}\n`)
      .join(''),
    'etc/group': Object.entries(GROUPS)
      .map(([name, gid]) => `${name}:x:${gid}:\n`)
      .join(''),
    'etc/shadow': users.map(([name]) => `${name}:*:19000::::::\n`).join(''),
    'etc/shells': '/bin/sh\n',
    'etc/nsswitch.conf': 'hosts: files dns\n',
    'etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
    // These make interfaces of their own when they are loaded.
    'etc/modprobe.d/octavia-lite.conf': 'options dummy numdummies=0\noptions bonding max_bonds=0\n',
  }
}

export interface RootInput {
  readonly target: Target
  /** Where the packages were extracted. */
  readonly packages: string
  readonly kernel: string
  /** The octavia-lite that is the agent. */
  readonly agent: string
  readonly manifest: string
  /** Lines of `authorized_keys`. */
  readonly ssh_keys: readonly string[]
}

export async function makeRoot(tools: Tools, input: RootInput, root: string): Promise<void> {
  const { target, packages } = input
  makeFolders(root, FOLDERS)
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(root, name))
  const take = (path: string): void => copyInto(packages, root, path)
  for (const program of PROGRAMS) take(program)
  const folders = [`lib/${target.triplet}`, `usr/lib/${target.triplet}`]
  for (const path of await findLibraries(tools, packages, folders, PROGRAMS, LIBRARIES)) take(path)
  take(target.loader)
  addBusybox(packages, root)
  await copyModules(tools, input, root)
  copyFileSync(input.agent, join(root, 'usr/bin/octavia-lite'))
  chmodSync(join(root, 'usr/bin/octavia-lite'), 0o755)
  for (const name of ['protocols', 'services']) take(`etc/${name}`)
  await tools.run([
    'cp',
    '-a',
    join(packages, 'usr/share/zoneinfo'),
    join(root, 'usr/share/zoneinfo'),
  ])
  addText(root, input)
}

/** `bin/x` and `usr/bin/x` are one place in the image. */
function copyInto(packages: string, root: string, path: string): void {
  const to = join(root, /^(bin|sbin|lib|lib64)\//.test(path) ? `usr/${path}` : path)
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(join(packages, path), to)
}

function addBusybox(packages: string, root: string): void {
  copyInto(packages, root, 'bin/busybox')
  for (const applet of APPLETS) symlinkSync('busybox', join(root, 'usr/bin', applet))
  // Not busybox' own: it runs its applets, `ip` among them, before looking at $PATH.
  symlinkSync('dash', join(root, 'usr/bin/sh'))
  for (const name of ['insmod', 'rmmod', 'lsmod', 'modprobe', 'modinfo', 'depmod'])
    symlinkSync('../bin/kmod', join(root, 'usr/sbin', name))
  for (const name of ['init', 'reboot', 'poweroff'])
    symlinkSync('../bin/busybox', join(root, 'usr/sbin', name))
}

function addText(root: string, { manifest, ssh_keys }: RootInput): void {
  for (const [path, text] of Object.entries(files())) {
    writeFileSync(join(root, path), text)
    if (text.startsWith('#!')) chmodSync(join(root, path), 0o755)
  }
  chmodSync(join(root, 'etc/shadow'), 0o600)
  writeFileSync(join(root, 'etc/octavia-image-manifest'), manifest)
  writeFileSync(join(root, 'etc/authorized_keys'), ssh_keys.map((key) => `${key}\n`).join(''))
  symlinkSync('/run/resolv.conf', join(root, 'etc/resolv.conf'))
  symlinkSync('/run/localtime', join(root, 'etc/localtime'))
  symlinkSync('/run/rsyslog.d', join(root, 'etc/rsyslog.d'))
  symlinkSync('/proc/self/mounts', join(root, 'etc/mtab'))
  symlinkSync('/run/root/.ssh', join(root, 'root/.ssh'))
}
