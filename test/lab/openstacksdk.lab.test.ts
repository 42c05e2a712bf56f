/**
 * Every method of openstacksdk's load balancer proxy, against the executable with drivers that do
 * nothing, for each login. What this release lacks is tried too, and counted.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLab, type Lab, labMissing, URL as SERVE, type Serve } from './harness.ts'
import { LOGINS } from './logins.ts'
import { type Endpoint, startEndpoint } from './one-endpoint.ts'
import { CALLS, type SdkCall } from './openstack-sdk-calls.ts'
import { createPython, type Python, pythonMissing } from './python.ts'

const unusable = labMissing() ?? pythonMissing(['openstack'])
const DRIVER = `${import.meta.dirname}/openstack_sdk.py`

type Question = readonly [method: string, args: readonly unknown[], named: object]
interface Result {
  readonly result?: unknown
  readonly error?: string
}

describe.each(LOGINS)('$name', (login) => {
  const { name, settings, project, env } = login
  const missing = unusable ?? login.missing
  const kept = new Map<string, string>()
  const passed: SdkCall[] = []
  const notYet: { call: SdkCall; why: string }[] = []
  let lab: Lab | undefined
  let serve: Serve | undefined
  let endpoint: Endpoint | undefined
  let python: Python<Question, Result> | undefined

  beforeAll(async () => {
    if (missing !== undefined) return
    lab = createLab(settings)
    serve = await lab.start()
    endpoint = startEndpoint(SERVE, login.keystone)
    python = createPython(DRIVER, env(join(lab.folder, 'data')))
    // Without a catalog nobody has a project of his own.
    kept.set('project', String((await ask('project', [], {})) ?? project))
  })

  afterAll(async () => {
    await python?.stop()
    await endpoint?.stop()
    await serve?.stop()
    lab?.remove()
  })

  async function ask(method: string, args: readonly unknown[], named: object): Promise<unknown> {
    if (python === undefined) throw new Error('the client was not started')
    const { result, error } = await python.ask([method, args, named])
    if (error !== undefined) throw new Error(error)
    return result
  }

  function resolved<T>(value: T): T {
    const text = JSON.stringify(value).replace(/\$(\w+)/g, (all, name) => kept.get(name) ?? all)
    return JSON.parse(text) as T
  }

  /** Calls it, keeps its id and looks at its result; throws where anything of that is wrong. */
  async function run({ method, args = [], named = {}, keep, gives }: SdkCall): Promise<void> {
    const result = await ask(method, resolved(args), resolved(named))
    if (keep !== undefined) kept.set(keep, idOf(result))
    const parts = gives === undefined ? undefined : resolved(gives)
    if (Array.isArray(parts))
      expect(result).toEqual(
        expect.arrayContaining(parts.map((one) => expect.objectContaining(one))),
      )
    else if (parts !== undefined) expect(result).toMatchObject(parts)
    await settled(method)
  }

  /** Availability zones are named by their names. */
  function idOf(result: unknown): string {
    const [object] = (Array.isArray(result) ? result : [result]) as {
      readonly id: string | null
      readonly name?: string
    }[]
    return object?.id ?? object?.name ?? 'none'
  }

  /** Changes are refused while one is under way. */
  async function settled(method: string): Promise<void> {
    const id = kept.get('load_balancer')
    if (id === undefined || !/^(create|update|delete|failover|configure)_/.test(method)) return
    if (method === 'delete_load_balancer') kept.delete('load_balancer')
    else await ask('wait_for_load_balancer', [id], { interval: 0.05, wait: 30 })
  }

  test.skipIf(missing !== undefined).each(CALLS)(
    `conn.load_balancer.$method($args)${missing === undefined ? '' : `: ${missing}`}`,
    async (call) => {
      try {
        await run(call)
        passed.push(call)
      } catch (error) {
        if (call.lacks === undefined) throw error
        notYet.push({ call, why: error instanceof Error ? error.message : String(error) })
      }
    },
  )

  test.skipIf(missing !== undefined)('every method of conn.load_balancer is tried', async () => {
    const methods = (await ask('methods', [], {})) as readonly string[]
    const tried = new Set(CALLS.map(({ method }) => method))
    const working = new Set(passed.map(({ method }) => method))
    process.stderr.write(
      [
        ...notYet.map(({ call, why }) => `not yet (${call.lacks}): ${call.method}: ${why}`),
        ...passed.filter(({ lacks }) => lacks).map(({ method }) => `no longer lacking: ${method}`),
        `openstacksdk conn.load_balancer, ${name}: ${methods.length} methods, ${tried.size} tried, ` +
          `${working.size} passed, ${notYet.length} not yet`,
        '',
      ].join('\n'),
    )
    expect(methods.filter((method) => !tried.has(method))).toEqual([])
  })
})
