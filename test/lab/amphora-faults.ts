/** What can happen to an amphora of the local cloud, and what a client sees of it meanwhile. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { OctaviaClient } from '../../src/command/demo/client.ts'
import { portLinkName } from '../../src/driver/local/naming.ts'
import { systemClock } from '../../src/system/clock.ts'
import { readTextIfExists } from '../../src/system/files.ts'
import { runOk, systemProcesses } from '../../src/system/process.ts'
import { type Lab, until } from './harness.ts'

export interface AmphoraRow {
  readonly id: string
  readonly role: string
  readonly status: string
  readonly lb_network_ip: string | null
  readonly vrrp_ip: string
  readonly vrrp_port_id: string
  readonly vrrp_interface: string | null
  readonly vrrp_priority: number | null
}

/** PID 1 of an amphora, as this machine sees it. */
function supervisorOf(lab: Lab, { id }: { readonly id: string }): number {
  const file = join(lab.folder, 'data/cloud/amphorae', id, 'process')
  return Number.parseInt(readTextIfExists(file) ?? '', 10)
}

function processNamespace(pid: number | string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return ''
  }
}

/** All processes of an amphora, or those of one program. */
export function processesOf(
  lab: Lab,
  amphora: { readonly id: string },
  program?: string,
): number[] {
  const namespace = processNamespace(supervisorOf(lab, amphora))
  if (namespace === '') return []
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || processNamespace(name) !== namespace) return []
    return program === undefined || commandOf(name) === program ? [Number(name)] : []
  })
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}

export function signal(pids: readonly number[], name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids)
    try {
      process.kill(pid, name)
    } catch {
      // It ended meanwhile.
    }
}

/** As a power cut: everything in it is gone at once. */
export function killAmphora(lab: Lab, amphora: AmphoraRow): void {
  signal([supervisorOf(lab, amphora)], 'SIGKILL')
}

/** Nothing that the amphora sends on the VIP network arrives, and nobody in it knows. */
export async function cutLink({ vrrp_port_id }: AmphoraRow): Promise<() => Promise<void>> {
  const device = portLinkName(vrrp_port_id)
  const table = `cut_${device.replaceAll('-', '_')}`
  const hook = `type filter hook ingress device "${device}" priority 0; policy drop;`
  await runOk(systemProcesses, ['nft', 'add', 'table', 'netdev', table])
  await runOk(systemProcesses, ['nft', 'add', 'chain', 'netdev', table, 'in', `{ ${hook} }`])
  return async () => {
    await runOk(systemProcesses, ['nft', 'delete', 'table', 'netdev', table])
  }
}

/** What a program says that looks at the namespace of the amphora with the VIP. */
export async function lookInto(
  lab: Lab,
  amphora: { readonly id: string },
  argv: readonly string[],
): Promise<string> {
  const enter = ['nsenter', `--target=${supervisorOf(lab, amphora)}`, '--mount']
  const inside = ['nsenter', '--net=/run/netns/amphora-haproxy']
  return (await systemProcesses.run([...enter, ...inside, ...argv])).stdout
}

/** Whether the amphora has that address on its VIP interface now. */
export async function hasAddress(lab: Lab, amphora: AmphoraRow, vip: string): Promise<boolean> {
  const argv = ['ip', '-o', 'address', 'show', 'dev', 'eth1']
  return (await lookInto(lab, amphora, argv)).includes(` ${vip}/`)
}

export async function amphoraeOf(
  client: OctaviaClient,
  id: string,
): Promise<readonly AmphoraRow[]> {
  const rows = await client.call('GET', `../octavia/amphorae?loadbalancer_id=${id}`)
  return rows as unknown as AmphoraRow[]
}

/** Those which have the VIP now. */
export async function ownersOf(
  lab: Lab,
  rows: readonly AmphoraRow[],
  vip: string,
): Promise<readonly AmphoraRow[]> {
  const has = await Promise.all(rows.map((row) => hasAddress(lab, row, vip)))
  return rows.filter((_, at) => has[at])
}

/** Two amphorae which run, one of which has the VIP. */
export async function isWhole(
  lab: Lab,
  rows: readonly AmphoraRow[],
  vip: string,
): Promise<boolean> {
  const runs = (row: AmphoraRow, program: string): boolean =>
    processesOf(lab, row, program).length > 0
  const fit = rows.filter((row) => runs(row, 'keepalived') && runs(row, 'haproxy'))
  return fit.length === 2 && (await ownersOf(lab, rows, vip)).length === 1
}

/**
 * A machine that hangs: nothing in it runs, and nothing of it is heard. The local cloud, which
 * would start a dead one again, sees its process alive.
 */
export async function freeze(lab: Lab, amphora: AmphoraRow): Promise<() => Promise<void>> {
  signal(processesOf(lab, amphora), 'SIGSTOP')
  // The kernel would go on accepting connections.
  return cutLink(amphora)
}

export interface Seen {
  readonly answered: number
  readonly failed: number
  /** The longest time in which nothing was answered. */
  readonly gap_ms: number
}

const ASK_EVERY_MS = 10
const PATIENCE_MS = 2_000
const WAITING_MAX = 200

/** A client that opens a connection every 10 ms, whatever became of the ones before. */
export function startClient(vip: string): { stop(): Promise<Seen>; answered(): number } {
  let answered = 0
  let failed = 0
  let gap_ms = 0
  let last = performance.now()
  const waiting = new Set<Promise<void>>()
  const note = (): void => {
    const now = performance.now()
    gap_ms = Math.max(gap_ms, now - last)
    last = now
  }
  const ask = async (): Promise<void> => {
    try {
      const response = await fetch(`http://${vip}/`, {
        keepalive: false,
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(PATIENCE_MS),
        proxy: false,
      } as RequestInit)
      if (!response.ok || (await response.text()) === '') throw new Error(`${response.status}`)
      note()
      answered++
    } catch {
      failed++
    }
  }
  const end = systemClock.every(ASK_EVERY_MS, () => {
    if (waiting.size >= WAITING_MAX) return
    const asking = ask().finally(() => waiting.delete(asking))
    waiting.add(asking)
  })
  return {
    answered: () => answered,
    stop: async () => {
      end()
      note()
      await Promise.all(waiting)
      return { answered, failed, gap_ms: Math.round(gap_ms) }
    },
  }
}

/** For the VIP to move: three lost advertisements, the skew, and a machine that is busy. */
export const SWITCH_MS_MAX = 8_000
/** One hands the VIP to the other: SYNs that are lost come again after a second. */
export const HANDOVER_MS_MAX = 1_500

/** Asks all of these VIPs while it happens, and a while longer, and prints what was seen. */
export async function watchVips(
  what: string,
  vips: readonly string[],
  happens: () => Promise<unknown>,
): Promise<readonly Seen[]> {
  const hosts = vips.map((vip) => (vip.includes(':') ? `[${vip}]` : vip))
  const clients = hosts.map((host) => startClient(host))
  const allAnswer = (counts: readonly number[], more: number): boolean =>
    clients.every((client, at) => client.answered() > (counts[at] ?? 0) + more)
  await until('answers', () => allAnswer([], 20))
  await happens()
  const counts = clients.map((client) => client.answered())
  await until('answers again', () => allAnswer(counts, 50))
  const seen = await Promise.all(clients.map((client) => client.stop()))
  process.stdout.write(`\n${what}: ${seen.map((each) => JSON.stringify(each)).join(' ')}\n`)
  return seen
}
