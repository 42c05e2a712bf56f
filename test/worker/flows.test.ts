import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { DriverError } from '../../src/driver/error.ts'
import { amphora } from '../../src/model/amphora.ts'
import { healthMonitor } from '../../src/model/health-monitor.ts'
import { l7rule } from '../../src/model/l7rule.ts'
import { listener } from '../../src/model/listener.ts'
import { loadBalancer } from '../../src/model/load-balancer.ts'
import { renewHealth } from '../../src/store/health.ts'
import { findJob, insertJob, listSteps } from '../../src/store/jobs.ts'
import { findRow, findRows, getRow, insertRow, updateRow } from '../../src/store/repository.ts'
import { enqueue } from '../../src/worker/catalogue.ts'
import { idOf, VIP_NETWORK } from '../fake/cloud.ts'
import { l7ruleRow } from '../fake/rows.ts'
import { named, statuses } from './found.ts'
import { begin, breaches, endOf, type History, ID, LB, run, SCENARIOS } from './scenarios.ts'

async function played(name: string, fault?: History['world']['cloud']['fault']): Promise<History> {
  const history = await begin(named(name))
  if (fault !== undefined) history.world.cloud.fault = fault
  await run(history)
  return history
}

/** Breaks one operation for good, or so many times in a passing way. */
function breaking(operation: string, passing?: number): History['world']['cloud']['fault'] {
  let left = passing ?? Number.POSITIVE_INFINITY
  return (at, subject) => {
    if (at !== operation || left-- <= 0) return
    const reason = 'the service is away'
    const retryable = passing !== undefined
    throw new DriverError({ operation, subject, reason, hint: 'start it', retryable })
  }
}

test('a created load balancer is ACTIVE with all its children and serves them', async () => {
  const history = await played('load-balancer-create')
  const { store, world } = history
  expect(await statuses(history)).toEqual({
    lb: 'ACTIVE OFFLINE',
    listener: 'ACTIVE OFFLINE',
    pool: 'ACTIVE OFFLINE',
    otherPool: 'ACTIVE OFFLINE',
    member: 'ACTIVE OFFLINE',
    farMember: 'ACTIVE OFFLINE',
    otherMember: 'ACTIVE OFFLINE',
    // Nothing reports these, so the worker says it.
    monitor: 'ACTIVE ONLINE',
    policy: 'ACTIVE ONLINE',
    otherPolicy: 'ACTIVE ONLINE',
    rule: 'ACTIVE ONLINE',
  })
  const [row] = await findRows(store.read, amphora, {})
  const lb = await findRow(store.read, loadBalancer, LB)
  expect(row).toMatchObject({
    loadbalancer_id: LB,
    status: 'ALLOCATED',
    role: 'STANDALONE',
    lb_network_ip: '172.16.0.9',
    ha_ip: lb?.vip_address,
    ha_port_id: lb?.vip_port_id,
    cert_expiration: '2026-02-01T00:00:00',
    cached_zone: 'nova',
  })
  expect(row?.vrrp_ip).toMatch(/^10\./)
  expect(lb?.updated_at).not.toBeNull()
  const { configs, rules } = world.cloud.inventory()
  expect(configs[row?.id ?? '']).toEqual(['80 -> 10.10.10.20:8080 10.8.8.8:8080 checked'])
  expect(rules[LB]).toEqual([{ protocol: 'TCP', port: 80, cidr: '10.0.0.0/8' }])
})

test('a pair has two amphorae with their priorities, which may hear each other', async () => {
  const { store, world } = await played('load-balancer-create of a pair')
  const rows = await findRows(store.read, amphora, {})
  expect(rows.map((row) => [row.role, row.vrrp_priority, row.status]).sort()).toEqual([
    ['BACKUP', 90, 'ALLOCATED'],
    ['MASTER', 100, 'ALLOCATED'],
  ])
  const { rules, configs } = world.cloud.inventory()
  expect(rules[LB]).toContainEqual({ protocol: 'VRRP', port: null, cidr: null })
  expect(Object.values(configs)).toEqual([expect.anything(), expect.anything()])
})

