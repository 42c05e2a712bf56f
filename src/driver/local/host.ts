/** What the local cloud asks of its host besides links: rights, programs, mount points. */
import { existsSync, readdirSync, readFileSync, realpathSync, rmdirSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { makeFolder } from '../../system/files.ts'
import { type NetworkState, readNetwork } from '../../system/ip.ts'
import { CommandError, type Processes } from '../../system/process.ts'
import { DriverError } from '../error.ts'
import type { LocalState } from './state.ts'
import { MOUNT_POINTS } from './supervisor.ts'

/**
 * What is there before we change anything. Throws a DriverError where the local cloud cannot work.
 */
export async function inspectHost(processes: Processes): Promise<NetworkState> {
  if (process.getuid?.() !== 0)
    throw unusable('it makes network interfaces and namespaces', 'run octavia-lite as root')
  try {
    return await readNetwork(processes)
  } catch (error) {
    if (!(error instanceof CommandError) || error.result !== undefined) throw error
    throw unusable('the program ip cannot be started', 'install the package iproute2')
  }
}

function unusable(reason: string, hint: string): DriverError {
  return new DriverError({
    operation: 'start',
    subject: 'the local cloud',
    reason,
    hint,
    retryable: false,
  })
}

/** An amphora mounts its own folders over these, so they must exist on the host. */
export function makeMountPoints(state: LocalState, paths: readonly string[] = MOUNT_POINTS): void {
  const missing = paths.filter((path) => !existsSync(path))
  if (missing.length === 0) return
  // On record first, so that a crash does not make us forget to remove them.
  state.setMadeFolders([...new Set([...state.madeFolders, ...missing])])
  for (const path of missing) makeFolder(path)
}

export function removeMountPoints(state: LocalState): void {
  if (state.madeFolders.length === 0) return
  const mounted = mountPointsInUse()
  for (const path of state.madeFolders) {
    // Removing a folder takes away what is mounted on it in other namespaces: in the amphorae of
    // another octavia-lite on this host, a demo beside a service for one. So it is theirs now.
    if (mounted.has(path)) continue
    try {
      rmdirSync(path)
    } catch {
      // Gone already, or somebody put something into it: then it is theirs as well.
    }
  }
  state.setMadeFolders([])
}

/** Mount points in the namespaces of all processes. */
function mountPointsInUse(): Set<string> {
  const points = new Set<string>()
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    let table = ''
    try {
      table = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    } catch {
      // It has ended.
    }
    for (const line of table.split('\n')) points.add(line.split(' ')[4] ?? '')
  }
  return points
}

/** What paths among the words of a command lead to, the paths themselves included. */
export function realPaths(words: readonly string[]): string[] {
  return words.flatMap((word) => {
    if (!isAbsolute(word)) return []
    return existsSync(word) ? [word, realpathSync(word)] : [word]
  })
}
