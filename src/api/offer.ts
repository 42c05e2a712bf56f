/**
 * Routes of what operators offer, which belongs to no project: the rule is held against the
 * caller's own project, before anything is looked up.
 */
import type { ProfileKind } from '../model/capability.ts'
import { fault } from '../model/fault.ts'
import type { Create, Fields, Resource, Update } from '../model/field.ts'
import { parseCreate, parseUpdate, unwrap } from '../model/request.ts'
import { type View, viewOf } from '../model/view.ts'
import type { OperationDependencies } from '../operation/change.ts'
import type { RuleName } from '../policy/rules.ts'
import { NIL_UUID } from '../system/ids.ts'
import { parseKey } from './listing.ts'
import { answerOne, answerPage, getShown, type Readable } from './read.ts'
import { type Api, allow, type Call, type Route } from './route.ts'
import { answerById } from './write.ts'

type Action = 'get_all' | 'get_one' | 'post' | 'put' | 'delete'

/** What a resource of this sort is and does. */
export interface Offer<R extends string> {
  readonly kind: ProfileKind
  readonly resource: Resource<Fields>
  /** `/flavors`. */
  readonly path: string
  /** The type in rules: `flavor`. */
  readonly rules: R
  /** `a flavor`, in summaries. */
  readonly noun: string
  /** What upstream calls it where the nil UUID is asked for. */
  readonly nilTitle: string
  /** The key of the links of a list, where it is not `<plural>_links`. */
  readonly links?: string
  create(deps: OperationDependencies, kind: ProfileKind, values: Create<Fields>): Promise<string>
  update(
    deps: OperationDependencies,
    kind: ProfileKind,
    key: string,
    changes: Update<Fields>,
  ): Promise<void>
  remove(deps: OperationDependencies, kind: ProfileKind, key: string): Promise<void>
}

export function offerRoutes<R extends string>(
  offer: `${R}:${Action}` extends RuleName ? Offer<R> : never,
): readonly Route[] {
  const { kind, resource, links, noun } = offer
  const { argument, singular, plural, fields } = resource
  const readable: Readable<Fields> = {
    resource,
    view: async (_db, rows): Promise<readonly View[]> => rows.map((row) => viewOf(resource, row)),
    ...(links === undefined ? {} : { links }),
  }
  const at = (action: Action, path: string) => ({
    area: 'lbaas' as const,
    path,
    rule: `${offer.rules}:${action}` as RuleName,
  })
  const one = `${offer.path}/:id`
  const answer = { wrapper: singular, fields }
  const allowed = (call: Call): void => allow(call, call.caller.project_id)
  /** The nil UUID stood for what deleted rows point to, and is never found. */
  const keyOfCall = (call: Call): string => {
    const { id = '' } = call.params
    if (id === NIL_UUID) throw fault.notFound(offer.nilTitle, id)
    return parseKey(resource, id)
  }
  const bodyOf = (call: Call): unknown => unwrap(call.body, argument, singular)
  const name = `${argument}.${singular}`
  const found = (api: Api, call: Call) => getShown(api.store.read, readable, keyOfCall(call))
  return [
    {
      ...at('get_all', offer.path),
      method: 'GET',
      summary: `List ${plural.replaceAll('_', ' ')}.`,
      status: 200,
      answer: { wrapper: plural, fields, list: true, ...(links === undefined ? {} : { links }) },
      handle: async (api, call) => {
        allowed(call)
        return answerPage(api, readable, call, call.query, [])
      },
    },
    {
      ...at('get_one', one),
      method: 'GET',
      summary: `Show ${noun}.`,
      status: 200,
      answer,
      handle: async (api, call) => {
        allowed(call)
        return answerOne(api.store.read, readable, await found(api, call), call)
      },
    },
    {
      ...at('post', offer.path),
      method: 'POST',
      summary: `Create ${noun}.`,
      status: 201,
      request: { wrapper: singular, fields, kind: 'create' },
      answer,
      handle: async (api, call) => {
        const values = parseCreate(fields, bodyOf(call), name, api.settings.defaults)
        allowed(call)
        return answerById(api, readable, await offer.create(api, kind, values))
      },
    },
    {
      ...at('put', one),
      method: 'PUT',
      summary: `Change ${noun}.`,
      status: 200,
      request: { wrapper: singular, fields, kind: 'update' },
      answer,
      handle: async (api, call) => {
        const changes = parseUpdate(fields, bodyOf(call), name, api.settings.defaults)
        allowed(call)
        const key = keyOfCall(call)
        await offer.update(api, kind, key, changes)
        return answerById(api, readable, key)
      },
    },
    {
      ...at('delete', one),
      method: 'DELETE',
      summary: `Delete ${noun}.`,
      status: 204,
      handle: async (api, call) => {
        allowed(call)
        await offer.remove(api, kind, keyOfCall(call))
        return undefined
      },
    },
  ]
}
