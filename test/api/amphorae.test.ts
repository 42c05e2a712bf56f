/** What an operator asks of amphorae: requests as rows, and what changed in the database. */
import { describe, expect, test } from 'vitest'
import { amphora } from '../../src/model/amphora.ts'
import { planReplacements } from '../../src/operation/amphora.ts'
import { insertRow } from '../../src/store/repository.ts'
import { addStatistics } from '../../src/store/statistics.ts'
import { newId } from '../../src/system/ids.ts'
import { amphoraRow } from '../fake/rows.ts'
import { createHarness, type Harness, makeTree, PROJECT } from './harness.ts'

const AMPHORAE = '/v2.0/octavia/amphorae'
const NOBODY = '00000000-0000-4000-8000-000000000000'
const IDS = {
  serving: newId(),
  broken: newId(),
  gone: newId(),
  stray: newId(),
} as const
type Name = keyof typeof IDS

/** A load balancer with one amphora of each sort, and one of none. */
async function setUp(): Promise<Harness & { readonly lb: string; readonly listener: string }> {
  const harness = createHarness()
  const { lb, listener } = await makeTree(harness)
  const of = { loadbalancer_id: lb }
  await harness.store.transaction(async (tx) => {
    await insertRow(tx, amphora, amphoraRow({ ...of, id: IDS.serving }))
    await insertRow(tx, amphora, amphoraRow({ ...of, id: IDS.broken, status: 'ERROR' }))
    await insertRow(tx, amphora, amphoraRow({ ...of, id: IDS.gone, status: 'DELETED' }))
    await insertRow(tx, amphora, amphoraRow({ id: IDS.stray }))
  })
  return { ...harness, lb, listener }
}

const listed = async (harness: Harness, query: string) => {
  const { body } = await harness.send('GET', `${AMPHORAE}?${query}`)
  return body.amphorae.map((row: { id: string }) =>
    Object.keys(IDS).find((name) => IDS[name as Name] === row.id),
  )
}

describe('amphorae', () => {
  test('are listed by any of their fields, and by the project of their load balancer', async () => {
    const harness = await setUp()
    const { lb } = harness
    expect((await listed(harness, '')).sort()).toEqual(['broken', 'serving', 'stray'])
    expect((await listed(harness, `loadbalancer_id=${lb}`)).sort()).toEqual(['broken', 'serving'])
    expect(await listed(harness, 'status=ERROR')).toEqual(['broken'])
    expect(await listed(harness, 'status=DELETED')).toEqual([])
    expect(await listed(harness, `id=${IDS.stray}&role=STANDALONE`)).toEqual(['stray'])
    expect(await listed(harness, 'role=MASTER')).toEqual([])
    const mine = await listed(harness, `project_id=${PROJECT}`)
    expect(mine.sort()).toEqual(['broken', 'serving'])
    expect(await listed(harness, 'project_id=somebody')).toEqual([])
    expect((await harness.send('GET', `${AMPHORAE}?color=red`)).status).toBe(400)
  })

  test('are shown with all their fields, but no deleted one', async () => {
    const harness = await setUp()
    const { body } = await harness.send('GET', `${AMPHORAE}/${IDS.serving}`)
    expect(Object.keys(body.amphora).sort()).toEqual(
      [
        ...['id', 'loadbalancer_id', 'compute_id', 'lb_network_ip', 'vrrp_ip', 'ha_ip'],
        ...['vrrp_port_id', 'ha_port_id', 'cert_expiration', 'cert_busy', 'role', 'status'],
        ...['vrrp_interface', 'vrrp_id', 'vrrp_priority', 'cached_zone', 'created_at'],
        ...['updated_at', 'image_id', 'compute_flavor'],
      ].sort(),
    )
    const one = await harness.send('GET', `${AMPHORAE}/${IDS.serving}?fields=role&fields=status`)
    expect(one.body).toEqual({ amphora: { role: 'STANDALONE', status: 'ALLOCATED' } })
    expect((await harness.send('GET', `${AMPHORAE}/${IDS.gone}`)).status).toBe(404)
  })

  test('have statistics by listener', async () => {
    const harness = await setUp()
    const numbers = {
      active_connections: 1,
      bytes_in: 2,
      bytes_out: 3,
      request_errors: 4,
      total_connections: 5,
    }
    const { lb, listener } = harness
    await harness.store.transaction((tx) =>
      addStatistics(tx, [{ ...numbers, listener_id: listener, amphora_id: IDS.serving }]),
    )
    expect((await harness.send('GET', `${AMPHORAE}/${IDS.serving}/stats`)).body).toEqual({
      amphora_stats: [{ ...numbers, id: IDS.serving, listener_id: listener, loadbalancer_id: lb }],
    })
    const none = await harness.send('GET', `${AMPHORAE}/${IDS.broken}/stats`)
    expect([none.status, none.body.faultstring]).toEqual([
      404,
      `Amphora stats for ${IDS.broken} not found.`,
    ])
  })
})

interface Ask {
  readonly name: string
  readonly method: 'PUT' | 'DELETE'
  readonly id: string
  readonly action?: 'failover' | 'config'
  /** The status of the load balancer before; default ACTIVE. */
  readonly lb?: string
  readonly status: number
  readonly fault?: (lb: string) => string
  readonly job?: (lb: string) => readonly [flow: string, input: object]
  /** Of the load balancer and of the amphora afterwards. */
  readonly left?: readonly [lb: string, amphora: string]
}

