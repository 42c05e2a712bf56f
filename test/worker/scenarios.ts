/**
 * Histories of a load balancer for tests of flows: rows as a request leaves them, one job, and what
 * is there when it has ended, in a form in which two histories can be compared.
 */
import { createEngine, type EngineDeps } from '../../src/flow/engine.ts'
import type { Flow } from '../../src/flow/step.ts'
import { type AmphoraRole, amphora } from '../../src/model/amphora.ts'
import type { Fields, Json, Resource } from '../../src/model/field.ts'
import { healthMonitor } from '../../src/model/health-monitor.ts'
import { l7policy } from '../../src/model/l7policy.ts'
import { l7rule } from '../../src/model/l7rule.ts'
import { listener } from '../../src/model/listener.ts'
import { loadBalancer } from '../../src/model/load-balancer.ts'
import { member } from '../../src/model/member.ts'
import { pool } from '../../src/model/pool.ts'
import type { ProvisioningStatus } from '../../src/model/status.ts'
import { listJobs } from '../../src/store/jobs.ts'
import { findRows, insertRow, updateRow } from '../../src/store/repository.ts'
import { openStore, type Store, type Tx } from '../../src/store/store.ts'
import { type Log, silentLog } from '../../src/system/log.ts'
import { enqueue, type FlowInputs, type FlowName } from '../../src/worker/catalogue.ts'
import { abandonJob, FLOWS } from '../../src/worker/flows.ts'
import type { World } from '../../src/worker/world.ts'
import type { CloudInventory } from '../fake/cloud.ts'
import { idOf, MEMBER_SUBNETS, VIP_NETWORK, VIP_SUBNET } from '../fake/cloud.ts'
import {
  healthMonitorRow,
  l7policyRow,
  l7ruleRow,
  listenerRow,
  loadBalancerRow,
  memberRow,
  poolRow,
} from '../fake/rows.ts'
import { createFakeWorld, type FakeWorld } from '../fake/world.ts'

export const LB = idOf('lb')
export const ID = {
  listener: idOf('listener'),
  pool: idOf('pool'),
  member: idOf('member'),
  farMember: idOf('far member'),
  monitor: idOf('monitor'),
  otherPool: idOf('other pool'),
  otherMember: idOf('other member'),
  policy: idOf('policy'),
  otherPolicy: idOf('other policy'),
  rule: idOf('rule'),
  fresh: idOf('fresh'),
} as const

const RESOURCES = {
  listener,
  pool,
  member,
  healthmonitor: healthMonitor,
  l7policy,
  l7rule,
} as const

export interface Scenario<N extends FlowName = FlowName> {
  readonly name: string
  readonly flow: N
  readonly input: FlowInputs[N]
  /** No load balancer is made before. */
  readonly first?: boolean
  /** The load balancer that is made before has two amphorae. */
  readonly pair?: boolean
  /** What the job that follows from it gets; it is of the same flow. */
  readonly following?: FlowInputs[N]
  /** When it fails for good, the VIP port is left: nothing else could take it away. */
  readonly leavesPort?: boolean
  /** What the request did before its job, in the job's transaction. */
  readonly request: (tx: Tx, world: FakeWorld) => Promise<void>
}

function scenario<N extends FlowName>(
  flow: N,
  input: FlowInputs[N],
  request: Scenario['request'],
  over: Partial<Scenario> = {},
): Scenario {
  return { name: flow, flow, input, request, ...over }
}

const single = [{ id: idOf('amphora'), role: 'STANDALONE' }] as const
const pair = [
  { id: idOf('amphora 1'), role: 'MASTER' },
  { id: idOf('amphora 2'), role: 'BACKUP' },
] as const

const lock = (status: ProvisioningStatus, tx: Tx) =>
  updateRow(tx, loadBalancer, LB, { provisioning_status: status })

const lockForFailover = (tx: Tx) => lock('PENDING_UPDATE', tx).then(() => {})
const ofAmphora = { load_balancer_id: LB, amphora_id: idOf('amphora') }

