/**
 * The worker: flows that carry changes out, from steps that each ask one driver or write rows. This
 * is all that they may ask. May import everything up to the engine; never a driver's
 * implementation.
 */
import type { AmphoraDriver } from '../driver/amphora.ts'
import type { CertificateGenerator } from '../driver/certificate.ts'
import type { CertificateManager } from '../driver/certificate-manager.ts'
import type { ComputeDriver } from '../driver/compute.ts'
import type { NetworkDriver } from '../driver/network.ts'
import type { Step, StepContext } from '../flow/step.ts'
import type { Topology } from '../model/load-balancer.ts'
import type { Clock } from '../system/clock.ts'
import type { BuildPlaces } from './build-places.ts'

/** How long the worker waits for others; names and units are the options' of upstream. */
export interface WorkerOptions {
  readonly amp_active_retries: number
  readonly amp_active_wait_sec: number
  /** An amphora that boots. */
  readonly connection_max_retries: number
  readonly connection_retry_interval: number
  /** An amphora that has been reached before. */
  readonly active_connection_max_retries: number
  readonly active_connection_retry_interval: number
  /** One that may be why another is replaced. */
  readonly failover_connection_max_retries: number
  readonly failover_connection_retry_interval: number
  readonly amphora_delete_retries: number
  readonly amphora_delete_retry_interval: number
  /** Of pairs made from now on. */
  readonly vrrp_advert_int: number
  readonly networking: ServiceRetries
  readonly compute: ServiceRetries
}

/** How often a service is asked to do something that it could not do, and how soon again. */
export interface ServiceRetries {
  readonly max_retries: number
  readonly retry_backoff: number
  readonly retry_max: number
}

export interface World {
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  readonly network: NetworkDriver
  readonly compute: ComputeDriver
  readonly amphora: AmphoraDriver
  readonly certificates: CertificateGenerator
  /** Where users keep theirs. */
  readonly certificateManager: CertificateManager
  /** The agent's configuration file. Secret: the heartbeat key is in it. */
  readonly renderAgentConfig: (amphora: {
    readonly id: string
    readonly topology: Topology
  }) => string
  /** PEM: the CA of controllers, by which the agent knows them. */
  readonly client_ca: string
  readonly places: BuildPlaces
  readonly options: WorkerOptions
}

export type WorkerStep = Step<World>
export type Context = StepContext<World>
