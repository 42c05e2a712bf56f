/**
 * A load balancer as a whole: made, changed, deleted.
 * Source: octavia/controller/worker/v2/flows/load_balancer_flows.py.
 */
import type { Flow } from '../../flow/step.ts'
import type { FlowInputs } from '../catalogue.ts'
import {
  buildAmphorae,
  createAmphoraRows,
  deleteCompute,
  waitForAgents,
  waitForCompute,
} from '../steps/compute.ts'
import { updateFirstListeners, updateListeners } from '../steps/configuration.ts'
import {
  plugMemberNetworks,
  plugMemberNetworksInAmphorae,
  unplugAllMemberNetworks,
} from '../steps/member-networks.ts'
import { writeRows } from '../steps/rows.ts'
import {
  activateTree,
  beginDeleteAmphorae,
  deleteTree,
  failLoadBalancer,
  releaseLoadBalancer,
  setAmphorae,
} from '../steps/statuses.ts'
import {
  deallocateVip,
  plugVip,
  plugVipInAmphorae,
  setFirstVipRules,
  setVipRules,
  setVipRulesInAmphorae,
  unplugVip,
} from '../steps/vip.ts'
import { createGroup, startVrrp, waitForVip } from '../steps/vrrp.ts'
import type { World } from '../world.ts'

type Input<N extends keyof FlowInputs> = FlowInputs[N]

export const loadBalancerCreate: Flow<World, Input<'load-balancer-create'>> = {
  name: 'load-balancer-create',
  steps: (input) => [
    ...(isPair(input) ? [createGroup(input)] : []),
    createAmphoraRows(input),
    buildAmphorae(input),
    waitForCompute(input),
    // While the agent starts.
    plugVip(input),
    waitForAgents(input),
    plugVipInAmphorae(input),
    plugMemberNetworks(input),
    plugMemberNetworksInAmphorae(input),
    setFirstVipRules(input),
    setVipRulesInAmphorae(input),
    // Before VRRP, whose check would find an amphora without haproxy unfit.
    updateFirstListeners(input),
    ...(isPair(input) ? [startVrrp(input), waitForVip(input)] : []),
    writeRows('finish', (tx, now) => activateTree(tx, input.load_balancer_id, now)),
  ],
  // The VIP port stays: the row still owns it, and goes with it.
  failed: async (tx, { load_balancer_id }, { clean, now }) => {
    await setAmphorae(tx, load_balancer_id, clean ? 'DELETED' : 'ERROR', now)
    await failLoadBalancer(tx, load_balancer_id, now)
  },
}

function isPair({ amphorae }: Input<'load-balancer-create'>): boolean {
  return amphorae.length > 1
}

export const loadBalancerUpdate: Flow<World, Input<'load-balancer-update'>> = {
  name: 'load-balancer-update',
  steps: (input) => [
    setVipRules(input),
    setVipRulesInAmphorae(input),
    updateListeners(input),
    writeRows('finish', (tx, now) => releaseLoadBalancer(tx, input.load_balancer_id, now)),
  ],
  failed: (tx, { load_balancer_id }, { now }) => failLoadBalancer(tx, load_balancer_id, now),
}

export const loadBalancerRestore: Flow<World, Input<'load-balancer-restore'>> = {
  name: 'load-balancer-restore',
  convergent: true,
  steps: (input) => [
    updateListeners(input),
    writeRows('finish', (tx, now) => releaseLoadBalancer(tx, input.load_balancer_id, now)),
  ],
  // Nobody asked for it, and what was served still is; an amphora that lacks more is replaced.
  failed: (tx, { load_balancer_id }, { now }) => releaseLoadBalancer(tx, load_balancer_id, now),
}

/**
 * What is gone stays gone when a step fails: a second delete goes through it again and finds less.
 */
export const loadBalancerDelete: Flow<World, Input<'load-balancer-delete'>> = {
  name: 'load-balancer-delete',
  steps: (input) => [
    writeRows('begin', (tx, now) => beginDeleteAmphorae(tx, input.load_balancer_id, now)),
    deleteCompute(input),
    unplugAllMemberNetworks(input),
    unplugVip(input),
    deallocateVip(input),
    writeRows('finish', (tx, now) => deleteTree(tx, input.load_balancer_id, now)),
  ],
  failed: (tx, { load_balancer_id }, { now }) => failLoadBalancer(tx, load_balancer_id, now),
}
