/**
 * A stock kernel of Debian for tests in a virtual machine: what UDP and SCTP listeners need is not
 * in every kernel. It is unpacked below dist/ and not installed.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { capture, ROOT, run, say } from './say.mjs'

/** `vmlinuz` and `lib/modules/<version>`. */
export const KERNEL = join(ROOT, 'dist/vm-kernel')
/** Drivers are most of a kernel's modules, and a virtual machine needs few. */
const WANTED = [
  './boot/vmlinuz-*',
  './lib/modules/*/modules.*',
  ...['arch', 'crypto', 'lib', 'net', 'fs/9p', 'fs/netfs', 'fs/fscache', 'fs/overlayfs'],
  ...['drivers/virtio', 'drivers/net/veth.ko', 'drivers/char/hw_random'],
].map((path) => (path.startsWith('./') ? path : `./lib/modules/*/kernel/${path}`))

/** Unpacks it unless it is there. Returns why it cannot, in which case tests are skipped. */
export async function installKernel() {
  if (existsSync(join(KERNEL, 'vmlinuz'))) return undefined
  if (process.arch !== 'x64') return 'the virtual machine of the tests is for x86-64'
  const scratch = mkdtempSync(join(tmpdir(), 'octavia-lite-kernel-'))
  try {
    const names = capture(['apt-cache', 'depends', 'linux-image-amd64']) ?? ''
    const name = /Depends: (linux-image-\S+)/.exec(names)?.[1]
    if (name === undefined) return 'apt does not know linux-image-amd64'
    say(`fetching ${name} for tests in a virtual machine`)
    const asRoot = ['-o', 'APT::Sandbox::User=root']
    const got = await run(['apt-get', '-q=2', ...asRoot, 'download', name], { cwd: scratch })
    const [archive] = readdirSync(scratch)
    if (got !== 0 || archive === undefined) return `${name} cannot be fetched`
    const folder = `${KERNEL}.new`
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const patterns = WANTED.map((pattern) => `'${pattern}'`).join(' ')
    const unpack = `dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --wildcards ${patterns}`
    await run(['sh', '-c', unpack, 'sh', join(scratch, archive), folder])
    const [version] = readdirSync(join(folder, 'lib/modules'))
    // The package's own script would do so when it is installed.
    if ((await run(['depmod', '-b', folder, version])) !== 0) return 'depmod failed'
    renameSync(join(folder, `boot/vmlinuz-${version}`), join(folder, 'vmlinuz'))
    renameSync(folder, KERNEL)
    return undefined
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
