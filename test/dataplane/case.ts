/** A case of test/dataplane/cases: what matters is written in it, everything else is filled in. */
import {
  type AmphoraFacts,
  HAPROXY_OPTION_FALLBACKS,
  type HaproxyOptions,
  type Rendering,
} from '../../src/dataplane/haproxy/facts.ts'
import type { Amphora } from '../../src/model/amphora.ts'
import type { HealthMonitor } from '../../src/model/health-monitor.ts'
import type { L7Policy } from '../../src/model/l7policy.ts'
import type { L7Rule } from '../../src/model/l7rule.ts'
import type { Listener } from '../../src/model/listener.ts'
import type { LoadBalancer } from '../../src/model/load-balancer.ts'
import type { Member } from '../../src/model/member.ts'
import type { Pool } from '../../src/model/pool.ts'
import type { LoadBalancerTree } from '../../src/model/tree.ts'
import {
  healthMonitorRow,
  l7policyRow,
  l7ruleRow,
  listenerRow,
  loadBalancerRow,
  memberRow,
  poolRow,
} from '../fake/rows.ts'

export interface Case {
  readonly about: string
  readonly load_balancer?: Partial<LoadBalancer>
  readonly listeners?: readonly Partial<Listener>[]
  readonly pools?: readonly (Partial<Pool> & {
    readonly members?: readonly Partial<Member>[]
    readonly healthmonitor?: Partial<HealthMonitor>
  })[]
  readonly l7policies?: readonly (Partial<L7Policy> & {
    readonly listener_id: string
    readonly rules?: readonly Partial<L7Rule>[]
  })[]
  readonly amphorae?: readonly Partial<Amphora>[]
  readonly facts?: Partial<AmphoraFacts>
  readonly options?: Partial<HaproxyOptions>
}

/** The material of a golden file is its own reference, so that the file says what is where. */
export function renderingOf(input: Case, tree = treeOf(input)): Rendering {
  const usual = { haproxy_version: '2.6.12-1', cpu_count: 2, active_tuned_profiles: '' }
  return {
    tree,
    facts: { ...usual, ...input.facts },
    options: { ...HAPROXY_OPTION_FALLBACKS, ...input.options },
    tls: { certificates: ITSELF, authorities: ITSELF, revocations: ITSELF },
  }
}

const ITSELF = { get: (ref: string) => ref } as ReadonlyMap<string, string>

export function treeOf(input: Case): LoadBalancerTree {
  const lb = loadBalancerRow({
    id: 'lb-1',
    project_id: 'project-1',
    vip_address: '10.0.0.2',
    ...input.load_balancer,
  })
  return {
    ...lb,
    listeners: (input.listeners ?? []).map((listener) =>
      listenerRow({ ...listener, loadbalancer_id: lb.id }),
    ),
    pools: (input.pools ?? []).map(({ members, healthmonitor, ...pool }) => {
      const row = poolRow({ ...pool, loadbalancer_id: lb.id })
      return {
        ...row,
        members: (members ?? []).map((member) => memberRow({ pool_id: row.id, ...member })),
        healthmonitor:
          healthmonitor === undefined
            ? null
            : healthMonitorRow({ pool_id: row.id, ...healthmonitor }),
      }
    }),
    l7policies: (input.l7policies ?? []).map(({ rules, ...policy }) => {
      const row = l7policyRow(policy)
      return {
        ...row,
        rules: (rules ?? []).map((rule) => l7ruleRow({ l7policy_id: row.id, ...rule })),
      }
    }),
    amphorae: (input.amphorae ?? []) as readonly Amphora[],
  }
}
