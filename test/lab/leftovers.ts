/**
 * What is on this machine that a local cloud could have left: links, named network namespaces,
 * mounts, mount points, processes, nftables. Taken before and after, the difference must be empty.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { systemProcesses } from '../../src/system/process.ts'

/** One line for each thing. */
export type Snapshot = ReadonlySet<string>

const PROGRAMS = new Set(['haproxy', 'keepalived', 'octavia-lite', 'unshare'])

export async function snapshot(): Promise<Snapshot> {
  const links = await systemProcesses.run(['ip', '-json', 'link'])
  const rules = await systemProcesses.run(['nft', 'list', 'ruleset'])
  return new Set([
    ...(JSON.parse(links.stdout) as { ifname: string }[]).map(({ ifname }) => `link ${ifname}`),
    ...namesIn('/run/netns').map((name) => `network namespace ${name}`),
    ...mountsOf('self').map(({ point }) => `mount ${point}`),
    ...rules.stdout.split('\n').flatMap((line) => (line.trim() === '' ? [] : [`nft ${line}`])),
    ...processes(),
  ])
}

/** What is there now and was not before; empty when nothing was left. */
export async function leftovers(before: Snapshot): Promise<string[]> {
  return [...(await snapshot())].filter((line) => !before.has(line))
}

/**
 * Processes that came out of this lab: in a mount namespace made from the lab's own, which shows by
 * the lab's own /run/netns (in-netns.sh) among its mounts. Of those in the very same namespace, as
 * the tests are, only known programs.
 */
function processes(): string[] {
  const labs = new Set(
    mountsOf('self').flatMap(({ device, point }) => (point === '/run/netns' ? [device] : [])),
  )
  const here = link('self')
  return namesIn('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    const argv = text(pid, 'cmdline').split('\0').slice(0, -1)
    const suspect = link(pid) !== here || PROGRAMS.has(basename(argv[0] ?? ''))
    if (argv.length === 0 || !suspect) return []
    return mountsOf(pid).some(({ device }) => labs.has(device))
      ? [`process ${pid} ${argv.join(' ').slice(0, 200)}`]
      : []
  })
}

function mountsOf(pid: string): { device: string; point: string }[] {
  const lines = text(pid, 'mountinfo').split('\n')
  return lines.flatMap((line) => {
    const [, , device, , point] = line.split(' ')
    return device === undefined || point === undefined ? [] : [{ device, point }]
  })
}

function link(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`)
  } catch {
    return ''
  }
}

function text(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}