/** A new amphora for each of these, in this role. */
function failover(
  ...replaced: readonly (readonly [role: AmphoraRole, old: string])[]
): FlowInputs['load-balancer-failover'] {
  const replacements = replaced.map(([role, old]) => ({
    id: idOf(`new ${role}`),
    role,
    replaces: old === 'nothing' ? [] : [idOf(old)],
  }))
  return { load_balancer_id: LB, replacements }
}

/** Whatever stands between a child and its listener. */
async function lockParent(tx: Tx, kind: keyof typeof RESOURCES): Promise<void> {
  const locked = { provisioning_status: 'PENDING_UPDATE' } as const
  if (kind === 'l7rule') await updateRow(tx, l7policy, ID.policy, locked)
  else if (kind !== 'listener' && kind !== 'l7policy') await updateRow(tx, pool, ID.pool, locked)
}

/**
 * A change of a child which is there: the load balancer locked, the child PENDING, its parent too.
 */
function changed(
  kind: keyof typeof RESOURCES,
  action: 'update' | 'delete',
  id: string,
  name?: string,
): Scenario {
  const pending = action === 'update' ? 'PENDING_UPDATE' : 'PENDING_DELETE'
  const request: Scenario['request'] = async (tx) => {
    await lock('PENDING_UPDATE', tx)
    await updateRow(tx, listener, ID.listener, { provisioning_status: 'PENDING_UPDATE' })
    await lockParent(tx, kind)
    const resource: Resource<Fields> = RESOURCES[kind]
    await updateRow(tx, resource, id, { provisioning_status: pending })
  }
  const over = name === undefined ? {} : { name }
  return scenario(`${kind}-${action}`, { load_balancer_id: LB, id }, request, over)
}

function created(
  kind: keyof typeof RESOURCES,
  insert: (tx: Tx) => Promise<void>,
  name?: string,
): Scenario {
  const request: Scenario['request'] = async (tx) => {
    await lock('PENDING_UPDATE', tx)
    await updateRow(tx, listener, ID.listener, { provisioning_status: 'PENDING_UPDATE' })
    await lockParent(tx, kind)
    await insert(tx)
  }
  const over = name === undefined ? {} : { name }
  return scenario(`${kind}-create`, { load_balancer_id: LB, id: ID.fresh }, request, over)
}

const fresh = {
  id: ID.fresh,
  provisioning_status: 'PENDING_CREATE',
  operating_status: 'OFFLINE',
} as const
const far = (subnet_id: string) =>
  memberRow({ ...fresh, pool_id: ID.pool, address: '10.9.9.9', subnet_id })

