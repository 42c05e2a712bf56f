import { parseBoolean } from '../../model/field.ts'
import { memberFields } from '../../model/graph.ts'
import { type Member, member } from '../../model/member.ts'
import { pool } from '../../model/pool.ts'
import { expectList, expectObject, parseCreate, unwrap } from '../../model/request.ts'
import { createMember, deleteMember, getMember, updateMember } from '../../operation/member.ts'
import { type BatchItem, setMembers } from '../../operation/member-batch.ts'
import { getRow } from '../../store/repository.ts'
import { parseUuid } from '../../system/ids.ts'
import { answerOne, answerPage, type Readable } from '../read.ts'
import { type Api, allow, type Call, type Route } from '../route.ts'
import { answerById, deleteRoute, updateRoute } from '../write.ts'

const readable: Readable<typeof member.fields> = { resource: member }
const { argument, singular, plural, fields } = member
/** `project_id` is accepted and ignored: the load balancer's counts. */
const createFields = { ...fields, ...memberFields }
const area = 'lbaas'

function parseBatch(body: unknown, api: Api): BatchItem[] {
  const path = `members_.${plural}`
  return expectList(unwrap(body, 'members_', plural), plural).map((item) => ({
    values: parseCreate(createFields, item, path, api.settings.defaults),
    sent: Object.keys(expectObject(item, path)),
  }))
}

/**
 * The pool of the path; the router wants one name, `id`, for the same place in all paths of pools.
 */
async function getPool(api: Api, call: Call) {
  const id = call.params.id ?? ''
  return getRow(api.store.read, pool, parseUuid(id) ?? id)
}

async function findMember(api: Api, call: Call): Promise<Member> {
  const parent = await getPool(api, call)
  const id = call.params.member_id ?? ''
  return getMember(api.store.read, parent.id, parseUuid(id) ?? id)
}

export const MEMBER_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    area,
    path: '/pools/:id/members',
    rule: 'member:get_all',
    summary: 'List the members of a pool.',
    status: 200,
    answer: { wrapper: plural, fields, list: true },
    handle: async (api, call) => {
      const parent = await getPool(api, call)
      allow(call, parent.project_id)
      const scope = [{ column: 'pool_id', value: parent.id }]
      return answerPage(api, readable, call, call.query, scope)
    },
  },
  {
    method: 'GET',
    area,
    path: '/pools/:id/members/:member_id',
    rule: 'member:get_one',
    summary: 'Show a member.',
    status: 200,
    answer: { wrapper: singular, fields },
    handle: async (api, call) => {
      const row = await findMember(api, call)
      allow(call, row.project_id)
      return answerOne(api.store.read, readable, row, call)
    },
  },
  {
    method: 'POST',
    area,
    path: '/pools/:id/members',
    rule: 'member:post',
    summary: 'Create a member.',
    status: 201,
    request: { wrapper: singular, fields: createFields, kind: 'create' },
    answer: { wrapper: singular, fields },
    handle: async (api, call) => {
      const parent = await getPool(api, call)
      const body = unwrap(call.body, argument, singular)
      const values = parseCreate(
        createFields,
        body,
        `${argument}.${singular}`,
        api.settings.defaults,
      )
      allow(call, parent.project_id)
      return answerById(api, readable, await createMember(api, parent.id, values, call.origin))
    },
  },
  {
    method: 'PUT',
    area,
    path: '/pools/:id/members',
    rule: 'member:put',
    summary: 'Make these the members of a pool; with ?additive_only=true others stay.',
    status: 202,
    query: ['additive_only'],
    request: { wrapper: plural, fields: createFields, kind: 'list' },
    handle: async (api, call) => {
      const parent = await getPool(api, call)
      const items = parseBatch(call.body, api)
      const additive = parseBoolean(call.query.get('additive_only') ?? 'false') ?? false
      allow(call, parent.project_id)
      allow(call, parent.project_id, 'member:post')
      if (!additive) allow(call, parent.project_id, 'member:delete')
      await setMembers(api, parent.id, items, additive, call.origin)
      return undefined
    },
  },
  updateRoute(
    readable,
    { path: '/pools/:id/members/:member_id', rule: 'member:put', summary: 'Change a member.' },
    (deps, row, changes, origin) => updateMember(deps, row.pool_id, row.id, changes, origin),
    findMember,
  ),
  deleteRoute(
    readable,
    { path: '/pools/:id/members/:member_id', rule: 'member:delete', summary: 'Delete a member.' },
    (deps, row, origin) => deleteMember(deps, row.pool_id, row.id, origin),
    findMember,
  ),
]
