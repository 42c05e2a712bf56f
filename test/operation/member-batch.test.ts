/** Setting all members of a pool: what is made, changed and removed, and what is refused. */
import { describe, expect, test } from 'vitest'
import { planBatch } from '../../src/operation/member-batch.ts'
import { createHarness, makeTree, SUBNET, settle } from '../api/harness.ts'
import { memberRow } from '../fake/rows.ts'

const KNOWN = { address: '10.0.0.20', protocol_port: 8080 }
const NIL = '00000000-0000-4000-8000-000000000000'

async function start(over: Parameters<typeof createHarness>[0] = {}) {
  const harness = createHarness(over)
  const ids = await makeTree(harness)
  const path = `/v2.0/lbaas/pools/${ids.pool}/members`
  return {
    harness,
    ids,
    path,
    put: (members: unknown, query = '') => harness.send('PUT', `${path}${query}`, { members }),
    rows: async () =>
      ((await harness.dump()).member ?? []).map((row) => {
        const { address, weight, name, provisioning_status } = row as Record<string, unknown>
        return [address, weight, name, provisioning_status]
      }),
  }
}

describe('members as a batch', () => {
  test('unknown ones are made, known ones changed, missing ones removed: one job', async () => {
    const { harness, ids, put, rows } = await start()
    const made = await put([
      { ...KNOWN, weight: 5, name: 'a' },
      { address: '10.0.0.21', protocol_port: 80 },
    ])
    expect([made.status, made.body]).toEqual([202, undefined])
    expect((await rows()).sort()).toEqual([
      ['10.0.0.20', 5, 'a', 'PENDING_UPDATE'],
      ['10.0.0.21', 1, '', 'PENDING_CREATE'],
    ])
    const { job, pool, load_balancer } = await harness.dump()
    const input = JSON.stringify({ load_balancer_id: ids.lb, pool_id: ids.pool })
    expect(job).toMatchObject([{ flow: 'member-batch', load_balancer_id: ids.lb, input }])
    expect([pool, load_balancer]).toMatchObject([
      [{ provisioning_status: 'PENDING_UPDATE' }],
      [{ provisioning_status: 'PENDING_UPDATE' }],
    ])
    await settle(harness)
    // What the request leaves out is a default again, but for name and tags.
    expect((await put([KNOWN])).status).toBe(202)
    expect((await rows()).sort()).toEqual([
      ['10.0.0.20', 1, 'a', 'PENDING_UPDATE'],
      ['10.0.0.21', 1, '', 'PENDING_DELETE'],
    ])
  })

  test('a subnet is changed where it is named, and must be there', async () => {
    const { harness, put } = await start()
    const subnets = async () => (await harness.dump()).member?.map((row) => Object(row).subnet_id)
    expect((await put([{ ...KNOWN, subnet_id: SUBNET }])).status).toBe(202)
    expect(await subnets()).toEqual([SUBNET])
    await settle(harness)
    expect((await put([KNOWN])).status).toBe(202)
    expect(await subnets()).toEqual([SUBNET])
    await settle(harness)
    expect((await put([{ ...KNOWN, subnet_id: NIL }])).status).toBe(400)
    expect((await put([{ ...KNOWN, subnet_id: null }])).status).toBe(202)
    expect(await subnets()).toEqual([null])
  })

  test('additive_only removes nothing', async () => {
    const { put, rows } = await start()
    const other = { address: '2001:DB8::1', protocol_port: 80 }
    expect((await put([other], '?additive_only=True')).status).toBe(202)
    expect((await rows()).sort()).toEqual([
      ['10.0.0.20', 1, '', 'ACTIVE'],
      ['2001:DB8::1', 1, '', 'PENDING_CREATE'],
    ])
  })

  test('an address in another spelling is the same member', async () => {
    const { put, rows } = await start()
    const [short, long] = ['2001:db8::1', '2001:db8:0:0:0:0:0:1']
    const twice = [short, long].map((address) => ({ address, protocol_port: 80 }))
    expect((await put(twice)).status).toBe(409)
    expect((await rows()).map(([address]) => address)).not.toContain(short)
  })

  test('nothing to do changes nothing', async () => {
    const { harness, put } = await start()
    const before = await harness.dump()
    expect((await put([], '?additive_only=true')).status).toBe(202)
    expect(await harness.dump()).toEqual(before)
  })

  test.each([
    [
      [KNOWN, KNOWN],
      400,
      'Validation failure: Member must be updated only once in the same request.',
    ],
    [
      [
        { address: '10.0.0.9', protocol_port: 1 },
        { address: '10.0.0.9', protocol_port: 1 },
      ],
      409,
      'Another member on this pool is already using ip 10.0.0.9 on protocol_port 1',
    ],
    [
      [{ address: '169.254.169.254', protocol_port: 1 }],
      400,
      '169.254.169.254 is not a valid option for member address',
    ],
    [[{ address: '10.0.0.9', protocol_port: 1, subnet_id: NIL }], 400, `Subnet ${NIL} not found.`],
    [
      [{ address: '10.0.0.9', protocol_port: 1, request_sriov: true }],
      400,
      'The load balancer flavor does not allow SR-IOV member ports.',
    ],
    [
      [{ address: '10.0.0.9' }],
      400,
      "Invalid input for field/attribute protocol_port. Value: 'None'. Mandatory field missing.",
    ],
    [[{ ...KNOWN, x: 1 }], 400, 'Unknown attribute for argument members_.members: x'],
    [{}, 400, "Invalid input for field/attribute members. Value: '{}'. Value should be a list"],
    [
      [{ address: '10.0.0.9', protocol_port: 1 }, KNOWN],
      403,
      'Quota has been met for resources: Member',
    ],
  ] as const)('%j is %d', async (members, status, fault) => {
    const quotas = {
      load_balancer: 9,
      listener: 9,
      pool: 9,
      member: 1,
      health_monitor: 9,
      l7policy: -1,
      l7rule: -1,
    }
    const { harness, put } = await start(status === 403 ? { settings: { quotas } } : {})
    const before = await harness.dump()
    const answer = await put(members)
    expect([answer.status, answer.body.faultstring]).toEqual([status, fault])
    expect(await harness.dump()).toEqual(before)
  })

  test('a replacement is within a quota that is met', async () => {
    const quotas = {
      load_balancer: 9,
      listener: 9,
      pool: 9,
      member: 1,
      health_monitor: 9,
      l7policy: -1,
      l7rule: -1,
    }
    const { put } = await start({ settings: { quotas } })
    expect((await put([{ address: '10.0.0.9', protocol_port: 1 }])).status).toBe(202)
  })

  test('a busy load balancer is 409, an unknown pool 404', async () => {
    const { harness, put } = await start()
    expect((await put([KNOWN])).status).toBe(202)
    expect((await put([KNOWN])).status).toBe(409)
    const answer = await harness.send('PUT', `/v2/pools/${NIL}/members`, { members: [] })
    expect([answer.status, answer.body.faultstring]).toEqual([404, `Pool ${NIL} not found.`])
  })
})

test('the plan of a batch keeps what is there', () => {
  const row = memberRow({ pool_id: NIL, ...KNOWN })
  expect(planBatch([row], [], false)).toEqual({ create: [], update: [], remove: [row.id] })
  expect(planBatch([row], [], true)).toEqual({ create: [], update: [], remove: [] })
})
