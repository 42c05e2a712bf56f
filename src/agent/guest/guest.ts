/**
 * A server of a compute service as an amphora, before the agent runs in it: what other images leave
 * to systemd and cloud-init. It is done again at every start of the agent, and everything in it can
 * be repeated. What the agent knows outlives a reboot, so files of the drive are written only once
 * for an instance: by then the controller may have replaced the certificate in them. A disk that
 * was copied from another instance's knows a load balancer that is not this one's: it is emptied.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { AGENT_CONFIG_PATH } from '../../contract/agent-config.ts'
import { KEPT_RSYSLOG_PATH, RSYSLOG_PATH } from '../../contract/rsyslog.ts'
import type { Clock } from '../../system/clock.ts'
import type { Launcher } from '../../system/detached.ts'
import { readTextIfExists, SECRET_MODE, writeFileAtomic } from '../../system/files.ts'
import type { Log } from '../../system/log.ts'
import { type Processes, runOk } from '../../system/process.ts'
import { daemonPid } from '../daemon.ts'
import type { GuestConfig } from './config-drive.ts'
import { readConfigDrive } from './drive.ts'
import { type CardPlan, planManagement } from './management.ts'

/** Enough for the largest `maxconn` of haproxy: two sockets a connection, and its pipes. */
const OPEN_FILES = '2600000'
const INSTANCE_FILE = '/etc/octavia/instance'
/** What is on the partition for state. */
const STATE_FOLDERS = ['/etc/octavia', '/var/lib/octavia'] as const
const PLUGGED_FILE = '/var/lib/octavia/plugged_interfaces'
const SSH_KEYS_OF_IMAGE = '/etc/authorized_keys'
const SSH_FOLDER = '/run/root/.ssh'
const SSH_HOST_KEY = '/etc/octavia/ssh_host_ed25519_key'
/** Everything else of the image is read-only, and no controller has to change it. */
const WRITABLE = /^\/etc\/(octavia|rsyslog\.d)\/(?!.*\.\.)/

export interface GuestDeps {
  readonly processes: Processes
  readonly launcher: Launcher
  readonly clock: Clock
  readonly log: Log
}

/** Throws when the agent could not run afterwards. */
export async function prepareGuest(deps: GuestDeps): Promise<void> {
  const { log } = deps
  for (const name of ['file-max', 'nr_open']) writeFileSync(`/proc/sys/fs/${name}`, OPEN_FILES)
  const config = await readConfigDrive(deps)
  if (config === undefined) {
    log.warning('there is no config drive', { known: existsSync(AGENT_CONFIG_PATH) })
    await setUpCards(deps, null, [])
    return
  }
  if (config.hostname !== null) writeFileSync('/proc/sys/kernel/hostname', config.hostname)
  writeFiles(config, log)
  setTimezone(config.timezone, log)
  await setUpCards(deps, config.links, config.nameservers)
  await startSsh(deps, config.ssh_keys)
}

function writeFiles({ instance_id, files }: GuestConfig, log: Log): void {
  const before = readTextIfExists(INSTANCE_FILE)?.trim()
  if (before === instance_id) return
  if (before !== undefined) {
    log.warning('the disk is that of another instance: what it knows is removed', { before })
    STATE_FOLDERS.forEach(emptyFolder)
  }
  for (const { path, content } of files) {
    if (!WRITABLE.test(path)) {
      log.warning('a file of the config drive is not one of an amphora', { path })
      continue
    }
    const kept = path === RSYSLOG_PATH ? KEPT_RSYSLOG_PATH : path
    mkdirSync(dirname(kept), { recursive: true, mode: 0o700 })
    writeFileAtomic(kept, content, SECRET_MODE)
  }
  writeFileAtomic(INSTANCE_FILE, `${instance_id}\n`)
}

/** Folders on which something is mounted stay, empty. */
function emptyFolder(folder: string): void {
  for (const each of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, each.name)
    if (each.isDirectory()) emptyFolder(path)
    else rmSync(path, { force: true })
  }
}

