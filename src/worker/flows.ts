/** Every flow by its name: what the engine runs. A name without a flow does not compile. */
import type { Flow } from '../flow/step.ts'
import { loadBalancer } from '../model/load-balancer.ts'
import { findRow } from '../store/repository.ts'
import type { Tx } from '../store/store.ts'
import type { FlowInputs, FlowName } from './catalogue.ts'
import { amphoraCertificateRotate, amphoraConfigure, amphoraDelete } from './flows/amphora.ts'
import { childFlow } from './flows/child.ts'
import { failover } from './flows/failover.ts'
import {
  loadBalancerCreate,
  loadBalancerDelete,
  loadBalancerRestore,
  loadBalancerUpdate,
} from './flows/load-balancer.ts'
import { memberBatch } from './flows/member-batch.ts'
import { vipRelease } from './flows/vip-release.ts'
import { failLoadBalancer } from './steps/statuses.ts'
import type { World } from './world.ts'

export const FLOWS = {
  'load-balancer-create': loadBalancerCreate,
  'load-balancer-update': loadBalancerUpdate,
  'load-balancer-restore': loadBalancerRestore,
  'load-balancer-delete': loadBalancerDelete,
  'load-balancer-failover': failover('load-balancer-failover'),
  'amphora-failover': failover('amphora-failover'),
  'amphora-delete': amphoraDelete,
  'amphora-configure': amphoraConfigure,
  'amphora-certificate-rotate': amphoraCertificateRotate,
  'vip-release': vipRelease,
  'listener-create': childFlow('listener', 'create'),
  'listener-update': childFlow('listener', 'update'),
  'listener-delete': childFlow('listener', 'delete'),
  'pool-create': childFlow('pool', 'create'),
  'pool-update': childFlow('pool', 'update'),
  'pool-delete': childFlow('pool', 'delete'),
  'member-create': childFlow('member', 'create'),
  'member-update': childFlow('member', 'update'),
  'member-delete': childFlow('member', 'delete'),
  'member-batch': memberBatch,
  'healthmonitor-create': childFlow('healthmonitor', 'create'),
  'healthmonitor-update': childFlow('healthmonitor', 'update'),
  'healthmonitor-delete': childFlow('healthmonitor', 'delete'),
  'l7policy-create': childFlow('l7policy', 'create'),
  'l7policy-update': childFlow('l7policy', 'update'),
  'l7policy-delete': childFlow('l7policy', 'delete'),
  'l7rule-create': childFlow('l7rule', 'create'),
  'l7rule-update': childFlow('l7rule', 'update'),
  'l7rule-delete': childFlow('l7rule', 'delete'),
} as const satisfies { readonly [N in FlowName]: Flow<World, FlowInputs[N]> }

/** For a job which no flow can end: the load balancer is in ERROR, so that it can be deleted. */
export async function abandonJob(
  tx: Tx,
  load_balancer_id: string | null,
  now: number,
): Promise<void> {
  if (load_balancer_id === null) return
  const row = await findRow(tx, loadBalancer, load_balancer_id)
  if (row === undefined || row.provisioning_status === 'DELETED') return
  await failLoadBalancer(tx, load_balancer_id, now)
}
