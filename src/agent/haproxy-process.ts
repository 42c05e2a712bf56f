/** The haproxy process of a load balancer: started, reloaded and stopped as a daemon. */
import { peerName } from '../dataplane/haproxy/facts.ts'
import type { Clock } from '../system/clock.ts'
import { readTextIfExists, writeFileAtomic } from '../system/files.ts'
import type { Processes, RunResult } from '../system/process.ts'
import { type Daemon, daemonPid, stopDaemon } from './daemon.ts'
import { askHaproxy, holdHaproxy, type MasterState, parseMaster } from './haproxy-socket.ts'
import { NAMESPACE_PATH, type Paths } from './paths.ts'

const CHECK_TIMEOUT_MS = 60_000
const START_TIMEOUT_MS = 60_000
/** haproxy tries for two seconds to bind a port which is taken. */
const RELOAD_TIMEOUT_MS = 30_000
/** A reload takes about ten times as long, and each look a fraction of a millisecond. */
const POLL_MS = 5
/** From the signal to the old worker until it has begun to hand on what it knows. */
const HOLD_MS = 1_000

export interface HaproxyProcessDeps {
  readonly processes: Processes
  readonly clock: Clock
  readonly paths: Paths
  readonly haproxy_cmd: string
  readonly amphora_id: string
}

/** What a program said, for the controller. */
export function outputOf(result: RunResult): string {
  return `${result.stdout}${result.stderr}`.trim()
}

/** `haproxy -c`: the verdict of the program itself, without the network. */
export function checkConfig(deps: HaproxyProcessDeps, path: string): Promise<RunResult> {
  const peer = peerName(deps.amphora_id)
  const argv = [deps.haproxy_cmd, '-c', '-L', peer, '-f', path, '-f', deps.paths.userGroup]
  return deps.processes.run(argv, { timeoutMs: CHECK_TIMEOUT_MS })
}

/**
 * The master process, which keeps its id over reloads. haproxy's own pid file is the second choice:
 * it is empty for a moment during a reload, but there when the agent died right after the start.
 */
function daemonOf(paths: Paths, lb_id: string): Daemon {
  const pidFiles = [paths.masterPid(lb_id), paths.pid(lb_id)]
  return { pidFiles, argument: paths.haproxyConfig(lb_id) }
}

/** The master's process id, if it runs. */
export function runningPid(paths: Paths, lb_id: string): number | undefined {
  return daemonPid(daemonOf(paths, lb_id))
}

/** Starts master and worker in the namespace; returns once they serve, or have failed to. */
export async function start(deps: HaproxyProcessDeps, lb_id: string): Promise<RunResult> {
  const { paths } = deps
  const argv = [
    'nsenter',
    `--net=${NAMESPACE_PATH}`,
    deps.haproxy_cmd,
    '-W',
    '-D',
    '-S',
    `${paths.masterSocket(lb_id)},mode,600`,
    '-f',
    paths.haproxyConfig(lb_id),
    '-f',
    paths.userGroup,
    '-p',
    paths.pid(lb_id),
    '-L',
    peerName(deps.amphora_id),
  ]
  const result = await deps.processes.run(argv, { timeoutMs: START_TIMEOUT_MS, cwd: '/' })
  const pid = readTextIfExists(paths.pid(lb_id))
  if (result.code === 0 && pid !== undefined) writeFileAtomic(paths.masterPid(lb_id), pid)
  return result
}

/**
 * Makes the master read its configuration again. The new worker takes over the listening sockets of
 * the old one, which finishes what it has. Returns undefined when the new worker serves, and
 * otherwise a clause that says why the old one goes on.
 */
export async function reload(
  deps: HaproxyProcessDeps,
  lb_id: string,
  pid: number,
): Promise<string | undefined> {
  const { clock, paths } = deps
  const release = await holdOldWorker(paths, lb_id)
  try {
    return await reloadHeld(deps, lb_id, pid)
  } finally {
    clock.sleep(HOLD_MS).then(release, release)
  }
}

/**
 * An old worker without connections would end before it has handed its stick tables on to the new
 * one, which it does as a peer; so it has one.
 */
async function holdOldWorker(paths: Paths, lb_id: string): Promise<() => void> {
  const running = readTextIfExists(paths.goodConfig(lb_id)) ?? ''
  if (!/^peers /m.test(running)) return () => {}
  try {
    return await holdHaproxy(paths.statsSocket(lb_id))
  } catch {
    // The reload itself will say what is wrong with it.
    return () => {}
  }
}

async function reloadHeld(
  deps: HaproxyProcessDeps,
  lb_id: string,
  pid: number,
): Promise<string | undefined> {
  const deadline = deps.clock.now() + RELOAD_TIMEOUT_MS
  // While a master starts, or executes itself anew, it drops the signal. One that answers does not.
  const before = await findMaster(deps, { lb_id, pid, deadline })
  if (before === undefined) return masterFault(deps, lb_id, pid, 'does not answer')
  process.kill(pid, 'SIGUSR2')
  const now = await findMaster(deps, { lb_id, pid, deadline }, ({ reloads }) => {
    return reloads > before.reloads
  })
  if (now === undefined) return masterFault(deps, lb_id, pid, 'does not reload')
  return now.failed === 0 ? undefined : 'it cannot run with the new one'
}

/** What the master says of itself once that `fits`; undefined when it has ended or time is up. */
async function findMaster(
  { clock, paths }: HaproxyProcessDeps,
  at: { readonly lb_id: string; readonly pid: number; readonly deadline: number },
  fits: (state: MasterState) => boolean = () => true,
): Promise<MasterState | undefined> {
  while (clock.now() < at.deadline && runningPid(paths, at.lb_id) === at.pid) {
    const state = await masterState(paths, at.lb_id)
    if (state !== undefined && fits(state)) return state
    await clock.sleep(POLL_MS)
  }
  return undefined
}

function masterFault(
  { paths }: HaproxyProcessDeps,
  lb_id: string,
  pid: number,
  what: string,
): string {
  const gone = runningPid(paths, lb_id) !== pid
  return gone ? 'its master has ended' : `its master ${what} within ${RELOAD_TIMEOUT_MS / 1000} s`
}

/** A command to the worker, by way of its master, which lets root do anything. */
export function askWorker(paths: Paths, lb_id: string, command: string): Promise<string> {
  return askHaproxy(paths.masterSocket(lb_id), `@1 ${command}; quit`)
}

/** undefined while the master is executing itself anew and does not answer. */
async function masterState(paths: Paths, lb_id: string): Promise<MasterState | undefined> {
  try {
    return parseMaster(await askHaproxy(paths.masterSocket(lb_id), 'show proc; quit', 1_000))
  } catch {
    return undefined
  }
}

/** Ends master and workers, open connections included. Returns whether they are gone. */
export function stop(deps: HaproxyProcessDeps, lb_id: string): Promise<boolean> {
  return stopDaemon(deps.clock, daemonOf(deps.paths, lb_id))
}