test('no secret is recorded', async () => {
  const { store, job_id } = await played('load-balancer-create')
  expect(JSON.stringify(await listSteps(store.read, job_id))).not.toContain('SECRET')
})

test('waiting is short at first, and what passes does not fail a flow', async () => {
  const history = await played('load-balancer-create', breaking('plug-vip', 3))
  expect((await statuses(history)).lb).toBe('ACTIVE OFFLINE')
  // Compute once, the network thrice, the agent once.
  expect(history.world.clock.slept).toEqual([50, 250, 500, 1000, 20])
})

test.each(['build', 'find', 'plug-vip', 'get-info', 'agent-plug-vip', 'update-listeners'])(
  'a create that fails at %s leaves an ERROR, a reason and nothing else',
  async (operation) => {
    const history = await played('load-balancer-create', breaking(operation))
    const { store, world, job_id } = history
    expect(new Set(Object.values(await statuses(history)))).toEqual(new Set(['ERROR OFFLINE']))
    expect((await findRows(store.read, amphora, {})).map((row) => row.status)).toEqual(['DELETED'])
    const job = await findJob(store.read, job_id)
    expect(job?.status).toBe('REVERTED')
    expect(job?.error).toContain(`${operation} of `)
    expect(job?.error).toContain('the service is away (start it)')
    expect(world.cloud.inventory()).toEqual({
      instances: [],
      groups: [],
      vrrp: {},
      vips: [],
      agentConfigs: {},
      renewed: [],
      ports: [`octavia-lb-${LB} on ${VIP_NETWORK}`],
      rules: {},
      configs: {},
    })
  },
)

test('an agent that never answers is given up after the configured time', async () => {
  const history = await played('load-balancer-create', (operation, subject) => {
    if (operation !== 'get-info') return
    throw new DriverError({ operation, subject, reason: 'no answer', retryable: true })
  })
  const job = await findJob(history.store.read, history.job_id)
  expect(job?.error).toMatch(
    /^load-balancer-create failed at step wait-for-agents: get-info of \S+: no answer$/,
  )
  const waited = history.world.clock.slept.reduce((sum, ms) => sum + ms, 0)
  expect(waited).toBeGreaterThanOrEqual(600_000)
  expect(waited).toBeLessThan(610_000)
})

test('an undo that fails is told, and a later delete takes what was left behind', async () => {
  const history = await begin(named('load-balancer-create'))
  const { world, store } = history
  world.cloud.fault = (operation, subject) => {
    if (operation !== 'update-listeners' && operation !== 'delete') return
    throw new DriverError({ operation, subject, reason: 'broken', retryable: false })
  }
  await run(history)
  const job = await findJob(store.read, history.job_id)
  expect(job?.status).toBe('FAILED')
  expect(job?.error).toMatch(
    /update-listeners of .*; left behind: undo of build-amphorae: delete of/,
  )
  expect((await findRows(store.read, amphora, {})).map((row) => row.status)).toEqual(['ERROR'])
  expect(world.cloud.inventory().instances).toHaveLength(1)
  world.cloud.fault = () => {}
  await remove(history)
})

test.each(SCENARIOS.filter((one) => one.flow !== 'vip-release').map((one) => one.name))(
  'after %s failed, deleting the load balancer leaves nothing',
  async (name) => {
    // Every operation fails in turn, in a history of its own.
    const operations = new Set<string>()
    await played(name, (operation) => operations.add(operation))
    for (const operation of operations) {
      const history = await played(name, breaking(operation))
      expect(breaches(await endOf(history)), operation).toEqual([])
      history.world.cloud.fault = () => {}
      await remove(history)
    }
  },
)

