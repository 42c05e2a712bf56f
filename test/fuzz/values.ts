/** Values by their JSON schema: mostly such as a client would send. */
import type { JsonSchema } from '../../src/model/field.ts'
import { type Choice, coherent } from './coherent.ts'
import { HOSTILE_KEYS, HOSTILE_STRINGS, HOSTILE_VALUES } from './hostile.ts'
import { isObject, type Known } from './known.ts'
import type { Random } from './random.ts'
import { PROJECTS } from './world.ts'

/** Fixed, so that objects meet on the same networks and certificates. */
const SUBNETS = [
  '22222222-0000-4000-8000-000000000001',
  '22222222-0000-4000-8000-000000000002',
  '22222222-0000-4000-8000-000000000003',
]
const NETWORKS = ['11111111-0000-4000-8000-000000000001']
const CERTIFICATE = 'https://barbican.example/v1/containers/33333333-0000-4000-8000-000000000001'

/** By the name of the attribute: what its schema does not tell. */
const PLAUSIBLE: Readonly<Record<string, readonly unknown[]>> = {
  name: ['a', 'web', 'b', 'pool', 'Ümlaut'],
  vip_subnet_id: SUBNETS,
  subnet_id: SUBNETS,
  vip_network_id: NETWORKS,
  vip_address: ['10.0.0.5', '10.0.0.6', '2001:db8::5'],
  ip_address: ['10.0.0.7', '2001:db8::7'],
  address: ['10.0.0.11', '10.0.0.12', '10.0.0.13', '10.0.0.14', '2001:db8::11'],
  monitor_address: ['10.0.0.99'],
  protocol_port: [80, 81, 443, 8080, 53],
  monitor_port: [80, 81],
  connection_limit: [-1, 0, 100],
  url_path: ['/', '/health', '/a?b=c'],
  expected_codes: ['200', '200,201', '200-204'],
  domain_name: ['example.org', 'www.example.org'],
  http_version: [1.0, 1.1],
  delay: [5, 10],
  timeout: [1, 3],
  max_retries: [1, 3, 10],
  max_retries_down: [1, 3],
  provider: ['amphora', 'amphora', 'amphora', 'octavia', 'noop_driver'],
  provider_name: ['amphora', 'octavia'],
  tls_ciphers: ['ECDHE-RSA-AES256-GCM-SHA384', 'TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES128-SHA'],
  tls_versions: [['TLSv1.2', 'TLSv1.3'], ['TLSv1.3'], ['TLSv1.1', 'TLSv1.2']],
  alpn_protocols: [['h2', 'http/1.1'], ['http/1.1'], ['http/1.0']],
  client_authentication: ['NONE', 'OPTIONAL', 'MANDATORY'],
  hsts_max_age: [0, 1, 31_536_000],
  default_tls_container_ref: [CERTIFICATE],
  cookie_name: ['session'],
  redirect_url: ['https://example.org/', 'http://example.org/a?b=c'],
  redirect_prefix: ['https://example.org', 'http://example.org/a'],
  redirect_http_code: [301, 302, 303, 307, 308],
  position: [1, 2, 3, 2_147_483_647],
  key: ['X-Header', 'session', 'CN'],
  value: ['/a', 'example.org', 'png', 'True', '0'],
  allowed_cidrs: [['10.0.0.0/8'], ['10.0.0.0/8', '192.0.2.0/24'], []],
  tags: [['a'], ['a', 'b'], []],
  insert_headers: [
    { 'X-Forwarded-For': 'true' },
    { 'X-Forwarded-Port': 'true', 'X-Real-IP': 'true' },
    {},
  ],
  session_persistence: [
    { type: 'SOURCE_IP' },
    { type: 'HTTP_COOKIE' },
    { type: 'APP_COOKIE', cookie_name: 'session' },
    {},
  ],
  datagram_persistence: [
    { type: 'SOURCE_IP' },
    { type: 'SOURCE_IP', persistence_timeout: 360 },
    { type: 'SOURCE_IP', persistence_timeout: 0, persistence_granularity: '255.255.0.0' },
  ],
  flavor_data: ['{"loadbalancer_topology": "SINGLE"}', '{"compute_flavor": "1"}', '{}'],
  availability_zone_data: ['{"compute_zone": "nova"}', '{}'],
  additional_vips: [[], [{ subnet_id: '22222222-0000-6000-8000-000000000001' }]],
  sni_container_refs: [[], [CERTIFICATE]],
}

