/**
 * A compute service that does nothing, at once: every amphora has an instance, which is always
 * ACTIVE.
 */
import type { ComputeDriver } from '../compute.ts'
import { derivedAddress, derivedId } from '../derived.ts'

export function createNoopCompute(): ComputeDriver {
  const computeIdOf = (amphora_id: string): string => derivedId('instance', amphora_id)
  return {
    imaginary: true,
    build: async ({ amphora_id }) => ({ compute_id: computeIdOf(amphora_id) }),
    find: async (amphora_id) => ({
      compute_id: computeIdOf(amphora_id),
      status: 'ACTIVE',
      lb_network_ip: derivedAddress('management', amphora_id),
      zone: null,
      image_id: null,
      compute_flavor: null,
      fault: null,
    }),
    delete: async () => {},
  }
}
