import { describe, expect, test } from 'vitest'
import { parseStatistics, reportsOf } from '../../src/dataplane/haproxy/statistics.ts'

/** The first columns of haproxy 2.6, and the one that may be quoted. */
const HEADER =
  '# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,act,bck,last_chk,'

interface Cells {
  readonly status: string
  readonly weight?: number
  readonly scur?: number
  readonly stot?: number
  readonly bin?: number
  readonly bout?: number
  readonly ereq?: number
  readonly last_chk?: string
}

function row(pxname: string, svname: string, cells: Cells): string {
  const { scur = 0, stot = 0, bin = 0, bout = 0, ereq = 0, status, weight = 1 } = cells
  return `${pxname},${svname},0,0,${scur},9,50000,${stot},${bin},${bout},0,0,${ereq},0,0,0,0,${status},${weight},1,0,${cells.last_chk ?? ''},`
}

function csv(...rows: string[]): string {
  return `${[HEADER, ...rows].join('\n')}\n\n`
}

const FRONTEND = { status: 'OPEN', scur: 3, stot: 40, bin: 1000, bout: 9000, ereq: 2 } as const

test('frontends are listeners, backends pools, servers members', () => {
  const text = csv(
    row('listener-1', 'FRONTEND', FRONTEND),
    row('pool-1:listener-1', 'member-1', { status: 'UP', last_chk: '"say ""a, b"""' }),
    row('pool-1:listener-1', 'member-2', { status: 'DOWN' }),
    row('pool-1:listener-1', 'BACKEND', { status: 'UP', weight: 2 }),
  )
  expect(reportsOf(parseStatistics(text), {})).toEqual({
    listeners: {
      'listener-1': {
        status: 'OPEN',
        stats: { tx: 9000, rx: 1000, conns: 3, totconns: 40, ereq: 2 },
      },
    },
    pools: {
      'pool-1:listener-1': { status: 'UP', members: { 'member-1': 'UP', 'member-2': 'DOWN' } },
    },
    counters: { 'listener-1': { bin: 1000, bout: 9000, ereq: 2, stot: 40 } },
  })
})

describe('the word for a member', () => {
  test.each([
    ['UP', 1, 'UP'],
    ['UP', 0, 'DRAIN'],
    ['UP 1/3', 1, 'UP 1/3'],
    ['UP 1/3', 0, 'UP 1/3'],
    ['DOWN', 0, 'DOWN'],
    ['DOWN 1/2', 1, 'DOWN 1/2'],
    ['MAINT', 0, 'MAINT'],
    ['no check', 0, 'no check'],
  ])('%s with weight %i is %s', (status, weight, expected) => {
    const { pools } = reportsOf(parseStatistics(csv(row('p:l', 'm', { status, weight }))), {})
    expect(pools['p:l']?.members.m).toBe(expected)
  })
})

describe('traffic is what came since the last message', () => {
  const report = (cells: Partial<Cells>, previous: Parameters<typeof reportsOf>[1]) =>
    reportsOf(parseStatistics(csv(row('l', 'FRONTEND', { ...FRONTEND, ...cells }))), previous)
  const before = { l: { bin: 900, bout: 8000, ereq: 2, stot: 30 } }

  test('differences, connections excepted', () => {
    expect(report({}, before).listeners.l?.stats).toEqual({
      ...{ tx: 1000, rx: 100, conns: 3, totconns: 10, ereq: 0 },
    })
  })

  test('a counter that went back starts anew', () => {
    const restarted = report({ bin: 5, bout: 6, stot: 1, ereq: 0 }, before)
    expect(restarted.listeners.l?.stats).toMatchObject({ rx: 5, tx: 6, totconns: 1, ereq: 0 })
    expect(restarted.counters.l).toEqual({ bin: 5, bout: 6, ereq: 0, stot: 1 })
  })

  test('counters outlast a haproxy that cannot be asked, not a listener that is gone', () => {
    expect(reportsOf([], before)).toEqual({ listeners: {}, pools: {}, counters: before })
    expect(report({}, { ...before, gone: before.l }).counters).not.toHaveProperty('gone')
  })
})

test("haproxy's own exporter is nobody's traffic", () => {
  const rows = parseStatistics(
    csv(row('prometheus-exporter-internal-endpoint', 'FRONTEND', FRONTEND)),
  )
  expect(rows).toEqual([])
})

test.each([
  ['nothing', ''],
  ['an error of haproxy', "Unknown command: 'show stat'\n"],
  ['a header without a column', '# pxname,svname,status,\n'],
])('%s is refused', (_, text) => {
  expect(() => parseStatistics(text)).toThrow('not the output of show stat')
})
