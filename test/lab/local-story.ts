/**
 * What the controller asks of the local cloud for one load balancer, from its first call to its
 * last.
 */
import type { LocalCloud } from '../../src/driver/local/cloud.ts'
import type { Vip } from '../../src/driver/network.ts'
import { assert } from '../../src/system/assert.ts'

export interface Story {
  readonly amphora_id: string
  readonly load_balancer_id: string
}

export async function buildAmphora(cloud: LocalCloud, story: Story): Promise<Vip> {
  const { amphora_id, load_balancer_id } = story
  const [network] = cloud.listNetworks()
  assert(network !== undefined, 'the lab has a network')
  const vip = await cloud.network.allocateVip({
    ...{ load_balancer_id, project_id: 'lab', network_id: network.id },
    ...{ subnet_id: null, port_id: null, ip_address: null, additional_vips: [] },
  })
  const name = `amphora-${amphora_id}`
  const files = { '/etc/octavia/amphora-agent.conf': `id = ${amphora_id}\n` }
  const { compute_id } = await cloud.compute.build({ amphora_id, load_balancer_id, name, files })
  await cloud.network.plugVip({ id: amphora_id, compute_id }, vip)
  return vip
}

export async function deleteAmphora(cloud: LocalCloud, story: Story): Promise<void> {
  const { amphora_id, load_balancer_id } = story
  await cloud.network.unplugVip({ id: amphora_id, compute_id: amphora_id })
  await cloud.compute.delete(amphora_id)
  await cloud.network.deallocateVip(load_balancer_id, null)
}

export async function liveAmphora(cloud: LocalCloud, story: Story): Promise<void> {
  await buildAmphora(cloud, story)
  await deleteAmphora(cloud, story)
}