function setTimezone(name: string | null, log: Log): void {
  const zone = `/usr/share/zoneinfo/${name ?? 'UTC'}`
  if (name !== null && (!/^[\w+-]+(\/[\w+-]+)*$/.test(name) || !existsSync(zone))) {
    log.warning('the time zone is not known', { name })
    return
  }
  rmSync('/run/localtime', { force: true })
  symlinkSync(zone, '/run/localtime')
}

async function setUpCards(
  deps: GuestDeps,
  links: GuestConfig['links'],
  nameservers: readonly string[],
): Promise<void> {
  const plugged = (readTextIfExists(PLUGGED_FILE) ?? '')
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
  const plans = planManagement(links, listCards(), plugged)
  if (plans.length === 0) deps.log.error('there is no card for the management network')
  if (nameservers.length > 0)
    writeFileAtomic('/run/resolv.conf', nameservers.map((ip) => `nameserver ${ip}\n`).join(''))
  for (const plan of plans) await setUpCard(deps, plan)
}

/** Cards of this server, in the order in which the kernel found them; loopback is none. */
function listCards(): readonly { readonly name: string; readonly mac: string }[] {
  const folder = '/sys/class/net'
  return readdirSync(folder)
    .filter((name) => lstatSync(`${folder}/${name}`).isSymbolicLink() && name !== 'lo')
    .flatMap((name) => {
      const mac = readTextIfExists(`${folder}/${name}/address`)?.trim().toLowerCase()
      const index = Number(readTextIfExists(`${folder}/${name}/ifindex`))
      // Others, such as a bond, are no hardware.
      return mac && existsSync(`${folder}/${name}/device`) ? [{ name, mac, index }] : []
    })
    .sort((a, b) => a.index - b.index)
}

async function setUpCard({ processes, launcher, log }: GuestDeps, plan: CardPlan): Promise<void> {
  for (const [name, value] of Object.entries(plan.settings))
    if (existsSync(`/proc/sys/net/${name}`)) writeFileSync(`/proc/sys/net/${name}`, value)
  await runOk(processes, ['ip', '-batch', '-'], { stdin: `${plan.ip.join('\n')}\n` })
  if (!plan.dhcp4) return
  const pidFile = `/run/udhcpc.${plan.card}.pid`
  if (daemonPid({ pidFiles: [pidFile], argument: pidFile }) !== undefined) return
  const script = ['-s', '/etc/udhcpc.sh', '-p', pidFile]
  // It asks every second at first and goes on for ever; the lease is not waited for.
  const argv = ['udhcpc', '-f', '-i', plan.card, '-t', '20', '-T', '1', '-A', '2', ...script]
  launcher.launch(argv, { PATH: '/usr/sbin:/usr/bin' }).release()
  log.info('an address is asked for by DHCP', { card: plan.card })
}

/** Only by key, and only where there is one. */
async function startSsh({ processes, log }: GuestDeps, keys: readonly string[]): Promise<void> {
  const image = (readTextIfExists(SSH_KEYS_OF_IMAGE) ?? '').split('\n')
  const all = [...image, ...keys].filter((key) => key.trim() !== '')
  if (all.length === 0) return
  mkdirSync(SSH_FOLDER, { recursive: true, mode: 0o700 })
  writeFileAtomic(`${SSH_FOLDER}/authorized_keys`, `${all.join('\n')}\n`, SECRET_MODE)
  const pidFile = '/run/dropbear.pid'
  if (daemonPid({ pidFiles: [pidFile], argument: pidFile }) !== undefined) return
  if (!existsSync(SSH_HOST_KEY))
    await runOk(processes, ['dropbearkey', '-t', 'ed25519', '-f', SSH_HOST_KEY])
  await runOk(processes, ['dropbear', '-s', '-r', SSH_HOST_KEY, '-p', '22', '-P', pidFile])
  log.info('operators can log in by ssh', { keys: all.length })
}
