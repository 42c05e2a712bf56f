/** The executable shows what it says, and leaves nothing. */
import { expect, test } from 'vitest'
import { BINARY, labMissing } from './harness.ts'
import { leftovers, snapshot } from './leftovers.ts'

const missing = labMissing()
const why = missing === undefined ? '' : `: ${missing}`

test.skipIf(missing !== undefined).each(['isolated', '--host-network'])(
  `octavia-lite demo %s${why}`,
  async (mode) => {
    const before = await snapshot()
    // The lab is an outer namespace already, so the host's network here is the lab's.
    const args = mode === '--host-network' ? ['demo', mode] : ['demo']
    const child = Bun.spawn([BINARY, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    const [out, err] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ])
    expect(await child.exited, `${out}\n${err}`).toBe(0)
    expect(out).toMatch(/web1 answered 10, web2 answered 10/)
    expect(out).toMatch(/web1 is in ERROR; requests now: 20 to .*, web2 answered 20/)
    expect(out).toMatch(/member web1 +ACTIVE +ONLINE/)
    expect(out).toMatch(/serve and its data directory removed/)
    expect(await leftovers(before)).toEqual([])
  },
  180_000,
)
