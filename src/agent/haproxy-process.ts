/**
 * The haproxy process of a load balancer. It is started as a daemon of its own, so that it outlives
 * the agent, and is known again by its pid file and command line: started and adopted ones are the
 * same.
 */
import { readFileSync } from 'node:fs'
import { peerName } from '../dataplane/haproxy/facts.ts'
import type { Clock } from '../system/clock.ts'
import { readTextIfExists, writeFileAtomic } from '../system/files.ts'
import type { Processes, RunResult } from '../system/process.ts'
import { askHaproxy, type MasterState, parseMaster } from './haproxy-socket.ts'
import { NAMESPACE_PATH, type Paths } from './paths.ts'

const CHECK_TIMEOUT_MS = 60_000
const START_TIMEOUT_MS = 60_000
/** haproxy tries for two seconds to bind a port which is taken. */
const RELOAD_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 10_000
const POLL_MS = 20

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
 * The master's process id, if it runs. It keeps it over reloads. haproxy's own pid file is the
 * second choice: it is empty for a moment during a reload, but there when the agent died right
 * after the start.
 */
export function runningPid(paths: Paths, lb_id: string): number | undefined {
  for (const path of [paths.masterPid(lb_id), paths.pid(lb_id)]) {
    const pid = Number(readTextIfExists(path)?.split('\n')[0])
    if (Number.isInteger(pid) && pid > 1 && isMaster(pid, paths.haproxyConfig(lb_id))) return pid
  }
  return undefined
}

/** A pid file of an earlier life may name somebody else by now. */
function isMaster(pid: number, configPath: string): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    // It is empty for a moment while the master executes itself anew, and for a zombie.
    return command === '' ? !isZombie(pid) : command.split('\0').includes(configPath)
  } catch {
    return false
  }
}

function isZombie(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name before it may hold anything but ends with the last parenthesis.
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
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
 * the old one, which finishes what it has. Returns whether the new worker serves; if not, the old
 * one goes on.
 */
export async function reload(
  deps: HaproxyProcessDeps,
  lb_id: string,
  pid: number,
): Promise<boolean> {
  const { clock, paths } = deps
  const before = await masterState(paths, lb_id)
  process.kill(pid, 'SIGUSR2')
  const deadline = clock.now() + RELOAD_TIMEOUT_MS
  while (clock.now() < deadline) {
    await clock.sleep(POLL_MS)
    if (runningPid(paths, lb_id) !== pid) return false
    const now = await masterState(paths, lb_id)
    if (now !== undefined && now.reloads > (before?.reloads ?? 0)) return now.failed === 0
  }
  return false
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
export async function stop(deps: HaproxyProcessDeps, lb_id: string): Promise<boolean> {
  const { clock, paths } = deps
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const deadline = clock.now() + STOP_TIMEOUT_MS
    const pid = runningPid(paths, lb_id)
    if (pid === undefined) return true
    kill(pid, signal)
    while (clock.now() < deadline) {
      if (runningPid(paths, lb_id) === undefined) return true
      await clock.sleep(POLL_MS)
    }
  }
  return false
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It ended by itself in between, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
