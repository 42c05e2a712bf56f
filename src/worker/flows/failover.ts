/**
 * Failover: a new amphora takes the place of others. It is complete, with haproxy listening, before
 * its agent sets the VIP and announces it, and only then the old one lets go: until that moment the
 * old one serves, and whatever fails before is undone without touching it. A pair is replaced one
 * after the other, each by a job of its own.
 * Source: octavia/controller/worker/v2/flows/{load_balancer,amphora}_flows.py.
 */
import type { Flow } from '../../flow/step.ts'
import type { LoadBalancerTree } from '../../model/tree.ts'
import type { Tx } from '../../store/store.ts'
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
  beginReplacing,
  deleteReplaced,
  ensureVip,
  failReplacing,
  releaseIpv6Vip,
  unplugReplaced,
} from '../steps/replacement.ts'
import { writeRows } from '../steps/rows.ts'
import { activateTree } from '../steps/statuses.ts'
import { plugVip, plugVipInAmphorae, prepareVipInAmphorae, setVipRules } from '../steps/vip.ts'
import type { World } from '../world.ts'

export function failover(
  name: 'load-balancer-failover' | 'amphora-failover',
): Flow<World, FailoverInput> {
  const finish = async (tx: Tx, { load_balancer_id, replacements }: FailoverInput, now: number) => {
    const [, ...rest] = replacements
    if (rest.length === 0) return activateTree(tx, load_balancer_id, now)
    const input = { load_balancer_id, replacements: rest }
    await enqueue(tx, { flow: name, input, request_id: null }, now)
  }
  return {
    name,
    steps: (input) => {
      const { load_balancer_id } = input
      const replacement = firstOf(input)
      const made = { load_balancer_id, amphorae: [replacement] }
      const old = { load_balancer_id, replaces: replacement.replaces }
      const onlyNew = (tree: LoadBalancerTree) => among(tree.amphorae, made.amphorae)
      const plugs = allMemberPlugs(made.amphorae)
      return [
        writeRows('begin', (tx) => beginReplacing(tx, old)),
        createAmphoraRows(made),
        ensureVip(old),
        buildAmphorae(made),
        waitForCompute(made),
        plugVip(made),
        waitForAgents(made),
        prepareVipInAmphorae(made),
        plugMemberNetworks(made, plugs),
        plugMemberNetworksInAmphorae(made, plugs, true),
        setVipRules(made),
        updateFirstListeners(made, onlyNew),
        // Two interfaces with one IPv6 address: the newer one would not get it.
        releaseIpv6Vip(old),
        // From here on the neighbours send to the new one.
        plugVipInAmphorae(made),
        unplugReplaced(old),
        deleteReplaced(old),
        writeRows('finish', (tx, now) => finish(tx, input, now)),
      ]
    },
    failed: (tx, input, { clean, now }) => {
      const { load_balancer_id } = input
      const { id, replaces } = firstOf(input)
      return failReplacing(tx, { load_balancer_id, id, replaces, clean, now })
    },
  }
}

function firstOf({ replacements }: FailoverInput): Replacement {
  const [first] = replacements
  assert(first !== undefined, 'a failover replaces something')
  return first
}
