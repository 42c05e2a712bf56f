/** What has to be there before anything else: npm packages, Bun, and programs of Debian. */
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { capture, Failure, ROOT, run, runOk, say } from './say.mjs'

/** Program to the Debian package that has it. */
const RUNTIME = {
  haproxy: 'haproxy',
  keepalived: 'keepalived',
  ipvsadm: 'ipvsadm',
  modprobe: 'kmod',
  ip: 'iproute2',
  nft: 'nftables',
  ps: 'procps',
  sysctl: 'procps',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  mount: 'mount',
  ping: 'iputils-ping',
}

/** What tests and benchmarks need besides. */
const TESTING = {
  curl: 'curl',
  openssl: 'openssl',
  'qemu-system-x86_64': 'qemu-system-x86',
  busybox: 'busybox-static',
  cpio: 'cpio',
  python3: 'python3',
  wrk: 'wrk',
  openstack: 'python3-openstackclient',
  'openstackclient.loadbalancer': 'python3-octaviaclient',
}

/** Packages which would start a service; ours are run by us alone. */
const SERVICES = ['haproxy', 'keepalived', 'ipvsadm', 'nftables']

const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** Installs the npm packages of package-lock.json unless exactly these are there. */
export async function installPackages() {
  const lock = readLock()
  if (!packagesFit(lock)) {
    say('installing npm packages (npm ci)')
    // No package of ours needs its install script, and the one of bun is refused by newer npm.
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    await runOk(['npm', 'ci', '--include=dev', ...flags], 'npm ci')
  }
  await installSkipped(lock)
  findBun()
}

function packagesFit(lock) {
  const present = readJson('node_modules/.package-lock.json')
  return Object.entries(lock).every(
    ([path, entry]) =>
      path === '' || entry.optional || present?.packages[path]?.version === entry.version,
  )
}

/**
 * npm leaves out an optional package which asks for a newer Node.js. Ours are native parts for
 * programs which Bun runs, so Node.js does not matter: those for this platform are fetched.
 */
async function installSkipped(lock) {
  const libc = process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl'
  const fits = (wanted, mine) => wanted === undefined || wanted.includes(mine)
  for (const [path, entry] of Object.entries(lock)) {
    if (!entry.optional || entry.os === undefined || existsSync(join(ROOT, path))) continue
    if (fits(entry.os, 'linux') && fits(entry.cpu, process.arch) && fits(entry.libc, libc))
      await fetchPackage(path, join(ROOT, path))
  }
}

