/** Ports of instances, as the compute service plugs them in and out. Failures are DriverErrors. */
export interface Attachments {
  /** Again for a port that is plugged in: success. */
  attach(compute_id: string, port_id: string): Promise<void>
  /**
   * Begins to take the port out. Whether the instance will let go of it: one that is gone, or has
   * no such port, or is in no state to, will not.
   */
  detach(compute_id: string, port_id: string): Promise<boolean>
}

/** For a compute service that has no instances. */
export const noAttachments: Attachments = {
  attach: async () => {},
  detach: async () => false,
}
