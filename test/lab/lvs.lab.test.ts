/**
 * UDP and SCTP listeners with real keepalived and IPVS. Few kernels of test machines have these, so
 * all of it runs in a virtual machine with a stock kernel: see vm/guest.ts.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BINARY } from './harness.ts'
import { machineMissing, runInMachine } from './vm/machine.ts'
import { ROWS } from './vm/rows.ts'

const missing = machineMissing()
const TIMEOUT_MS = 400_000
const results = new Map<string, string>()
const remarks: string[] = []

beforeAll(async () => {
  if (missing !== undefined) return
  const story = join(import.meta.dirname, 'vm/guest.ts')
  const env = [`OCTAVIA_LITE_BINARY=${BINARY}`, 'OCTAVIA_LITE_SLOWNESS=5']
  const argv = ['env', ...env, process.execPath, story]
  for await (const line of runInMachine(argv, TIMEOUT_MS)) {
    const row = /^ROW (ok|failed) ([^#]+?)(?: #.*)?\r?$/.exec(line)
    if (row === null) remarks.push(line)
    else {
      const [, how = '', text = ''] = row
      const name = ROWS.find((each) => text === each || text.startsWith(`${each}: `)) ?? text
      results.set(name, how === 'ok' ? how : text)
    }
  }
}, TIMEOUT_MS + 30_000)

afterAll(() => {
  if ([...results.values()].some((result) => result !== 'ok') || results.size < ROWS.length)
    process.stderr.write(`the machine said:\n${remarks.slice(-40).join('\n')}\n`)
})

test.skipIf(missing !== undefined).each(ROWS)(
  `%s${missing === undefined ? '' : ` (${missing})`}`,
  (name) => {
    expect(results.get(name) ?? 'the machine ended before it').toBe('ok')
  },
)
