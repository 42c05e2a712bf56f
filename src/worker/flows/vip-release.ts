import type { Flow } from '../../flow/step.ts'
import { loadBalancer } from '../../model/load-balancer.ts'
import { findRow } from '../../store/repository.ts'
import type { FlowInputs } from '../catalogue.ts'
import { RELEASE_RETRY } from '../steps/retries.ts'
import type { World } from '../world.ts'

/**
 * Takes a VIP port back whose create request died before it wrote a row. A load balancer which is
 * there after all keeps its port.
 */
export const vipRelease: Flow<World, FlowInputs['vip-release']> = {
  name: 'vip-release',
  steps: ({ load_balancer_id, port_id }) => [
    {
      name: 'deallocate-vip',
      retry: RELEASE_RETRY,
      act: async ({ world, db }) => {
        if ((await findRow(db, loadBalancer, load_balancer_id)) !== undefined) return undefined
        await world.network.deallocateVip(load_balancer_id, port_id)
        return undefined
      },
    },
  ],
  // No row tells of it: the job does.
  failed: async () => {},
}
