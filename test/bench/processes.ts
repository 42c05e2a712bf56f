/** CPU and memory of processes, from /proc. */
import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts CPU time in hundredths of a second on every platform that matters here. */
const TICK_MS = 10

/** User and system time of all threads so far, milliseconds. */
export function cpuMs(pid: number): number {
  const fields = statFields(pid)
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

export interface Memory {
  /** Proportional set size: shared pages divided among who shares them. */
  readonly pss_mb: number
  readonly pss_anonymous_mb: number
}

export function memoryOf(pids: readonly number[]): Memory {
  const rollups = pids.map((pid) => readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
  const sum = (key: string): number =>
    rollups.reduce((total, text) => {
      const kb = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]
      return total + Number(kb) / 1024
    }, 0)
  return { pss_mb: sum('Pss'), pss_anonymous_mb: sum('Pss_Anon') }
}

export interface Process {
  readonly pid: number
  readonly parent: number
  /** Arguments, separated by blanks. */
  readonly command: string
}

export function listProcesses(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const pid = Number(name)
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        return [{ pid, parent: Number(statFields(pid)[1]), command }]
      } catch {
        // It ended meanwhile.
        return []
      }
    })
}

/** Those whose command mentions `text`, with all their descendants. */
export function findTrees(text: string): Process[] {
  const all = listProcesses()
  const found = all.filter((process) => process.command.includes(text))
  for (let at = 0; at < found.length; at++) {
    const children = all.filter((process) => process.parent === found[at]?.pid)
    found.push(...children.filter((child) => !found.includes(child)))
  }
  return found
}

/** The fields of /proc/<pid>/stat after the command, which may hold blanks and brackets itself. */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}
