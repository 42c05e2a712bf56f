/**
 * The benchmark of the executable: `npm run bench -- [--quick] [--json] [scenario ...]`. Progress
 * goes to standard error, one table with the goals (or JSON) to standard output. A goal that is
 * missed is said, and is no failure: figures depend on the machine, a benchmark that cannot run
 * does not.
 */
import { cpus, loadavg } from 'node:os'
import { errorText } from '../../src/system/log.ts'
import { changes } from './changes.ts'
import { create } from './create.ts'
import { heartbeats } from './heartbeats.ts'
import { kubernetes } from './kubernetes.ts'
import { local } from './local.ts'
import { pairs } from './pairs.ts'
import { requests } from './requests.ts'
import { type Result, renderTable, summarize } from './result.ts'
import type { Scenario } from './scenario.ts'
import { start } from './start.ts'
import { traffic } from './traffic.ts'

const SCENARIOS: readonly Scenario[] = [
  ...[start, create, requests, heartbeats],
  ...[local, traffic, changes, kubernetes, pairs],
]

async function main(args: readonly string[]): Promise<number> {
  const wanted = args.filter((arg) => !arg.startsWith('--'))
  const unknown = wanted.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name))
  if (unknown.length > 0) {
    say(`no such scenario: ${unknown.join(', ')}; there are ${names(SCENARIOS)}`)
    return 2
  }
  const chosen = SCENARIOS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  const results: Result[] = []
  let failed = 0
  for (const scenario of chosen) {
    const missing = scenario.missing?.()
    if (missing !== undefined) {
      say(`${scenario.name}: skipped, ${missing}`)
      continue
    }
    say(`${scenario.name} ...`)
    const began = performance.now()
    try {
      results.push(...(await scenario.run({ quick: args.includes('--quick') })))
      say(`${scenario.name}: ${((performance.now() - began) / 1000).toFixed(1)} s`)
    } catch (error) {
      failed++
      say(`${scenario.name}: FAILED, ${errorText(error)}`)
    }
  }
  process.stdout.write(args.includes('--json') ? renderJson(results) : renderTable(results))
  return failed === 0 ? 0 : 1
}

function renderJson(results: readonly Result[]): string {
  const measured = results.map((result) => ({ ...result, ...summarize(result) }))
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, load_average: loadavg() }
  return `${JSON.stringify({ machine, results: measured }, null, 2)}\n`
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`)
}

function names(scenarios: readonly Scenario[]): string {
  return scenarios.map((scenario) => scenario.name).join(', ')
}

process.exitCode = await main(process.argv.slice(2))
