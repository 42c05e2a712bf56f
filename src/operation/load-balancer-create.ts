/**
 * Creating a load balancer, alone or with all its children. The VIP is allocated before the rows
 * exist, so a HELD job that would take it back is written first: should this process die in
 * between, the job is let go at the next start and the port does not stay behind.
 */
import { AddressInUse, seenBy } from '../driver/network.ts'
import type { AmphoraRole } from '../model/amphora.ts'
import { fault } from '../model/fault.ts'
import type { L7PolicyGraph, LoadBalancerGraph, PoolGraph } from '../model/graph.ts'
import { type HealthMonitor, healthMonitor } from '../model/health-monitor.ts'
import { type L7Policy, l7policy } from '../model/l7policy.ts'
import { type L7Rule, l7rule, RULES_PER_POLICY_MAX } from '../model/l7rule.ts'
import { type Listener, listener } from '../model/listener.ts'
import { type LoadBalancer, loadBalancer, type Topology } from '../model/load-balancer.ts'
import { type Member, member } from '../model/member.ts'
import { type Pool, pool } from '../model/pool.ts'
import type { ProviderVip } from '../provider/provider.ts'
import { getProvider, handOver } from '../provider/providers.ts'
import { dropHeldJob, releaseHeldJob } from '../store/jobs.ts'
import { insertRow, insertRows } from '../store/repository.ts'
import type { Tx } from '../store/store.ts'
import { timestamp } from '../system/clock.ts'
import { enqueue } from '../worker/catalogue.ts'
import { findCertificateFault } from './certificates.ts'
import { change, chargeQuota, type OperationDependencies, type Origin } from './change.ts'
import { agreeRedirect, checkRule, placedAt } from './l7-rules.ts'
import {
  certificateRefs,
  checkNewListener,
  checkNewTls,
  withTlsDefaults,
} from './listener-rules.ts'
import { sameServer } from './member.ts'
import { checkNewMonitor } from './monitor-rules.ts'
import { checkStillOffered, chooseOffer, type OfferChoice } from './offer-choice.ts'
import {
  checkAlgorithm,
  checkNewPool,
  checkPoolPersistence,
  poolCertificateRefs,
  withPoolDefaults,
} from './pool-rules.ts'
import {
  newHealthMonitor,
  newL7Policy,
  newL7Rule,
  newListener,
  newMember,
  newPool,
} from './rows.ts'
import {
  checkAllowedCidrs,
  checkMemberFamily,
  checkNotReserved,
  checkPortFree,
  checkProtocols,
  checkSecurityGroups,
} from './rules.ts'
import { checkMemberSubnets, checkNetworkAllowed, planVip, type VipPlan } from './vip.ts'

const ROLES: Readonly<Record<Topology, readonly AmphoraRole[]>> = {
  SINGLE: ['STANDALONE'],
  ACTIVE_STANDBY: ['MASTER', 'BACKUP'],
}

interface Rows {
  readonly loadBalancer: LoadBalancer
  readonly pools: readonly Pool[]
  readonly listeners: readonly Listener[]
  readonly policies: readonly L7Policy[]
  readonly rules: readonly L7Rule[]
  readonly members: readonly Member[]
  readonly monitors: readonly HealthMonitor[]
}

/** The id of the new load balancer, which is PENDING_CREATE. */
export async function createLoadBalancer(
  deps: OperationDependencies,
  graph: LoadBalancerGraph,
  project_id: string,
  origin: Origin,
): Promise<string> {
  const { settings } = deps
  const plan = await planVip(seenBy(deps.network, origin.token), settings, graph.loadBalancer)
  const choice = await chooseOffer(deps, graph.loadBalancer)
  checkNetworkAllowed(settings, plan.network_id, choice.valid_vip_networks)
  const planned = planRows(deps, graph, project_id, choice, plan)
  const subnets = planned.members.map((row) => row.subnet_id)
  await checkMemberSubnets(deps, subnets, origin)
  await checkCertificates(deps, graph, origin)
  await withVip(deps, planned.loadBalancer, plan, origin, async (vip, held) => {
    await change(deps, async (tx, now) => {
      await insertPlanned(deps, tx, project_id, withVipFields(planned, vip))
      if (held !== null) await dropHeldJob(tx, held)
      await handOver(
        tx,
        {
          flow: 'load-balancer-create',
          input: {
            load_balancer_id: planned.loadBalancer.id,
            amphorae: ROLES[choice.topology].map((role) => ({ id: deps.newId(), role })),
          },
          request_id: origin.request_id,
        },
        now.ms,
      )
    })
  })
  return planned.loadBalancer.id
}

