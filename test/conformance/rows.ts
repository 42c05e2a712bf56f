/** The conformance table: which features of upstream there are, and the tests that show them. */
import { existsSync, readFileSync } from 'node:fs'

const TEST_FOLDER = new URL('..', import.meta.url).pathname
const TABLE = new URL('rows.md', import.meta.url).pathname

/** The areas whose rows are listed here, with the numbers of their rows. */
export const AREAS = [
  ['API-CORE', 1, 17],
  ['API-LIST', 18, 29],
  ['API-LB', 30, 58],
  ['API-LISTENER', 59, 88],
  ['API-POOL', 89, 107],
  ['API-MEMBER', 108, 123],
  ['API-HM', 124, 135],
  ['API-L7', 136, 150],
  ['API-QUOTA', 151, 159],
  ['API-FLAVOR', 160, 167],
  ['API-AZ', 168, 171],
  ['API-PROVIDER', 172, 177],
  ['API-AMPHORA', 178, 182],
  ['RBAC', 183, 193],
  ['STATE', 194, 202],
  ['AGENT', 203, 227],
  ['HEARTBEAT', 228, 241],
  ['HAPROXY', 242, 278],
  ['VRRP', 279, 284],
  ['LVS', 285, 295],
  ['WORKER', 296, 324],
  ['HEALTHMGR', 325, 330],
  ['HOUSEKEEP', 331, 334],
  ['NETWORK', 335, 351],
  ['COMPUTE', 352, 361],
  ['CERT', 362, 369],
  ['DRIVER-AGENT', 370, 375],
  ['STATS', 376, 378],
  ['CONFIG-CLI', 379, 385],
  ['CLIENT', 386, 392],
] as const

export const STATES = ['done', 'partial', 'missing'] as const
export type State = (typeof STATES)[number]

export interface Shown {
  /** Below the root: `test/api/edge.test.ts`. */
  readonly file: string
  /** As the source of the test has it, `%s` included. */
  readonly title: string
}

export interface ConformanceRow {
  readonly id: number
  readonly area: string
  readonly feature: string
  readonly shown: readonly Shown[]
  /** Empty, or what is not there yet. */
  readonly lacks: string
  readonly state: State
}

export function readRows(text = readFileSync(TABLE, 'utf8')): readonly ConformanceRow[] {
  return text
    .split('\n')
    .filter((line) => /^\| \d+ \|/.test(line))
    .map(parseRow)
}

function parseRow(line: string): ConformanceRow {
  const cells = line.split('|').map((cell) => cell.trim())
  const [, id = '', area = '', feature = '', tests = '', lacks = ''] = cells
  if (cells.length !== 7 || feature === '') throw new Error(`not a row: ${line}`)
  // A title may have a semicolon itself, and then no file after it.
  const shown = tests === '' ? [] : tests.split(/; (?=[\w-]+\/[\w./-]+: )/).map(parseShown)
  if (shown.length === 0 && lacks === '') throw new Error(`neither shown nor lacking: ${line}`)
  const state = shown.length === 0 ? 'missing' : lacks === '' ? 'done' : 'partial'
  return { id: Number(id), area, feature, shown, lacks, state }
}

function parseShown(text: string): Shown {
  const at = text.indexOf(': ')
  if (at < 0) throw new Error(`not a test: ${text}`)
  const name = text.slice(0, at)
  // The promises of a seam are in a suite, which implementations run; those of the data plane are
  // rows of the traffic matrix.
  const whole = name.endsWith('.suite') || name.startsWith('lab/matrix/')
  const file = whole ? `test/${name}.ts` : `test/${name}.test.ts`
  return { file, title: text.slice(at + 2) }
}

/** What is named and not there, a sentence each. */
export function absentTests(rows: readonly ConformanceRow[]): readonly string[] {
  const literals = new Map<string, ReadonlySet<string>>()
  return rows.flatMap(({ id, shown }) =>
    shown.flatMap(({ file, title }) => {
      const known = literals.get(file) ?? literalsOf(file)
      literals.set(file, known)
      return known.has(title) ? [] : [`row ${id}: ${file} has no test '${title}'`]
    }),
  )
}

/** Titles are whole strings in the source, in calls of `test`, tables of cases or rows of a matrix. */
function literalsOf(file: string): ReadonlySet<string> {
  const path = TEST_FOLDER + file.slice('test/'.length)
  if (!existsSync(path)) return new Set()
  const strings = readFileSync(path, 'utf8').matchAll(/(['"`])((?:\\.|(?!\1)[^\\\n])*)\1/g)
  return new Set([...strings].map(([, , text]) => text ?? ''))
}