const ASKS: readonly Ask[] = [
  {
    name: 'one is failed over',
    method: 'PUT',
    id: IDS.serving,
    action: 'failover',
    status: 202,
    job: (lb) => [
      'amphora-failover',
      {
        load_balancer_id: lb,
        replacements: [{ role: 'STANDALONE', replaces: [IDS.serving] }],
      },
    ],
    left: ['PENDING_UPDATE', 'ALLOCATED'],
  },
  ...['ERROR', 'PENDING_UPDATE', 'PENDING_DELETE'].map(
    (lb): Ask => ({
      name: `one of a load balancer in ${lb} is not failed over`,
      method: 'PUT',
      id: IDS.serving,
      action: 'failover',
      lb,
      status: 409,
      fault: (id) => `Load Balancer ${id} is immutable and cannot be updated.`,
    }),
  ),
  {
    name: 'one of no load balancer is not failed over',
    method: 'PUT',
    id: IDS.stray,
    action: 'failover',
    status: 409,
    fault: () => `Amphora ${IDS.stray} is immutable and cannot be updated.`,
  },
  ...(['failover', 'config'] as const).map(
    (action): Ask => ({
      name: `a deleted one has no ${action}`,
      method: 'PUT',
      id: IDS.gone,
      action,
      status: 404,
      fault: () => `Amphora ${IDS.gone} not found.`,
    }),
  ),
  {
    name: 'one gets its configuration, whatever its load balancer does',
    method: 'PUT',
    id: IDS.serving,
    action: 'config',
    lb: 'PENDING_UPDATE',
    status: 202,
    job: (lb) => ['amphora-configure', { load_balancer_id: lb, amphora_id: IDS.serving }],
    left: ['PENDING_UPDATE', 'ALLOCATED'],
  },
  {
    name: 'one in ERROR is deleted',
    method: 'DELETE',
    id: IDS.broken,
    status: 204,
    job: (lb) => ['amphora-delete', { load_balancer_id: lb, amphora_id: IDS.broken }],
    left: ['ACTIVE', 'PENDING_DELETE'],
  },
  {
    name: 'one that serves is not deleted',
    method: 'DELETE',
    id: IDS.serving,
    status: 409,
    fault: () => `amphora ${IDS.serving} is immutable and cannot be updated.`,
  },
  {
    name: 'one that is gone is not deleted',
    method: 'DELETE',
    id: IDS.gone,
    status: 404,
    fault: () => `Amphora ${IDS.gone} not found.`,
  },
  {
    name: 'one that never was is not deleted',
    method: 'DELETE',
    id: NOBODY,
    status: 404,
    fault: () => `Amphora ${NOBODY} not found.`,
  },
]

test.each(ASKS)('$name', async ({ method, id, action, status, fault, job, left, ...ask }) => {
  const harness = await setUp()
  const { lb } = harness
  const provisioning_status = ask.lb ?? 'ACTIVE'
  await harness.store.transaction((tx) =>
    tx.updateTable('load_balancer').set({ provisioning_status }).execute(),
  )
  const before = await harness.dump()
  const path = `${AMPHORAE}/${id}${action === undefined ? '' : `/${action}`}`
  const answer = await harness.send(method, path)
  expect([answer.status, answer.body?.faultstring]).toEqual([status, fault?.(lb)])
  const after = await harness.dump()
  if (status >= 400) expect(after).toEqual(before)
  if (job !== undefined) {
    const [flow, input] = job(lb)
    const [row] = after.job as { flow: string; input: string }[]
    expect(row?.flow).toBe(flow)
    expect(JSON.parse(row?.input ?? '')).toMatchObject(input)
  }
  if (left !== undefined) {
    expect(after.load_balancer).toMatchObject([{ provisioning_status: left[0] }])
    expect(after.amphora).toContainEqual(expect.objectContaining({ id, status: left[1] }))
  }
})

test.each([
  ['SINGLE', [], [['STANDALONE', []]]],
  ['SINGLE', [['a', 'STANDALONE']], [['STANDALONE', ['a']]]],
  // One too many, and one that never got a role, go too.
  [
    'SINGLE',
    [
      ['a', 'STANDALONE'],
      ['b', 'STANDALONE'],
      ['c', null],
    ],
    [['STANDALONE', ['a', 'b', 'c']]],
  ],
  // The one that most likely has the VIP is the last.
  [
    'ACTIVE_STANDBY',
    [
      ['a', 'MASTER'],
      ['b', 'BACKUP'],
    ],
    [
      ['BACKUP', ['b']],
      ['MASTER', ['a']],
    ],
  ],
  [
    'ACTIVE_STANDBY',
    [['a', 'MASTER']],
    [
      ['BACKUP', []],
      ['MASTER', ['a']],
    ],
  ],
] as const)('of a %s load balancer with %j are replaced: %j', (topology, there, expected) => {
  let made = 0
  const rows = there.map(([id, role]) => ({ id, role }))
  const planned = planReplacements({ topology }, rows, () => `new ${made++}`)
  expect(planned.map(({ role, replaces }) => [role, replaces])).toEqual(expected)
  expect(new Set(planned.map(({ id }) => id)).size).toBe(planned.length)
})
