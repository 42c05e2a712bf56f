import { expect, test } from 'vitest'
import { type Owners, planMissing, planOrphans } from '../../../src/command/doctor/orphan-plan.ts'
import type { Thing } from '../../../src/driver/inventory.ts'

const OURS = '0123456789abcdef'
const OTHERS = 'fedcba9876543210'

const thing = (over: Partial<Thing>): Thing => ({
  ...{ kind: 'server', id: 't', name: 't', deployment: OURS },
  ...{ amphora_id: null, load_balancer_id: null, ...over },
})
const ofAmphora = (over: Partial<Thing> = {}) => thing({ amphora_id: 'a', ...over })
const ofVip = (over: Partial<Thing> = {}) => thing({ kind: 'port', load_balancer_id: 'l', ...over })

type Status = Owners['amphorae'][number]['status']
const amphora = (status: Status, over: Partial<Owners['amphorae'][number]> = {}) => ({
  ...{ id: 'a', status, loadbalancer_id: 'l', compute_id: 'server', vrrp_port_id: 'port', ...over },
})
type Provisioning = Owners['load_balancers'][number]['provisioning_status']
const lb = (provisioning_status: Provisioning) => ({
  ...{ id: 'l', provisioning_status, vip_port_id: 'vip' },
})
const owners = (over: Partial<Owners> = {}): Owners => ({
  ...{ amphorae: [], load_balancers: [], busy: new Set<string>(), ...over },
})

test.each<[string, Thing, Owners, boolean]>([
  ['a marked server without a row', ofAmphora(), owners(), true],
  ['an unmarked one', ofAmphora({ deployment: null }), owners(), false],
  ["another controller's", ofAmphora({ deployment: OTHERS }), owners(), false],
  ['of an amphora that serves', ofAmphora(), owners({ amphorae: [amphora('ALLOCATED')] }), false],
  ['of one in ERROR', ofAmphora(), owners({ amphorae: [amphora('ERROR')] }), false],
  ['of one that boots', ofAmphora(), owners({ amphorae: [amphora('BOOTING')] }), false],
  ['of one that was deleted', ofAmphora(), owners({ amphorae: [amphora('DELETED')] }), true],
  [
    'unmarked, of one that was deleted',
    ofAmphora({ deployment: null }),
    owners({ amphorae: [amphora('DELETED')] }),
    true,
  ],
  [
    'marked by another controller, though a row speaks of it',
    ofAmphora({ deployment: OTHERS }),
    owners({ amphorae: [amphora('DELETED')] }),
    false,
  ],
  ['while a job speaks of the amphora', ofAmphora(), owners({ busy: new Set(['a']) }), false],
  [
    'while a job speaks of what its server says is its load balancer',
    ofAmphora({ load_balancer_id: 'l' }),
    owners({ busy: new Set(['l']) }),
    false,
  ],
  [
    'while a job of its load balancer by its row is open',
    ofAmphora(),
    owners({ amphorae: [amphora('DELETED')], busy: new Set(['l']) }),
    false,
  ],
  [
    'of a load balancer that is there, but of no amphora of it',
    ofAmphora({ load_balancer_id: 'l' }),
    owners({ load_balancers: [lb('ACTIVE')] }),
    true,
  ],
  ['a VIP without a row', ofVip(), owners(), true],
  ['an unmarked VIP without a row', ofVip({ deployment: null }), owners(), false],
  ['a VIP of a load balancer', ofVip(), owners({ load_balancers: [lb('ERROR')] }), false],
  ['a VIP that is being made', ofVip(), owners({ busy: new Set(['l']) }), false],
  [
    'an unmarked VIP of one that was deleted',
    ofVip({ deployment: null }),
    owners({ load_balancers: [lb('DELETED')] }),
    true,
  ],
  [
    'the unmarked server group of one that was deleted',
    thing({ kind: 'server group', deployment: null, load_balancer_id: 'l' }),
    owners({ load_balancers: [lb('DELETED')] }),
    true,
  ],
])('%s', (_name, given, rows, isOrphan) => {
  expect(planOrphans([given], rows, OURS)).toEqual(isOrphan ? [given] : [])
})

const SERVER = thing({ id: 'server' })
const PORT = thing({ kind: 'port', id: 'port' })
const VIP = thing({ kind: 'port', id: 'vip' })

test.each<[string, readonly Thing[], Owners, readonly string[]]>([
  [
    'all is there',
    [SERVER, PORT, VIP],
    owners({ amphorae: [amphora('ALLOCATED')], load_balancers: [lb('ACTIVE')] }),
    [],
  ],
  [
    'nothing is',
    [],
    owners({ amphorae: [amphora('ALLOCATED')], load_balancers: [lb('ERROR')] }),
    ['server server', 'port port', 'port vip'],
  ],
  ['of one that boots', [], owners({ amphorae: [amphora('BOOTING')] }), []],
  ['of one that was deleted', [], owners({ load_balancers: [lb('DELETED')] }), []],
  ['of one that is being changed', [], owners({ load_balancers: [lb('PENDING_UPDATE')] }), []],
  [
    'while a job runs',
    [],
    owners({
      ...{ amphorae: [amphora('ALLOCATED')], load_balancers: [lb('ACTIVE')] },
      busy: new Set(['l']),
    }),
    [],
  ],
  [
    'of an amphora that has no server yet',
    [PORT],
    owners({ amphorae: [amphora('ALLOCATED', { compute_id: null })] }),
    [],
  ],
])('missing, %s', (_name, things, rows, expected) => {
  expect(planMissing(things, rows).map(({ kind, id }) => `${kind} ${id}`)).toEqual(expected)
})
