/** Random load balancers of what the API takes: each value passes the model's own parsers. */
import {
  healthMonitorFields,
  listenerFields,
  memberFields,
  poolFields,
} from '../../src/model/graph.ts'
import { l7policy as l7policyResource } from '../../src/model/l7policy.ts'
import { l7rule as l7ruleResource } from '../../src/model/l7rule.ts'
import type { Listener } from '../../src/model/listener.ts'
import type { Pool } from '../../src/model/pool.ts'
import { parseCreate, without } from '../../src/model/request.ts'
import type { L7PolicyTree, LoadBalancerTree, PoolTree } from '../../src/model/tree.ts'
import { checkRule } from '../../src/operation/l7-rules.ts'
import { checkPoolPersistence } from '../../src/operation/pool-rules.ts'
import {
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

type Fields = Parameters<typeof parseCreate>[0]
type Body = Readonly<Record<string, unknown>>

const DEFAULTS = {
  ...{ timeout_client_data: 50_000, timeout_member_connect: 5_000 },
  ...{ timeout_member_data: 50_000, timeout_tcp_inspect: 0 },
} as const
const policyFields = without(l7policyResource.fields, [
  ...['project_id', 'listener_id', 'redirect_pool_id'],
] as never)
const ruleFields = without(l7ruleResource.fields, ['project_id'] as never)

/** What haproxy, its tokenizer, its log formats and its regular expressions read specially. */
const PIECES = [
  ...['a', 'B', '0', '-', '--', '.', '/', ':', ' ', '  ', '\t', '\\', '\\\\', "'", '"', '#', '%'],
  ...[
    '%[src]',
    '%{+Q}r',
    '$' + '{HOME}',
    '$',
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    ',',
    ';',
    '|',
    '&',
    '!',
  ],
  ...['-m', 'reg', 'if', 'unless', '\n', '\r', '\0', '\u00e9', '\u2028', '*', '+', '?', '^', '@'],
]
const PLAIN: Readonly<Record<string, readonly unknown[]>> = {
  url_path: ['/', '/health?x=1', "/~a'b(c)%20"],
  domain_name: ['example.org', 'a_b.example'],
  expected_codes: ['200', '200,404', '200-204'],
  redirect_url: ['http://a.example/', 'https://a.example/%20?b=%[src]&c="d"'],
  redirect_prefix: ['http://a.example', "https://a.example/x'y"],
  redirect_http_code: [301, 302, 303, 307, 308],
  cookie_name: ['session', "a!#$%&'*+-.^_`|~"],
  key: ['X-Test', "x!#$%&'*+-.^_`|~", 'CN', 'O'],
  value: ['/a', 'www.example.org', '^/(a|b)\\d+$', '[a-z]+', '0', 'true', '-f', '(?i)x'],
  tls_ciphers: ['ECDHE-RSA-AES256-GCM-SHA384', 'HIGH:!aNULL'],
  address: ['10.0.0.1', '192.0.2.255', '2001:db8::1', '::ffff:10.0.0.1'],
  monitor_address: ['10.0.0.2', '2001:db8::2'],
}

export class Trees {
  readonly #random: Random
  constructor(random: Random) {
    this.#random = random
  }

  next(): LoadBalancerTree {
    const random = this.#random
    const lb = loadBalancerRow({
      ...{ id: random.uuid(), vip_address: random.pick(['10.0.0.2', '2001:db8::5']) },
      ...{ project_id: this.#printable(), admin_state_up: random.chance(0.95) },
    })
    const pools = this.#list(0, 3, () => this.#pool(lb.id))
    const listeners = this.#list(1, 3, () => this.#listener(lb.id, pools))
    const l7policies = listeners
      .filter((listener) => listener.protocol === 'HTTP')
      .flatMap((listener) => this.#list(0, 3, () => this.#policy(listener.id, pools)))
    return { ...lb, listeners, pools, l7policies, amphorae: [] }
  }

  #pool(loadbalancer_id: string): PoolTree | undefined {
    const random = this.#random
    const protocol = random.pick(['HTTP', 'HTTPS', 'TCP', 'PROXY', 'PROXYV2'])
    const persistence = random.chance(0.5)
      ? random.pick([
          { type: 'SOURCE_IP' },
          { type: 'HTTP_COOKIE' },
          { type: 'APP_COOKIE', cookie_name: this.#text('cookie_name') },
        ])
      : null
    const body = {
      ...{ protocol, session_persistence: persistence, tls_enabled: random.chance(0.2) },
      lb_algorithm: random.pick(['ROUND_ROBIN', 'LEAST_CONNECTIONS', 'SOURCE_IP']),
      // Which names there are is OpenSSL's to say, and nobody's here.
      ...{ tls_ciphers: random.pick(PLAIN.tls_ciphers ?? []) },
      ...this.#some(['name', 'description']),
    }
    const values = this.#taken(poolFields, body) as Partial<Pool> | undefined
    if (values === undefined) return undefined
    try {
      checkPoolPersistence(values.session_persistence ?? null, values.protocol ?? 'TCP')
    } catch {
      return undefined
    }
    const row = poolRow({ ...values, id: random.uuid(), loadbalancer_id })
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
    return { ...row, members, healthmonitor: this.#monitor(row.id) ?? null }
  }

  #monitor(pool_id: string) {
    const random = this.#random
    if (random.chance(0.4)) return undefined
    const type = random.pick(['HTTP', 'HTTPS', 'TCP', 'TLS-HELLO', 'PING'])
    const http = type === 'HTTP' || type === 'HTTPS'
    const values = this.#taken(healthMonitorFields, {
      ...{ type, delay: random.between(1, 60), timeout: random.between(0, 60) },
      ...{ max_retries: random.between(1, 10), max_retries_down: random.between(1, 10) },
      ...(http ? this.#some(['url_path', 'domain_name', 'expected_codes']) : {}),
      ...(http && random.chance(0.5) ? { http_version: random.pick([1.0, 1.1]) } : {}),
      admin_state_up: random.chance(0.9),
    })
    return values && healthMonitorRow({ ...values, id: random.uuid(), pool_id })
  }

  #listener(loadbalancer_id: string, pools: readonly PoolTree[]): Listener | undefined {
    const random = this.#random
    const protocol = random.pick(['HTTP', 'HTTP', 'TCP', 'HTTPS', 'PROMETHEUS'])
    const headers = ['X-Forwarded-For', 'X-Forwarded-Port', 'X-Forwarded-Proto', 'X-Real-IP']
    const values = this.#taken(listenerFields, {
      ...{ protocol, protocol_port: random.between(1, 65_535) },
      ...{ connection_limit: random.pick([-1, 0, 1, 2_147_483_647]) },
      ...{ timeout_client_data: random.pick([0, 1, 50_000, 2_073_600_000]) },
      ...{ timeout_tcp_inspect: random.pick([0, 1_000]) },
      insert_headers: Object.fromEntries(headers.map((name) => [name, this.#anything()])),
      ...this.#some(['name', 'description']),
      admin_state_up: random.chance(0.9),
    }) as Partial<Listener> | undefined
    if (values === undefined) return undefined
    const modes: Readonly<Record<string, readonly string[]>> = {
      HTTP: ['HTTP', 'PROXY', 'PROXYV2'],
      TCP: ['HTTP', 'HTTPS', 'TCP', 'PROXY', 'PROXYV2'],
      HTTPS: ['HTTPS', 'TCP', 'PROXY', 'PROXYV2'],
    }
    const fitting = pools.filter((pool) => modes[protocol]?.includes(pool.protocol))
    const pool = random.pick<PoolTree | undefined>([...fitting, undefined])
    const ids = { id: random.uuid(), default_pool_id: pool?.id ?? null }
    return listenerRow({ ...values, ...ids, loadbalancer_id })
  }

  #policy(listener_id: string, pools: readonly PoolTree[]): L7PolicyTree | undefined {
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
      ...pools.filter(({ protocol }) => protocol !== 'TCP' && protocol !== 'HTTPS'),
    ])
    const redirect_pool_id = action === 'REDIRECT_TO_POOL' ? (pool?.id ?? null) : null
    const row = l7policyRow({ ...values, id: random.uuid(), listener_id, redirect_pool_id })
    return { ...row, rules: this.#list(1, 3, () => this.#rule(row.id)) }
  }

  #rule(l7policy_id: string) {
    const random = this.#random
    const type = random.pick(['HOST_NAME', 'PATH', 'FILE_TYPE', 'HEADER', 'COOKIE'])
    const compare_type = random.pick(['REGEX', 'STARTS_WITH', 'ENDS_WITH', 'CONTAINS', 'EQUAL_TO'])
    const values = this.#taken(ruleFields as Fields, {
      ...{ type, compare_type, value: this.#text('value'), invert: random.chance(0.3) },
      ...(type === 'HEADER' || type === 'COOKIE' ? { key: this.#text('key') } : {}),
    })
    if (values === undefined) return undefined
    try {
      const checked = checkRule(values as unknown as Parameters<typeof checkRule>[0])
      return l7ruleRow({ ...checked, id: random.uuid(), l7policy_id })
    } catch {
      return undefined
    }
  }

  /** undefined where the API would have refused it. */
  #taken(fields: Fields, body: Body): Readonly<Record<string, unknown>> | undefined {
    try {
      return parseCreate(fields, body, 'body', DEFAULTS as never) as never
    } catch {
      return undefined
    }
  }

  #some(names: readonly string[]): Body {
    const chosen = names.filter(() => this.#random.chance(0.5))
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
