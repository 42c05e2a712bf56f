/**
 * UDP and SCTP listeners with real keepalived and IPVS. Few kernels of test machines have these, so
 * all of it runs in a virtual machine with a stock kernel: see vm/guest.ts.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BINARY } from './harness.ts'
import { machineMissing, runInMachine } from './vm/machine.ts'

/** What the machine shows; in this order it is reported. */
export const ROWS = [
  'UDP in turn',
  'UDP by weight',
  'UDP by least connections',
  'UDP by source address',
  'UDP with session persistence',
  'SCTP on the same port',
  'IPv6',
  'a change loses no datagram',
  'a UDP-CONNECT check: a member that dies',
  'an SCTP check: a member that dies',
  'a TCP check: a member that dies',
  'an HTTP check: a member that dies',
  'a UDP-CONNECT check: a member that comes back',
  'an SCTP check: a member that comes back',
  'a TCP check: a member that comes back',
  'an HTTP check: a member that comes back',
  'statistics of UDP and SCTP listeners',
  'a disabled member',
  'a draining member',
  'allowed_cidrs',
  'a disabled pool',
  'a disabled listener',
  'a keepalived that dies',
  'a listener that is deleted leaves the others',
] as const
export type RowName = (typeof ROWS)[number]

const missing = machineMissing()
const TIMEOUT_MS = 400_000
const results = new Map<string, string>()
const remarks: string[] = []

beforeAll(async () => {
  if (missing !== undefined) return
  const story = join(import.meta.dirname, 'vm/guest.ts')
  // Emulating what was just compiled costs more than it saves.
  const settings = ['OCTAVIA_LITE_SLOWNESS=10', 'BUN_JSC_useJIT=0']
  const env = [`OCTAVIA_LITE_BINARY=${BINARY}`, ...settings]
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
