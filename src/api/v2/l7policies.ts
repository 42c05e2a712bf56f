import { parseL7Policy } from '../../model/graph.ts'
import { l7policy } from '../../model/l7policy.ts'
import { listener } from '../../model/listener.ts'
import { unwrap } from '../../model/request.ts'
import { createL7Policy, deleteL7Policy, updateL7Policy } from '../../operation/l7policy.ts'
import { l7policyRelatives } from '../../store/relatives.ts'
import { getRow } from '../../store/repository.ts'
import { listRoute, type Readable, showRoute } from '../read.ts'
import { allow, type Route } from '../route.ts'
import { answerById, deleteRoute, updateRoute } from '../write.ts'

const readable: Readable<typeof l7policy.fields> = {
  resource: l7policy,
  relatives: l7policyRelatives,
}
const { argument, singular, fields } = l7policy
const area = 'lbaas'
const path = '/l7policies/:id'

export const L7POLICY_ROUTES: readonly Route[] = [
  listRoute(readable, 'l7policy:get_all', 'l7policy:get_all-global', {
    area,
    path: '/l7policies',
    summary: 'List L7 policies.',
  }),
  showRoute(readable, 'l7policy:get_one', { area, path, summary: 'Show an L7 policy.' }),
  {
    method: 'POST',
    area,
    path: '/l7policies',
    rule: 'l7policy:post',
    summary: 'Create an L7 policy on a listener, with its rules.',
    status: 201,
    request: { wrapper: singular, fields, kind: 'policy' },
    answer: { wrapper: singular, fields },
    handle: async (api, call) => {
      const body = unwrap(call.body, argument, singular)
      const path = `${argument}.${singular}`
      const { values, rules } = parseL7Policy(body, path, api.settings.defaults)
      allow(call, (await getRow(api.store.read, listener, values.listener_id)).project_id)
      return answerById(api, readable, await createL7Policy(api, values, rules, call.origin))
    },
  },
  updateRoute(
    readable,
    { path, rule: 'l7policy:put', summary: 'Change an L7 policy.' },
    (deps, row, changes, origin) => updateL7Policy(deps, row.id, changes, origin),
  ),
  deleteRoute(
    readable,
    { path, rule: 'l7policy:delete', summary: 'Delete an L7 policy with its rules.' },
    (deps, row, origin) => deleteL7Policy(deps, row.id, origin),
  ),
]
