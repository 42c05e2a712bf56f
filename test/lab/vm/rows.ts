/** Rows of a test which are carried out in the virtual machine, one after the other. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BINARY } from '../harness.ts'
import { machineMissing, runInMachine } from './machine.ts'

/** Several times what it takes: a busy host has little time for it. */
const TIMEOUT_MS = 2_000_000

/** `program` is a file of this folder, which prints one line per row: see guest-rows.ts. */
export function testInMachine(program: string, rows: readonly string[]): void {
  const missing = machineMissing()
  const results = new Map<string, string>()
  const remarks: string[] = []

  beforeAll(async () => {
    if (missing !== undefined) return
    const story = join(import.meta.dirname, program)
    // Emulating what was just compiled costs more than it saves.
    const settings = ['OCTAVIA_LITE_SLOWNESS=10', 'BUN_JSC_useJIT=0']
    const env = [`OCTAVIA_LITE_BINARY=${BINARY}`, ...settings]
    const argv = ['env', ...env, process.execPath, story]
    for await (const line of runInMachine(argv, TIMEOUT_MS)) {
      const row = /^ROW (ok|failed) ([^#]+?)(?: #.*)?\r?$/.exec(line)
      remarks.push(line)
      if (row === null) continue
      const [, how = '', text = ''] = row
      const name = rows.find((each) => text === each || text.startsWith(`${each}: `)) ?? text
      results.set(name, how === 'ok' ? how : text)
    }
  }, TIMEOUT_MS + 30_000)

  afterAll(() => {
    if ([...results.values()].some((result) => result !== 'ok') || results.size < rows.length)
      process.stderr.write(`the machine said:\n${remarks.slice(-60).join('\n')}\n`)
  })

  test.skipIf(missing !== undefined).each(rows)(
    `%s${missing === undefined ? '' : ` (${missing})`}`,
    (name) => {
      expect(results.get(name) ?? 'the machine ended before it').toBe('ok')
    },
  )
}
