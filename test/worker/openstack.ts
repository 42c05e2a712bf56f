/** The whole controller in one process over fakes of Keystone, Nova, Neutron and Glance. */
import { createNoopAmphora } from '../../src/driver/noop/amphora.ts'
import { createEngine, type Engine } from '../../src/flow/engine.ts'
import { openStore } from '../../src/store/store.ts'
import { abandonJob, FLOWS } from '../../src/worker/flows.ts'
import { createHarness } from '../api/harness.ts'
import { openFakeServices } from '../driver/openstack/cloud.ts'
import { createFakeWorld } from '../fake/world.ts'

export const LBS = '/v2.0/lbaas/loadbalancers'

export async function openController() {
  const cloud = openFakeServices()
  const subnet: string = cloud.neutron.addNetwork(['10.1.0.0/24']).subnets[0]
  const network = cloud.network()
  const compute = cloud.compute()
  const store = openStore(':memory:')
  let engine: Engine | undefined
  const wake = () => engine?.wake()
  const harness = createHarness({ api: { store, network, compute, engine: { wake } } })
  engine = createEngine(
    {
      ...{ store, clock: cloud.clock, log: cloud.log, flows: FLOWS, abandoned: abandonJob },
      world: { ...createFakeWorld(), network, compute, amphora: createNoopAmphora() },
    },
    { max_parallel_flows: 2 },
  )
  await engine.start()
  const idle = async () => await engine?.idle()
  const create = (over: object = {}, headers: Readonly<Record<string, string>> = {}) =>
    harness.send(
      'POST',
      LBS,
      {
        loadbalancer: {
          vip_subnet_id: subnet,
          listeners: [{ protocol: 'TCP', protocol_port: 80 }],
          ...over,
        },
      },
      headers,
    )
  const status = async (id: string): Promise<string> => {
    const { body } = await harness.send('GET', `${LBS}/${id}`)
    return body.loadbalancer.provisioning_status
  }
  const reason = async (): Promise<string> => {
    const rows = await store.read.selectFrom('job').select(['error']).execute()
    return rows.map(({ error }) => error ?? '').join(' ')
  }
  const remove = async (id: string) => {
    await harness.send('DELETE', `${LBS}/${id}?cascade=true`)
    await idle()
  }
  const stop = async () => {
    await engine?.stop()
    await cloud.stop()
  }
  return { cloud, harness, create, status, reason, remove, idle, stop }
}
