import { expect, test } from 'vitest'
import type { ProvisioningStatus } from '../../../src/model/status.ts'
import { type MemberSubnets, planMemberSubnets } from '../../../src/worker/steps/member-networks.ts'
import { loadBalancerRow, memberRow, poolRow } from '../../fake/rows.ts'

type Member = readonly [subnet: string | null, status: ProvisioningStatus]

const NONE: MemberSubnets = { arriving: [], leaving: [], staying: [] }

test.each<[string, readonly Member[], MemberSubnets]>([
  ['no members', [], NONE],
  [
    'members near the VIP',
    [
      [null, 'PENDING_CREATE'],
      ['vip', 'ACTIVE'],
      ['vip 2', 'ACTIVE'],
    ],
    NONE,
  ],
  ['the first', [['a', 'PENDING_CREATE']], { ...NONE, arriving: ['a'] }],
  [
    'the second',
    [
      ['a', 'ACTIVE'],
      ['a', 'PENDING_CREATE'],
    ],
    { ...NONE, staying: ['a'] },
  ],
  ['the last', [['a', 'PENDING_DELETE']], { ...NONE, leaving: ['a'] }],
  [
    'the last but one',
    [
      ['a', 'PENDING_DELETE'],
      ['a', 'ACTIVE'],
    ],
    { ...NONE, staying: ['a'] },
  ],
  [
    'one instead of another',
    [
      ['a', 'PENDING_DELETE'],
      ['a', 'PENDING_CREATE'],
    ],
    { ...NONE, arriving: ['a'] },
  ],
  [
    'being changed',
    [
      ['a', 'PENDING_UPDATE'],
      ['b', 'PENDING_CREATE'],
    ],
    { ...NONE, staying: ['a'], arriving: ['b'] },
  ],
  // Whether a broken member has its network is not known: it is kept, and plugged again for the
  // next.
  [
    'after a broken one',
    [
      ['a', 'ERROR'],
      ['a', 'PENDING_CREATE'],
    ],
    { ...NONE, staying: ['a'], arriving: ['a'] },
  ],
  [
    'leaving a broken one',
    [
      ['a', 'ERROR'],
      ['a', 'PENDING_DELETE'],
    ],
    { ...NONE, staying: ['a'] },
  ],
])('subnets of %s', (_name, members, plan) => {
  expect(planMemberSubnets(treeOf(members, 'ACTIVE'))).toEqual(plan)
})

test('a pool that goes takes its members along, whatever they are', () => {
  const members: Member[] = [
    ['a', 'ACTIVE'],
    ['b', 'ERROR'],
    ['vip', 'ACTIVE'],
  ]
  const plan = planMemberSubnets(treeOf(members, 'PENDING_DELETE'))
  expect(plan).toEqual({ ...NONE, leaving: ['a', 'b'] })
})

function treeOf(members: readonly Member[], provisioning_status: ProvisioningStatus) {
  const row = loadBalancerRow({
    vip_subnet_id: 'vip',
    additional_vips: [{ subnet_id: 'vip 2', ip_address: '10.1.1.1' }],
  })
  const pool = poolRow({ loadbalancer_id: row.id, provisioning_status })
  const rows = members.map(([subnet_id, status]) =>
    memberRow({ pool_id: pool.id, subnet_id, provisioning_status: status }),
  )
  return {
    ...row,
    listeners: [],
    pools: [{ ...pool, members: rows, healthmonitor: null }],
    l7policies: [],
    amphorae: [],
  }
}