/** As the API does it. */
async function remove(history: History): Promise<void> {
  const { store, world } = history
  await store.transaction(async (tx) => {
    await updateRow(tx, loadBalancer, LB, { provisioning_status: 'PENDING_DELETE' })
    const input = { load_balancer_id: LB, cascade: true }
    await enqueue(tx, { flow: 'load-balancer-delete', input, request_id: null }, 0)
  })
  await run(history)
  expect(await statuses(history)).toMatchObject({ lb: expect.stringMatching(/^DELETED/) })
  expect(world.cloud.inventory()).toEqual({
    instances: [],
    ports: [],
    vips: [],
    agentConfigs: {},
    renewed: [],
    groups: [],
    vrrp: {},
    rules: {},
    configs: {},
  })
}

test('a deleted load balancer takes children, amphorae, health and statistics with it', async () => {
  const history = await begin(named('load-balancer-delete'))
  const { store } = history
  const [machine] = await findRows(store.read, amphora, {})
  const amphora_id = machine?.id ?? ''
  const counts = { bytes_in: 1, bytes_out: 1, active_connections: 1, total_connections: 1 }
  await store.transaction(async (tx) => {
    await renewHealth(tx, [{ amphora_id, last_update_ms: 1, seq: 1 }])
    const row = { listener_id: ID.listener, amphora_id, ...counts, request_errors: 0 }
    await tx.insertInto('listener_statistics').values(row).execute()
  })
  await run(history)
  expect(await statuses(history)).toEqual({ lb: 'DELETED OFFLINE' })
  expect((await findRows(store.read, amphora, {})).map((row) => row.status)).toEqual(['DELETED'])
  expect(await store.read.selectFrom('amphora_health').selectAll().execute()).toEqual([])
  expect(await store.read.selectFrom('listener_statistics').selectAll().execute()).toEqual([])
})

test.each([
  ['load-balancer-create', ['update-listeners']],
  ['load-balancer-create of a pair', ['update-listeners', 'update-listeners']],
  ['load-balancer-delete', []],
])('%s tells amphorae of all listeners and pools together', async (name, expected) => {
  const told: string[] = []
  await played(name, (operation) => {
    if (operation === 'update-listeners' || operation === 'delete-load-balancer')
      told.push(operation)
  })
  expect(told).toEqual(expected)
})

test('amphorae are busy and going before the first is deleted', async () => {
  const history = await begin(named('load-balancer-delete'))
  const { store, world } = history
  world.cloud.fault = breaking('delete')
  await run(history)
  expect(await store.read.selectFrom('amphora_health').select('busy').execute()).toEqual([
    { busy: 1 },
  ])
  expect((await findRows(store.read, amphora, {})).map((row) => row.status)).toEqual(['ERROR'])
  expect((await statuses(history)).lb).toBe('ERROR OFFLINE')
})

const SETTLED = { lb: 'ACTIVE OFFLINE', listener: 'ACTIVE OFFLINE', pool: 'ACTIVE OFFLINE' }

test.each<[string, Record<string, string | undefined>]>([
  ['listener-create', { ...SETTLED, fresh: 'ACTIVE OFFLINE' }],
  ['listener-update', SETTLED],
  ['listener-delete', { ...SETTLED, listener: undefined }],
  ['pool-create', { ...SETTLED, fresh: 'ACTIVE OFFLINE' }],
  ['pool-update', SETTLED],
  [
    'pool-delete',
    { ...SETTLED, pool: undefined, member: undefined, farMember: undefined, monitor: undefined },
  ],
  ['member-create', { ...SETTLED, fresh: 'ACTIVE OFFLINE' }],
  ['member-update', { ...SETTLED, member: 'ACTIVE OFFLINE' }],
  ['member-delete', { ...SETTLED, member: undefined, farMember: 'ACTIVE OFFLINE' }],
  [
    'member-batch',
    { ...SETTLED, member: 'ACTIVE OFFLINE', farMember: undefined, fresh: 'ACTIVE OFFLINE' },
  ],
  ['healthmonitor-create', { ...SETTLED, fresh: 'ACTIVE ONLINE' }],
  ['healthmonitor-update', { ...SETTLED, monitor: 'ACTIVE ONLINE' }],
  ['l7policy-create', { ...SETTLED, fresh: 'ACTIVE ONLINE' }],
  // The rule of this one is switched off.
  ['l7rule-create', { ...SETTLED, fresh: 'ACTIVE OFFLINE' }],
  [
    'healthmonitor-delete',
    {
      ...SETTLED,
      monitor: undefined,
      member: 'ACTIVE NO_MONITOR',
      farMember: 'ACTIVE NO_MONITOR',
      otherMember: 'ACTIVE OFFLINE',
    },
  ],
])('%s ends with the right statuses', async (name, expected) => {
  const found = await statuses(await played(name))
  for (const [object, status] of Object.entries(expected))
    expect(found[object], object).toBe(status)
})