export const SCENARIOS: readonly Scenario[] = [
  scenario(
    'load-balancer-create',
    { load_balancer_id: LB, amphorae: [...single] },
    (tx, world) => insertTree(tx, world, 'SINGLE'),
    { first: true },
  ),
  scenario(
    'load-balancer-create',
    { load_balancer_id: LB, amphorae: [...pair] },
    (tx, world) => insertTree(tx, world, 'ACTIVE_STANDBY'),
    { first: true, name: 'load-balancer-create of a pair' },
  ),
  scenario('load-balancer-update', { load_balancer_id: LB }, async (tx) => {
    await lock('PENDING_UPDATE', tx)
  }),
  scenario('load-balancer-restore', { load_balancer_id: LB }, async (tx) => {
    await lock('PENDING_UPDATE', tx)
  }),
  scenario('load-balancer-delete', { load_balancer_id: LB, cascade: true }, async (tx) => {
    await lock('PENDING_DELETE', tx)
  }),
  scenario('load-balancer-failover', failover(['STANDALONE', 'amphora']), lockForFailover),
  scenario(
    'load-balancer-failover',
    failover(['STANDALONE', 'nothing']),
    async (tx, world) => {
      await world.compute.delete(idOf('amphora'))
      await updateRow(tx, amphora, idOf('amphora'), { status: 'DELETED' })
      await world.network.unplugVip({ id: idOf('amphora'), compute_id: null })
      await world.network.unplugMember({ id: idOf('amphora') }, idOf('net-ab'))
      await lock('PENDING_UPDATE', tx)
    },
    { name: 'load-balancer-failover without an amphora' },
  ),
  scenario(
    'load-balancer-failover',
    failover(['BACKUP', 'amphora 2'], ['MASTER', 'amphora 1']),
    lockForFailover,
    {
      pair: true,
      name: 'load-balancer-failover of a pair',
      following: {
        ...failover(['BACKUP', 'amphora 2'], ['MASTER', 'amphora 1']),
        ordered: true,
      },
    },
  ),
  // The one that has the VIP.
  scenario('amphora-failover', failover(['MASTER', 'amphora 1']), lockForFailover, {
    pair: true,
  }),
  scenario('amphora-delete', ofAmphora, async (tx) => {
    await updateRow(tx, amphora, ofAmphora.amphora_id, { status: 'PENDING_DELETE' })
  }),
  scenario('amphora-configure', ofAmphora, async () => {}),
  scenario('amphora-certificate-rotate', ofAmphora, async (tx) => {
    const soon = { cert_busy: true, cert_expiration: '2026-01-10T00:00:00' }
    await updateRow(tx, amphora, ofAmphora.amphora_id, soon)
  }),
  created('listener', (tx) =>
    insertRow(tx, listener, listenerRow({ ...fresh, loadbalancer_id: LB, protocol_port: 81 })),
  ),
  changed('listener', 'update', ID.listener),
  changed('listener', 'delete', ID.listener),
  created('pool', (tx) => insertRow(tx, pool, poolRow({ ...fresh, loadbalancer_id: LB }))),
  changed('pool', 'update', ID.pool),
  changed('pool', 'delete', ID.pool),
  created('member', (tx) => insertRow(tx, member, far(MEMBER_SUBNETS[2]))),
  created(
    'member',
    (tx) => insertRow(tx, member, far(MEMBER_SUBNETS[1])),
    'member-create on a second subnet of a network',
  ),
  changed('member', 'update', ID.member),
  changed('member', 'delete', ID.member),
  changed('member', 'delete', ID.farMember, 'member-delete of the last on its network'),
  created('healthmonitor', (tx) =>
    insertRow(tx, healthMonitor, healthMonitorRow({ ...fresh, pool_id: ID.otherPool })),
  ),
  changed('healthmonitor', 'update', ID.monitor),
  changed('healthmonitor', 'delete', ID.monitor),
  created('l7policy', (tx) =>
    insertRow(tx, l7policy, l7policyRow({ ...fresh, listener_id: ID.listener, position: 3 })),
  ),
  changed('l7policy', 'update', ID.policy),
  changed('l7policy', 'delete', ID.policy),
  created('l7rule', (tx) =>
    insertRow(tx, l7rule, l7ruleRow({ ...fresh, l7policy_id: ID.policy, admin_state_up: false })),
  ),
  changed('l7rule', 'update', ID.rule),
  changed('l7rule', 'delete', ID.rule),
  scenario('member-batch', { load_balancer_id: LB, pool_id: ID.pool }, async (tx, world) => {
    await changed('member', 'delete', ID.farMember).request(tx, world)
    await updateRow(tx, member, ID.member, { provisioning_status: 'PENDING_UPDATE' })
    await insertRow(tx, member, far(MEMBER_SUBNETS[2]))
  }),
  scenario(
    'vip-release',
    { load_balancer_id: LB, port_id: idOf(`octavia-lb-${LB} ${VIP_NETWORK}`) },
    async (_tx, world) => {
      await allocate(world)
    },
    { first: true, leavesPort: true },
  ),
]

function allocate({ network }: FakeWorld) {
  return network.allocateVip({
    load_balancer_id: LB,
    project_id: 'p',
    network_id: VIP_NETWORK,
    subnet_id: VIP_SUBNET,
    port_id: null,
    ip_address: null,
    additional_vips: [],
  })
}

