/** The supervisor process of an instance: started, found again after our own restart, ended. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../system/clock.ts'
import type { Launch, Launcher } from '../../system/detached.ts'
import { readTextIfExists } from '../../system/files.ts'
import { DriverError } from '../error.ts'
import {
  AGENT_ENVIRONMENT,
  AGENT_LOG,
  GO,
  PROCESS_FILE,
  READY,
  STARTED,
  supervisorArgv,
} from './supervisor.ts'

/**
 * A process id alone may come to mean another process; with the start time it cannot until a
 * reboot.
 */
export interface InstanceProcess {
  readonly pid: number
  /** In clock ticks since boot. */
  readonly started: string
  /** The amphora's folder is one of its arguments, which a process after a reboot has not. */
  readonly folder: string
}

const LINE_TIMEOUT_MS = 10_000
const END_TIMEOUT_MS = 10_000
const END_POLL_MS = 2

/**
 * The running supervisor of the instance in `folder`, if there is one; perhaps it still waits for
 * `go`.
 */
export function findProcess(folder: string): InstanceProcess | undefined {
  const [line = ''] = readRecord(folder)
  const recorded = parseStat(line)
  if (recorded === undefined) return undefined
  const process = { pid: recorded.pid, started: recorded.started, folder }
  return isAlive(process) ? process : undefined
}

/** Likewise, but only one that was let go: any other ends as soon as it finds its starter dead. */
export function findStartedProcess(folder: string): InstanceProcess | undefined {
  return readRecord(folder).includes(STARTED) ? findProcess(folder) : undefined
}

function readRecord(folder: string): string[] {
  return (readTextIfExists(join(folder, PROCESS_FILE)) ?? '').split('\n')
}

export function isAlive(process: InstanceProcess): boolean {
  return stateOf(process) === 'running'
}

/**
 * `ending` from when the process gives up its memory until everything in its process namespace is
 * dead, which it waits for before it becomes a zombie.
 */
function stateOf({ pid, started, folder }: InstanceProcess): 'running' | 'ending' | 'ended' {
  const stat = parseStat(readProc(pid, 'stat'))
  if (stat === undefined || stat.started !== started || stat.state === 'Z') return 'ended'
  return readProc(pid, 'cmdline').split('\0').includes(folder) ? 'running' : 'ending'
}

interface ProcessStat {
  readonly pid: number
  readonly state: string
  readonly started: string
}

/**
 * A line of /proc/<pid>/stat; the name in it may hold anything, so fields count from its last
 * bracket.
 */
export function parseStat(line: string): ProcessStat | undefined {
  const pid = Number.parseInt(line, 10)
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  const [state, started] = [fields[0], fields[19]]
  if (!Number.isInteger(pid) || state === undefined || started === undefined) return undefined
  return /^\d+$/.test(started) ? { pid, state, started } : undefined
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    // It has ended.
    return ''
  }
}

/** Ends everything in the amphora, and returns when it has ended. */
export async function endProcess(clock: Clock, process: InstanceProcess): Promise<void> {
  const deadline = clock.now() + END_TIMEOUT_MS
  // PID 1 of a process namespace takes all the others with it.
  if (isAlive(process)) killProcess(process.pid)
  while (stateOf(process) !== 'ended') {
    if (clock.now() > deadline)
      throw new DriverError({
        operation: 'delete',
        subject: `process ${process.pid}`,
        reason: 'it does not end',
        hint: 'see what it waits for in /proc/<pid>/stack',
        retryable: true,
      })
    await clock.sleep(END_POLL_MS)
  }
}

export function killProcess(pid: number): void {
  try {
    globalThis.process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/**
 * Starts the supervisor of the instance in `folder`, lets `connect` give its namespace a network,
 * and then lets it go. When anything fails, nothing of it is left running.
 */
export async function startProcess(
  deps: { readonly launcher: Launcher; readonly clock: Clock },
  supervisor: Parameters<typeof supervisorArgv>[0],
  connect: (process: InstanceProcess) => Promise<void>,
): Promise<void> {
  const { folder } = supervisor
  const launch = deps.launcher.launch(supervisorArgv(supervisor), AGENT_ENVIRONMENT)
  try {
    await expectLine(launch, READY, folder)
    const process = findProcess(folder)
    if (process === undefined) throw notStarted(folder)
    await connect(process)
    launch.writeLine(GO)
    await expectLine(launch, STARTED, folder)
  } catch (cause) {
    const process = findProcess(folder)
    if (process !== undefined) await endProcess(deps.clock, process)
    throw cause
  } finally {
    launch.release()
  }
}

async function expectLine(launch: Launch, line: string, folder: string): Promise<void> {
  const said = await launch.readLine(LINE_TIMEOUT_MS)
  if (said !== line) throw notStarted(folder)
}

function notStarted(folder: string): DriverError {
  const complaint = readTextIfExists(join(folder, AGENT_LOG))?.trim().split('\n').at(-1)
  return new DriverError({
    operation: 'build',
    subject: `instance in ${folder}`,
    reason: `its supervisor did not start${complaint ? `: ${complaint}` : ''}`,
    retryable: true,
  })
}
