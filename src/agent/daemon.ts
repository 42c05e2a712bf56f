/**
 * A program that was started as a daemon of its own, so that it outlives the agent, and is known
 * again by a pid file and its command line: started and adopted ones are the same.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import type { Clock } from '../system/clock.ts'
import { readTextIfExists } from '../system/files.ts'

const STOP_TIMEOUT_MS = 10_000
const POLL_MS = 20

export interface Daemon {
  /** Files whose first line may be its process id; the first that names it decides. */
  readonly pidFiles: readonly string[]
  /** An argument of its command line which no other program has: the path of its configuration. */
  readonly argument: string
}

/** Its process id, if it runs. */
export function daemonPid(daemon: Daemon): number | undefined {
  for (const path of daemon.pidFiles) {
    const pid = Number(readTextIfExists(path)?.split('\n')[0])
    if (Number.isInteger(pid) && pid > 1 && isItself(pid, daemon.argument)) return pid
  }
  return undefined
}

/** Ends it, by force if it must be. Returns whether it is gone. */
export async function stopDaemon(clock: Clock, daemon: Daemon): Promise<boolean> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const deadline = clock.now() + STOP_TIMEOUT_MS
    if (!signalDaemon(daemon, signal)) return true
    while (clock.now() < deadline) {
      if (daemonPid(daemon) === undefined) return true
      await clock.sleep(POLL_MS)
    }
  }
  return false
}

/** Returns whether there was one to be told. */
export function signalDaemon(daemon: Daemon, signal: NodeJS.Signals): boolean {
  const pid = daemonPid(daemon)
  if (pid === undefined) return false
  try {
    process.kill(pid, signal)
    return true
  } catch (error) {
    // It ended by itself in between.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    return false
  }
}

/** A pid file of an earlier life may name somebody else by now. */
function isItself(pid: number, argument: string): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    // It is empty for a moment while a program executes itself anew; and for zombies and threads of
    // the kernel, which have no program.
    if (command === '') return readlinkSync(`/proc/${pid}/exe`) !== ''
    return command.split('\0').includes(argument)
  } catch {
    return false
  }
}
