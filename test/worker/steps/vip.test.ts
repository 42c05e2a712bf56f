import { expect, test } from 'vitest'
import type { VipRule } from '../../../src/driver/network.ts'
import type { Amphora } from '../../../src/model/amphora.ts'
import type { Listener } from '../../../src/model/listener.ts'
import type { LoadBalancer } from '../../../src/model/load-balancer.ts'
import { newId } from '../../../src/system/ids.ts'
import { planPeerGroupRules, planPeerRules, planVipRules } from '../../../src/worker/steps/vip.ts'
import { listenerRow, loadBalancerRow } from '../../fake/rows.ts'

const tcp = (port: number, cidr: string | null = null): VipRule => ({ protocol: 'TCP', port, cidr })
const VRRP: VipRule = { protocol: 'VRRP', port: null, cidr: null }

test.each<[string, Partial<LoadBalancer>, Partial<Listener>[], VipRule[]]>([
  ['no listener, no rule', {}, [], []],
  ['everybody', {}, [{ protocol_port: 80 }, { protocol_port: 81 }], [tcp(80), tcp(81)]],
  ['an empty list is everybody', {}, [{ allowed_cidrs: [] }], [tcp(80)]],
  [
    'prefixes',
    {},
    [{ allowed_cidrs: ['10.0.0.0/8', 'fd00::/8'] }],
    [tcp(80, '10.0.0.0/8'), tcp(80, 'fd00::/8')],
  ],
  [
    'the same rule once',
    {},
    [{ allowed_cidrs: ['10.0.0.0/8', '10.0.0.0/8'] }],
    [tcp(80, '10.0.0.0/8')],
  ],
  [
    'datagrams',
    {},
    [{ protocol: 'UDP' }, { protocol: 'SCTP' }, { protocol: 'HTTP' }],
    [{ ...tcp(80), protocol: 'UDP' }, { ...tcp(80), protocol: 'SCTP' }, tcp(80)],
  ],
  ['a listener that goes', {}, [{ provisioning_status: 'PENDING_DELETE' }], []],
  ['a listener that is down keeps its rule', {}, [{ admin_state_up: false }], [tcp(80)]],
  ['a pair', { topology: 'ACTIVE_STANDBY' }, [{}], [tcp(80), VRRP]],
  ['groups of the user', { vip_sg_ids: [newId()] }, [{}], []],
  [
    'groups of the user and a pair',
    { topology: 'ACTIVE_STANDBY', vip_sg_ids: [newId()] },
    [{}],
    [VRRP],
  ],
])('rules of the VIP: %s', (_name, over, listeners, rules) => {
  const row = loadBalancerRow(over)
  const tree = {
    ...row,
    listeners: listeners.map((one) => listenerRow({ loadbalancer_id: row.id, ...one })),
    pools: [],
    l7policies: [],
    amphorae: [],
  }
  expect(planVipRules(tree)).toEqual(rules)
})

test('amphorae of a pair reach one another, and nobody else does', () => {
  const pair = { ...loadBalancerRow({ topology: 'ACTIVE_STANDBY' }), listeners: [], pools: [] }
  const amphorae = ['10.0.0.5', 'fd00::5', null].map((vrrp_ip) => ({ vrrp_ip })) as Amphora[]
  const tree = { ...pair, l7policies: [], amphorae }
  expect(planPeerRules(tree)).toEqual([tcp(1025, '10.0.0.5/32'), tcp(1025, 'fd00::5/128')])
  expect(planPeerRules({ ...tree, topology: 'SINGLE' })).toEqual([])
  expect(planPeerGroupRules(tree)).toEqual([{ ...tcp(1025, null), from_peers: true }])
  expect(planPeerGroupRules({ ...tree, topology: 'SINGLE' })).toEqual([])
})
