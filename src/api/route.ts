/**
 * The API as data: each route says its method, path, rule and body, and has a function from a call
 * to an answer. Elysia is made of it in app.ts, the OpenAPI document in openapi.ts. This folder
 * turns HTTP into calls of operations; it may import all folders above it and never health,
 * housekeeping or agent.
 */
import type { Caller, IdentityDriver } from '../driver/identity.ts'
import type { Network, NetworkDriver, Subnet } from '../driver/network.ts'
import type { Fields } from '../model/field.ts'
import type { OperationDependencies, Origin } from '../operation/change.ts'
import { authorize, type Policy } from '../policy/check.ts'
import type { RuleName } from '../policy/rules.ts'
import type { Log } from '../system/log.ts'
import type { Auditor } from './audit.ts'
import type { CorsOptions } from './cors.ts'
import type { HealthcheckOptions } from './healthcheck.ts'

export interface ApiOptions {
  /** The base of links; null takes it from the request. */
  readonly api_base_uri: string | null
  readonly allow_pagination: boolean
  readonly allow_sorting: boolean
  readonly allow_filtering: boolean
  readonly allow_field_selection: boolean
  /** null is no limit. */
  readonly pagination_max_limit: number | null
  /** Bytes. */
  readonly max_request_body_size: number
  /** Whether Forwarded and X-Forwarded-* say how clients reach the API. */
  readonly enable_proxy_headers_parsing: boolean
  readonly cors: CorsOptions
  readonly healthcheck: HealthcheckOptions
}

/** Upstream's defaults. */
export const DEFAULT_API_OPTIONS: ApiOptions = {
  api_base_uri: null,
  allow_pagination: true,
  allow_sorting: true,
  allow_filtering: true,
  allow_field_selection: true,
  pagination_max_limit: 1000,
  max_request_body_size: 114_688,
  enable_proxy_headers_parsing: false,
  cors: {
    allowed_origin: null,
    allow_credentials: true,
    allow_headers: ['X-Auth-Token', 'X-Openstack-Request-Id'],
    allow_methods: ['GET', 'PUT', 'POST', 'DELETE'],
    expose_headers: ['X-Auth-Token', 'X-Openstack-Request-Id'],
    max_age: 3600,
  },
  healthcheck: {
    enabled: false,
    backends: ['octavia_db_check'],
    refresh_interval: 5,
    detailed: false,
    disable_by_file_path: null,
    enable_by_file_paths: [],
  },
}

/** The networks of this machine, as far as users see them. */
export interface LocalNetworks {
  listNetworks(): readonly Network[]
  listSubnets(): readonly Subnet[]
  /** Where every id is one, so that there is no list of them. */
  readonly madeUp?: MadeUpNetworks
}

export type MadeUpNetworks = Pick<
  NetworkDriver,
  'findNetwork' | 'findSubnet' | 'findPort' | 'hasSecurityGroup' | 'hasQosPolicy'
>

export interface Api extends OperationDependencies {
  readonly identity: IdentityDriver
  readonly policy: Policy
  readonly log: Log
  readonly options: ApiOptions
  /** null where a network service of its own answers for networks. */
  readonly localNetworks: LocalNetworks | null
  /** Records who asks for what, where that is wanted. */
  readonly audit?: Auditor | undefined
}

/** One request after its edge was checked: plain values, nothing of the framework. */
export interface Call {
  readonly caller: Caller
  readonly policy: Policy
  readonly rule: RuleName
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Without the query. */
  readonly url: URL
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown
  readonly origin: Origin
}

/**
 * Where a path stands: `lbaas` under /v2[.0]/lbaas and /v2[.0], `octavia` and `octavia-lite` under
 * /v2[.0]/<area>, `network` under /v2[.0], `root` as it is.
 */
export type Area = 'lbaas' | 'octavia' | 'octavia-lite' | 'network' | 'root'

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly area: Area
  /** Below the area: `/listeners/:id`. */
  readonly path: string
  readonly rule: RuleName
  readonly summary: string
  readonly status: number
  /** A JSON body is read, and described by this. */
  readonly request?: BodyShape
  readonly answer?: AnswerShape
  /** Query parameters of a changing request; others are refused. Reads check their own. */
  readonly query?: readonly string[]
  /** No caller is needed. */
  readonly open?: boolean
  /** The body of the answer, an object or a `JsonText`; undefined for none. */
  readonly handle: (api: Api, call: Call) => Promise<unknown>
}

export interface BodyShape {
  readonly wrapper: string
  readonly fields: Fields
  readonly kind: 'create' | 'update' | 'graph' | 'policy' | 'list'
}

export interface AnswerShape {
  readonly wrapper: string
  /** undefined: an object that is not a resource. */
  readonly fields?: Fields
  readonly list?: boolean
  /** The key of the links of a list; default `<wrapper>_links`. */
  readonly links?: string
}

/** An answer that is JSON already. */
export class JsonText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Throws 403 unless the rule, that of the route if none is named, allows it on that project. */
export function allow(call: Call, project_id: string | null, rule = call.rule): void {
  authorize(call.policy, rule, call.caller, project_id)
}

const PREFIXES: Readonly<Record<Area, readonly string[]>> = {
  lbaas: ['/v2.0/lbaas', '/v2/lbaas', '/v2.0', '/v2'],
  octavia: ['/v2.0/octavia', '/v2/octavia'],
  'octavia-lite': ['/v2.0/octavia-lite', '/v2/octavia-lite'],
  // Clients without a catalog take the version of the root's document, which is /v2.
  network: ['/v2.0', '/v2'],
  root: [''],
}

/** Every path at which a route is served, the usual one first. */
export function pathsOf(route: Pick<Route, 'area' | 'path'>): readonly string[] {
  return PREFIXES[route.area].map((prefix) => `${prefix}${route.path}`)
}
