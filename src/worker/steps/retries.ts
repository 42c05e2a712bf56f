/** How long each kind of step keeps trying. */
import { polling } from '../../flow/retry.ts'
import type { Retry } from '../../flow/step.ts'
import type { ServiceRetries, World } from '../world.ts'

/** As upstream tries them by default: 15 times in about two minutes. */
export const networkRetry = ({ options }: World): Retry => serviceRetry(options.networking)
export const computeRetry = ({ options }: World): Retry => serviceRetry(options.compute)

const FIRST_RETRY_MS = 250
/** A try that costs nothing must not be made for ever. */
const ATTEMPTS_MAX = 1000

/** Quicker than configured at first: most of what has to pass is over in a moment. */
function serviceRetry({ max_retries, retry_backoff, retry_max }: ServiceRetries): Retry {
  return {
    attempts: Math.min(Math.max(1, max_retries), ATTEMPTS_MAX),
    delay_ms: FIRST_RETRY_MS,
    factor: 1 + retry_backoff,
    delay_ms_max: Math.max(FIRST_RETRY_MS, 1000 * retry_max),
  }
}

/** What nothing else would ever come back for: about an hour. */
export const RELEASE_RETRY: Retry = {
  attempts: 65,
  delay_ms: 250,
  factor: 2,
  delay_ms_max: 60_000,
}

/** Between looks at something that will be there soon, however seldom it is configured. */
const LOOK_MS_MAX = 1_000

// The first look comes early, because namespaces are up in milliseconds; a virtual machine takes
// its time.
export const computeBootRetry = ({ options }: World): Retry =>
  polling({
    first_ms: 50,
    interval_ms: Math.min(LOOK_MS_MAX, 1000 * options.amp_active_wait_sec),
    total_ms: 1000 * options.amp_active_retries * options.amp_active_wait_sec,
  })

export const agentBootRetry = ({ options }: World): Retry =>
  polling({
    first_ms: 20,
    interval_ms: Math.min(LOOK_MS_MAX, 1000 * options.connection_retry_interval),
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

/** Three advertisements and the check of haproxy, twice, and time to spare. */
export const vipRetry = ({ options }: World): Retry =>
  polling({
    first_ms: 50,
    interval_ms: 1_000,
    total_ms: 30_000 + 4_000 * options.vrrp_advert_int,
  })
