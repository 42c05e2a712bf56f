/**
 * The whole controller but for its sockets, in one process: the API, a database, the engine and the
 * worker over drivers that do nothing. Callers are named by a header.
 */
import { createApi } from '../../src/api/app.ts'
import type { Caller, IdentityDriver } from '../../src/driver/identity.ts'
import { createNoopAmphora } from '../../src/driver/noop/amphora.ts'
import { createNoopCompute } from '../../src/driver/noop/compute.ts'
import { createNoopNetwork } from '../../src/driver/noop/network.ts'
import { createEngine, type Engine } from '../../src/flow/engine.ts'
import type { QuotaLimits } from '../../src/model/quota.ts'
import type { Store } from '../../src/store/store.ts'
import type { Log } from '../../src/system/log.ts'
import { abandonJob, FLOWS } from '../../src/worker/flows.ts'
import { createHarness } from '../api/harness.ts'
import { createFakeWorld } from '../fake/world.ts'
import type { Random } from './random.ts'

export const CALLER_HEADER = 'x-fuzz-caller'

const NOBODY: Caller = { user_id: null, project_id: null, roles: [], is_admin: false }
const person = (name: string, project_id: string, roles: readonly string[]): Caller => ({
  ...NOBODY,
  user_id: name,
  project_id,
  roles,
})

export const PROJECTS = ['a', 'b', 'c'].map((letter) => letter.repeat(32))
const [OWN = '', SECOND = '', ADMINS = ''] = PROJECTS

/** One member in two projects, by which it says at each request. */
export const CALLERS = {
  admin: person('admin', ADMINS, ['admin', 'member', 'reader']),
  'member-of-a': person('member', OWN, ['member', 'reader']),
  'member-of-b': person('member', SECOND, ['member', 'reader']),
  reader: person('reader', OWN, ['reader']),
  nobody: NOBODY,
} as const satisfies Readonly<Record<string, Caller>>
export type CallerName = keyof typeof CALLERS
export const CALLER_NAMES = Object.keys(CALLERS) as readonly CallerName[]

/** So low that a fuzzer meets them, and that the database stays small. */
const LIMITS: QuotaLimits = {
  load_balancer: 8,
  listener: 20,
  pool: 25,
  member: 60,
  health_monitor: 12,
  l7policy: 20,
  l7rule: 30,
}

export interface World {
  readonly store: Store
  readonly engine: Engine
  readonly limits: QuotaLimits
  readonly now: () => number
  /** Lines which the log had as errors since the last call. */
  takeErrors(): readonly string[]
  handle(request: Request): Promise<Response>
  close(): Promise<void>
}

export async function createWorld(random: Random): Promise<World> {
  const fake = createFakeWorld()
  const network = createNoopNetwork()
  const errors: string[] = []
  const log = recordingLog(errors)
  let engine: Engine | undefined
  const harness = createHarness({
    settings: {
      quotas: LIMITS,
      default_quotas: LIMITS,
      enabled_provider_drivers: {
        amphora: 'The Octavia Amphora driver.',
        octavia: 'Alias of it.',
        noop_driver: 'The no-op driver.',
      },
    },
    api: {
      network,
      identity,
      log,
      newId: () => random.uuid(),
      engine: { wake: () => engine?.wake() },
    },
  })
  engine = createEngine(
    {
      store: harness.store,
      clock: fake.clock,
      log,
      flows: FLOWS,
      abandoned: abandonJob,
      world: {
        ...fake,
        network,
        compute: createNoopCompute(),
        amphora: createNoopAmphora(),
      },
    },
    { max_parallel_flows: 4 },
  )
  await engine.start()
  const { store } = harness
  const app = createApi(harness.api)
  return {
    store,
    engine,
    limits: LIMITS,
    now: () => fake.clock.now(),
    takeErrors: () => errors.splice(0),
    handle: (request) => app.handle(request),
    close: async () => {
      await engine.stop()
      store.close()
    },
  }
}

const identity: IdentityDriver = {
  identify: async (headers) => {
    const name = headers.get(CALLER_HEADER) ?? ''
    return Object.hasOwn(CALLERS, name) ? CALLERS[name as CallerName] : NOBODY
  },
}

function recordingLog(errors: string[]): Log {
  const log: Log = {
    debug: () => {},
    info: () => {},
    warning: () => {},
    error: (message, fields) => void errors.push(`${message} ${shown(fields)}`),
    with: () => log,
  }
  return log
}

function shown(fields: unknown): string {
  return JSON.stringify(fields, (_, value) =>
    value instanceof Error ? (value.stack ?? value.message) : value,
  )
}