/** Puts the package of a path in package-lock.json, checked against it, into a folder. */
export async function fetchPackage(path, folder) {
  const { version, integrity } = readLock()[path]
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
  say(`fetching ${name} ${version}`)
  const scratch = mkdtempSync(join(tmpdir(), 'octavia-lite-npm-'))
  try {
    const pack = ['npm', 'pack', `${name}@${version}`, '--silent', '--pack-destination', scratch]
    if (capture(pack) === undefined) throw new Failure(`npm pack ${name} failed`)
    const archive = join(scratch, readdirSync(scratch)[0] ?? '')
    const digest = createHash('sha512').update(readFileSync(archive)).digest('base64')
    if (`sha512-${digest}` !== integrity)
      throw new Failure(`${name} ${version} is not what package-lock.json says`)
    // Into a folder beside, so that a broken download never looks like an installed package.
    rmSync(`${folder}.new`, { recursive: true, force: true })
    mkdirSync(`${folder}.new`, { recursive: true })
    await runOk(['tar', '-xzf', archive, '-C', `${folder}.new`, '--strip-components=1'], 'tar')
    renameSync(`${folder}.new`, folder)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Path in node_modules to what package-lock.json says of it. */
function readLock() {
  const lock = readJson('package-lock.json')
  if (lock === undefined) throw new Failure('package-lock.json is missing')
  return lock.packages
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(join(ROOT, path), 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw new Failure(`${path}: ${error.message}`)
  }
}

/**
 * The Bun of this machine. The install script of the bun package moves it out of the package for
 * the platform, so it is in either place, depending on whether npm let that script run.
 */
export function findBun() {
  const arch = process.arch === 'arm64' ? 'aarch64' : process.arch
  const names = ['', '-musl'].map((libc) => `@oven/bun-linux-${arch}${libc}/bin/bun`)
  for (const name of [...names, 'bun/bin/bun.exe', 'bun/bin/bun']) {
    const path = join(ROOT, 'node_modules', name)
    // The place holder of a script that did not run is a short text.
    if (!existsSync(path) || statSync(path).size < 1e6) continue
    if (capture([path, '--version']) !== undefined) return path
  }
  throw new Failure('node_modules has no Bun which runs here; try: rm -r node_modules && npm ci')
}

/** Installs missing Debian packages as root; otherwise says what to type. */
export async function installPrograms({ testing }) {
  const missing = missingPackages(testing ? { ...RUNTIME, ...TESTING } : RUNTIME)
  if (missing.length === 0) return
  const command = `apt-get install --no-install-recommends ${missing.join(' ')}`
  if (process.getuid() !== 0)
    throw new Failure(
      `these Debian packages are missing: ${missing.join(', ')}; type:\n  sudo ${command}`,
    )
  if (findProgram('apt-get') === undefined)
    throw new Failure(`this is no Debian; install what these have: ${missing.join(', ')}`)
  say(`installing Debian packages: ${missing.join(' ')}`)
  await withoutServices(missing, async () => {
    if (hasPackageLists() && (await aptInstall(missing))) return
    say('fetching package lists')
    await runOk(['apt-get', ...APT, 'update'], 'apt-get update')
    if (!(await aptInstall(missing))) throw new Failure(`${command} failed`)
  })
  const still = missingPackages(testing ? { ...RUNTIME, ...TESTING } : RUNTIME)
  if (still.length > 0)
    throw new Failure(`still missing after the installation: ${still.join(', ')}`)
}

/** Two checkouts at a time wait for one another; a removed mirror must not hang for minutes. */
const APT = [
  '-q=2',
  ...['-o', 'DPkg::Lock::Timeout=300'],
  ...['-o', 'Acquire::Retries=2'],
  ...['-o', 'Dpkg::Use-Pty=0'],
]

/** An image of Debian comes without any. */
function hasPackageLists() {
  const folder = '/var/lib/apt/lists'
  return existsSync(folder) && readdirSync(folder).some((name) => name.includes('_Packages'))
}

async function aptInstall(packages) {
  const env = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' }
  const argv = ['apt-get', ...APT, 'install', '--yes', '--no-install-recommends', ...packages]
  return (await run(argv, { env })) === 0
}

function missingPackages(programs) {
  const missing = Object.entries(programs).filter(([program]) => !isThere(program))
  return [...new Set(missing.map(([, debian]) => debian))].sort()
}

function isThere(program) {
  if (!program.includes('.')) return findProgram(program) !== undefined
  // The client's load balancer commands are a plugin without a program of its own.
  return /^Status: .* installed$/m.test(capture(['dpkg', '-s', TESTING[program]]) ?? '')
}

function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...FOLDERS]
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

const POLICY = '/usr/sbin/policy-rc.d'

/**
 * While packages are installed, Debian asks policy-rc.d whether a service may start; ours says no.
 * One that is there already stays. Afterwards services that came with the packages are disabled, so
 * that the next boot does not start them either; one that was installed before is not touched.
 */
async function withoutServices(packages, install) {
  const mine = !existsSync(POLICY)
  if (mine) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  const remove = () => mine && rmSync(POLICY, { force: true })
  process.on('exit', remove)
  try {
    await install()
  } finally {
    process.off('exit', remove)
    remove()
  }
  if (!existsSync('/run/systemd/system')) return
  const units = SERVICES.filter((service) => packages.includes(service))
  for (const unit of units) capture(['systemctl', 'disable', '--quiet', `${unit}.service`])
}
