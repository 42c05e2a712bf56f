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
}

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
  /** Boots the instance of an amphora, or returns the one it has: then `files` is not looked at. */
  build(request: InstanceRequest): Promise<{ readonly compute_id: string }>
  find(amphora_id: string): Promise<Instance | undefined>
  /** Deletes the instance of an amphora and what came with it. Success when there is none. */
  delete(amphora_id: string): Promise<void>
}
