/** What becomes of listeners that an amphora refuses, and of the changes that are about them. */
import { expect, test } from 'vitest'
import type { Refusal } from '../../src/driver/amphora.ts'
import { listener } from '../../src/model/listener.ts'
import { findJob } from '../../src/store/jobs.ts'
import { insertRow, updateRow } from '../../src/store/repository.ts'
import type { Tx } from '../../src/store/store.ts'
import { listenerRow } from '../fake/rows.ts'
import { named, statuses } from './found.ts'
import { begin, ID, LB, run } from './scenarios.ts'

const WHY = 'haproxy says: unknown keyword'
const REFUSED = 'ERROR OFFLINE'

/** The end of a job during which every amphora refuses these listeners. */
async function refusing(
  name: string,
  ids: readonly string[],
  served: boolean,
  also?: (tx: Tx) => Promise<unknown>,
) {
  const history = await begin(named(name))
  if (also !== undefined) await history.store.transaction(also)
  history.world.cloud.refuse = ({ listeners }) => {
    const found = listeners.filter(({ id }) => ids.includes(id))
    return new Map(found.map(({ id }): [string, Refusal] => [id, { why: WHY, served }]))
  }
  await run(history)
  const job = await findJob(history.store.read, history.job_id)
  return { job, found: await statuses(history) }
}

const MADE = ['listener', 'pool', 'member', 'healthmonitor', 'l7policy', 'l7rule'] as const
const CHANGED = {
  ...{ pool: 'pool', member: 'member', healthmonitor: 'monitor' },
  ...{ l7policy: 'policy', l7rule: 'rule' },
} as const

test.each(Object.entries(CHANGED))(
  '%s-update that is refused is in ERROR with its listener, which goes on as it was',
  async (kind, changed) => {
    const { job, found } = await refusing(`${kind}-update`, [ID.listener], true)
    expect(found).toMatchObject({ lb: 'ACTIVE OFFLINE', listener: REFUSED })
    expect(found[changed]).toMatch(/^ERROR/)
    expect(found.otherPool).toMatch(/^ACTIVE/)
    expect(job).toMatchObject({
      status: 'DONE',
      error: `listener ${ID.listener} goes on as it was: ${WHY}`,
    })
  },
)

test.each(Object.entries(CHANGED))(
  '%s-delete that is refused takes nothing away: it can be deleted again',
  async (kind, changed) => {
    const { found } = await refusing(`${kind}-delete`, [ID.listener], true)
    expect(found).toMatchObject({ lb: 'ACTIVE OFFLINE', listener: REFUSED })
    expect(found[changed]).toMatch(/^ERROR/)
  },
)

test.each(MADE)('%s-create that is refused is in ERROR', async (kind) => {
  const refused = kind === 'listener' ? ID.fresh : ID.listener
  const { found } = await refusing(`${kind}-create`, [refused], kind !== 'listener')
  expect(found).toMatchObject({ lb: 'ACTIVE OFFLINE' })
  expect(found.fresh).toMatch(/^ERROR/)
  if (kind === 'listener') expect(found).toMatchObject({ fresh: 'ERROR ERROR' })
})

test('many members that are refused are in ERROR, and none is gone', async () => {
  const { found } = await refusing('member-batch', [ID.listener], true)
  expect(found).toMatchObject({ lb: 'ACTIVE OFFLINE', listener: REFUSED })
  for (const each of ['member', 'farMember', 'fresh'] as const)
    expect(found[each]).toMatch(/^ERROR/)
})

test('what a listener that was never served needs is changed all the same', async () => {
  const { found } = await refusing('member-update', [ID.listener], false)
  expect(found).toMatchObject({ listener: 'ERROR ERROR', member: expect.stringMatching(/^ACTIVE/) })
})

test.each(['member-update', 'member-delete', 'listener-update', 'load-balancer-update'])(
  '%s is done while another listener is refused',
  async (name) => {
    const { job, found } = await refusing(name, [ID.fresh], true, async (tx) => {
      const broken = { id: ID.fresh, loadbalancer_id: LB, protocol_port: 444 }
      const row = listenerRow({ ...broken, provisioning_status: 'ACTIVE' })
      await insertRow(tx, listener, { ...row, operating_status: 'OFFLINE' })
    })
    expect(found).toMatchObject({
      ...{ lb: 'ACTIVE OFFLINE', fresh: REFUSED },
      listener: expect.stringMatching(/^ACTIVE/),
    })
    expect(found.member ?? 'ACTIVE').toMatch(/^ACTIVE/)
    expect(job?.error).toContain(`listener ${ID.fresh} goes on as it was`)
  },
)

test('what is accepted at last makes both ACTIVE again', async () => {
  const { job, found } = await refusing('pool-update', [], true, async (tx) => {
    // As the request leaves them that corrects a pool in ERROR.
    await updateRow(tx, listener, ID.listener, { provisioning_status: 'PENDING_UPDATE' })
  })
  expect(found).toMatchObject({
    ...{ listener: expect.stringMatching(/^ACTIVE/), pool: expect.stringMatching(/^ACTIVE/) },
  })
  expect(job?.error).toBeNull()
})

test.each(['load-balancer-create', 'load-balancer-failover'])(
  '%s leaves out what is refused and makes the rest ACTIVE',
  async (name) => {
    const { found } = await refusing(name, [ID.listener], false)
    expect(found).toMatchObject({ lb: 'ACTIVE OFFLINE', listener: 'ERROR ERROR' })
    expect(found.pool).toMatch(/^ACTIVE/)
  },
)