/**
 * Holds the VIP while `body` runs; gives it back when anything fails. A provider's own VIP is held
 * by no job.
 */
async function withVip(
  deps: OperationDependencies,
  row: LoadBalancer,
  plan: VipPlan,
  origin: Origin,
  body: (vip: ProviderVip, heldJob: string | null) => Promise<void>,
): Promise<void> {
  const { store, network, clock, engine } = deps
  const request = { load_balancer_id: row.id, project_id: row.project_id ?? '', ...plan }
  const { createVipPort } = getProvider(row.provider ?? 'amphora')
  if (createVipPort !== null) return await body(createVipPort(request, deps.newId), null)
  const input = { load_balancer_id: row.id, port_id: plan.port_id }
  const held = await store.transaction((tx) =>
    enqueue(
      tx,
      { flow: 'vip-release', input, request_id: origin.request_id, status: 'HELD' },
      clock.now(),
    ),
  )
  try {
    await body(await network.allocateVip(request), held)
  } catch (error) {
    await store.transaction((tx) => releaseHeldJob(tx, held))
    engine.wake()
    if (error instanceof AddressInUse)
      throw fault.vipAddressInUse(error.ip_address, error.network_id)
    throw error
  }
}

function withVipFields(rows: Rows, vip: ProviderVip): Rows {
  const row: LoadBalancer = {
    ...rows.loadBalancer,
    vip_address: vip.ip_address,
    vip_port_id: vip.port_id,
    vip_subnet_id: vip.subnet_id,
    vip_network_id: vip.network_id,
    additional_vips: vip.additional_vips.map((item) => ({ ...item, port_id: vip.port_id })),
  }
  for (const item of rows.listeners) {
    checkAllowedCidrs(item.allowed_cidrs, row)
    const used = rows.pools.find((each) => each.id === item.default_pool_id)
    const members = rows.members.filter((each) => each.pool_id === used?.id)
    if (used !== undefined) checkMemberFamily(used.protocol, members, row)
  }
  return { ...rows, loadBalancer: row }
}

/** All rows of the request, checked against one another. */
function planRows(
  deps: OperationDependencies,
  graph: LoadBalancerGraph,
  project_id: string,
  { provider, topology, vip_vnic_type, member_sriov }: OfferChoice,
  plan: VipPlan,
): Rows {
  const now = timestamp(deps.clock.now())
  const base = () => ({ id: deps.newId(), project_id, now })
  const { id } = base()
  const row: LoadBalancer = {
    ...graph.loadBalancer,
    id,
    project_id,
    provider,
    topology,
    vip_network_id: plan.network_id,
    vip_vnic_type,
    provisioning_status: 'PENDING_CREATE',
    operating_status: 'OFFLINE',
    created_at: now,
    updated_at: null,
  }
  checkSecurityGroups(row, row.vip_sg_ids)
  for (const item of graph.pools) checkAlgorithm(row, item.pool.lb_algorithm)
  const plans = graph.pools.map((item) => planPool(deps, item, id, member_sriov, base))
  const pools = plans.map((each) => each.pool)
  const { listeners, policies, rules } = planListeners(deps, graph, id, pools, base)
  return {
    loadBalancer: row,
    pools,
    listeners,
    policies,
    rules,
    members: plans.flatMap((each) => each.members),
    monitors: plans.flatMap((each) => each.monitor ?? []),
  }
}

type MakeBase = () => { id: string; project_id: string; now: string }

/** A pool with its members and monitor. */
function planPool(
  deps: OperationDependencies,
  item: PoolGraph,
  load_balancer_id: string,
  member_sriov: boolean,
  base: MakeBase,
): { pool: Pool; members: readonly Member[]; monitor: HealthMonitor | undefined } {
  const { settings } = deps
  checkPoolPersistence(item.pool.session_persistence, item.pool.protocol, { is_new: true })
  checkNewPool(item.pool, settings, undefined)
  const row = newPool(base(), load_balancer_id, withPoolDefaults(item.pool, settings))
  const { healthmonitor } = item
  if (healthmonitor !== null) checkNewMonitor(healthmonitor, row.protocol, settings)
  const monitor =
    healthmonitor === null ? undefined : newHealthMonitor(base(), row.id, healthmonitor)
  const parent = { monitored: monitor !== undefined, sriov: member_sriov }
  const members: Member[] = []
  for (const values of item.members) {
    checkNotReserved(values.address, settings.reserved_ips)
    const made = newMember(base(), row.id, parent, values)
    if (members.some((m) => sameServer(m, made)))
      throw fault.duplicateMember(made.address, made.protocol_port)
    members.push(made)
  }
  return { pool: row, members, monitor }
}

