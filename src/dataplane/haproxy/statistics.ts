/**
 * What haproxy says of itself, back in Octavia's terms: the CSV of `show stat` to the reports of a
 * heartbeat. Pure. The names are those that configuration.ts renders.
 * Source: octavia/amphorae/backends/utils/haproxy_query.py and health_daemon/health_daemon.py.
 */
import type { ListenerReport, PoolReport } from '../../contract/heartbeat.ts'
import { isInternalProxy } from './internal.ts'

export interface StatRow {
  readonly pxname: string
  readonly svname: string
  readonly status: string
  readonly weight: string
  readonly scur: number
  readonly bin: number
  readonly bout: number
  readonly ereq: number
  readonly stot: number
}

const COLUMNS = [
  'pxname',
  'svname',
  'status',
  'weight',
  'scur',
  'bin',
  'bout',
  'ereq',
  'stot',
] as const
const DELTA_COLUMNS = ['bin', 'bout', 'ereq', 'stot'] as const

/** Counters of the last message, by listener. */
export type Counters = Readonly<Record<string, Delta>>
type Delta = Readonly<Record<(typeof DELTA_COLUMNS)[number], number>>

/**
 * The rows of `show stat`, haproxy's own exporter left out. Throws on anything that is not that
 * CSV.
 */
export function parseStatistics(text: string): readonly StatRow[] {
  const [header = '', ...lines] = text.trimEnd().split('\n')
  const names = header.replace(/^# /, '').split(',')
  const at = COLUMNS.map((column) => names.indexOf(column))
  if (at.includes(-1)) throw new Error(`not the output of show stat: ${header.slice(0, 80)}`)
  return lines
    .filter((line) => line !== '')
    .map((line) => rowOf(splitCsv(line), at))
    .filter((row) => !isInternalProxy(row.pxname))
}

function rowOf(cells: readonly string[], at: readonly number[]): StatRow {
  const cell = (column: (typeof COLUMNS)[number]): string =>
    cells[at[COLUMNS.indexOf(column)] ?? -1] ?? ''
  const count = (column: (typeof COLUMNS)[number]): number => {
    const value = Number(cell(column))
    return Number.isFinite(value) ? value : 0
  }
  return {
    pxname: cell('pxname'),
    svname: cell('svname'),
    status: cell('status'),
    weight: cell('weight'),
    scur: count('scur'),
    bin: count('bin'),
    bout: count('bout'),
    ereq: count('ereq'),
    stot: count('stot'),
  }
}

/** haproxy quotes only cells that need it (`last_chk` may hold a comma). */
function splitCsv(line: string): readonly string[] {
  if (!line.includes('"')) return line.split(',')
  const cells: string[] = []
  for (const match of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g))
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
  return cells
}

export interface Reports {
  readonly listeners: Readonly<Record<string, ListenerReport>>
  readonly pools: Readonly<Record<string, PoolReport>>
  /** To be handed in with the next call. */
  readonly counters: Counters
}

/**
 * The reports of all rows. Traffic is what came since `previous`; a counter that went back belongs
 * to a haproxy that was restarted, so all of it is new.
 */
export function reportsOf(rows: readonly StatRow[], previous: Counters): Reports {
  const listeners: Record<string, ListenerReport> = {}
  const pools: Record<string, { status: string; members: Record<string, string> }> = {}
  // Without any row haproxy could not be asked; what it had counted still stands.
  const counters: Record<string, Delta> = rows.length === 0 ? { ...previous } : {}
  for (const row of rows) {
    if (row.svname === 'FRONTEND') {
      const delta = deltaOf(row, previous[row.pxname])
      counters[row.pxname] = { bin: row.bin, bout: row.bout, ereq: row.ereq, stot: row.stot }
      listeners[row.pxname] = {
        status: row.status,
        stats: {
          tx: delta.bout,
          rx: delta.bin,
          conns: row.scur,
          totconns: delta.stot,
          ereq: delta.ereq,
        },
      }
      continue
    }
    pools[row.pxname] ??= { status: 'DOWN', members: {} }
    const pool = pools[row.pxname]
    if (pool === undefined) continue
    if (row.svname === 'BACKEND') pool.status = row.status
    else pool.members[row.svname] = memberStatus(row)
  }
  return { listeners, pools, counters }
}

/** haproxy shows a server without weight as UP; Octavia calls it draining. */
function memberStatus(row: StatRow): string {
  return row.status === 'UP' && row.weight === '0' ? 'DRAIN' : row.status
}

function deltaOf(row: StatRow, last: Delta | undefined): Delta {
  const since = (column: (typeof DELTA_COLUMNS)[number]): number => {
    const delta = row[column] - (last?.[column] ?? 0)
    return delta < 0 ? row[column] : delta
  }
  return { bin: since('bin'), bout: since('bout'), ereq: since('ereq'), stot: since('stot') }
}
