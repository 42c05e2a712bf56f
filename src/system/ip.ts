/**
 * Links, addresses and routes of this machine by iproute2: one process reads all of them, one
 * process applies a batch. With `pid` a command works in the network namespace of that process.
 */
import { assert } from './assert.ts'
import { CommandError, type Processes, runOk } from './process.ts'

export interface LinkAddress {
  /** Without the prefix. */
  readonly address: string
  readonly prefix: number
}

export interface Link {
  readonly name: string
  /** Lower case. */
  readonly mac: string
  readonly up: boolean
  readonly mtu: number
  /** The bridge it is a port of. */
  readonly master: string | null
  readonly alias: string | null
  /** Link-local ones are left out: the kernel makes them. */
  readonly addresses: readonly LinkAddress[]
}

export interface Route {
  /** `default` or a CIDR; a host route has no prefix. */
  readonly destination: string
  readonly device: string | null
}

export interface Namespace {
  readonly pid: number
}

export interface NetworkState {
  readonly links: readonly Link[]
  readonly routes: readonly Route[]
}

/** One command for `ip -batch`, as words. */
export type IpCommand = readonly string[]

/** What `readNetwork` asks for; each line gives one JSON document. */
const READ = 'link show\naddress show\nroute show table all\n'
const READ_LINKS = 'link show\naddress show\n'
const BATCH_COMMANDS_MAX = 10_000

/** All links and addresses, without routes: a few milliseconds. */
export async function readLinks(processes: Processes, where?: Namespace): Promise<readonly Link[]> {
  const [links, addresses] = await readDocuments(processes, READ_LINKS, where)
  return joinLinks(links ?? [], addresses ?? [])
}

/** Links, addresses and the routes of all tables but the kernel's own local one. */
export async function readNetwork(processes: Processes, where?: Namespace): Promise<NetworkState> {
  const [links, addresses, routes] = await readDocuments(processes, READ, where)
  return { links: joinLinks(links ?? [], addresses ?? []), routes: (routes ?? []).flatMap(toRoute) }
}

/**
 * Applies the commands in order. One that fails does not keep the others from being tried; then a
 * CommandError quotes what was said.
 */
export async function applyIp(
  processes: Processes,
  commands: readonly IpCommand[],
  where?: Namespace,
): Promise<void> {
  if (commands.length === 0) return
  assert(commands.length <= BATCH_COMMANDS_MAX, 'a batch of ip commands is bounded')
  const stdin = commands.map((words) => `${words.map(checkedWord).join(' ')}\n`).join('')
  await runOk(processes, ipArgv(['-force', '-batch', '-'], where), { stdin })
}

function ipArgv(args: readonly string[], where: Namespace | undefined): string[] {
  // nsenter rather than `ip -n`, which takes names below /run/netns only and remounts /sys as well.
  const enter = where === undefined ? [] : ['nsenter', `--net=/proc/${where.pid}/ns/net`]
  return [...enter, 'ip', ...args]
}

/** Batch lines are split at white space and know quotes: a word must be plain. */
function checkedWord(word: string): string {
  assert(/^[\w.:/@%+-]+$/.test(word), `an ip argument is one plain word: ${JSON.stringify(word)}`)
  return word
}

type Row = Readonly<Record<string, unknown>>

async function readDocuments(
  processes: Processes,
  script: string,
  where: Namespace | undefined,
): Promise<Row[][]> {
  const argv = ipArgv(['-json', '-batch', '-'], where)
  const { stdout } = await runOk(processes, argv, { stdin: script })
  const lines = stdout.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line) => parseRows(line, argv))
}

function parseRows(line: string, argv: readonly string[]): Row[] {
  try {
    const rows: unknown = JSON.parse(line)
    if (Array.isArray(rows)) return rows.filter((row) => typeof row === 'object' && row !== null)
  } catch (cause) {
    throw new CommandError(argv, 'printed something that is not JSON', undefined, cause)
  }
  throw new CommandError(argv, 'printed something that is not a list')
}

/** `ip address` has no alias and `ip link` no addresses, so both are read and joined by name. */
function joinLinks(links: readonly Row[], addresses: readonly Row[]): Link[] {
  const addressRows = new Map(addresses.map((row) => [row.ifname, row.addr_info]))
  return links.flatMap((row) => {
    const name = row.ifname
    if (typeof name !== 'string') return []
    const flags = Array.isArray(row.flags) ? row.flags : []
    return {
      name,
      mac: textOf(row.address)?.toLowerCase() ?? '',
      up: flags.includes('UP'),
      mtu: Number(row.mtu ?? 0),
      master: textOf(row.master),
      alias: textOf(row.ifalias),
      addresses: toAddresses(addressRows.get(name)),
    }
  })
}

function toAddresses(info: unknown): LinkAddress[] {
  if (!Array.isArray(info)) return []
  return info.flatMap((row: Row) => {
    const address = textOf(row.local)
    if (address === null || row.scope === 'link') return []
    return { address, prefix: Number(row.prefixlen) }
  })
}

function toRoute(row: Row): Route[] {
  const destination = textOf(row.dst)
  if (destination === null || row.table === 'local') return []
  return [{ destination, device: textOf(row.dev) }]
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