/**
 * A fully populated create: listener, pool with monitor and members near and far, and a pool
 * beside.
 */
async function insertTree(
  tx: Tx,
  world: FakeWorld,
  topology: 'SINGLE' | 'ACTIVE_STANDBY',
): Promise<void> {
  const vip = await allocate(world)
  const born = { provisioning_status: 'PENDING_CREATE', operating_status: 'OFFLINE' } as const
  await insertRow(
    tx,
    loadBalancer,
    loadBalancerRow({
      ...born,
      id: LB,
      topology,
      vip_port_id: vip.port_id,
      vip_address: vip.ip_address,
      vip_subnet_id: VIP_SUBNET,
      vip_network_id: VIP_NETWORK,
    }),
  )
  const ofLb = { ...born, loadbalancer_id: LB }
  await insertRow(tx, pool, poolRow({ ...ofLb, id: ID.pool }))
  await insertRow(tx, pool, poolRow({ ...ofLb, id: ID.otherPool }))
  const first = {
    ...ofLb,
    id: ID.listener,
    default_pool_id: ID.pool,
    allowed_cidrs: ['10.0.0.0/8'],
  }
  await insertRow(tx, listener, listenerRow(first))
  const ofPool = { ...born, pool_id: ID.pool }
  await insertRow(tx, member, memberRow({ ...ofPool, id: ID.member, subnet_id: VIP_SUBNET }))
  const beyond = { address: '10.8.8.8', subnet_id: MEMBER_SUBNETS[0] }
  await insertRow(tx, member, memberRow({ ...ofPool, id: ID.farMember, ...beyond }))
  await insertRow(tx, member, memberRow({ ...born, id: ID.otherMember, pool_id: ID.otherPool }))
  await insertRow(tx, healthMonitor, healthMonitorRow({ ...ofPool, id: ID.monitor }))
  const target = { action: 'REDIRECT_TO_POOL', redirect_pool_id: ID.otherPool } as const
  const ofListener = { ...born, listener_id: ID.listener, ...target }
  await insertRow(tx, l7policy, l7policyRow({ ...ofListener, id: ID.policy, position: 1 }))
  await insertRow(tx, l7policy, l7policyRow({ ...ofListener, id: ID.otherPolicy, position: 2 }))
  await insertRow(tx, l7rule, l7ruleRow({ ...born, l7policy_id: ID.policy, id: ID.rule }))
}

export interface History {
  readonly store: Store
  readonly world: FakeWorld
  readonly job_id: string
}

/** The rows and the cloud as they are when the scenario's request has been accepted. */
export async function begin(one: Scenario, path = ':memory:'): Promise<History> {
  const store = openStore(path)
  const world = createFakeWorld()
  if (one.first !== true) {
    const amphorae = one.pair === true ? pair : single
    const input = { load_balancer_id: LB, amphorae: [...amphorae] }
    await store.transaction(async (tx) => {
      await insertTree(tx, world, one.pair === true ? 'ACTIVE_STANDBY' : 'SINGLE')
      await enqueue(tx, { flow: 'load-balancer-create', input, request_id: null }, 0)
    })
    await run({ store, world })
  }
  const job_id = await store.transaction(async (tx) => {
    await one.request(tx, world)
    return enqueue(tx, { flow: one.flow, input: one.input, request_id: 'req' } as never, 0)
  })
  return { store, world, job_id }
}

export type Flows = Readonly<Record<string, Flow<World>>>

/** An engine runs until nothing is left to do, or until `until` if it is never going to be. */
export async function run(
  { store, world }: Pick<History, 'store' | 'world'>,
  over: Partial<Pick<EngineDeps<World>, 'checkpoint' | 'done'>> & {
    flows?: Flows
    until?: Promise<void>
  } = {},
): Promise<void> {
  const failures: unknown[] = []
  const log: Log = {
    ...silentLog,
    with: () => log,
    error: (message, fields) => {
      if (message.startsWith('the engine failed')) failures.push(fields?.error)
    },
  }
  const engine = createEngine<World>(
    {
      store,
      world,
      clock: world.clock,
      log,
      flows: over.flows ?? FLOWS,
      abandoned: abandonJob,
      ...(over.checkpoint === undefined ? {} : { checkpoint: over.checkpoint }),
      ...(over.done === undefined ? {} : { done: over.done }),
    },
    { max_parallel_flows: 5 },
  )
  await engine.start()
  await Promise.race([engine.idle(), ...(over.until === undefined ? [] : [over.until])])
  if (failures.length > 0) throw failures[0]
}

