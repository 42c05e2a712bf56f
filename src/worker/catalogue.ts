/**
 * The flows by name with their inputs: what operations enqueue and the worker runs. Inputs are
 * stored, so they hold ids and no secrets, and only grow.
 */
import type { AmphoraRole } from '../model/amphora.ts'
import type { Json } from '../model/field.ts'
import { insertJob } from '../store/jobs.ts'
import type { Tx } from '../store/store.ts'

/** Children of a load balancer whose changes share one shape: push the tree, then set statuses. */
export const CHILD_KINDS = [
  'listener',
  'pool',
  'member',
  'healthmonitor',
  'l7policy',
  'l7rule',
] as const
export type ChildKind = (typeof CHILD_KINDS)[number]
export const CHILD_ACTIONS = ['create', 'update', 'delete'] as const
export type ChildAction = (typeof CHILD_ACTIONS)[number]

export type ChildInput = { readonly load_balancer_id: string; readonly id: string }

/** An amphora that is made to take the place of others; none where there was none. */
export type Replacement = {
  readonly id: string
  readonly role: AmphoraRole
  readonly replaces: readonly string[]
}
/** The first is carried out by the job, the others by one that it writes when it ends. */
export type FailoverInput = {
  readonly load_balancer_id: string
  readonly replacements: readonly Replacement[]
  /** Of several the one that has the VIP is the last. Absent: the amphorae have to be asked. */
  readonly ordered?: boolean
  /** A replacement that an earlier one gave rise to gives rise to no other. */
  readonly follow_up?: boolean
}
/** An amphora may be left of a load balancer that is gone. */
export type AmphoraInput = { readonly load_balancer_id: string | null; readonly amphora_id: string }

export type FlowInputs = {
  /** Amphora ids are chosen by whoever enqueues, so that steps find what they made. */
  'load-balancer-create': {
    readonly load_balancer_id: string
    readonly amphorae: readonly { readonly id: string; readonly role: AmphoraRole }[]
  }
  'load-balancer-update': { readonly load_balancer_id: string }
  /** An amphora has lost what it had in memory. */
  'load-balancer-restore': { readonly load_balancer_id: string }
  'load-balancer-failover': FailoverInput
  'amphora-failover': FailoverInput
  'amphora-delete': AmphoraInput
  'amphora-configure': AmphoraInput
  /** The amphora is `cert_busy` until it ends. */
  'amphora-certificate-rotate': AmphoraInput
  'load-balancer-delete': { readonly load_balancer_id: string; readonly cascade: boolean }
  /** All members of the pool that are PENDING. */
  'member-batch': { readonly load_balancer_id: string; readonly pool_id: string }
  /** HELD while a create request has a VIP port and no row yet: takes the port back if it dies. */
  'vip-release': { readonly load_balancer_id: string; readonly port_id: string | null }
} & { readonly [K in `${ChildKind}-${ChildAction}`]: ChildInput }

export type FlowName = keyof FlowInputs & string

export interface Enqueue<N extends FlowName> {
  readonly flow: N
  readonly input: FlowInputs[N]
  readonly request_id: string | null
  readonly status?: 'QUEUED' | 'HELD'
}

/** Writes the job in the transaction of the change; the engine is woken after commit. */
export function enqueue<N extends FlowName>(tx: Tx, job: Enqueue<N>, now: number): Promise<string> {
  // Releasing a VIP has no load balancer row to be in order with.
  const load_balancer_id = job.flow === 'vip-release' ? null : job.input.load_balancer_id
  return insertJob(tx, { ...job, load_balancer_id, input: job.input as Json }, now)
}
