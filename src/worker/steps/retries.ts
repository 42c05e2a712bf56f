/** How long each kind of step keeps trying. */
import { polling } from '../../flow/retry.ts'
import type { Retry } from '../../flow/step.ts'
import type { World } from '../world.ts'

/** Neutron, as upstream tries it: 15 times in about two minutes. */
export const NETWORK_RETRY: Retry = {
  attempts: 15,
  delay_ms: 250,
  factor: 2,
  delay_ms_max: 10_000,
}

/** What nothing else would ever come back for: about an hour. */
export const RELEASE_RETRY: Retry = {
  attempts: 65,
  delay_ms: 250,
  factor: 2,
  delay_ms_max: 60_000,
}

export const COMPUTE_RETRY: Retry = { attempts: 5, delay_ms: 500, factor: 2, delay_ms_max: 5_000 }

// The first look comes early, because namespaces are up in milliseconds; a virtual machine takes
// its time.
export const computeBootRetry = ({ options }: World): Retry =>
  polling({
    first_ms: 50,
    interval_ms: 1000 * options.amp_active_wait_sec,
    total_ms: 1000 * options.amp_active_retries * options.amp_active_wait_sec,
  })

export const agentBootRetry = ({ options }: World): Retry =>
  polling({
    first_ms: 20,
    interval_ms: 1000 * options.connection_retry_interval,
    total_ms: 1000 * options.connection_max_retries * options.connection_retry_interval,
  })

export const agentRetry = ({ options }: World): Retry =>
  polling({
    first_ms: 100,
    interval_ms: 1000 * options.active_connection_retry_interval,
    total_ms:
      1000 * options.active_connection_max_retries * options.active_connection_retry_interval,
  })

export const computeDeleteRetry = ({ options }: World): Retry =>
  polling({
    first_ms: 250,
    interval_ms: 1000 * options.amphora_delete_retry_interval,
    total_ms: 1000 * options.amphora_delete_retries * options.amphora_delete_retry_interval,
  })