/** Sent although the schema does not ask for it, with this probability; others seldom. */
const LIKELY: Readonly<Record<string, number>> = {
  vip_subnet_id: 0.9,
  loadbalancer_id: 0.85,
  listener_id: 0.25,
  name: 0.5,
  listeners: 0.3,
  pools: 0.3,
  members: 0.5,
  default_pool: 0.6,
  l7policies: 0.4,
  rules: 0.5,
  healthmonitor: 0.4,
  redirect_url: 0.4,
  redirect_pool_id: 0.3,
  key: 0.3,
  project_id: 0.05,
  vip_port_id: 0.03,
  vip_network_id: 0.03,
  provider: 0.05,
}
const LIKELY_ELSE = 0.09

/** Where an id of one collection stands under another name. */
const COLLECTION_OF: Readonly<Record<string, string>> = {
  loadbalancer_id: 'loadbalancers',
  load_balancer_id: 'loadbalancers',
  default_pool_id: 'pools',
  redirect_pool_id: 'pools',
  healthmonitor_id: 'healthmonitors',
  flavor_profile_id: 'flavorprofiles',
  availability_zone: 'availabilityzones',
  availability_zone_profile_id: 'availabilityzoneprofiles',
}

export class Values {
  readonly #random: Random
  readonly #known: Known
  readonly #choice: Choice

