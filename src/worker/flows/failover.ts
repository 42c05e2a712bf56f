/**
 * Failover: a new amphora takes the place of others. It is complete, with haproxy listening, before
 * its agent sets the VIP and announces it, and only then the old one lets go: until that moment the
 * old one serves, and whatever fails before is undone without touching it. In a pair the new one
 * takes the VIP by VRRP, from the old one or not at all. Both of a pair are replaced one after the
 * other, each by a job of its own.
 * Source: octavia/controller/worker/v2/flows/{load_balancer,amphora}_flows.py.
 */
import type { Flow } from '../../flow/step.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'
import { assert } from '../../system/assert.ts'
import { enqueue, type FailoverInput, type Replacement } from '../catalogue.ts'
import { among } from '../steps/amphorae.ts'
import {
  buildAmphorae,
  createAmphoraRows,
  waitForAgents,
  waitForCompute,
} from '../steps/compute.ts'
import { updateFirstListeners } from '../steps/configuration.ts'
import {
  allMemberPlugs,
  plugMemberNetworks,
  plugMemberNetworksInAmphorae,
} from '../steps/member-networks.ts'
import {
  askForOrder,
  askOthers,
  forgetInListeners,
  forgetInVrrp,
  inOrder,
  introduceListeners,
  introduceVrrp,
  replaceUnreachable,
  waitForNewOwner,
} from '../steps/pair-replacement.ts'
import {
  beginReplacing,
  deleteReplaced,
  ensureVip,
  failReplacing,
  releaseIpv6Vip,
  unplugReplaced,
} from '../steps/replacement.ts'
import { writeRows } from '../steps/rows.ts'
import { activateTree, failLoadBalancer } from '../steps/statuses.ts'
import {
  plugVip,
  plugVipInAmphorae,
  prepareVipInAmphorae,
  setVipRules,
  setVipRulesInAmphorae,
} from '../steps/vip.ts'
import { type Answers, createGroup } from '../steps/vrrp.ts'
import type { WorkerStep, World } from '../world.ts'

type FailoverFlow = 'load-balancer-failover' | 'amphora-failover'

export function failover(name: FailoverFlow): Flow<World, FailoverInput> {
  return {
    name,
    steps: (input) => {
      if (isUnordered(input)) return orderSteps(name, input)
      const replacement = firstOf(input)
      const steps = replacement.role === 'STANDALONE' ? singleSteps : pairSteps
      return [
        ...steps({ load_balancer_id: input.load_balancer_id, replacement }),
        finish(name, input),
      ]
    },
    failed: async (tx, input, { clean, now }) => {
      const { load_balancer_id } = input
      if (isUnordered(input)) return failLoadBalancer(tx, load_balancer_id, now)
      const { id, replaces } = firstOf(input)
      return failReplacing(tx, { load_balancer_id, id, replaces, clean, now })
    },
  }
}

interface One {
  readonly load_balancer_id: string
  readonly replacement: Replacement
}

/** Where two are replaced the one that has the VIP must be the last, which only they know. */
function isUnordered({ replacements, ordered }: FailoverInput): boolean {
  return replacements.length > 1 && ordered !== true
}

function orderSteps(flow: FailoverFlow, input: FailoverInput): WorkerStep[] {
  return [
    askForOrder(input),
    {
      name: 'finish',
      rows: async (tx, { world, result }) => {
        const replacements = inOrder(input.replacements, result<Answers>('ask-amphorae'))
        const ordered = { ...input, replacements, ordered: true }
        await enqueue(tx, { flow, input: ordered, request_id: null }, world.clock.now())
      },
    },
  ]
}

/** A new amphora as far as it can be made beside the old one. */
function makeSteps({ load_balancer_id, replacement }: One): WorkerStep[] {
  const made = { load_balancer_id, amphorae: [replacement] }
  const old = { load_balancer_id, replaces: replacement.replaces }
  return [
    writeRows('begin', (tx) => beginReplacing(tx, old)),
    createAmphoraRows(made),
    ensureVip(old),
    buildAmphorae(made, 'failover'),
    waitForCompute(made),
    plugVip(made),
    waitForAgents(made),
  ]
}

function memberSteps({ load_balancer_id, replacement }: One): WorkerStep[] {
  const made = { load_balancer_id, amphorae: [replacement] }
  const plugs = allMemberPlugs(made.amphorae)
  const onlyNew = (tree: LoadBalancerTree) => among(tree.amphorae, made.amphorae)
  return [
    plugMemberNetworks(made, plugs),
    plugMemberNetworksInAmphorae(made, plugs, true),
    // Those that are there have them, or are replaced because somebody deleted their port.
    setVipRules(made, onlyNew),
    setVipRulesInAmphorae(made, onlyNew),
  ]
}

function singleSteps(one: One): WorkerStep[] {
  const { load_balancer_id, replacement } = one
  const made = { load_balancer_id, amphorae: [replacement] }
  const old = { load_balancer_id, replaces: replacement.replaces }
  const onlyNew = (tree: LoadBalancerTree) => among(tree.amphorae, made.amphorae)
  return [
    ...makeSteps(one),
    prepareVipInAmphorae(made),
    ...memberSteps(one),
    updateFirstListeners(made, { which: onlyNew }),
    // Two interfaces with one IPv6 address: the newer one would not get it.
    releaseIpv6Vip(old),
    // From here on the neighbours send to the new one.
    plugVipInAmphorae(made, old.replaces),
    unplugReplaced(old),
    deleteReplaced(old),
  ]
}

function pairSteps(one: One): WorkerStep[] {
  const { load_balancer_id, replacement } = one
  const made = { load_balancer_id, amphorae: [replacement] }
  const old = { load_balancer_id, replaces: replacement.replaces }
  return [
    createGroup(one),
    ...makeSteps(one),
    // keepalived, which does not run yet, sets the VIPs.
    plugVipInAmphorae(made, old.replaces),
    ...memberSteps(one),
    askOthers(one),
    introduceListeners(one),
    introduceVrrp(one),
    // From here on the neighbours send to one that stays.
    waitForNewOwner(one),
    unplugReplaced(old),
    deleteReplaced(old),
    forgetInListeners(one),
    forgetInVrrp(one),
  ]
}

/** Those that are left are for another job; after the last the load balancer is ACTIVE. */
function finish(flow: FailoverFlow, input: FailoverInput): WorkerStep {
  const { load_balancer_id, replacements } = input
  const [first, ...rest] = replacements
  return {
    name: 'finish',
    rows: async (tx, context) => {
      const now = context.world.clock.now()
      if (rest.length > 0) {
        const next = { ...input, replacements: rest }
        await enqueue(tx, { flow, input: next, request_id: null }, now)
        return
      }
      const pair = first?.role !== 'STANDALONE'
      if (pair && (await replaceUnreachable(tx, flow, input, context))) return
      await activateTree(tx, load_balancer_id, now)
    },
  }
}

function firstOf({ replacements }: FailoverInput): Replacement {
  const [first] = replacements
  assert(first !== undefined, 'a failover replaces something')
  return first
}
