/**
 * Routes that change a child resource by its id, alike for all of them; creating differs and stays
 * apart.
 */
import { fault } from '../model/fault.ts'
import type { Fields, Row, Update } from '../model/field.ts'
import { parseChanges } from '../model/request.ts'
import type { OperationDependencies, Origin } from '../operation/change.ts'
import type { RuleName } from '../policy/rules.ts'
import { getAnswer, getShown, projectOf, type Readable, wrapped } from './read.ts'
import { type Api, allow, type Call, type JsonText, type Route } from './route.ts'

interface Names {
  readonly path: string
  readonly rule: RuleName
  readonly summary: string
  /** What faults call a body of changes; default as for other bodies. */
  readonly changed?: string
}

/**
 * `find` loads the row before the rule is checked on its project: a missing one is 404 for
 * everybody.
 */
export function updateRoute<F extends Fields>(
  readable: Readable<F>,
  { changed, ...names }: Names,
  update: (
    deps: OperationDependencies,
    row: Row<F>,
    changes: Update<F>,
    origin: Origin,
  ) => Promise<void>,
  find: (api: Api, call: Call) => Promise<Row<F>> = findById(readable),
): Route {
  const { singular, fields } = readable.resource
  const resource = { ...readable.resource, argument: changed ?? readable.resource.argument }
  return {
    ...names,
    method: 'PUT',
    area: 'lbaas',
    status: 200,
    request: { wrapper: singular, fields, kind: 'update' },
    answer: { wrapper: singular, fields },
    handle: async (api, call) => {
      const changes = parseChanges(resource, call.body, api.settings.defaults)
      const row = await find(api, call)
      allow(call, projectOf(row))
      if (changes === undefined) throw fault.missingArgument(singular)
      await update(api, row, changes, call.origin)
      return answerById(api, readable, idOf(row))
    },
  }
}

export function deleteRoute<F extends Fields>(
  readable: Readable<F>,
  names: Names,
  remove: (deps: OperationDependencies, row: Row<F>, origin: Origin) => Promise<void>,
  find: (api: Api, call: Call) => Promise<Row<F>> = findById(readable),
): Route {
  return {
    ...names,
    method: 'DELETE',
    area: 'lbaas',
    status: 204,
    handle: async (api, call) => {
      const row = await find(api, call)
      allow(call, projectOf(row))
      await remove(api, row, call.origin)
      return undefined
    },
  }
}

/** The row as it is now, wrapped. */
export async function answerById<F extends Fields>(
  { store }: Api,
  readable: Readable<F>,
  id: string,
): Promise<JsonText> {
  return wrapped(readable, await getAnswer(store.read, readable, id))
}

function findById<F extends Fields>(
  readable: Readable<F>,
): (api: Api, call: Call) => Promise<Row<F>> {
  return (api, call) => getShown(api.store.read, readable, call.params.id ?? '')
}

function idOf(row: object): string {
  return (row as { readonly id: string }).id
}
