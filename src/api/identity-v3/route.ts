/**
 * The built-in identity over HTTP: the part of Keystone's API v3 that clients of a load balancer
 * need. Each route is a function from a call to an answer, as in api/route.ts; bodies, errors and
 * headers differ.
 */
import type { Access } from '../../identity/local-identity.ts'
import type { LoginDependencies } from '../../identity/login.ts'
import { refusal } from '../../identity/refusal.ts'
import type { Log } from '../../system/log.ts'

export const IDENTITY_PREFIX = '/identity'

export interface IdentityApi extends LoginDependencies {
  readonly log: Log
  readonly options: {
    /** The base of links; null takes it from the request. */
    readonly api_base_uri: string | null
    readonly max_request_body_size: number
    readonly region_name: string
    /** Whether the catalogue has a network service: that of the local cloud. */
    readonly network: boolean
    /** Whether it has a key manager: the built-in store of secrets. */
    readonly key_manager: boolean
  }
}

export interface IdentityCall {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: Headers
  /** Where this program's APIs are, for links: no slash at the end. */
  readonly base: string
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown
  /** The address the request comes from. */
  readonly source: string
  /** Who asks; throws 401 for nobody. */
  access(): Promise<Access>
}

export interface IdentityAnswer {
  readonly status: number
  /** undefined: none. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface IdentityRoute {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below IDENTITY_PREFIX. */
  readonly path: string
  readonly handle: (api: IdentityApi, call: IdentityCall) => Promise<IdentityAnswer>
}

export type Json = Readonly<Record<string, unknown>>

/** Whether the caller may look at everybody's accounts. */
export function isAdministrator(access: Access): boolean {
  return access.roles.includes('admin')
}

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object `name` of an object; throws 400 where there is none. */
export function objectIn(parent: unknown, name: string): Json {
  const value = isRecord(parent) ? parent[name] : undefined
  if (!isRecord(value)) throw refusal.badRequest(`Invalid input: '${name}' must be an object.`)
  return value
}

const TEXT_LENGTH_MAX = 4096

/** Text or undefined; throws 400 for any other value. */
export function textIn(parent: Json, name: string): string | undefined {
  const value = parent[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string' || value.length > TEXT_LENGTH_MAX || !value.isWellFormed())
    throw refusal.badRequest(`Invalid input for field '${name}': it must be a string.`)
  return value
}