function planListeners(
  deps: OperationDependencies,
  graph: LoadBalancerGraph,
  load_balancer_id: string,
  pools: readonly Pool[],
  base: MakeBase,
): Pick<Rows, 'listeners' | 'policies' | 'rules'> {
  const listeners: Listener[] = []
  const policies: L7Policy[] = []
  const rules: L7Rule[] = []
  for (const item of graph.listeners) {
    const chosen =
      item.default_pool === null
        ? undefined
        : pools.find((candidate) => candidate.name === item.default_pool)
    const { default_pool_id } = item.listener
    // An id cannot belong to a load balancer that is only being made.
    if (chosen === undefined && default_pool_id !== null)
      throw fault.notFound(pool.title, default_pool_id)
    if (chosen !== undefined) checkProtocols(item.listener.protocol, chosen.protocol)
    checkNewListener(item.listener, deps.settings)
    checkPortFree(listeners, item.listener)
    checkNewTls(item.listener, deps.settings)
    const values = withTlsDefaults(item.listener, deps.settings)
    const row = {
      ...newListener(base(), load_balancer_id, values),
      default_pool_id: chosen?.id ?? null,
    }
    listeners.push(row)
    const l7 = planPolicies(item.l7policies, row, pools, base)
    policies.push(...l7.policies)
    rules.push(...l7.rules)
  }
  return { listeners, policies, rules }
}

/** The policies of one listener, in the places they ask for one after the other. */
function planPolicies(
  graphs: readonly L7PolicyGraph[],
  front: Listener,
  pools: readonly Pool[],
  base: MakeBase,
): Pick<Rows, 'policies' | 'rules'> {
  if (graphs.length > 0 && front.protocol === 'PROMETHEUS') throw fault.noChildren(front.protocol)
  const rules: L7Rule[] = []
  let order: readonly string[] = []
  const policies = graphs.map((item) => {
    const target = pools.find((candidate) => candidate.name === item.redirect_pool)
    if (target !== undefined) checkProtocols(front.protocol, target.protocol)
    const agreed = agreeRedirect({ ...item.l7policy, redirect_pool_id: target?.id ?? null })
    const row = newL7Policy(base(), front.id, agreed)
    if (item.rules.length > RULES_PER_POLICY_MAX) throw fault.tooManyRules(row.id)
    for (const values of item.rules) rules.push(newL7Rule(base(), row.id, checkRule(values)))
    order = placedAt(order, row.id, row.position)
    return row
  })
  return {
    policies: policies.map((row) => ({ ...row, position: order.indexOf(row.id) + 1 })),
    rules,
  }
}

async function checkCertificates(
  deps: OperationDependencies,
  graph: LoadBalancerGraph,
  origin: Origin,
): Promise<void> {
  const refs = [
    ...graph.pools.map((item) => poolCertificateRefs(item.pool)),
    ...graph.listeners.map((item) => certificateRefs(item.listener)),
  ]
  for (const each of refs) {
    const refused = await findCertificateFault(deps, each, origin)
    if (refused !== undefined) throw refused
  }
}

async function insertPlanned(
  deps: OperationDependencies,
  tx: Tx,
  project_id: string,
  rows: Rows,
): Promise<void> {
  const charge = (name: Parameters<typeof chargeQuota>[3], count: number) =>
    chargeQuota(tx, deps.settings, project_id, name, count)
  await charge('load_balancer', 1)
  await checkStillOffered(tx, rows.loadBalancer)
  await insertRow(tx, loadBalancer, rows.loadBalancer)
  await charge('pool', rows.pools.length)
  await insertRows(tx, pool, rows.pools)
  await charge('health_monitor', rows.monitors.length)
  await insertRows(tx, healthMonitor, rows.monitors)
  await charge('member', rows.members.length)
  await insertRows(tx, member, rows.members)
  await charge('listener', rows.listeners.length)
  await insertRows(tx, listener, rows.listeners)
  // Upstream charges no quota for L7 policies and rules that come with their listener.
  await insertRows(tx, l7policy, rows.policies)
  await insertRows(tx, l7rule, rows.rules)
}
