/**
 * The built-in store of secrets over HTTP: the part of Barbican's API v1 that clients of a load
 * balancer need to keep certificates. Each route is a function from a call to an answer, as in
 * api/route.ts; bodies, references and errors are Barbican's.
 */
import type { Caller, IdentityDriver } from '../../driver/identity.ts'
import { Fault } from '../../model/fault.ts'
import type { ModelDefaults } from '../../model/field.ts'
import { authorize, type Policy } from '../../policy/check.ts'
import type { RuleName } from '../../policy/rules.ts'
import type { Vault } from '../../secret/vault.ts'
import type { Db, Store } from '../../store/store.ts'
import type { Clock } from '../../system/clock.ts'
import type { Log } from '../../system/log.ts'

export const KEY_MANAGER_PREFIX = '/key-manager'

export interface KeyManagerApi {
  readonly store: Store
  readonly vault: Vault
  readonly clock: Pick<Clock, 'now'>
  readonly newId: () => string
  readonly identity: IdentityDriver
  readonly policy: Policy
  readonly log: Log
  readonly settings: { readonly defaults: ModelDefaults }
  readonly options: {
    /** The base of references; null takes it from the request. */
    readonly api_base_uri: string | null
    readonly max_request_body_size: number
  }
}

export interface KeyManagerCall {
  readonly caller: Caller
  readonly rule: RuleName
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: Headers
  /** Of references: `http://host:port/key-manager/v1`. */
  readonly base: string
  /** Parsed JSON; throws the fault of a body that is none. */
  json(): Promise<unknown>
  /** As it was sent. */
  bytes(): Promise<Uint8Array>
}

export interface KeyManagerAnswer {
  readonly status: number
  /** JSON; undefined for none. */
  readonly body?: unknown
  readonly content?: { readonly bytes: Uint8Array; readonly type: string }
  readonly headers?: Readonly<Record<string, string>>
}

export interface KeyManagerRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below KEY_MANAGER_PREFIX. */
  readonly path: string
  readonly rule: RuleName
  /** No caller is needed. */
  readonly open?: boolean
  readonly handle: (api: KeyManagerApi, call: KeyManagerCall) => Promise<KeyManagerAnswer>
}

/** The project that the call is about; throws 403 for who has none or may not. */
export function projectOf({ policy }: KeyManagerApi, { caller, rule }: KeyManagerCall): string {
  authorize(policy, rule, caller, caller.project_id)
  if (caller.project_id === null)
    throw new Fault(403, 'A token of a project is needed: secrets belong to projects.')
  return caller.project_id
}

/** The row of the path, if the caller may; throws 404 and 403. */
export async function getOwn<R extends { readonly project_id: string }>(
  { store, policy }: KeyManagerApi,
  { caller, params, rule }: KeyManagerCall,
  find: (db: Db, id: string) => Promise<R | undefined>,
): Promise<R> {
  const { id = '' } = params
  const row = await find(store.read, id.toLowerCase())
  if (row === undefined) throw new Fault(404, 'There is no such secret or container.')
  authorize(policy, rule, caller, row.project_id)
  return row
}

const LIMIT_DEFAULT = 10
const LIMIT_MAX = 100

/** Barbican's pages: at most 100, 10 if nothing is said. */
export function pageOf(query: URLSearchParams): {
  readonly offset: number
  readonly limit: number
} {
  const limit = wholeNumber(query, 'limit') ?? LIMIT_DEFAULT
  return { offset: wholeNumber(query, 'offset') ?? 0, limit: Math.min(limit, LIMIT_MAX) }
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new Fault(400, `${name} is a whole number.`)
}

/** A list with what leads to the pages beside it. */
export function listAnswer(
  call: KeyManagerCall,
  plural: string,
  views: readonly unknown[],
  total: number,
): KeyManagerAnswer {
  const { offset, limit } = pageOf(call.query)
  const linked = (name: string, to: number) => {
    const query = new URLSearchParams(call.query)
    query.set('limit', String(limit))
    query.set('offset', String(to))
    return { [name]: `${call.base}/${plural}?${query}` }
  }
  const body = {
    [plural]: views,
    total,
    ...(offset > 0 ? linked('previous', Math.max(0, offset - limit)) : {}),
    ...(offset + limit < total ? linked('next', offset + limit) : {}),
  }
  return { status: 200, body }
}
