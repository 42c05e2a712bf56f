/**
 * Children of a load balancer: each change pushes the whole tree to the amphorae and then settles
 * statuses. A failed change leaves the child in ERROR and everything around it ACTIVE, as upstream
 * does.
 * Source: octavia/controller/worker/v2/flows/, the *_flows.py of each.
 */
import type { Flow } from '../../flow/step.ts'
import type { Fields, Resource } from '../../model/field.ts'
import { healthMonitor } from '../../model/health-monitor.ts'
import { l7policy } from '../../model/l7policy.ts'
import { l7rule } from '../../model/l7rule.ts'
import { listener } from '../../model/listener.ts'
import { member } from '../../model/member.ts'
import { pool } from '../../model/pool.ts'
import { deleteRows, findRow, getRow, updateRow } from '../../store/repository.ts'
import type { Tx } from '../../store/store.ts'
import { assert } from '../../system/assert.ts'
import { timestamp } from '../../system/clock.ts'
import type { ChildAction, ChildInput, ChildKind } from '../catalogue.ts'
import { updateListeners } from '../steps/configuration.ts'
import {
  plugMemberNetworks,
  plugMemberNetworksInAmphorae,
  unplugMemberNetworks,
} from '../steps/member-networks.ts'
import { writeRows } from '../steps/rows.ts'
import {
  deleteHealthMonitor,
  deleteL7Policy,
  deleteListener,
  deletePool,
  endRules,
  releaseLoadBalancer,
} from '../steps/statuses.ts'
import { setVipRules, setVipRulesInAmphorae } from '../steps/vip.ts'
import type { WorkerStep, World } from '../world.ts'

type MakeStep = (input: ChildInput) => WorkerStep

interface Child {
  readonly resource: Resource<Fields>
  /** What happens around the push of the configuration, beyond it. */
  readonly before: Partial<Readonly<Record<ChildAction, readonly MakeStep[]>>>
  readonly after: Partial<Readonly<Record<ChildAction, readonly MakeStep[]>>>
  /** What else of its row changes when it becomes ACTIVE. */
  readonly alsoActive?: (tx: Tx, id: string) => Promise<Readonly<Record<string, unknown>>>
  /** Children that were made with it share its end. */
  readonly end?: (tx: Tx, id: string, status: 'ACTIVE' | 'ERROR', now: number) => Promise<void>
  /** Removes its row with all that hangs on it. */
  readonly remove: (tx: Tx, id: string) => Promise<unknown>
}

const CHILDREN: Readonly<Record<ChildKind, Child>> = {
  listener: {
    resource: listener,
    // Before the first client can come.
    before: { create: [setVipRulesInAmphorae], update: [setVipRulesInAmphorae] },
    after: {
      create: [setVipRules],
      update: [setVipRules],
      delete: [setVipRules, setVipRulesInAmphorae],
    },
    remove: deleteListener,
  },
  pool: {
    resource: pool,
    before: {},
    after: { delete: [unplugMemberNetworks] },
    remove: deletePool,
  },
  member: {
    resource: member,
    before: { create: [plugMemberNetworks, plugMemberNetworksInAmphorae] },
    after: { delete: [unplugMemberNetworks] },
    remove: (tx, id) => deleteRows(tx, member, { id }),
  },
  healthmonitor: {
    resource: healthMonitor,
    before: {},
    after: {},
    alsoActive: asTold(healthMonitor),
    remove: deleteHealthMonitor,
  },
  l7policy: {
    resource: l7policy,
    before: {},
    after: {},
    alsoActive: asTold(l7policy),
    end: endRules,
    remove: deleteL7Policy,
  },
  l7rule: {
    resource: l7rule,
    before: {},
    after: {},
    alsoActive: asTold(l7rule),
    remove: (tx, id) => deleteRows(tx, l7rule, { id }),
  },
}

/** Nothing reports the health of these, so they are what they are told to be. */
function asTold(resource: Resource<Fields>): NonNullable<Child['alsoActive']> {
  return async (tx, id) => {
    const { admin_state_up } = (await getRow(tx, resource, id)) as { admin_state_up: boolean }
    return { operating_status: admin_state_up ? 'ONLINE' : 'OFFLINE' }
  }
}

export function childFlow(kind: ChildKind, action: ChildAction): Flow<World, ChildInput> {
  const child = CHILDREN[kind]
  const { resource, before, after, end, remove } = child
  const settle = async (
    tx: Tx,
    { load_balancer_id, id }: ChildInput,
    now: number,
  ): Promise<void> => {
    // It was PENDING until an amphora was found not to serve it.
    const refused = (await findRow(tx, resource, id))?.provisioning_status === 'ERROR'
    if (!refused && action === 'delete') await remove(tx, id)
    if (!refused && action !== 'delete') {
      await activate(tx, child, id, now)
      await end?.(tx, id, 'ACTIVE', now)
    }
    await releaseLoadBalancer(tx, load_balancer_id, now)
  }
  const fail = async (tx: Tx, { id }: ChildInput, now: number): Promise<void> => {
    const failed = { provisioning_status: 'ERROR', updated_at: timestamp(now) }
    await updateRow(tx, resource, id, failed)
    await end?.(tx, id, 'ERROR', now)
  }
  return {
    name: `${kind}-${action}`,
    convergent: true,
    steps: (input) => [
      ...(before[action] ?? []).map((step) => step(input)),
      updateListeners(input, { refused: (tx, now) => fail(tx, input, now) }),
      ...(after[action] ?? []).map((step) => step(input)),
      writeRows('finish', (tx, now) => settle(tx, input, now)),
    ],
    failed: async (tx, input, { now }) => {
      await fail(tx, input, now)
      await releaseLoadBalancer(tx, input.load_balancer_id, now)
    },
  }
}

async function activate(
  tx: Tx,
  { resource, alsoActive }: Child,
  id: string,
  now: number,
): Promise<void> {
  const active = { provisioning_status: 'ACTIVE', updated_at: timestamp(now) }
  const changed = await updateRow(tx, resource, id, { ...active, ...(await alsoActive?.(tx, id)) })
  assert(changed, `${resource.singular} ${id} must be there while its job runs`)
}
