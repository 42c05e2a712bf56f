/** Random load balancers of what the API takes: each value passes the model's own parsers. */
import { Fault } from '../../src/model/fault.ts'
import {
  healthMonitorFields,
  listenerFields,
  memberFields,
  poolFields,
} from '../../src/model/graph.ts'
import { l7policy as l7policyResource } from '../../src/model/l7policy.ts'
import { L7RULE_TYPES, l7rule as l7ruleResource } from '../../src/model/l7rule.ts'
import { LISTENER_PROTOCOLS, type Listener, POOL_PROTOCOLS_OF } from '../../src/model/listener.ts'
import { DATAGRAM_PROTOCOLS, POOL_PROTOCOLS, type PoolProtocol } from '../../src/model/pool.ts'
import { parseCreate, without } from '../../src/model/request.ts'
import type { L7PolicyTree, LoadBalancerTree, PoolTree } from '../../src/model/tree.ts'
import { checkRule } from '../../src/operation/l7-rules.ts'
import {
  checkNewListener,
  checkNewTls,
  withTlsDefaults,
} from '../../src/operation/listener-rules.ts'
import { checkNewMonitor } from '../../src/operation/monitor-rules.ts'
import {
  checkNewPool,
  checkPoolPersistence,
  withPoolDefaults,
} from '../../src/operation/pool-rules.ts'
import {
  amphoraRow,
  healthMonitorRow,
  l7policyRow,
  l7ruleRow,
  listenerRow,
  loadBalancerRow,
  memberRow,
  poolRow,
} from '../fake/rows.ts'
import { HOSTILE_STRINGS } from './hostile.ts'
import type { Random } from './random.ts'
import { insertedHeaders, listenerTls, poolTls, some } from './tree-tls.ts'
import { DEFAULTS, PIECES, PLAIN, SETTINGS } from './tree-values.ts'

type Fields = Parameters<typeof parseCreate>[0]
type Body = Readonly<Record<string, unknown>>

/** The first amphora of every pair, so that one haproxy can be it for all of them. */
export const FIRST_AMPHORA = '44444444-0000-4000-8000-000000000001'
const policyFields = without(l7policyResource.fields, [
  ...['project_id', 'listener_id', 'redirect_pool_id'],
] as never)
const ruleFields = without(l7ruleResource.fields, ['project_id'] as never)

export class Trees {
  readonly #random: Random
  constructor(random: Random) {
    this.#random = random
  }

  next(): LoadBalancerTree {
    const random = this.#random
    const vips = [
      `10.${random.between(0, 255)}.${random.between(0, 255)}.${random.between(1, 254)}`,
      `2001:db8:${random.between(1, 9999)}:${random.between(1, 9999)}::5`,
    ]
    const [first = '', second = ''] = random.chance(0.5) ? vips : vips.toReversed()
    const others = random.chance(0.3) ? [second] : []
    const pair = random.chance(0.3)
    const lb = loadBalancerRow({
      ...{ id: random.uuid(), vip_address: first, topology: pair ? 'ACTIVE_STANDBY' : 'SINGLE' },
      additional_vips: others.map((ip_address) => ({ ip_address, subnet_id: random.uuid() })),
      ...{ project_id: this.#printable(), admin_state_up: random.chance(0.95) },
    })
    const pools = this.#list(0, 4, () => this.#pool(lb.id))
    const listeners = this.#list(1, 4, () => this.#listener(lb.id, pools))
    const l7policies = listeners
      .filter(({ protocol }) => protocol === 'HTTP' || protocol === 'TERMINATED_HTTPS')
      .flatMap((listener) => this.#list(0, 3, () => this.#policy(listener, pools)))
    const amphorae = pair
      ? [FIRST_AMPHORA, random.uuid()].map((id, at) =>
          amphoraRow({ id, vrrp_ip: `192.0.2.${1 + at}`, ha_ip: first }),
        )
      : []
    return { ...lb, listeners, pools, l7policies, amphorae }
  }

  #pool(loadbalancer_id: string): PoolTree | undefined {
    const random = this.#random
    const protocol = random.pick(POOL_PROTOCOLS)
    const datagrams = DATAGRAM_PROTOCOLS.includes(protocol)
    const body = {
      ...{ protocol, session_persistence: this.#persistence(datagrams) },
      lb_algorithm: random.pick(['ROUND_ROBIN', 'LEAST_CONNECTIONS', 'SOURCE_IP']),
      ...(datagrams ? {} : poolTls(random, this.#anything())),
      ...this.#some(['name', 'description']),
      admin_state_up: random.chance(0.9),
    }
    const row = this.#allowed(() => {
      const parsed = parseCreate(poolFields, body, 'body', DEFAULTS as never)
      checkPoolPersistence(parsed.session_persistence, parsed.protocol, { is_new: true })
      const values = withPoolDefaults(parsed, SETTINGS)
      checkNewPool(values, SETTINGS, undefined)
      return poolRow({ ...values, id: random.uuid(), loadbalancer_id })
    })
    if (row === undefined) return undefined
    const members = this.#list(0, 4, () => {
      const member = this.#taken(memberFields, {
        ...{ address: this.#text('address'), protocol_port: random.between(1, 65_535) },
        ...{ weight: random.between(0, 256), backup: random.chance(0.2) },
        ...this.#some(['monitor_address', 'name']),
        ...(random.chance(0.2) ? { monitor_port: random.between(1, 65_535) } : {}),
        admin_state_up: random.chance(0.8),
      })
      return member && memberRow({ ...member, id: random.uuid(), pool_id: row.id })
    })
    return { ...row, members, healthmonitor: this.#monitor(row.id, protocol) ?? null }
  }

