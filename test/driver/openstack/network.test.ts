import { newId } from '../../../src/system/ids.ts'
import { networkSuite } from '../network.suite.ts'
import { openFakeServices } from './cloud.ts'

networkSuite('openstack', async () => {
  const cloud = openFakeServices()
  const compute = cloud.compute()
  const vip = cloud.neutron.addNetwork(['10.1.0.0/24'])
  return {
    driver: cloud.network(),
    network_id: vip.id,
    member_network_id: cloud.neutron.addNetwork(['10.2.0.0/24']).id,
    amphora: async () => {
      const amphora_id = newId()
      const { compute_id } = await compute.build({
        ...{ amphora_id, load_balancer_id: newId(), name: '', files: {} },
      })
      while ((await compute.find(amphora_id))?.status === 'BUILD');
      return { id: amphora_id, compute_id }
    },
    userPort: async () => {
      const port = cloud.neutron.addPort({ network_id: vip.id, project_id: 'users' })
      return { id: port.id, ip_address: port.fixed_ips[0].ip_address }
    },
    restarted: async () => cloud.network(),
    close: () => cloud.stop(),
  }
})
