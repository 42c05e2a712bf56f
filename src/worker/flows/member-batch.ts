/**
 * Many members of one pool at once: whatever is PENDING among them is carried out by one push of
 * the configuration. Source: octavia/controller/worker/v2/flows/member_flows.py,
 * batch_update_members.
 */
import type { Flow } from '../../flow/step.ts'
import { member } from '../../model/member.ts'
import { deleteRows, updateRows } from '../../store/repository.ts'
import type { Tx } from '../../store/store.ts'
import { timestamp } from '../../system/clock.ts'
import type { FlowInputs } from '../catalogue.ts'
import { updateListeners } from '../steps/configuration.ts'
import {
  plugMemberNetworks,
  plugMemberNetworksInAmphorae,
  unplugMemberNetworks,
} from '../steps/member-networks.ts'
import { writeRows } from '../steps/rows.ts'
import { releaseLoadBalancer } from '../steps/statuses.ts'
import type { World } from '../world.ts'

type Input = FlowInputs['member-batch']

export const memberBatch: Flow<World, Input> = {
  name: 'member-batch',
  convergent: true,
  steps: (input) => [
    plugMemberNetworks(input),
    plugMemberNetworksInAmphorae(input),
    updateListeners(input, { refused: (tx, now) => fail(tx, input, now) }),
    unplugMemberNetworks(input),
    writeRows('finish', (tx, now) => finish(tx, input, now)),
  ],
  failed: async (tx, input, { now }) => {
    await fail(tx, input, now)
    await releaseLoadBalancer(tx, input.load_balancer_id, now)
  },
}

async function fail(tx: Tx, { pool_id }: Input, now: number): Promise<void> {
  const pending = ['PENDING_CREATE', 'PENDING_UPDATE', 'PENDING_DELETE']
  const failed = { provisioning_status: 'ERROR', updated_at: timestamp(now) } as const
  await updateRows(tx, member, { pool_id, provisioning_status: pending }, failed)
}

async function finish(tx: Tx, { load_balancer_id, pool_id }: Input, now: number): Promise<void> {
  await deleteRows(tx, member, { pool_id, provisioning_status: 'PENDING_DELETE' })
  const done = ['PENDING_CREATE', 'PENDING_UPDATE']
  const active = { provisioning_status: 'ACTIVE', updated_at: timestamp(now) } as const
  await updateRows(tx, member, { pool_id, provisioning_status: done }, active)
  await releaseLoadBalancer(tx, load_balancer_id, now)
}
