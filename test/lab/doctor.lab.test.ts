/** The compiled doctor beside a compiled serve: all is well, and rows are lost. */
import { chmodSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemProcesses } from '../../src/system/process.ts'
import { BINARY, createBalanced, createLab, createWebServers, labMissing } from './harness.ts'
import { leftovers, snapshot } from './leftovers.ts'

const missing = labMissing()
const lab = (name: string): string => (missing === undefined ? name : `${name}: ${missing}`)

test.skipIf(missing !== undefined)(
  lab('what a lost database leaves is told, and taken away'),
  async () => {
    const before = await snapshot()
    const place = createLab()
    const data = join(place.folder, 'data')
    const doctor = async (...words: string[]) => {
      const argv = [BINARY, 'doctor', ...words, '--json', '--config-file', place.config]
      const { code, stdout, stderr } = await systemProcesses.run(argv)
      return { code, body: stdout === '' ? undefined : JSON.parse(stdout), stderr }
    }
    const failures = async (): Promise<string[]> => {
      const { body } = await doctor()
      const findings = body.sections.flatMap((section: { findings: unknown[] }) => section.findings)
      return findings
        .filter(({ state }: { state: string }) => state === 'fail')
        .map(({ what }: { what: string }) => what)
    }
    let serve = await place.start()
    const servers = await createWebServers(1)
    const { id } = await createBalanced(serve.client, servers)
    expect(await failures()).toEqual([])
    expect((await doctor('orphans')).body).toEqual({ orphans: [], missing: [] })
    chmodSync(join(data, 'token.key'), 0o644)
    expect(await failures()).toEqual([data])
    chmodSync(join(data, 'token.key'), 0o600)

    await serve.stop()
    expect(await failures()).toEqual([expect.stringMatching(/^API at /)])
    for (const name of readdirSync(data))
      if (name.startsWith('octavia-lite.db'))
        renameSync(join(data, name), join(data, `was-${name}`))
    serve = await place.start()
    const { code, body } = await doctor('orphans')
    expect(code).toBe(1)
    expect(body.orphans.map((each: { kind: string }) => each.kind)).toEqual(['amphora', 'port'])
    expect(body.orphans[0].load_balancer_id).toBe(id)
    // A serve has them in memory, so nothing is done behind its back.
    expect((await doctor('orphans', '--delete', '--yes')).stderr).toMatch(/another octavia-lite/)
    await serve.stop()
    const { body: done } = await doctor('orphans', '--delete', '--yes')
    expect(done.deleted).toEqual(body.orphans)
    expect((await doctor('orphans')).body).toEqual({ orphans: [], missing: [] })
    for (const server of servers) await server.remove()
    expect(await leftovers(before)).toEqual([])
    place.remove()
  },
  120_000,
)
