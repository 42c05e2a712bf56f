/** All checks and tests, from cheap to dear; the last line counts them. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BINARY, build } from './build.mjs'
import { findBun } from './install.mjs'
import { installKernel } from './kernel.mjs'
import { capture, Failure, ROOT, run, say, terminal } from './say.mjs'

const UNIT_TIMEOUT_MS = 8 * 60_000
const LAB_TIMEOUT_MS = 8 * 60_000
/** Emulated, everything takes ten times as long. */
const MACHINE_TIMEOUT_MS = 40 * 60_000

/** Types, lint and format, and the rules about the source itself. Returns whether all hold. */
export async function check() {
  const bun = findBun()
  const types = await step('types', [bun, 'node_modules/typescript/bin/tsc', '--noEmit', '-p', '.'])
  const lint = await step('lint and format', [bun, BIOME, 'ci', COLORS, '.'])
  const tidy = await step('tidy', [bun, ...VITEST, 'test/tidy.test.ts'])
  return types && lint && tidy
}

/** Writes every file as the formatter wants it, and applies safe fixes. */
export async function format() {
  return await step('format', [findBun(), BIOME, 'check', '--write', COLORS, '.'])
}

/** Everything: checks, unit tests, the build, the lab. Returns whether all of it is right. */
export async function testAll(filters) {
  const bun = findBun()
  if (filters.length > 0) return summary([await vitest('tests', bun, [], filters)], [])
  const failed = []
  const note = (name, ok) => ok || failed.push(name)
  note(
    'types',
    await step('types', [bun, 'node_modules/typescript/bin/tsc', '--noEmit', '-p', '.']),
  )
  note('lint and format', await step('lint and format', [bun, BIOME, 'ci', COLORS, '.']))
  const counts = [await vitest('unit tests', bun, [], ['--project', 'unit'])]
  try {
    await build([])
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    say(`FAILED: ${error.message}`)
    failed.push('build')
  }
  if (!failed.includes('build')) counts.push(...(await labRuns(bun, [])))
  return summary(counts, failed)
}

/** The lab alone, with the executable as it is built. */
export async function testLab(filters) {
  return summary(await labRuns(findBun(), filters), [])
}

/** Prints its figures itself, one table for all; see test/bench/main.ts for arguments. */
export async function bench(args) {
  const argv = [...(labWrapper() ?? []), findBun(), 'test/bench/main.ts', ...args]
  return (await run(argv, { env: labEnvironment })) === 0
}

/** Prints what it sent and found itself; see test/fuzz/main.ts for arguments. */
export async function fuzz(args) {
  return (await run([findBun(), 'test/fuzz/main.ts', ...args])) === 0
}

/** Which features of upstream there are, and the tests that show them. */
export async function conformance(args) {
  return (await run([findBun(), 'test/conformance/main.ts', ...args])) === 0
}

const BIOME = 'node_modules/@biomejs/biome/bin/biome'
const COLORS = terminal ? '--colors=force' : '--colors=off'
const VITEST = ['--bun', 'node_modules/vitest/vitest.mjs', 'run']
/** The lab tests that need another kernel. */
const IN_MACHINE = 'test/lab/lvs'
const labEnvironment = { OCTAVIA_LITE_BINARY: BINARY }

/** Each file has a network namespace of its own, so that one cannot spoil the next. */
async function labRuns(bun, filters) {
  const wrapper = labWrapper()
  const files = filesIn('test/lab', '.lab.test.ts', filters)
  if (wrapper === undefined) say('the lab needs root and network namespaces: its tests are skipped')
  if (files.some((file) => file.startsWith(IN_MACHINE)) && process.env.OCTAVIA_LITE_VM === '1') {
    const why = await installKernel()
    if (why !== undefined) say(`no virtual machine: ${why}`)
  }
  const counts = []
  for (const file of files) {
    const timeoutMs = file.startsWith(IN_MACHINE) ? MACHINE_TIMEOUT_MS : LAB_TIMEOUT_MS
    counts.push(await vitest(file, bun, wrapper ?? [], ['--project', 'lab', file], timeoutMs))
  }
  return counts
}

/**
 * What a lab command is started with; undefined where there is no lab. The process namespace ends
 * with the command, so that a test which fails leaves no agent or haproxy behind. Its first process
 * is a shell, because that reaps orphans, which a test may be waiting to see gone.
 */
function labWrapper() {
  const processes = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc']
  const shell = ['sh', '-c', '"$@"; exit $?', 'sh']
  const wrapper = [...processes, ...shell, 'sh', join(ROOT, 'test/lab/in-netns.sh')]
  return capture([...wrapper, 'true']) === undefined ? undefined : wrapper
}

function filesIn(folder, ending, filters) {
  const path = join(ROOT, folder)
  const names = existsSync(path) ? readdirSync(path).sort() : []
  return names
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name}`)
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
}

async function step(name, argv) {
  say(`${name} ...`)
  const code = await run(argv)
  say(code === 0 ? `${name}: ok` : `${name}: FAILED (exit code ${code})`)
  return code === 0
}

/** One run of vitest: what it counted, with at least one failure when it ended badly. */
async function vitest(name, bun, wrapper, args, timeoutMs = UNIT_TIMEOUT_MS) {
  const folder = mkdtempSync(join(tmpdir(), 'octavia-lite-test-'))
  const output = join(folder, 'report.json')
  try {
    say(`${name} ...`)
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${output}`]
    const argv = [...wrapper, bun, ...VITEST, ...args, ...reporters]
    const code = await run(argv, { env: labEnvironment, timeoutMs })
    const counts = readReport(output)
    if (code !== 0 && counts.failed === 0) counts.failed = 1
    say(`${name}: ${code === 0 ? 'ok' : 'FAILED'} (${countText(counts)})`)
    return counts
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A file that cannot even be loaded has no tests in the report, but its suite failed. */
function readReport(path) {
  if (!existsSync(path)) return { passed: 0, failed: 1, skipped: 0 }
  const report = JSON.parse(readFileSync(path, 'utf8'))
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

function countText({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** The last line is for who reads only that; steps that failed stand before it. */
function summary(counts, failedSteps) {
  const sum = (key) => counts.reduce((total, each) => total + each[key], 0)
  const all = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') }
  for (const name of failedSteps) process.stdout.write(`FAILED: ${name}\n`)
  process.stdout.write(`${countText(all)}\n`)
  return failedSteps.length === 0 && all.failed === 0 && all.passed > 0
}