  constructor(random: Random, known: Known) {
    this.#random = random
    this.#known = known
    this.#choice = {
      random,
      pick: (name) => random.pick(PLAUSIBLE[name] ?? []),
      somePool: () => known.some('pools'),
    }
  }

  of(schema: JsonSchema, name: string, depth = 0): unknown {
    const random = this.#random
    // A body is wrapped in the name of its kind, which may be that of a reference too.
    if ('properties' in schema) return this.#bySchema(schema, name, depth)
    const collection = COLLECTION_OF[name] ?? this.#collectionNamed(name)
    if (collection !== undefined) return this.#known.some(collection)
    if (name === 'project_id' || name === 'tenant_id') return random.pick(PROJECTS)
    if (name.endsWith('container_ref')) return CERTIFICATE
    const plausible = PLAUSIBLE[name]
    if (plausible !== undefined && random.chance(0.9)) return random.pick(plausible)
    return this.#bySchema(schema, name, depth)
  }

  /** Anything at all. */
  hostile(): unknown {
    const random = this.#random
    if (random.chance(0.6)) return random.pick(HOSTILE_STRINGS)
    if (random.chance(0.8)) return random.pick(HOSTILE_VALUES)
    return random.chance(0.5) ? this.#known.any() : this.#known.gone()
  }

  /** The body with one thing in it changed for the worse. */
  mutated(body: unknown, depth = 0): unknown {
    const random = this.#random
    if (depth > 6 || random.chance(0.15)) return this.hostile()
    if (Array.isArray(body)) return this.#mutatedList(body, depth)
    if (!isObject(body)) return this.hostile()
    const names = Object.keys(body)
    const choice = random.between(0, 9)
    if (names.length === 0 || choice === 0)
      return { ...body, [random.pick(HOSTILE_KEYS)]: this.hostile() }
    const name = random.pick(names)
    if (choice === 1)
      return Object.fromEntries(Object.entries(body).filter(([key]) => key !== name))
    if (choice === 2) return { ...body, [`${name}x`]: body[name] }
    return { ...body, [name]: this.mutated(body[name], depth + 1) }
  }

  #mutatedList(list: readonly unknown[], depth: number): unknown {
    const random = this.#random
    if (list.length === 0) return [this.hostile()]
    const choice = random.between(0, 5)
    if (choice === 0) return [...list, this.hostile()]
    if (choice === 1) return [...list, ...list]
    if (choice === 2) return Array.from({ length: random.between(100, 3000) }, () => list[0])
    const at = random.between(0, list.length - 1)
    return list.map((item, index) => (index === at ? this.mutated(item, depth + 1) : item))
  }

  #collectionNamed(name: string): string | undefined {
    if (!name.endsWith('_id')) return undefined
    const singular = name.slice(0, -3).replaceAll('_', '')
    return this.#known.collections.find((each) => each === `${singular}s`)
  }

  #bySchema(schema: JsonSchema, name: string, depth: number): unknown {
    const random = this.#random
    const { anyOf, enum: choices, type, properties } = schema as Partial<Shape>
    if (anyOf !== undefined) {
      const [first, ...others] = anyOf
      // Null is one of the others, and clients seldom send it.
      const chosen = others.length === 0 || random.chance(0.85) ? first : random.pick(others)
      return this.#bySchema(chosen as JsonSchema, name, depth)
    }
    if (choices !== undefined) return this.#choose(choices)
    if (properties !== undefined) return this.#object(schema as unknown as Shape, depth)
    switch (type) {
      case 'boolean':
        return random.chance(0.7)
      case 'integer':
      case 'number':
        return this.#number(schema as unknown as Shape)
      case 'array':
        return Array.from({ length: random.between(0, depth > 3 ? 1 : 3) }, () =>
          this.of((schema as unknown as Shape).items ?? {}, `${name}[]`, depth + 1),
        )
      case 'object':
        return {}
      case 'null':
        return null
      default:
        return this.#text(schema as unknown as Shape)
    }
  }

  #object(schema: Shape, depth: number): Readonly<Record<string, unknown>> {
    const required = schema.required ?? []
    const entries = Object.entries(schema.properties ?? {}).filter(
      ([name]) =>
        required.includes(name) ||
        this.#random.chance(depth === 0 ? 1 : (LIKELY[name] ?? LIKELY_ELSE)),
    )
    const object = entries.map(([name, each]) => [name, this.of(each, name, depth + 1)])
    const names = Object.keys(schema.properties ?? {})
    return this.#random.chance(0.8)
      ? coherent(this.#choice, Object.fromEntries(object), names)
      : Object.fromEntries(object)
  }

  #choose(choices: readonly unknown[]): unknown {
    const random = this.#random
    // Policies need listeners of HTTP, and those of one protocol in seven would be few.
    return choices.includes('HTTP') && random.chance(0.3) ? 'HTTP' : random.pick(choices)
  }

  #number({ minimum = 0, maximum = 1000 }: Shape): number {
    const random = this.#random
    if (random.chance(0.2)) return random.pick([minimum, maximum, minimum - 1, maximum + 1])
    return random.between(minimum, Math.min(maximum, minimum + 300))
  }

  #text({ format, maxLength = 255 }: Shape): string {
    const random = this.#random
    if (format === 'uuid') return random.chance(0.3) ? random.uuid() : this.#known.any()
    if (format === 'date-time') return '2026-01-02T03:04:05'
    if (format === 'cidr') return random.pick(['10.0.0.0/8', '2001:db8::/32'])
    if (format !== undefined) return random.pick(['10.0.0.9', '2001:db8::9'])
    return random.chance(0.05) ? 'x'.repeat(maxLength) : random.pick(['a', 'b', 'c', 'd e'])
  }
}

/** JSON schema, as far as it is looked at. */
interface Shape {
  readonly anyOf?: readonly JsonSchema[]
  readonly enum?: readonly unknown[]
  readonly type?: string
  readonly format?: string
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
}
