/** The keepalived process of a UDP or SCTP listener: started, reloaded and stopped as a daemon. */
import { rmSync } from 'node:fs'
import { type IpvsTable, isInForce, limitChanges } from '../dataplane/keepalived/ipvs.ts'
import { type LvsConfig, parseLvs } from '../dataplane/keepalived/lvs-reading.ts'
import type { Clock } from '../system/clock.ts'
import { readTextIfExists } from '../system/files.ts'
import type { Processes } from '../system/process.ts'
import { type Daemon, daemonPid, signalDaemon, stopDaemon } from './daemon.ts'
import { changeLimits, readTable } from './lvs-kernel.ts'
import { NAMESPACE_PATH, type Paths } from './paths.ts'

const CHECK_TIMEOUT_MS = 30_000
const START_TIMEOUT_MS = 30_000
/** How long keepalived may take until the kernel does what it was told. */
const EFFECT_TIMEOUT_MS = 10_000
const POLL_MS = 20
/** What it says of every configuration that upstream renders with checks by a program. */
const UNSETTLED_SCRIPTS = 'SECURITY VIOLATION'

export interface LvsProcessDeps {
  readonly processes: Processes
  readonly clock: Clock
  readonly paths: Paths
}

function daemonOf(paths: Paths, listener_id: string): Daemon {
  return {
    pidFiles: [paths.lvsFile(listener_id, 'pid')],
    argument: paths.lvsFile(listener_id, 'conf'),
  }
}

export function lvsPid(paths: Paths, listener_id: string): number | undefined {
  return daemonPid(daemonOf(paths, listener_id))
}

/** keepalived's own verdict on a file: what it complains about, or undefined. */
export async function findFault(deps: LvsProcessDeps, path: string): Promise<string | undefined> {
  const log = `${path}.log`
  rmSync(log, { force: true })
  const argv = ['keepalived', '--check', `--config-test=${log}`, '--use-file', path]
  const { code } = await deps.processes.run(argv, {
    timeoutMs: CHECK_TIMEOUT_MS,
    env: environmentOf(deps.paths),
  })
  const said = (readTextIfExists(log) ?? '').split('\n').filter((line) => line.trim() !== '')
  rmSync(log, { force: true })
  const faults = said.filter((line) => !line.startsWith(UNSETTLED_SCRIPTS))
  if (code === 0 || (said.length > 0 && faults.length === 0)) return undefined
  return faults.join('; ') || `keepalived ended with ${code}`
}

/** Returns once the kernel has the services, or why it has not. */
export async function startLvs(
  deps: LvsProcessDeps,
  listener_id: string,
  config: LvsConfig,
): Promise<string | undefined> {
  const { paths, processes } = deps
  const file = (ending: Parameters<Paths['lvsFile']>[1]) => paths.lvsFile(listener_id, ending)
  const argv = [
    ...['nsenter', `--net=${NAMESPACE_PATH}`, 'keepalived', '--check', '--use-file', file('conf')],
    ...['--pid', file('pid'), '--vrrp_pid', file('vrrp.pid'), '--checkers_pid', file('check.pid')],
  ]
  const result = await processes.run(argv, {
    timeoutMs: START_TIMEOUT_MS,
    cwd: '/',
    env: environmentOf(paths),
  })
  if (result.code !== 0) return `${result.stdout}${result.stderr}`.trim()
  if ((await takesEffect(deps, listener_id, config, undefined)) !== undefined) return undefined
  await stopLvs(deps, listener_id)
  return 'keepalived runs, but the kernel does not get its services'
}

/**
 * Lets keepalived read its configuration again: what did not change stays in the kernel, with its
 * connections and what is known of its members. Upstream restarts it, because keepalived before
 * 2.0.14 forgot to bring members back; the kernel is looked at here instead, and a reload without
 * effect reported. Returns whether it had one.
 */
export async function reloadLvs(
  deps: LvsProcessDeps,
  listener_id: string,
  config: LvsConfig,
): Promise<boolean> {
  const { paths, processes } = deps
  const before = readTextIfExists(paths.lvsFile(listener_id, 'conf.good'))
  if (!signalDaemon(daemonOf(paths, listener_id), 'SIGHUP')) return false
  const known = before === undefined ? undefined : parseLvs(before)
  const table = await takesEffect(deps, listener_id, config, known)
  if (table === undefined) return false
  await changeLimits(processes, limitChanges(table, config, known))
  return true
}

/** Ends it; it takes its services out of the kernel. Returns whether it is gone. */
export function stopLvs(deps: LvsProcessDeps, listener_id: string): Promise<boolean> {
  return stopDaemon(deps.clock, daemonOf(deps.paths, listener_id))
}

/** The kernel's table once it is as the configuration says. */
async function takesEffect(
  { clock, paths }: LvsProcessDeps,
  listener_id: string,
  config: LvsConfig,
  before: LvsConfig | undefined,
): Promise<IpvsTable | undefined> {
  const deadline = clock.now() + EFFECT_TIMEOUT_MS
  while (clock.now() < deadline) {
    const pid = lvsPid(paths, listener_id)
    const table = pid === undefined ? undefined : readTable(pid)
    if (table !== undefined && isInForce(table, config, before)) return table
    await clock.sleep(POLL_MS)
  }
  return undefined
}

/** keepalived looks for check programs in its PATH. */
function environmentOf(paths: Paths): Readonly<Record<string, string>> {
  const usual = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  return { PATH: `${paths.lvsChecks}:${usual}`, LANG: 'C.UTF-8' }
}