test.each([
  ['listener', 'listener'],
  ['pool', 'pool'],
  ['member', 'member'],
  ['healthmonitor', 'monitor'],
  ['l7policy', 'policy'],
  ['l7rule', 'rule'],
] as const)('a failed change of a %s leaves it alone in ERROR', async (kind, object) => {
  for (const action of ['create', 'update', 'delete'] as const) {
    const history = await played(`${kind}-${action}`, breaking('update-listeners'))
    const found = await statuses(history)
    const child = action === 'create' ? 'fresh' : object
    expect(found[child], action).toMatch(/^ERROR/)
    delete found[child]
    expect(new Set(Object.values(found).map((text) => text.split(' ')[0]))).toEqual(
      new Set(['ACTIVE']),
    )
  }
})

test.each([
  ['ACTIVE', 'ONLINE', undefined],
  ['ERROR', 'OFFLINE', 'update-listeners'],
])('rules that came with their policy become %s with it', async (status, operating, broken) => {
  const history = await begin(named('l7policy-create'))
  const pending = { l7policy_id: ID.fresh, provisioning_status: 'PENDING_CREATE' } as const
  const rule = l7ruleRow({ ...pending, operating_status: 'OFFLINE' })
  await history.store.transaction((tx) => insertRow(tx, l7rule, rule))
  if (broken !== undefined) history.world.cloud.fault = breaking(broken)
  await run(history)
  const after = await getRow(history.store.read, l7rule, rule.id)
  expect([after.provisioning_status, after.operating_status]).toEqual([status, operating])
})

test('another listener in ERROR stays so', async () => {
  const history = await begin(named('pool-create'))
  await history.store.transaction((tx) =>
    updateRow(tx, listener, ID.listener, { provisioning_status: 'ERROR' }),
  )
  await run(history)
  expect(await statuses(history)).toMatchObject({ lb: 'ACTIVE OFFLINE', listener: 'ERROR OFFLINE' })
})

test('a monitor that is down is OFFLINE', async () => {
  const history = await begin(named('healthmonitor-update'))
  await history.store.transaction((tx) =>
    updateRow(tx, healthMonitor, ID.monitor, { admin_state_up: false }),
  )
  await run(history)
  expect((await statuses(history)).monitor).toBe('ACTIVE OFFLINE')
})

const OLD = idOf('amphora')
const NEW = idOf('new STANDALONE')

/** Every operation on the cloud since the failover began, with the amphora it was about. */
async function traced(name: string): Promise<readonly string[]> {
  const history = await begin(named(name))
  const trace: string[] = []
  history.world.cloud.fault = (operation, subject) => {
    trace.push(`${operation} ${subject === OLD ? 'old' : subject === NEW ? 'new' : 'lb'}`)
  }
  await run(history)
  return trace.filter((line, at) => line !== trace[at - 1])
}

test('a new amphora is complete before it takes the VIP, and the old one goes last', async () => {
  const trace = await traced('load-balancer-failover')
  const order = [
    'plug-member new',
    'agent-plug-member new',
    'update-listeners new',
    'agent-plug-vip new',
    'unplug-vip old',
    'delete old',
  ]
  expect(order.map((line) => trace.lastIndexOf(line)).toSorted((a, b) => a - b)).toEqual(
    order.map((line) => trace.lastIndexOf(line)),
  )
  expect(trace).not.toContain('update-listeners old')
  expect(trace.indexOf('agent-plug-vip new')).toBeLessThan(trace.indexOf('update-listeners new'))
})

