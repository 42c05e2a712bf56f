/**
 * Clients in other languages, without them: what each said to an octavia-lite with drivers that do
 * nothing, said again to the whole controller. gophercloud's own acceptance tests, Terraform's
 * provider (apply, plan, change, import, destroy), the cloud provider of Kubernetes (services come,
 * change, share and go) and the wizard and pages of octavia-dashboard.
 */
import { expect, test } from 'vitest'
import { operationSettings } from '../../src/command/serve/settings.ts'
import { checkConfig } from '../../src/config/load.ts'
import { createNoopAmphora } from '../../src/driver/noop/amphora.ts'
import { createNoopCompute } from '../../src/driver/noop/compute.ts'
import { createNoopNetwork } from '../../src/driver/noop/network.ts'
import { createEngine, type Engine } from '../../src/flow/engine.ts'
import { openStore } from '../../src/store/store.ts'
import { present } from '../../src/system/assert.ts'
import { newId } from '../../src/system/ids.ts'
import { silentLog } from '../../src/system/log.ts'
import { abandonJob, FLOWS } from '../../src/worker/flows.ts'
import { createFakeWorld } from '../fake/world.ts'
import { createHarness } from './harness.ts'
import { difference, type Names, readRecording, renamed } from './replay.ts'

const SETTINGS = `[controller_worker]
network_driver = "network_noop_driver"
compute_driver = "compute_noop_driver"
amphora_driver = "amphora_noop_driver"
`

/** API, store, engine and drivers as `serve` makes them of these settings. */
async function openController() {
  const around = { root: false, home: '/nonexistent', hostname: 'h' }
  const config = present(checkConfig(SETTINGS, around).config, 'a configuration')
  const store = openStore(':memory:')
  const network = createNoopNetwork()
  const compute = createNoopCompute()
  let engine: Engine | undefined
  const harness = createHarness({
    settings: operationSettings(config),
    api: { store, network, compute, newId, engine: { wake: () => engine?.wake() } },
  })
  const fake = createFakeWorld()
  engine = createEngine(
    {
      ...{ store, clock: fake.clock, log: silentLog, flows: FLOWS, abandoned: abandonJob },
      world: { ...fake, network, compute, amphora: createNoopAmphora() },
    },
    { max_parallel_flows: 2 },
  )
  await engine.start()
  return { send: harness.send, engine }
}

test.each(['gophercloud', 'terraform', 'kubernetes', 'dashboard'])(
  'what %s asked for is answered as it was',
  async (client) => {
    const { send, engine } = await openController()
    const names: Names = new Map()
    for (const { method, path, request, status, answer } of readRecording(client)) {
      const now = await send(method, renamed(path, names), renamed(request, names))
      const read = method === 'GET'
      const problem = difference(answer, now.body, names, read)
      expect({ method, path, request, status: now.status, problem }).toEqual({
        ...{ method, path, request, status, problem: undefined },
      })
      if (!read) await engine.idle()
    }
    await engine.stop()
  },
)