  #persistence(datagrams: boolean): Body | null {
    const random = this.#random
    if (random.chance(0.5)) return null
    if (datagrams)
      return {
        type: 'SOURCE_IP',
        ...(random.chance(0.5) ? { persistence_timeout: random.between(0, 5_000_000) } : {}),
        ...this.#some(['persistence_granularity']),
      }
    return random.pick<Body>([
      { type: 'SOURCE_IP' },
      { type: 'HTTP_COOKIE' },
      { type: 'APP_COOKIE', cookie_name: this.#text('cookie_name') },
    ])
  }

  #monitor(pool_id: string, protocol: PoolProtocol) {
    const random = this.#random
    if (random.chance(0.4)) return undefined
    const type = random.pick(
      DATAGRAM_PROTOCOLS.includes(protocol)
        ? ['UDP-CONNECT', 'SCTP', 'TCP', 'HTTP']
        : ['HTTP', 'HTTPS', 'TCP', 'TLS-HELLO', 'PING'],
    )
    const http = type === 'HTTP' || type === 'HTTPS'
    const body = {
      ...{ type, delay: random.between(0, 60), timeout: random.between(0, 60) },
      ...{ max_retries: random.between(1, 10), max_retries_down: random.between(1, 10) },
      ...(http ? this.#some(['url_path', 'domain_name', 'expected_codes', 'http_method']) : {}),
      ...(http && random.chance(0.5) ? { http_version: random.pick([1.0, 1.1]) } : {}),
      admin_state_up: random.chance(0.9),
    }
    return this.#allowed(() => {
      const values = parseCreate(healthMonitorFields, body, 'body', DEFAULTS as never)
      checkNewMonitor(values, protocol, SETTINGS)
      return healthMonitorRow({ ...values, id: random.uuid(), pool_id })
    })
  }

  #listener(loadbalancer_id: string, pools: readonly PoolTree[]): Listener | undefined {
    const random = this.#random
    const protocol = random.pick([...LISTENER_PROTOCOLS, 'HTTP', 'TERMINATED_HTTPS'] as const)
    const headers =
      protocol === 'HTTP' || protocol === 'TERMINATED_HTTPS'
        ? { insert_headers: insertedHeaders(random, protocol, this.#anything()) }
        : {}
    const body = {
      ...{ protocol, protocol_port: random.between(1, 65_535) },
      ...{ connection_limit: random.pick([-1, 0, 1, 2_147_483_647]) },
      ...{ timeout_client_data: random.pick([0, 1, 50_000, 2_073_600_000]) },
      ...{ timeout_tcp_inspect: random.pick([0, 1_000]) },
      ...(random.chance(0.2) ? { allowed_cidrs: ['10.0.0.0/8', '2001:db8::/32'] } : {}),
      ...headers,
      ...listenerTls(random, protocol, this.#anything()),
      ...this.#some(['name', 'description']),
      admin_state_up: random.chance(0.9),
    }
    const fitting = pools.filter((pool) => POOL_PROTOCOLS_OF[protocol].includes(pool.protocol))
    const pool = random.pick<PoolTree | undefined>([...fitting, ...fitting, undefined])
    const ids = { id: random.uuid(), default_pool_id: pool?.id ?? null }
    return this.#allowed(() => {
      const parsed = parseCreate(listenerFields, body, 'body', DEFAULTS as never)
      const values = withTlsDefaults(parsed, SETTINGS)
      checkNewListener(values, SETTINGS)
      checkNewTls(values, SETTINGS)
      return listenerRow({ ...values, ...ids, loadbalancer_id })
    })
  }

  #policy(
    { id: listener_id, protocol }: Listener,
    pools: readonly PoolTree[],
  ): L7PolicyTree | undefined {
    const random = this.#random
    const action = random.pick(['REJECT', 'REDIRECT_TO_URL', 'REDIRECT_PREFIX', 'REDIRECT_TO_POOL'])
    const target: Readonly<Record<string, Body>> = {
      REDIRECT_TO_URL: { redirect_url: this.#text('redirect_url') },
      REDIRECT_PREFIX: { redirect_prefix: this.#text('redirect_prefix') },
    }
    const values = this.#taken(policyFields as Fields, {
      ...{ action, position: random.between(1, 100), ...target[action] },
      ...(random.chance(0.5) ? { redirect_http_code: this.#text('redirect_http_code') } : {}),
    })
    if (values === undefined) return undefined
    const pool = random.pick<PoolTree | undefined>([
      undefined,
      ...pools.filter((each) => POOL_PROTOCOLS_OF[protocol].includes(each.protocol)),
    ])
    const redirect_pool_id = action === 'REDIRECT_TO_POOL' ? (pool?.id ?? null) : null
    const row = l7policyRow({ ...values, id: random.uuid(), listener_id, redirect_pool_id })
    return { ...row, rules: this.#list(1, 3, () => this.#rule(row.id)) }
  }

  #rule(l7policy_id: string) {
    const random = this.#random
    const type = random.pick(L7RULE_TYPES)
    const compared = random.pick(['REGEX', 'STARTS_WITH', 'ENDS_WITH', 'CONTAINS', 'EQUAL_TO'])
    const whole = type === 'SSL_CONN_HAS_CERT' || type === 'SSL_VERIFY_RESULT'
    const keyed = type === 'HEADER' || type === 'COOKIE' || type === 'SSL_DN_FIELD'
    const body = {
      ...{ type, compare_type: whole ? 'EQUAL_TO' : compared, invert: random.chance(0.3) },
      ...(keyed ? { key: this.#text('key') } : {}),
      value: type === 'SSL_CONN_HAS_CERT' ? 'True' : this.#text('value'),
      admin_state_up: random.chance(0.9),
    }
    return this.#allowed(() => {
      const values = parseCreate(ruleFields as Fields, body, 'body', DEFAULTS as never)
      const checked = checkRule(values as unknown as Parameters<typeof checkRule>[0])
      return l7ruleRow({ ...checked, id: random.uuid(), l7policy_id })
    })
  }

  #taken(fields: Fields, body: Body): Readonly<Record<string, unknown>> | undefined {
    return this.#allowed(() => parseCreate(fields, body, 'body', DEFAULTS as never) as never)
  }

  /** undefined where the API would have refused it. */
  #allowed<T>(make: () => T): T | undefined {
    try {
      return make()
    } catch (error) {
      if (error instanceof Fault) return undefined
      throw error
    }
  }

  #some(names: readonly string[]): Body {
    const chosen = some(this.#random, names, 0.5)
    return Object.fromEntries(chosen.map((name) => [name, this.#text(name)]))
  }

  /** Mostly such as somebody would send; else anything. */
  #text(name: string): unknown {
    const plain = PLAIN[name]
    return plain !== undefined && this.#random.chance(0.5)
      ? this.#random.pick(plain)
      : this.#anything()
  }

  #anything(): string {
    const random = this.#random
    if (random.chance(0.1)) return String(random.pick(HOSTILE_STRINGS))
    return Array.from({ length: random.between(1, 8) }, () => random.pick(PIECES)).join('')
  }

  /** Of an identity service, which has no control characters in its ids. */
  #printable(): string {
    return this.#anything().replace(/[^ -~]/g, '') || 'project'
  }

  #list<T>(least: number, most: number, make: () => T | undefined): readonly T[] {
    const wanted = this.#random.between(least, most)
    const made: T[] = []
    for (let tries = 0; made.length < wanted && tries < wanted * 20; tries++) {
      const one = make()
      if (one !== undefined) made.push(one)
    }
    return made
  }
}