test('an IPv6 VIP is let go before the new amphora takes it', async () => {
  const history = await begin(named('load-balancer-failover'))
  await history.store.transaction((tx) =>
    updateRow(tx, loadBalancer, LB, { vip_address: 'fd00::5' }),
  )
  const trace: string[] = []
  history.world.cloud.fault = (operation, subject) => {
    trace.push(`${operation} ${subject === OLD ? 'old' : 'new'}`)
  }
  await run(history)
  expect(trace.indexOf('unplug-vip old')).toBeGreaterThan(trace.indexOf('update-listeners new'))
  expect(trace.indexOf('unplug-vip old')).toBeLessThan(trace.lastIndexOf('agent-plug-vip new'))
})

test.each(['build', 'find', 'plug-vip', 'plug-member', 'get-info', 'update-listeners'])(
  'a failover that fails at %s leaves the old amphora serving',
  async (operation) => {
    const history = await begin(named('load-balancer-failover'))
    const before = await endOf(history)
    history.world.cloud.fault = breaking(operation)
    await run(history)
    const { cloud, rows, jobs } = await endOf(history)
    expect(cloud).toEqual(before.cloud)
    expect(jobs[0]).toContain('the service is away')
    expect(rows.load_balancer).toMatchObject([{ provisioning_status: 'ERROR' }])
    expect(rows.amphora).toContainEqual(expect.objectContaining({ id: OLD, status: 'ALLOCATED' }))
    expect(rows.amphora).toContainEqual(expect.objectContaining({ id: NEW, status: 'DELETED' }))
  },
)

test('an old amphora that cannot be deleted stays in ERROR, and all else is done', async () => {
  const history = await begin(named('load-balancer-failover'))
  history.world.cloud.fault = (operation, subject) => {
    if (subject === OLD) breaking('delete')(operation, subject)
  }
  await run(history)
  const { cloud, rows } = await endOf(history)
  expect(await statuses(history)).toMatchObject({
    lb: 'ACTIVE OFFLINE',
    listener: 'ACTIVE OFFLINE',
  })
  expect(rows.amphora).toContainEqual(expect.objectContaining({ id: OLD, status: 'ERROR' }))
  expect(rows.amphora).toContainEqual(expect.objectContaining({ id: NEW, status: 'ALLOCATED' }))
  expect(cloud.vips).toContain(NEW)
  // Then an operator deletes it.
  history.world.cloud.fault = () => {}
  await history.store.transaction(async (tx) => {
    await updateRow(tx, amphora, OLD, { status: 'PENDING_DELETE' })
    const input = { load_balancer_id: LB, amphora_id: OLD }
    await enqueue(tx, { flow: 'amphora-delete', input, request_id: null }, 0)
  })
  await run(history)
  expect((await endOf(history)).cloud.instances).toEqual([NEW])
})

test('a pair is replaced one after the other, and what serves is last', async () => {
  const history = await played('load-balancer-failover of a pair')
  const { cloud, rows, jobs } = await endOf(history)
  const fresh = [idOf('new BACKUP'), idOf('new MASTER')].sort()
  expect(cloud.instances).toEqual(fresh)
  expect(cloud.vips).toEqual(fresh)
  expect(jobs.slice(0, 2)).toEqual(['load-balancer-failover DONE', 'load-balancer-failover DONE'])
  const roles = rows.amphora?.map(({ id, role, status }) => [id, role, status])
  expect(roles).toContainEqual([idOf('new MASTER'), 'MASTER', 'ALLOCATED'])
  expect(roles).toContainEqual([idOf('new BACKUP'), 'BACKUP', 'ALLOCATED'])
  expect(roles).toContainEqual([idOf('amphora 1'), 'MASTER', 'DELETED'])
})

