/** The worker's world over a cloud in memory. */
import { BuildPlaces } from '../../src/worker/build-places.ts'
import type { World } from '../../src/worker/world.ts'
import { createFakeClock, type FakeClock } from './clock.ts'
import { createFakeCloud, type FakeCloud } from './cloud.ts'

/** Upstream's defaults. */
export const WORKER_OPTIONS = {
  amp_active_retries: 30,
  amp_active_wait_sec: 10,
  connection_max_retries: 120,
  connection_retry_interval: 5,
  active_connection_max_retries: 15,
  active_connection_retry_interval: 2,
  failover_connection_max_retries: 2,
  failover_connection_retry_interval: 5,
  amphora_delete_retries: 5,
  amphora_delete_retry_interval: 5,
  networking: { max_retries: 15, retry_backoff: 1, retry_max: 10 },
  compute: { max_retries: 15, retry_backoff: 1, retry_max: 10 },
  vrrp_advert_int: 1,
} as const

export interface FakeWorld extends World {
  readonly clock: FakeClock
  readonly cloud: FakeCloud
}

export function createFakeWorld(cloud: FakeCloud = createFakeCloud()): FakeWorld {
  const { network, compute, amphora, certificates, certificateManager } = cloud
  return {
    cloud,
    clock: createFakeClock({ jump: true }),
    network,
    compute,
    amphora,
    certificates,
    certificateManager,
    renderAgentConfig: ({ id }) => `SECRET key for ${id}`,
    client_ca: 'CA',
    places: new BuildPlaces(-1),
    options: WORKER_OPTIONS,
  }
}
