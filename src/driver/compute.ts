/**
 * The seam to a compute service: Nova, namespaces of this machine, or nothing at all. Instances
 * carry the amphora's id and are found by it, so that every method can be repeated. Failures are
 * DriverErrors.
 */
export interface InstanceRequest {
  readonly amphora_id: string
  readonly load_balancer_id: string
  /** `amphora-<id>`. */
  readonly name: string
  /** Path in the amphora to content, secret ones included: written 0600. Never logged. */
  readonly files: Readonly<Record<string, string>>
  /** What flavor and availability zone say; null, or absent altogether: what is configured. */
  readonly profile?: InstanceProfile
  /** Whether amphorae of this load balancer are better not on one host. */
  readonly kept_apart?: boolean
}

export interface InstanceProfile {
  readonly compute_flavor: string | null
  readonly amp_image_tag: string | null
  readonly compute_zone: string | null
  readonly volume_zone: string | null
  readonly management_network: string | null
}

/** A setting of a profile that can be looked up. */
export type ComputeOffer = 'compute_flavor' | 'amp_image_tag' | 'compute_zone' | 'volume_zone'

export interface Instance {
  readonly compute_id: string
  readonly status: 'BUILD' | 'ACTIVE' | 'ERROR'
  /** The address on the management network, once known. */
  readonly lb_network_ip: string | null
  readonly zone: string | null
  readonly image_id: string | null
  readonly compute_flavor: string | null
  /** Why `status` is ERROR. */
  readonly fault: string | null
}

export interface ComputeDriver {
  /** Nothing of what it tells exists: no call reaches anything, or takes time. */
  readonly imaginary?: true
  /** Boots the instance of an amphora, or returns the one it has: then `files` is not looked at. */
  build(request: InstanceRequest): Promise<{ readonly compute_id: string }>
  find(amphora_id: string): Promise<Instance | undefined>
  /** Deletes the instance of an amphora and what came with it. Success when there is none. */
  delete(amphora_id: string): Promise<void>
  /** What kept the amphorae of a load balancer apart, once they are gone. Can be repeated. */
  releaseGroup?(load_balancer_id: string): Promise<void>
  /** Whether there is such a flavor, image or zone; absent where everything is. */
  hasOffer?(offer: ComputeOffer, value: string): Promise<boolean>
  /** The last lines of its console, for an operator: no secrets; undefined where there is none. */
  findConsole?(amphora_id: string): Promise<string | undefined>
}
