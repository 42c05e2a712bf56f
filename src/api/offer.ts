/**
 * Routes of what operators offer, which belongs to no project: the rule is held against the
 * caller's own project, before anything is looked up.
 */
import type { ProfileKind } from '../model/capability.ts'
import { fault } from '../model/fault.ts'
import type { Create, Fields, Resource, Update } from '../model/field.ts'
import { parseCreate, parseUpdate, unwrap } from '../model/request.ts'
import type { OperationDependencies } from '../operation/change.ts'
import type { RuleName } from '../policy/rules.ts'
import { NIL_UUID } from '../system/ids.ts'
import { parseKey } from './listing.ts'
import { answerOne, answerPage, getShown, type Readable } from './read.ts'
import { type AnswerShape, allow, type Call, type Route } from './route.ts'
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
  readonly create: (
    deps: OperationDependencies,
    kind: ProfileKind,
    values: Create<Fields>,
  ) => Promise<string>
  readonly update: (
    deps: OperationDependencies,
    kind: ProfileKind,
    key: string,
    changes: Update<Fields>,
  ) => Promise<void>
  readonly remove: (deps: OperationDependencies, kind: ProfileKind, key: string) => Promise<void>
}

export function offerRoutes<R extends string>(
  offer: `${R}:${Action}` extends RuleName ? Offer<R> : never,
): readonly Route[] {
  const place = placeOf(offer)
  return [...readRoutes(offer, place), ...writeRoutes(offer, place)]
}

/** What the routes of one resource share. */
interface Place {
  readonly readable: Readable<Fields>
  readonly at: (action: Action, path: string) => Pick<Route, 'area' | 'path' | 'rule'>
  /** The path of one. */
  readonly one: string
  readonly answer: AnswerShape
  readonly keyOf: (call: Call) => string
  readonly bodyOf: (call: Call) => unknown
  /** The body, in faults. */
  readonly name: string
}

function placeOf({ resource, path, rules, nilTitle, links }: Offer<string>): Place {
  const { argument, singular, fields } = resource
  return {
    readable: {
      resource,
      ...(links === undefined ? {} : { links }),
    },
    at: (action, below) => ({ area: 'lbaas', path: below, rule: `${rules}:${action}` as RuleName }),
    one: `${path}/:id`,
    answer: { wrapper: singular, fields },
    // The nil UUID is what deleted rows point to at upstream, and never found.
    keyOf: ({ params: { id = '' } }) => {
      if (id === NIL_UUID) throw fault.notFound(nilTitle, id)
      return parseKey(resource, id)
    },
    bodyOf: (call) => unwrap(call.body, argument, singular),
    name: `${argument}.${singular}`,
  }
}

function allowOwn(call: Call): void {
  allow(call, call.caller.project_id)
}

function readRoutes(
  { resource, path, noun, links }: Offer<string>,
  { readable, at, one, answer, keyOf }: Place,
): readonly Route[] {
  const { plural, fields } = resource
  return [
    {
      ...at('get_all', path),
      method: 'GET',
      summary: `List ${plural.replaceAll('_', ' ')}.`,
      status: 200,
      answer: { wrapper: plural, fields, list: true, ...(links === undefined ? {} : { links }) },
      handle: async (api, call) => {
        allowOwn(call)
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
        allowOwn(call)
        const row = await getShown(api.store.read, readable, keyOf(call))
        return answerOne(api.store.read, readable, row, call)
      },
    },
  ]
}

function writeRoutes(
  { kind, resource, path, noun, create, update, remove }: Offer<string>,
  { readable, at, one, answer, keyOf, bodyOf, name }: Place,
): readonly Route[] {
  const { singular, fields } = resource
  return [
    {
      ...at('post', path),
      method: 'POST',
      summary: `Create ${noun}.`,
      status: 201,
      request: { wrapper: singular, fields, kind: 'create' },
      answer,
      handle: async (api, call) => {
        const values = parseCreate(fields, bodyOf(call), name, api.settings.defaults)
        allowOwn(call)
        return answerById(api, readable, await create(api, kind, values))
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
        allowOwn(call)
        const key = keyOf(call)
        await update(api, kind, key, changes)
        return answerById(api, readable, key)
      },
    },
    {
      ...at('delete', one),
      method: 'DELETE',
      summary: `Delete ${noun}.`,
      status: 204,
      handle: async (api, call) => {
        allowOwn(call)
        await remove(api, kind, keyOf(call))
        return undefined
      },
    },
  ]
}