export interface EndState {
  readonly rows: Readonly<Record<string, readonly Record<string, Json>[]>>
  readonly jobs: readonly string[]
  readonly cloud: CloudInventory
}

const MOMENTS = ['created_at', 'updated_at']

/** All rows without their times, all jobs, and the cloud. */
export async function endOf({ store, world }: Pick<History, 'store' | 'world'>): Promise<EndState> {
  const rows: Record<string, Record<string, Json>[]> = {}
  const kinds = [...Object.values(RESOURCES), loadBalancer, amphora]
  for (const resource of kinds as Resource<Fields>[]) {
    const found: Record<string, Json>[] = await findRows<Fields>(store.read, resource, {})
    const timeless = found.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => !MOMENTS.includes(name))),
    )
    rows[resource.table] = timeless.sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1))
  }
  const jobs = await listJobs(store.read, { limit: 100 })
  return {
    rows,
    jobs: jobs.map((job) => [job.flow, job.status, job.error ?? ''].join(' ').trim()),
    cloud: world.cloud.inventory(),
  }
}

/**
 * What must hold after every history, whatever happened in it; the breaches, none if all is well.
 */
export function breaches({ rows, jobs, cloud }: EndState): string[] {
  const all = Object.entries(rows).flatMap(([table, list]) => list.map((row) => ({ table, row })))
  const of = (table: string): readonly Record<string, Json>[] => rows[table] ?? []
  const out: string[] = []
  for (const { table, row } of all) {
    const status = String(row.provisioning_status ?? row.status)
    if (status.startsWith('PENDING') || status === 'BOOTING')
      out.push(`${table} ${row.id} is ${status}`)
  }
  for (const job of jobs) {
    if (!/^\S+ (DONE|REVERTED|FAILED)/.test(job)) out.push(`open job: ${job}`)
    if (/ (REVERTED|FAILED)$/.test(job)) out.push(`no reason: ${job}`)
  }
  const living = of('amphora').filter((row) => row.status !== 'DELETED')
  const ids = living.map((row) => row.id)
  for (const instance of cloud.instances)
    if (!ids.includes(instance)) out.push(`instance ${instance} is left behind`)
  for (const { id, status } of living)
    if (status === 'ALLOCATED' && !cloud.instances.includes(String(id)))
      out.push(`amphora ${id} has no instance`)
  for (const { id, status } of living)
    if (status === 'ALLOCATED' && !cloud.vips.includes(String(id)))
      out.push(`amphora ${id} does not have the VIP`)
  for (const id of cloud.vips)
    if (!ids.includes(id)) out.push(`${id} has the VIP and is no amphora any more`)
  const pair = living.filter((row) => row.status === 'ALLOCATED' && row.role !== 'STANDALONE')
  for (const { id } of pair) {
    const peers = pair.filter((row) => row.id !== id).map((row) => String(row.id))
    if (cloud.vrrp[String(id)] !== peers.sort().join(' '))
      out.push(`amphora ${id} has VRRP with ${cloud.vrrp[String(id)]}`)
  }
  for (const port of cloud.ports) {
    const owner = /^octavia-lb-(?:vrrp-|member-)?(\S+) on/.exec(port)?.[1]
    const lbs = of('load_balancer').filter((row) => row.provisioning_status !== 'DELETED')
    const known = [...ids, ...lbs.map((row) => row.id)]
    if (!known.includes(owner ?? '')) out.push(`port ${port} is left behind`)
  }
  return out
}
