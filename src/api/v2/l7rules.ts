/**
 * Upstream does not ask whether a rule is one of the policy in the path, only whether both exist.
 */
import { fault } from '../../model/fault.ts'
import { type L7Policy, l7policy } from '../../model/l7policy.ts'
import { type L7Rule, l7rule } from '../../model/l7rule.ts'
import { parseCreate, unwrap } from '../../model/request.ts'
import { createL7Rule, deleteL7Rule, updateL7Rule } from '../../operation/l7rule.ts'
import { findRow, getRow } from '../../store/repository.ts'
import { parseUuid } from '../../system/ids.ts'
import { answerOne, answerPage, type Readable } from '../read.ts'
import { type Api, allow, type Call, type Route } from '../route.ts'
import { answerById, deleteRoute, updateRoute } from '../write.ts'

const readable: Readable<typeof l7rule.fields> = { resource: l7rule }
const { argument, singular, plural, fields } = l7rule
const area = 'lbaas'
const path = '/l7policies/:id/rules'

async function getPolicy(api: Api, call: Call): Promise<L7Policy> {
  const id = call.params.id ?? ''
  const row = await findRow(api.store.read, l7policy, parseUuid(id) ?? id)
  // In one word here, as upstream.
  if (row === undefined) throw fault.notFound('L7Policy', id)
  return row
}

async function getRule(api: Api, call: Call): Promise<L7Rule> {
  await getPolicy(api, call)
  const id = call.params.rule_id ?? ''
  return getRow(api.store.read, l7rule, parseUuid(id) ?? id)
}

export const L7RULE_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    area,
    path,
    rule: 'l7rule:get_all',
    summary: 'List the rules of an L7 policy.',
    status: 200,
    answer: { wrapper: plural, fields, list: true },
    handle: async (api, call) => {
      const parent = await getPolicy(api, call)
      allow(call, parent.project_id)
      const scope = [{ column: 'l7policy_id', value: parent.id }]
      return answerPage(api, readable, call, call.query, scope)
    },
  },
  {
    method: 'GET',
    area,
    path: `${path}/:rule_id`,
    rule: 'l7rule:get_one',
    summary: 'Show a rule of an L7 policy.',
    status: 200,
    answer: { wrapper: singular, fields },
    handle: async (api, call) => {
      const row = await getRule(api, call)
      allow(call, row.project_id)
      return answerOne(api.store.read, readable, row, call)
    },
  },
  {
    method: 'POST',
    area,
    path,
    rule: 'l7rule:post',
    summary: 'Create a rule of an L7 policy.',
    status: 201,
    request: { wrapper: singular, fields, kind: 'create' },
    answer: { wrapper: singular, fields },
    handle: async (api, call) => {
      const parent = await getPolicy(api, call)
      const body = unwrap(call.body, argument, singular)
      const values = parseCreate(fields, body, `${argument}.${singular}`, api.settings.defaults)
      allow(call, parent.project_id)
      return answerById(api, readable, await createL7Rule(api, parent.id, values, call.origin))
    },
  },
  updateRoute(
    readable,
    {
      path: `${path}/:rule_id`,
      rule: 'l7rule:put',
      summary: 'Change a rule of an L7 policy.',
      changed: 'l7rule_',
    },
    (deps, row, changes, origin) => updateL7Rule(deps, row.id, changes, origin),
    getRule,
  ),
  deleteRoute(
    readable,
    { path: `${path}/:rule_id`, rule: 'l7rule:delete', summary: 'Delete a rule of an L7 policy.' },
    (deps, row, origin) => deleteL7Rule(deps, row.id, origin),
    getRule,
  ),
]
