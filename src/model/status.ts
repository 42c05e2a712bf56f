/**
 * The state machine of upstream, once: which statuses exist, which of them let a change begin, and
 * what a change leaves behind. Test-and-set in operations, 409 answers and the ends of flows derive
 * from it. Source: octavia/common/constants.py (MUTABLE_STATUSES, DELETABLE_STATUSES,
 * FAILOVERABLE_STATUSES).
 */
export const PROVISIONING_STATUSES = [
  'ACTIVE',
  'PENDING_CREATE',
  'PENDING_UPDATE',
  'PENDING_DELETE',
  'ERROR',
  'DELETED',
] as const
export type ProvisioningStatus = (typeof PROVISIONING_STATUSES)[number]

export const OPERATING_STATUSES = [
  'ONLINE',
  'OFFLINE',
  'DEGRADED',
  'ERROR',
  'DRAINING',
  'NO_MONITOR',
] as const
export type OperatingStatus = (typeof OPERATING_STATUSES)[number]

export const AMPHORA_STATUSES = [
  'PENDING_CREATE',
  'BOOTING',
  'ALLOCATED',
  'READY',
  'FAILOVER_STOPPED',
  'PENDING_DELETE',
  'DELETED',
  'ERROR',
] as const
export type AmphoraStatus = (typeof AMPHORA_STATUSES)[number]

/**
 * Those which take traffic. One is FAILOVER_STOPPED when so many were silent at once that the fault
 * must be elsewhere: it goes on serving.
 */
export const SERVING: readonly AmphoraStatus[] = ['ALLOCATED', 'FAILOVER_STOPPED']

/** What a caller can ask of a load balancer as a whole. */
export const LOAD_BALANCER_ACTIONS = ['change', 'delete', 'failover'] as const
export type LoadBalancerAction = (typeof LOAD_BALANCER_ACTIONS)[number]

/**
 * The statuses of a load balancer in which each action may begin; in all others the answer is 409.
 */
export const MAY_BEGIN: Readonly<Record<LoadBalancerAction, readonly ProvisioningStatus[]>> = {
  change: ['ACTIVE'],
  delete: ['ACTIVE', 'ERROR'],
  failover: ['ACTIVE', 'ERROR'],
}

/** The status of a load balancer while each action runs. */
export const WHILE: Readonly<Record<LoadBalancerAction, ProvisioningStatus>> = {
  change: 'PENDING_UPDATE',
  delete: 'PENDING_DELETE',
  failover: 'PENDING_UPDATE',
}

export function isPending(status: ProvisioningStatus): boolean {
  return status.startsWith('PENDING_')
}