test('a VIP port that is gone is made again', async () => {
  const history = await begin(named('load-balancer-failover'))
  const { network } = history.world
  const lb = await findRow(history.store.read, loadBalancer, LB)
  await network.deallocateVip(LB, lb?.vip_port_id ?? null)
  await run(history)
  expect(history.world.cloud.inventory().ports).toContain(`octavia-lb-${LB} on ${VIP_NETWORK}`)
})

test('an agent gets the configuration that an amphora made now would get', async () => {
  const history = await played('amphora-configure')
  expect(history.world.cloud.inventory().agentConfigs).toEqual({
    [OLD]: createHash('md5').update(`SECRET key for ${OLD}`).digest('hex'),
  })
  const failed = await played('amphora-configure', breaking('update-agent-config'))
  expect(await statuses(failed)).toMatchObject({ lb: 'ACTIVE OFFLINE' })
  expect((await endOf(failed)).jobs[0]).toMatch(/^amphora-configure REVERTED .*service is away/)
})

test('an amphora gets a new certificate, or keeps the one it has until the next look', async () => {
  const certificateOf = async (history: History) => {
    const row = await findRow(history.store.read, amphora, OLD)
    return [row?.cert_expiration, row?.cert_busy, history.world.cloud.inventory().renewed]
  }
  const before = (await certificateOf(await begin(named('amphora-certificate-rotate'))))[0]
  expect(before).toBe('2026-01-10T00:00:00')
  const history = await played('amphora-certificate-rotate')
  expect(await certificateOf(history)).toEqual(['2026-02-01T00:00:00', false, [OLD]])
  const steps = await history.store.read.selectFrom('job_step').selectAll().execute()
  expect(JSON.stringify(steps)).not.toContain('SECRET')
  const failed = await played('amphora-certificate-rotate', breaking('update-certificate'))
  expect(await certificateOf(failed)).toEqual([before, false, []])
  expect(await statuses(failed)).toMatchObject({ lb: 'ACTIVE OFFLINE' })
})

test('members bring their networks and the last one takes it away', async () => {
  const ports = (history: History): readonly string[] =>
    history.world.cloud.inventory().ports.filter((port) => port.includes('member'))
  expect(ports(await played('member-create'))).toHaveLength(2)
  expect(ports(await played('member-create on a second subnet of a network'))).toHaveLength(1)
  expect(ports(await played('member-delete'))).toHaveLength(1)
  expect(ports(await played('member-delete of the last on its network'))).toHaveLength(0)
  expect(ports(await played('pool-delete'))).toHaveLength(0)
  expect(ports(await played('member-create', breaking('update-listeners')))).toHaveLength(1)
})

test('a VIP is not released when its load balancer is there after all', async () => {
  const history = await begin(named('load-balancer-update'))
  await history.store.transaction((tx) => {
    const input = { load_balancer_id: LB, port_id: null }
    return enqueue(tx, { flow: 'vip-release', input, request_id: null, status: 'HELD' }, 0)
  })
  await run(history)
  expect(history.world.cloud.inventory().ports).toContain(`octavia-lb-${LB} on ${VIP_NETWORK}`)
})

test('a job of a flow that this version lacks leaves no PENDING behind', async () => {
  const history = await begin(named('listener-update'))
  const { store } = history
  await run(history)
  await store.transaction(async (tx) => {
    await updateRow(tx, loadBalancer, LB, { provisioning_status: 'PENDING_UPDATE' })
    await updateRow(tx, listener, ID.listener, { provisioning_status: 'PENDING_UPDATE' })
    const job = { flow: 'gone', load_balancer_id: LB, input: {}, request_id: null }
    await insertJob(tx, job, 0)
  })
  await run(history)
  expect(breaches(await endOf(history))).toEqual([])
  expect(await statuses(history)).toMatchObject({ lb: 'ERROR OFFLINE', listener: 'ERROR OFFLINE' })
})
