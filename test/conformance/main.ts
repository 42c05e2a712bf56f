/**
 * `npm run conformance`: runs the unit tests which the table names, prints the table and counts its
 * states by area. A row is only as good as its tests: one whose file fails is printed as FAILING.
 * Tests of the lab need root and are left to `npm run lab`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AREAS, absentTests, type ConformanceRow, readRows, STATES } from './rows.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const VITEST = ['--bun', 'node_modules/vitest/vitest.mjs', 'run', '--project', 'unit']

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

async function main(): Promise<number> {
  const rows = readRows()
  const absent = absentTests(rows)
  const files = new Set(rows.flatMap(({ shown }) => shown.map(({ file }) => file)))
  const { passed, failing } = await runFiles([...files].filter(isUnitTest))
  const lines = rows.map((row) => renderRow(row, failing))
  process.stdout.write(`${[...lines, '', ...counts(rows), ''].join('\n')}\n`)
  process.stdout.write(`unit tests of the files named: ${passed} passed\n`)
  for (const problem of [...absent, ...[...failing].map((file) => `${file} fails`)])
    process.stdout.write(`PROBLEM: ${problem}\n`)
  return absent.length + failing.size === 0 ? 0 : 1
}

/** Rows of a matrix and suites that several drivers share are run by others. */
function isUnitTest(file: string): boolean {
  return file.endsWith('.test.ts') && !file.endsWith('.lab.test.ts')
}

async function runFiles(
  files: readonly string[],
): Promise<{ readonly passed: number; readonly failing: ReadonlySet<string> }> {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-conformance-'))
  try {
    const output = join(folder, 'report.json')
    const reporters = ['--reporter=json', `--outputFile=${output}`]
    const child = Bun.spawn([process.execPath, ...VITEST, ...reporters, ...files], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    await child.exited
    const report = JSON.parse(readFileSync(output, 'utf8')) as Report
    const ran = new Map(report.testResults.map((file) => [file.name.slice(ROOT.length), file]))
    const results = report.testResults.flatMap((file) => file.assertionResults)
    return {
      passed: results.filter(({ status }) => status === 'passed').length,
      failing: new Set(files.filter((file) => ran.get(file)?.status !== 'passed')),
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function renderRow(row: ConformanceRow, failing: ReadonlySet<string>): string {
  const broken = row.shown.some(({ file }) => failing.has(file))
  const state = broken ? 'FAILING' : row.state
  const tests = row.shown.map(({ file, title }) => `${file}: ${title}`).join('; ')
  const lacks = row.lacks === '' ? '' : `lacks: ${row.lacks}`
  const head = `${String(row.id).padStart(3)} ${row.area.padEnd(12)} ${state.padEnd(7)}`
  return [head, row.feature, tests, lacks].filter((part) => part !== '').join(' | ')
}

function counts(rows: readonly ConformanceRow[]): readonly string[] {
  const of = (list: readonly ConformanceRow[]): string =>
    STATES.map((state) => `${list.filter((row) => row.state === state).length} ${state}`).join(', ')
  return [
    ...AREAS.map(([area]) => `${area.padEnd(12)} ${of(rows.filter((row) => row.area === area))}`),
    `${'all'.padEnd(12)} ${of(rows)}, of ${rows.length} rows`,
  ]
}

process.exitCode = await main()
