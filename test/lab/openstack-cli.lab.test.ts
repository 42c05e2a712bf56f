/**
 * Every command of upstream's own command line, unchanged, against the executable with drivers that
 * do nothing and without authentication. What this release lacks is tried too, and counted.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLab, type Lab, labMissing, URL as SERVE, type Serve, until } from './harness.ts'
import { LOGINS } from './logins.ts'
import { type Endpoint, startEndpoint } from './one-endpoint.ts'
import { COMMANDS, type Command } from './openstack-commands.ts'
import { createPython, type Python, pythonMissing } from './python.ts'

const unusable = labMissing() ?? pythonMissing(['openstackclient', 'octaviaclient'])
const DRIVER = `${import.meta.dirname}/openstack_cli.py`

interface Result {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

describe.each(LOGINS)('$name', (login) => {
  const { name, settings, project, stranger, env } = login
  const missing = unusable ?? login.missing
  const kept = new Map([['project', project]])
  const passed: Command[] = []
  const notYet: { command: Command; why: string }[] = []
  let lab: Lab | undefined
  let serve: Serve | undefined
  let endpoint: Endpoint | undefined
  let python: Python<readonly string[], Result> | undefined

  beforeAll(async () => {
    if (missing !== undefined) return
    lab = createLab(settings)
    serve = await lab.start()
    endpoint = startEndpoint(SERVE, login.keystone)
    python = createPython(DRIVER, env(join(lab.folder, 'data')))
  })

  afterAll(async () => {
    await python?.stop()
    await endpoint?.stop()
    await serve?.stop()
    lab?.remove()
  })

  async function openstack(argv: string): Promise<Result> {
    if (python === undefined) throw new Error('the command line was not started')
    return await python.ask(['loadbalancer', ...resolved(argv).split(' ')])
  }

  function resolved(text: string): string {
    return text.replace(/\$(\w+)/g, (all, name) => kept.get(name) ?? all)
  }

  /** Runs it, keeps its id and looks at what it shows; throws where anything of that is wrong. */
  async function run(command: Command): Promise<void> {
    const { code, stdout, stderr } = await openstack(command.argv)
    if (command.fails !== undefined) {
      expect(code).not.toBe(0)
      expect(stderr).toMatch(command.fails)
      return
    }
    if (code !== 0) throw new Error(`exit code ${code}: ${stderr.trim().split('\n').at(-1)}`)
    if (command.settles !== undefined) await settled(command.settles)
    if (command.keep === undefined && command.shows === undefined) return
    const shown = JSON.parse(stdout)
    const { id } = Array.isArray(shown) ? (shown[0] ?? {}) : shown
    if (command.keep !== undefined) kept.set(command.keep, String(id))
    if (command.shows !== undefined) expectShown(shown, command.shows)
  }

  async function settled(name: string): Promise<void> {
    await until(`${name} to be ACTIVE`, async () => {
      const { stdout } = await openstack(`show ${name} -f json`)
      return JSON.parse(stdout).provisioning_status === 'ACTIVE'
    })
  }

  function expectShown(shown: unknown, parts: object): void {
    const expected = JSON.parse(resolved(JSON.stringify(parts)))
    if (!Array.isArray(expected)) expect(shown).toMatchObject(expected)
    else if (expected.length === 0) expect(shown).toEqual([])
    else
      expect(shown).toEqual(
        expect.arrayContaining(expected.map((one) => expect.objectContaining(one))),
      )
  }

  test.skipIf(missing !== undefined)(`somebody who does not log in gets ${stranger}`, async () => {
    expect((await fetch(`${SERVE}/v2.0/lbaas/loadbalancers`)).status).toBe(stranger)
  })

  test.skipIf(missing !== undefined).each(COMMANDS)(
    `openstack loadbalancer $argv${missing === undefined ? '' : `: ${missing}`}`,
    async (command) => {
      try {
        await run(command)
        passed.push(command)
      } catch (error) {
        if (command.lacks === undefined) throw error
        notYet.push({ command, why: error instanceof Error ? error.message : String(error) })
      }
    },
  )

  test.skipIf(missing !== undefined)(
    'every command of openstack loadbalancer is tried',
    async () => {
      const { stdout } = await openstack('--help')
      const names = [...stdout.matchAll(/^ {2}loadbalancer (.*)$/gm)].map(([, name]) => name ?? '')
      const tried = COMMANDS.map(({ argv }) => argv)
      const words = (argv: string): string => /^[a-z0-9 ]*(?=$| )/.exec(`${argv} `)?.[0] ?? ''
      const untried = names.filter(
        (name) => !tried.some((argv) => `${words(argv)} `.startsWith(`${name} `)),
      )
      const commandOf = ({ argv }: Command): string =>
        names
          .filter((name) => `${argv} `.startsWith(`${name} `))
          .reduce((longest, name) => (name.length > longest.length ? name : longest), '')
      const working = new Set(passed.map(commandOf))
      process.stderr.write(
        [
          ...notYet.map(
            ({ command, why }) => `not yet (${command.lacks}): ${command.argv}: ${why}`,
          ),
          ...passed.filter(({ lacks }) => lacks).map(({ argv }) => `no longer lacking: ${argv}`),
          `openstack loadbalancer, ${name}: ${names.length} commands, ${names.length - untried.length} tried, ` +
            `${working.size} passed; ${COMMANDS.length} calls, ` +
            `${passed.length} passed, ${notYet.length} not yet`,
          '',
        ].join('\n'),
      )
      expect(names.length).toBeGreaterThan(80)
      expect(untried).toEqual([])
    },
  )
})
